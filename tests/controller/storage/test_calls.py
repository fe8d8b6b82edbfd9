"""Finding calls, and closing what a dead controller left open."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from controller.errors import InvalidInput, NotFound
from controller.ids import CallId, ChannelId
from controller.storage import Database
from controller.storage.calls import (
    CallFilters,
    close_open_calls,
    decisions_of,
    get_call,
    last_talk_ended,
    list_calls,
    talks_since,
)
from controller.storage.journal_changes import Change, LegStarted, RoutingDecided
from controller.storage.journal_rows import write_changes
from controller.storage.rates import Pricing
from tests.controller.storage.call_changes import ended, second, started, talk


def store(database: Database, *changes: Sequence[Change]) -> None:
    with database.engine.begin() as connection:
        for some in changes:
            write_changes(connection, some, Pricing())


def found(database: Database, limit: int = 50, cursor: str | None = None, **filters: object) -> list[str]:
    with database.session(read_only=True) as session:
        page = list_calls(session, CallFilters(**filters), limit, cursor)  # type: ignore[arg-type]
    return [detail.call.id for detail in page.calls]


def test_calls_are_listed_newest_first_and_filtered(database: Database) -> None:
    store(
        database,
        talk("a-talk", at=0, extension="2001", caller="+79161234567"),
        talk("b-talk", at=10, extension="2002", caller="100%"),
        [started("c-live", at=20, called="8001")],
        [started("d-gone", at=30), ended("d-gone", 31, "abandoned")],
    )
    everyone = ["d-gone", "c-live", "b-talk", "a-talk"]
    assert found(database) == everyone
    assert found(database, live=True) == ["c-live"]
    assert found(database, live=False) == ["d-gone", "b-talk", "a-talk"]
    assert found(database, caller="9161234") == ["d-gone", "c-live", "a-talk"]
    assert found(database, caller="0%") == ["b-talk"]
    assert found(database, called="8001") == ["c-live"]
    assert found(database, operator="2001") == ["a-talk"]
    assert found(database, operator="2009") == []
    assert found(database, outcome="abandoned") == ["d-gone"]
    assert found(database, since=second(10), until=second(30)) == ["c-live", "b-talk"]


def test_pages_follow_each_other_without_gaps_while_calls_come_in(database: Database) -> None:
    names = [f"call-{number}" for number in range(7)]
    store(database, [started(name, at=int(name[-1]) // 2) for name in names])
    with database.session(read_only=True) as session:
        first = list_calls(session, CallFilters(), 3)
    store(database, [started("call-9", at=9)])
    assert first.next_cursor is not None
    with database.session(read_only=True) as session:
        second_page = list_calls(session, CallFilters(), 3, first.next_cursor)
        last = list_calls(session, CallFilters(), 3, second_page.next_cursor)
    pages = [[detail.call.id for detail in page.calls] for page in (first, second_page, last)]
    assert pages == [["call-6", "call-5", "call-4"], ["call-3", "call-2", "call-1"], ["call-0"]]
    assert last.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "MTIz", "bm93IHg", "2026-05-04T12:00:00+00:00 x", "\ud800"])
def test_a_cursor_that_is_not_ours_is_refused(sqlite_database: Database, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        found(sqlite_database, cursor=cursor)
    assert refused.value.problems[0].field == "cursor"


@pytest.mark.parametrize(("limit", "shown"), [(-5, 1), (0, 1), (1, 1), (10_000, 200)])
def test_the_limit_is_kept_within_bounds(sqlite_database: Database, limit: int, shown: int) -> None:
    store(sqlite_database, [started(f"call-{number:03}") for number in range(201)])
    assert len(found(sqlite_database, limit)) == shown


def test_a_call_that_is_unknown_is_not_found(sqlite_database: Database) -> None:
    with sqlite_database.session() as session, pytest.raises(NotFound, match="nobody"):
        get_call(session, "nobody")


def test_calls_left_open_are_closed_as_lost_with_all_that_is_open_in_them(database: Database) -> None:
    half = talk("call-lost")[:11]
    rung = LegStarted(CallId("call-lost"), ChannelId("call-lost-op3"), second(12), None, "Ann", "2003")
    store(database, [*half, rung], talk("call-over"), [started("call-known")])
    with database.session() as session:
        assert close_open_calls(session, second(100), {CallId("call-known")}) == 1
    with database.session(read_only=True) as session:
        lost, over, known = (get_call(session, name) for name in ("call-lost", "call-over", "call-known"))
    assert (lost.call.outcome, lost.call.ended_by, lost.call.ended_at) == ("lost", "system", second(100))
    assert [step.left_at for step in lost.steps] == [second(5), second(100)]
    assert [leg.ended_at for leg in lost.legs] == [second(7), second(100), second(100)]
    assert [leg.talk_ended_at for leg in lost.legs] == [None, second(100), None]
    assert [recording.ended_at for recording in lost.recordings] == [second(100)]
    assert (over.call.outcome, over.call.ended_at) == ("talked", second(42))
    assert (known.call.outcome, known.call.ended_at) == ("live", None)


def test_closing_thousands_of_calls_works(sqlite_database: Database) -> None:
    store(sqlite_database, [started(f"call-{number}") for number in range(2500)])
    with sqlite_database.session() as session:
        assert close_open_calls(session, second(1), ()) == 2500
    assert found(sqlite_database, live=True) == []


def test_an_operators_past_work_is_found_in_the_history(database: Database) -> None:
    store(database, talk("a", at=-7200, extension="2001"), talk("b", at=60, extension="2001"), talk("c", at=90, extension="2001"))
    with database.session(read_only=True) as session:
        assert last_talk_ended(session, 8, "2001") == second(90 + 42)
        assert last_talk_ended(session, 7, "2001") is None, "that is of who had the extension before"
        assert last_talk_ended(session, 7, "2009") is None, "he was rung and did not talk"
        assert talks_since(session, second(0)) == {8: 2}
        assert talks_since(session, second(-7200)) == {8: 3}


def test_why_a_call_went_to_an_operator_is_kept_with_it(database: Database) -> None:
    choice = RoutingDecided(
        CallId("a"),
        1,
        second(6),
        "strategy",
        "Sales",
        "random",
        7,
        ("2001",),
        (("2001", 2), ("2004", None)),
        (("2002", "engaged", CallId("b")), ("2003", "offline", None)),
        2**32 - 1,
    )
    store(database, talk("a"), [choice], [choice])
    with database.session(read_only=True) as session:
        (kept,) = get_call(session, "a").decisions
        assert decisions_of(session, ["a", "b"]) == {"a": [kept]}
    assert (kept.number, kept.rule, kept.target, kept.strategy, kept.rule_version) == (1, "strategy", "Sales", "random", 7)
    assert (kept.offered, kept.order) == (["2001"], [["2001", 2], ["2004", None]])
    assert kept.left_out == [["2002", "engaged", "b"], ["2003", "offline", None]]
    assert (kept.at, kept.seed) == (second(6), 2**32 - 1)


def test_a_call_of_which_nothing_was_decided_has_no_decisions(database: Database) -> None:
    store(database, talk("a"))
    with database.session(read_only=True) as session:
        assert get_call(session, "a").decisions == ()
