"""What people change about missed calls (SKZ-27, UIS-44)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from controller.actions.fields import invalid
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.missed_calls import MissedCall, MissedStatus, Owner, get_missed_call
from controller.storage.operators import find_operator
from controller.storage.users import find_user

LONGEST_NOTE: Final = 1000


def set_owner(session: Session, call_id: str, owner: Owner | None, *, acting_user: str, at: datetime) -> MissedCall:
    """Say whose a missed call is; None: nobody's. Raises InvalidInput: no such user or operator, or both; NotFound."""
    missed = get_missed_call(session, call_id)
    missed.owner_user_id, missed.owner_operator_id = (None, None) if owner is None else _ids_of(session, owner)
    by, of = (None, None) if owner is None else (owner.user, owner.operator)
    add_audit(session, at, acting_user, "missed_call.owner", f"missed call {call_id}", user=by, operator=of)
    session.flush()
    return missed


def set_status(session: Session, call_id: str, status: MissedStatus, *, acting_user: str, at: datetime) -> MissedCall:
    """Say what became of it; who has closed it, and when, is kept, and forgotten when it is open again. Raises NotFound."""
    missed = get_missed_call(session, call_id)
    if status != missed.status:
        closed = status != "open"
        missed.status, missed.closed_by_call = status, None
        missed.closed_at, missed.closed_by = (at, acting_user) if closed else (None, "")
        add_audit(session, at, acting_user, "missed_call.status", f"missed call {call_id}", status=status)
        session.flush()
    return missed


def set_note(session: Session, call_id: str, note: str, *, acting_user: str, at: datetime) -> MissedCall:
    """Write down what there is to say of it. Raises InvalidInput: it is too long; NotFound."""
    missed = get_missed_call(session, call_id)
    text = "".join(letter for letter in note.strip() if letter.isprintable() or letter == "\n")
    if len(text) > LONGEST_NOTE:
        raise invalid("note", f"write {LONGEST_NOTE} characters at most")
    if text != missed.note:
        missed.note = text
        add_audit(session, at, acting_user, "missed_call.note", f"missed call {call_id}", note=text)
        session.flush()
    return missed


def _ids_of(session: Session, owner: Owner) -> tuple[int | None, int | None]:
    """The owner's columns: the user's id, the operator's id."""
    if (owner.user is None) == (owner.operator is None):
        raise invalid("owner", "name a user or an operator, one of them")
    if owner.user is not None:
        user = find_user(session, owner.user)
        if user is None:
            raise invalid("owner", f'there is no user "{owner.user}"')
        return user.id, None
    operator = find_operator(session, owner.operator or "")
    if operator is None:
        raise invalid("owner", f"there is no operator {owner.operator}")
    return None, operator.id
