"""Letters about confirmations that end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.actions.confirmations import confirm_for_good, enter_code, make_code
from controller.actions.forwarding import add_common_phone, set_own_phone
from controller.actions.numbers import add_number
from controller.actions.operators import create_operator
from controller.commands.running import parts_beside_calls
from controller.notices import open_sender
from controller.notices.confirmations import Warned, warn_of_ends
from controller.settings import Settings
from controller.storage import Database, Session
from controller.storage.forwarding import ForwardingPhone
from controller.storage.numbers import InboundNumber
from controller.storage.outbox import OutboxLetter, list_letters
from tests.fixtures.waiting import until

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
END = datetime(2026, 8, 4, 12, tzinfo=UTC)
ANN = Warned("ann@example.com", "en", UTC)


def confirm(session: Session, phone: ForwardingPhone, at: datetime) -> None:
    by: Any = {"acting_user": "ann", "at": at}
    _, code = make_code(session, phone.id, **by)
    enter_code(session, phone.id, code, 3, **by)


def furnish(session: Session, at: datetime = NOON) -> ForwardingPhone:
    """A common phone, an operator's own, one without an end, one that is not confirmed."""
    by: Any = {"acting_user": "ann", "at": at}
    create_operator(session, "2001", "Eve", **by)
    common, own = add_common_phone(session, "100", **by), set_own_phone(session, "2001", "79161234567", **by)
    for phone in (common, own):
        confirm(session, phone, at)
    confirm_for_good(session, add_common_phone(session, "101", **by).id, **by)
    add_common_phone(session, "102", **by)
    return common


@pytest.mark.covers("SKZ-11")
def test_two_weeks_before_its_end_each_confirmation_is_told_of_once(sqlite_database: Database) -> None:
    with sqlite_database.session() as session:
        common = furnish(session)
        assert warn_of_ends(session, ANN, END - timedelta(days=15)) == 0
        for days in (14, 13, 0.1):
            assert warn_of_ends(session, ANN, END - timedelta(days=days)) == 2
        assert warn_of_ends(session, ANN, END) == 0
        letters = {letter.subject: letter.body for letter in list_letters(session)}
        said = "ends on 2026-08-04 12:00 UTC"
        assert letters.keys() == {f"The confirmation of {number} {said}" for number in ("100", "79161234567")}
        assert "Eve (2001)" in letters[f"The confirmation of 79161234567 {said}"]
        confirm(session, common, END)
        assert warn_of_ends(session, ANN, datetime(2026, 11, 1, tzinfo=UTC)) == 1
        assert len(list_letters(session)) == 3


async def test_they_are_written_where_an_address_is_set_and_in_the_installations_language(sqlite_database: Database) -> None:
    class ShortlyBefore:
        def now(self) -> datetime:
            return END - timedelta(days=1)

    clock = ShortlyBefore()
    silent = Settings.load({})
    told = Settings.load({"ATTENDANT_CONFIRMATION_MAIL": "ann@example.com", "ATTENDANT_LANGUAGE": "ru"})
    with sqlite_database.session() as session:
        furnish(session)
    sender = open_sender(told, sqlite_database, clock)
    before = parts_beside_calls(silent, sqlite_database, clock, sender)
    *others, part = parts_beside_calls(told, sqlite_database, clock, sender)
    assert len(before) == len(others)

    def letters() -> list[OutboxLetter]:
        with sqlite_database.session(read_only=True) as session:
            return list(list_letters(session))

    task = asyncio.create_task(part())
    await until(lambda: len(letters()) == 2)
    task.cancel()
    assert all("Подтверждение номера" in letter.subject for letter in letters())


@pytest.mark.covers("SKZ-11")
@pytest.mark.parametrize(
    ("language", "said"), [("en", "shown to those who are called until"), ("ru", "показывается тем, кому звонят")]
)
def test_the_end_of_a_shown_numbers_confirmation_is_told_of_too(sqlite_database: Database, language: str, said: str) -> None:
    by: Any = {"acting_user": "ann", "at": NOON}
    with sqlite_database.session() as session:
        shown, for_good = (add_number(session, number, "Line", **by) for number in ("8000", "8001"))
        _, code = make_code(session, shown.id, InboundNumber, **by)
        enter_code(session, shown.id, code, 3, InboundNumber, **by)
        confirm_for_good(session, for_good.id, InboundNumber, **by)
        for _ in range(2):
            assert warn_of_ends(session, replace(ANN, language=language), END - timedelta(days=14)) == 1
        (letter,) = list_letters(session)
        shown.outgoing = False
        session.flush()
        assert warn_of_ends(session, ANN, END - timedelta(days=1)) == 0, "nobody is shown it"
        assert "8000" in letter.subject and "2026-08-04 12:00 UTC" in letter.subject and said in letter.body
