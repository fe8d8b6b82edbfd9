"""`make test`: everything, with its own set-up. Leave parts out by asking: make test SKIP="asterisk browser".

Fetches what the tests need beyond the Python packages (Asterisk, SIPp), so that no test has to skip. Only a speech engine and a
browser can't be fetched without root: where espeak-ng or Chromium is not installed, its part is left out, and the last lines say
so.

Calls and pages happen in real time, and a machine that is short of it for a moment makes phones drop sound. So a few tests that
failed beside others run once more, one at a time; what fails then has failed, and what passes is named in the last lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
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
MOST_AGAIN = 5
"""More failures than that are no matter of a moment."""


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
    failures = _Failures()
    result = int(pytest.main(["-n", WORKERS, "--dist", "loadscope", *chosen, *sys.argv[1:]], [failures]))
    again = sorted(failures.in_real_time)
    if again and len(failures.all) == len(again) <= MOST_AGAIN:
        say(f"{len(again)} failed beside others and run once more, one at a time")
        result = subprocess.run([sys.executable, "-m", "pytest", *again]).returncode
        if result == pytest.ExitCode.OK:
            for test in again:
                print(f"FAILED BESIDE OTHERS, passed alone: {test}")
    for part in skipped:
        print(f"LEFT OUT as asked: {part} ({PARTS[part]})")
    for part in missing:
        print(f"NOT RUN: {part} ({PARTS[part]}: apt install {INSTALLED[part][0]})")
    return result


class _Failures:
    """A plugin that notes what has failed, and which of it was a matter of real calls or a real browser."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self.in_real_time: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.all.add(report.nodeid)
            if {"asterisk", "browser"} & report.keywords.keys():
                self.in_real_time.add(report.nodeid)


def say(text: str) -> None:
    print(f"tests: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
