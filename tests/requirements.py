"""`make requirements`: one line for each requirement, `ID | title | number of tests | state`, and last a line with the counts.

Nothing is typed by hand: the tests are collected, not run; their `covers` markers name the requirements, and the fixtures that
they use say whether SIP messages go through a real Asterisk (`tests/fixtures/real_calls.py`).
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.real_calls import makes_real_calls

LIST = Path(__file__).with_suffix(".md")
TESTS = Path(__file__).parent

REAL, WITHOUT, NOT_BUILT = "real call", "without telephony", "not built"
REASONS = {
    1: "planned: scenario operations",
    2: "planned: numbers and distribution",
    3: "planned: prompts and recordings",
    4: "planned: operators and their phones",
    5: "planned: outbound campaigns",
    6: "planned: retries and calling times",
    7: "planned: contacts and leads",
    8: "planned: agent scripts and questionnaires",
    9: "planned: reports and exports",
    10: "planned: integrations",
    11: "planned: accounts and checks",
}
"""Why requirements of a group that no test covers are not built yet."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A row of the list; `group` is the number of its heading."""

    id: str
    title: str
    group: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A collected test that carries IDs of requirements."""

    test: str
    ids: tuple[str, ...]
    real: bool


def main() -> int:
    rows = read_list(LIST.read_text())
    failed, proofs = collect([str(TESTS)])
    if failed:
        print(failed, file=sys.stderr)
        return 2
    for line in report(rows, proofs):
        print(line)
    unknown = unknown_ids(rows, proofs)
    for line in unknown:
        print(line, file=sys.stderr)
    return 1 if unknown else 0


def read_list(text: str) -> list[Requirement]:
    """The rows of the list, in its order."""
    rows: list[Requirement] = []
    group = 0
    for line in text.splitlines():
        if heading := re.match(r"## (\d+)\. ", line):
            group = int(heading[1])
        elif row := re.match(r"\| ([A-Z]+-\d+) \| (.+) \|$", line):
            rows.append(Requirement(row[1], row[2], group))
    return rows


def collect(arguments: Sequence[str]) -> tuple[str, list[Proof]]:
    """The tests that cover something; first what pytest says when it can't collect them."""
    collector = _Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        # What libraries warn of while they are imported is for the run of the tests to say.
        result = pytest.main(["--collect-only", "-q", "-W", "ignore", "-p", "no:cacheprovider", *arguments], [collector])
    return ("" if result == pytest.ExitCode.OK else said.getvalue().rpartition("= ERRORS =")[2]), collector.proofs


class _Collector:
    """A plugin that looks at what was collected."""

    def __init__(self) -> None:
        self.proofs: list[Proof] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            ids = tuple(str(id) for marker in item.iter_markers("covers") for id in marker.args)
            if ids:
                self.proofs.append(Proof(item.nodeid, ids, makes_real_calls(item)))


def report(rows: Iterable[Requirement], proofs: Iterable[Proof]) -> list[str]:
    """The lines to print."""
    by_id: dict[str, list[Proof]] = {}
    for proof in proofs:
        for id in set(proof.ids):
            by_id.setdefault(id, []).append(proof)
    counts = dict.fromkeys((REAL, WITHOUT, NOT_BUILT), 0)
    lines = []
    for row in rows:
        found = by_id.get(row.id, [])
        # A test with parameters is one test, however many cases it has.
        number = len({proof.test.partition("[")[0] for proof in found})
        state = NOT_BUILT if not found else REAL if any(proof.real for proof in found) else WITHOUT
        counts[state] += 1
        said = f"{state}: {REASONS[row.group]}" if state == NOT_BUILT else state
        lines.append(f"{row.id} | {row.title} | {number} | {said}")
    return [*lines, ", ".join(f"{state}: {count}" for state, count in counts.items())]


def unknown_ids(rows: Iterable[Requirement], proofs: Iterable[Proof]) -> list[str]:
    """What is wrong with the markers: IDs that are not on the list. Traps (T-15) may be named beside; they are no rows."""
    known = {row.id for row in rows}
    strange = [(proof.test, id) for proof in proofs for id in proof.ids if id not in known and not id.startswith("T-")]
    return [f"{test} covers {id}, which is not on the list" for test, id in strange]


if __name__ == "__main__":
    sys.exit(main())
