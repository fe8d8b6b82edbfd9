"""Callbacks in SQLite and PostgreSQL: one for a number and group, claimed once, put in order after a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.errors import Refused
from controller.ids import CallId
from controller.storage import Database, callbacks
from controller.storage.callbacks import (
    add_callback,
    callbacks_cut_off,
    claim_callback,
    close_callback,
    defer_callback,
    get_callback,
    waiting_callbacks,
)
from tests.fixtures.callbacks import callback

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=10)
BACK = CallId("01BACK")


def test_a_number_waits_once_for_a_group_until_it_is_over(database: Database) -> None:
    with database.session() as session:
        first = add_callback(session, callback(NOON)).id
        assert add_callback(session, callback(LATER)).id == first
        assert add_callback(session, callback(LATER, group_name="Support")).id != first
        assert close_callback(session, first, "done", "", LATER)
        assert not close_callback(session, first, "failed", "", LATER)
        assert add_callback(session, callback(LATER)).id not in (first, None)


def test_two_who_ask_in_the_same_moment_do_not_wait_twice(database: Database) -> None:
    with database.session() as session:
        session.add(callback(NOON))
    with pytest.raises(Refused, match="clashes"), database.session() as session:
        session.add(callback(NOON))


def test_those_who_wait_come_in_the_order_of_their_places(database: Database) -> None:
    with database.session() as session:
        late = add_callback(session, callback(NOON, "+74950000001", place_at=LATER)).id
        early = add_callback(session, callback(LATER, "+74950000002", place_at=NOON)).id
        assert [one.id for one in waiting_callbacks(session)] == [early, late]


def test_he_is_claimed_once_and_not_before_he_is_due(database: Database) -> None:
    with database.session() as session:
        id = add_callback(session, callback(NOON, due_at=LATER)).id
        assert not claim_callback(session, id, BACK, NOON)
        assert claim_callback(session, id, BACK, LATER)
        assert not claim_callback(session, id, CallId("01OTHER"), LATER)
        session.expire_all()
        found = get_callback(session, id)
        assert (found.state, found.attempts, found.last_call_id) == ("calling", 1, BACK)


def test_a_claim_that_led_to_no_attempt_does_not_count_and_is_taken_back_once(database: Database) -> None:
    with database.session() as session:
        id = add_callback(session, callback(NOON)).id
        claim_callback(session, id, BACK, NOON)
        for _ in range(2):
            assert defer_callback(session, id, LATER, "away", attempted=False)
            session.expire_all()
            found = get_callback(session, id)
            assert (found.state, found.attempts, found.due_at, found.detail) == ("waiting", 0, LATER, "away")


def test_as_many_wait_as_may(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "MOST_OPEN", 1)
    with database.session() as session:
        add_callback(session, callback(NOON))
        with pytest.raises(Refused, match="1 callers wait"):
            add_callback(session, callback(NOON, "+74950000001"))


def test_what_was_cut_off_is_found_with_what_had_come_of_it(database: Database) -> None:
    with database.session() as session:
        id = add_callback(session, callback(NOON)).id
        add_callback(session, callback(NOON, "+74950000001"))
        claim_callback(session, id, BACK, NOON)
        session.expire_all()
        (found,) = callbacks_cut_off(session)
        assert (found.callback.id, found.answered, found.talked) == (id, False, False)
