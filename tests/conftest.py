"""What holds for all tests. Fixtures are in `tests/fixtures/`, a file for each subject."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("attendant", deadline=None, print_blob=True)
settings.load_profile("attendant")

NEEDS = {
    "asterisk": "asterisk",
    "asterisk_sounds": "asterisk",
    "chromium": "browser",
    "strict_chromium": "browser",
    "espeak": "speech",
    "valkey": "valkey",
}
"""Fixture → marker: what a test needs is seen from what it uses, so that it can be left out by asking."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in NEEDS:
                item.add_marker(NEEDS[fixture])
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "postgresql" in parameters.values():
            item.add_marker("postgres")
        if "redis" in parameters.values():
            item.add_marker("valkey")
