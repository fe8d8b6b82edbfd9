"""`make test`: everything, with its own set-up. Leave parts out by asking: make test SKIP="asterisk postgres browser".

Fetches what the tests need beyond the Python packages (SIPp; Asterisk itself), so that no test has to skip. Tests that can
share the machine run on two workers; those marked `serial` run after them, alone.
"""

from __future__ import annotations

import os
import sys

import pytest

from controller.errors import AttendantError
from controller.provisioning.asterisk_prefix import find_or_fetch, find_or_fetch_sipp
from controller.settings import Settings

PARTS = {"asterisk": "real calls on a real Asterisk", "postgres": "storage on a real PostgreSQL", "valkey": "the bus on a real Valkey"}
WORKERS = "2"
NO_TESTS = 5


def main() -> int:
    skipped = os.environ.get("SKIP", "").split()
    unknown = [part for part in skipped if part not in PARTS]
    if unknown:
        print(f"SKIP: {', '.join(unknown)} is no part; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    if "asterisk" not in skipped:
        try:
            find_or_fetch(Settings(), say)
            find_or_fetch_sipp(Settings(), say)
        except AttendantError as error:
            print(f"the tests can't be set up: {error}", file=sys.stderr)
            return 1
    left_out = "".join(f" and not {part}" for part in skipped)
    result = pytest.main(["-n", WORKERS, "--dist", "loadgroup", "-m", f"not serial{left_out}", *sys.argv[1:]])
    alone = pytest.main(["-m", f"serial{left_out}", *sys.argv[1:]])
    for part in skipped:
        print(f"LEFT OUT as asked: {part} ({PARTS[part]})")
    return int(result) or (0 if alone == NO_TESTS else int(alone))


def say(text: str) -> None:
    print(f"tests: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
