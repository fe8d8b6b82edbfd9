"""Fixtures of all tests, a file for each subject in `tests/fixtures/`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("attendant", deadline=None, print_blob=True)
settings.load_profile("attendant")
