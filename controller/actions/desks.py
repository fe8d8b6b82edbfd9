"""Users' desks: which phone is whose, and what rings in the pages (SKZ-48, SKZ-50)."""

from __future__ import annotations

from datetime import datetime

from controller.actions.fields import invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.desks import Desk, find_desk, find_desk_of
from controller.storage.operators import find_operator
from controller.storage.users import User, find_user

LONGEST_FILE_NAME = 200


def link_user(session: Session, login: str, extension: str | None, *, acting_user: str, at: datetime) -> None:
    """Say whose an operator's phone is: his desk shows its state and rings with it. None takes the link away.

    Raises InvalidInput: no such operator; Refused: the phone is another user's; NotFound.
    """
    desk = _desk(session, _user(session, login))
    desk.operator_id = None if extension is None else _free_operator(session, extension, desk)
    add_audit(session, at, acting_user, "user.link", f"user {login}", extension=extension)
    session.flush()


def set_ringtone(session: Session, login: str, path: str | None, name: str, *, acting_user: str, at: datetime) -> str | None:
    """Another ringtone for a user: a file that is in its place already, and what he calls it. None is the standard ringtone.

    Returns the path of the file that it was before, which is to be removed after the transaction. Raises NotFound.
    """
    desk = _desk(session, _user(session, login))
    printable = "".join(letter for letter in name if letter.isprintable())[:LONGEST_FILE_NAME]
    before, desk.ringtone_path, desk.ringtone_name = desk.ringtone_path, path, printable
    add_audit(session, at, acting_user, "user.ringtone", f"user {login}", ringtone=printable or None)
    session.flush()
    return before


def _user(session: Session, login: str) -> User:
    user = find_user(session, login)
    if user is None:
        raise NotFound(f'there is no user "{login}"')
    return user


def _desk(session: Session, user: User) -> Desk:
    """The user's; a new one if he has none yet."""
    desk = find_desk(session, user.id)
    if desk is None:
        desk = Desk(user_id=user.id)
        session.add(desk)
    return desk


def _free_operator(session: Session, extension: str, desk: Desk) -> int:
    operator = find_operator(session, extension)
    if operator is None:
        raise invalid("extension", f"there is no operator {extension}")
    holder = find_desk_of(session, operator.id)
    if holder is not None and holder.user_id != desk.user_id:
        raise Refused(f"the phone {extension} belongs to another user already: take that link away first")
    return operator.id
