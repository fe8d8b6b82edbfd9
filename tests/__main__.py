"""`make test`: everything, with its own set-up. Leave parts out by asking: make test SKIP="asterisk browser".

Fetches what the tests need beyond the Python packages (Asterisk, SIPp, the telephone of the pages), so that no test has to skip.
Only a speech engine and a browser can't be fetched without root: where espeak-ng or Chromium is not installed, its part is left
out, and the last lines say so.

Calls and pages happen in real time, and a machine that is short of it for a moment makes phones drop sound. So the tests that
only compute run before them. And a few tests with calls or pages that failed run once more, one at a time; what fails then has
failed, and what passes is named in the last lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

import pytest

from controller.errors import AttendantError
from controller.provisioning import browser_parts
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
IN_REAL_TIME = ("asterisk", "browser")
TALKING, COMPUTING = "3", "3"
"""Workers. Tests with calls and pages mostly wait, so that there may be more of them than processors."""
MOST_AGAIN = 12
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
    if "browser" not in skipped and find_chromium() is not None:
        try:
            browser_parts.build(say)
        except AttendantError as error:
            print(f"the tests can't be set up: {error}", file=sys.stderr)
            return 1
    missing = [part for part, (_, found) in INSTALLED.items() if part not in skipped and found() is None]
    left_out = [f"not {part}" for part in (*skipped, *missing)]
    results = {_computing(left_out), _in_real_time(left_out)} - {int(pytest.ExitCode.NO_TESTS_COLLECTED)}
    for part in skipped:
        print(f"LEFT OUT as asked: {part} ({PARTS[part]})")
    for part in missing:
        print(f"NOT RUN: {part} ({PARTS[part]}: apt install {INSTALLED[part][0]})")
    return max(results, default=int(pytest.ExitCode.NO_TESTS_COLLECTED))


def _computing(left_out: Sequence[str]) -> int:
    """The tests without calls and pages."""
    chosen = " and ".join([*(f"not {part}" for part in IN_REAL_TIME), *left_out])
    command = [sys.executable, "-m", "pytest", "-n", COMPUTING, "--dist", "worksteal", "-m", chosen, *sys.argv[1:]]
    return subprocess.run(command).returncode


def _in_real_time(left_out: Sequence[str]) -> int:
    """The tests with calls and pages; those that failed beside others are tried alone."""
    chosen = " and ".join([f"({' or '.join(IN_REAL_TIME)})", *left_out])
    failures = _Failures()
    result = int(pytest.main(["-n", TALKING, "--dist", "worksteal", "-m", chosen, *sys.argv[1:]], [failures]))
    again = sorted(failures.names)
    if not 0 < len(again) <= MOST_AGAIN:
        return result
    say(f"{len(again)} failed beside others and run once more, one at a time")
    result = subprocess.run([sys.executable, "-m", "pytest", *again]).returncode
    if result == pytest.ExitCode.OK:
        for test in again:
            print(f"FAILED BESIDE OTHERS, passed alone: {test}")
    return result


class _Failures:
    """A plugin that notes what has failed."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.names.add(report.nodeid)


def say(text: str) -> None:
    print(f"tests: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
