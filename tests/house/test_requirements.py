"""`make requirements`: what it says is derived from the tests that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.requirements import LIST, REASONS, Proof, Requirement, collect, read_list, report, unknown_ids

ROWS = [Requirement("UIS-1", "Inbound scenario", 1), Requirement("UIS-2", "Editor", 1), Requirement("PRJ-1", "Employees", 5)]
TESTS = """
import pytest
from tests.fixtures.real_calls import sends_sip

@pytest.fixture
@sends_sip()
def phones_on_asterisk():
    pass

@pytest.fixture
def dressed_up(phones_on_asterisk):
    pass

@pytest.fixture(params=["fake", "real"])
@sends_sip(when="real")
def either(request):
    pass

@pytest.fixture
def asterisk():
    "Only the name says so."

@pytest.mark.covers("A-1", "A-2")
def test_direct(phones_on_asterisk): pass

@pytest.mark.covers("A-3")
def test_through_another(dressed_up): pass

@pytest.mark.covers("A-4")
def test_either(either): pass

@pytest.mark.covers("A-5")
def test_named_alike(asterisk): pass

def test_that_covers_nothing(phones_on_asterisk): pass
"""


def test_the_list_has_all_398_rows_each_once_and_every_group_has_a_reason() -> None:
    rows = read_list(LIST.read_text())
    assert len(rows) == len({row.id for row in rows}) == 398
    assert all("|" not in row.title and 0 < len(row.title) <= 80 for row in rows)
    assert {row.group for row in rows} == set(REASONS)


def test_the_state_comes_from_the_fixtures_and_the_last_line_counts() -> None:
    proofs = [
        Proof("a.py::test_a[1]", ("UIS-1",), False),
        Proof("a.py::test_a[2]", ("UIS-1",), False),
        Proof("b.py::test_b", ("UIS-1", "UIS-2"), False),
        Proof("c.py::test_c", ("UIS-1",), True),
    ]
    assert report(ROWS, proofs) == [
        "UIS-1 | Inbound scenario | 3 | real call",
        "UIS-2 | Editor | 1 | without telephony",
        "PRJ-1 | Employees | 0 | not built: planned: outbound campaigns",
        "real call: 1, without telephony: 1, not built: 1",
    ]


def test_an_id_that_is_not_on_the_list_is_named_and_a_trap_is_none() -> None:
    proofs = [Proof("a.py::test_a", ("UIS-1", "UIS-999", "T-15"), False)]
    assert unknown_ids(ROWS, proofs) == ["a.py::test_a covers UIS-999, which is not on the list"]


def test_only_fixtures_that_say_so_make_a_call_real(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    failed, proofs = collect([str(tmp_path), "-c", str(pytestconfig.inipath)])
    assert failed == ""
    found = {(proof.test.rpartition("::")[2], proof.ids[0]): proof.real for proof in proofs}
    assert found == {
        ("test_direct", "A-1"): True,
        ("test_through_another", "A-3"): True,
        ("test_either[fake]", "A-4"): False,
        ("test_either[real]", "A-4"): True,
        ("test_named_alike", "A-5"): False,
    }


def test_tests_that_cannot_be_read_are_said(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name")
    failed, _ = collect([str(tmp_path), "-c", str(pytestconfig.inipath)])
    assert "nothing_of_this_name" in failed
