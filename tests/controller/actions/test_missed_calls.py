"""What people change about missed calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.missed_calls import LONGEST_NOTE, set_note, set_owner, set_status
from controller.errors import InvalidInput, NotFound
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.missed_calls import (
    Mine,
    MissedFilters,
    Owner,
    close_as_called_back,
    count_open_missed_calls,
    list_missed_calls,
    missed_call_view,
)
from controller.storage.operators import Operator
from controller.storage.users import User
from tests.fixtures.missed import missed_call

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        session.add(User(login="eve", password_hash="", role="operator", created_at=NOON))
        session.add(Operator(extension="2001", name="Eve", sip_secret=""))
        for number in range(1, 5):
            session.add(missed_call(NOON, f"0{number}"))
        session.flush()
        yield session


def ids(session: Session, limit: int = 50, before: str | None = None, **filters: Any) -> list[str]:
    return [one.row.call_id for one in list_missed_calls(session, MissedFilters(**filters), limit, before)]


@pytest.mark.covers("UIS-44")
def test_a_missed_call_is_given_to_a_user_to_an_operator_and_to_nobody(session: Session) -> None:
    set_owner(session, "01", Owner(user="eve"), **BY_ANN)
    set_owner(session, "02", Owner(operator="2001"), **BY_ANN)
    assert missed_call_view(session, "01").owner == Owner(user="eve")
    assert missed_call_view(session, "02").owner == Owner(operator="2001")
    assert ids(session, owner=Owner(user="eve")) == ["01"] and ids(session, owner=Owner(operator="2001")) == ["02"]
    assert ids(session, mine=Mine(1, 1)) == ["02", "01"] and ids(session, mine=Mine(1, None)) == ["01"]
    set_owner(session, "01", Owner(operator="2001"), **BY_ANN)
    set_owner(session, "02", None, **BY_ANN)
    assert missed_call_view(session, "01").owner == Owner(operator="2001")
    assert missed_call_view(session, "02").owner is None
    assert {entry.action for entry in list_audit(session)} == {"missed_call.owner"}


@pytest.mark.parametrize("owner", [Owner(), Owner("eve", "2001"), Owner(user="none"), Owner(operator="2999")])
def test_an_owner_that_is_not_there_is_refused(session: Session, owner: Owner) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_owner(session, "01", owner, **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == ["owner"]


@pytest.mark.covers("UIS-44")
def test_who_has_closed_it_and_when_is_kept_until_it_is_open_again(session: Session) -> None:
    closed = set_status(session, "01", "done", **BY_ANN)
    assert (closed.status, closed.closed_by, closed.closed_at) == ("done", "ann", NOON)
    set_status(session, "01", "done", acting_user="bob", at=NOON)
    assert missed_call_view(session, "01").row.closed_by == "ann"
    set_status(session, "02", "called_back", **BY_ANN)
    assert ids(session, status="done") == ["01"] and ids(session, closed=True) == ["02", "01"]
    assert ids(session, closed=False) == ["04", "03"] and count_open_missed_calls(session) == 2
    assert ids(session, 1, before="04", closed=False) == ["03"]
    opened = set_status(session, "01", "open", **BY_ANN)
    assert (opened.status, opened.closed_by, opened.closed_at) == ("open", "", None)
    assert close_as_called_back(session, "+74951112233", datetime(2027, 1, 1, tzinfo=UTC), "09", NOON) == 3
    assert set_status(session, "01", "open", **BY_ANN).closed_by_call is None


def test_a_note_is_kept_and_has_an_end(session: Session) -> None:
    assert set_note(session, "01", " wants\na price\x00 ", **BY_ANN).note == "wants\na price"
    with pytest.raises(InvalidInput, match=str(LONGEST_NOTE)):
        set_note(session, "01", "a" * (LONGEST_NOTE + 1), **BY_ANN)


def test_what_is_not_there_is_not_found(session: Session) -> None:
    for change in (
        lambda: set_note(session, "09", "", **BY_ANN),
        lambda: set_status(session, "09", "done", **BY_ANN),
        lambda: set_owner(session, "09", None, **BY_ANN),
        lambda: missed_call_view(session, "09"),
    ):
        with pytest.raises(NotFound):
            change()
