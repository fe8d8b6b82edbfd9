"""Whose an operator's phone is, and the ringtone of his own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.desks import link_user, set_ringtone
from controller.actions.operators import create_operator
from controller.actions.users import create_user
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.desks import find_desk, linked_operators, operator_of
from controller.storage.operators import find_operator
from controller.storage.users import find_user

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY: Any = {"acting_user": "ann", "at": NOON}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        for login in ("eve", "bob"):
            create_user(session, login, "correct horse battery", "operator", **BY)
        for extension in ("2001", "2002"):
            create_operator(session, extension, f"Operator {extension}", **BY)
        yield session


def phone_of(session: Session, login: str) -> str | None:
    user = find_user(session, login)
    assert user is not None
    operator = operator_of(session, user.id)
    return None if operator is None else operator.extension


def test_a_phone_is_one_users_until_it_is_given_to_another(session: Session) -> None:
    assert phone_of(session, "eve") is None
    link_user(session, "eve", "2001", **BY)
    link_user(session, "eve", "2001", **BY)
    assert phone_of(session, "eve") == "2001"
    with pytest.raises(Refused, match="belongs to another user already"):
        link_user(session, "bob", "2001", **BY)
    link_user(session, "eve", "2002", **BY)
    link_user(session, "bob", "2001", **BY)
    assert (phone_of(session, "eve"), phone_of(session, "bob")) == ("2002", "2001")
    assert sorted(operator.extension for operator in linked_operators(session).values()) == ["2001", "2002"]
    link_user(session, "eve", None, **BY)
    assert phone_of(session, "eve") is None


def test_who_or_what_is_not_there_is_named(session: Session) -> None:
    with pytest.raises(InvalidInput, match="extension: there is no operator 2099"):
        link_user(session, "eve", "2099", **BY)
    for change in (lambda: link_user(session, "nobody", "2001", **BY), lambda: set_ringtone(session, "nobody", "a", "b", **BY)):
        with pytest.raises(NotFound, match='there is no user "nobody"'):
            change()


def test_an_operator_who_is_removed_leaves_the_desk_without_a_phone(session: Session) -> None:
    link_user(session, "eve", "2001", **BY)
    session.delete(find_operator(session, "2001"))
    session.flush()
    session.expire_all()
    assert phone_of(session, "eve") is None


@pytest.mark.covers("SKZ-50")
def test_a_ringtone_takes_the_place_of_another_and_says_which_file_is_needless(session: Session) -> None:
    assert set_ringtone(session, "eve", "ringtones/1.wav", "bell\x00.wav", **BY) is None
    assert set_ringtone(session, "eve", "ringtones/2.wav", "x" * 500, **BY) == "ringtones/1.wav"
    user = find_user(session, "eve")
    assert user is not None
    desk = find_desk(session, user.id)
    assert desk is not None and desk.ringtone_name == "x" * 200 and desk.operator_id is None
    assert set_ringtone(session, "eve", None, "", **BY) == "ringtones/2.wav"
