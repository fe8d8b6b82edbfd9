"""`make test`: everything, with its own set-up. Leave parts out by asking: make test SKIP="asterisk browser".

Fetches what the tests need beyond the Python packages (Asterisk, SIPp), so that no test has to skip. Only a speech engine and a
browser can't be fetched without root: where espeak-ng or Chromium is not installed, its part is left out, and the last lines say
so.
"""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from controller.errors import AttendantError
from controller.provisioning.asterisk_prefix import find_or_fetch, find_or_fetch_sipp
from controller.settings import Settings
from tests.fixtures.chromium import find_chromium

PARTS = {
    "asterisk": "real calls on a real Asterisk",
    "postgres": "storage on a real PostgreSQL",
    "valkey": "the bus on a real Valkey",
    "speech": "text to speech by a real espeak-ng, which has to be installed",
    "browser": "pages in a real Chromium, which has to be installed",
}
INSTALLED = {"speech": ("espeak-ng", lambda: shutil.which("espeak-ng")), "browser": ("chromium", find_chromium)}
"""Parts that need a program of the machine: its Debian package, and where it is found."""
WORKERS = "4"
"""Most tests wait for phones, prompts and pages, so that there may be more of them than processors."""


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
    missing = [part for part, (_, found) in INSTALLED.items() if part not in skipped and found() is None]
    left_out = skipped + missing
    chosen = ["-m", " and ".join(f"not {part}" for part in left_out)] if left_out else []
    result = pytest.main(["-n", WORKERS, "--dist", "loadscope", *chosen, *sys.argv[1:]])
    for part in skipped:
        print(f"LEFT OUT as asked: {part} ({PARTS[part]})")
    for part in missing:
        print(f"NOT RUN: {part} ({PARTS[part]}: apt install {INSTALLED[part][0]})")
    return int(result)


def say(text: str) -> None:
    print(f"tests: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
