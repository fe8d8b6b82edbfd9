"""Phones that missed calls are forwarded to: entered, confirmed by a code, approved (SKZ-33, SKZ-34)."""

from __future__ import annotations

from datetime import datetime

from controller.actions.fields import dialled_number, invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.forwarding import (
    Approval,
    ForwardingPhone,
    find_common_phone,
    find_own_phone,
    get_phone,
    phone_view,
)
from controller.storage.numbers import numbers_forwarding_to
from controller.storage.operators import find_operator


def add_common_phone(session: Session, number: str, *, acting_user: str, at: datetime) -> ForwardingPhone:
    """A phone that a number's missed calls may be forwarded to, once it is confirmed.

    Raises InvalidInput: it is no number; Refused: it is there already.
    """
    dialled = _checked_number(number)
    if find_common_phone(session, dialled) is not None:
        raise Refused(f"the phone {dialled} is there already")
    phone = ForwardingPhone(number=dialled)
    session.add(phone)
    add_audit(session, at, acting_user, "forwarding_phone.add", f"phone {dialled}")
    session.flush()
    return phone


def set_own_phone(session: Session, extension: str, number: str, *, acting_user: str, at: datetime) -> ForwardingPhone:
    """The phone that an operator's missed calls are forwarded to. Another number than before has to be confirmed and approved
    anew; the same changes nothing.

    Raises InvalidInput: no such operator, or it is no number.
    """
    operator = find_operator(session, extension)
    if operator is None:
        raise invalid("operator", f"there is no operator {extension}")
    dialled = _checked_number(number)
    phone = find_own_phone(session, operator.id)
    if phone is not None and phone.number == dialled:
        return phone
    if phone is not None:
        session.delete(phone)
        session.flush()
    phone = ForwardingPhone(number=dialled, operator_id=operator.id)
    session.add(phone)
    add_audit(session, at, acting_user, "forwarding_phone.set_own", f"operator {extension}", number=dialled)
    session.flush()
    return phone


def remove_phone(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Nothing is forwarded to it any more. Raises Refused: a number's calls are forwarded to it; NotFound."""
    view = phone_view(session, id)
    using = numbers_forwarding_to(session, view.row.number) if view.operator is None else []
    if using:
        named = ", ".join(number.number for number in using)
        raise Refused(f"{view.row.number} can't be removed: missed calls of {named} are forwarded to it")
    session.delete(view.row)
    of = None if view.operator is None else view.operator.extension
    add_audit(session, at, acting_user, "forwarding_phone.remove", f"phone {view.row.number}", operator=of)
    session.flush()


def decide_request(session: Session, id: int, approved: bool, *, acting_user: str, at: datetime) -> ForwardingPhone:
    """Let an operator's missed calls be forwarded to his confirmed number, or not (any more). For administrators (SKZ-34, T-37).

    Raises Refused: nobody has asked for it; NotFound.
    """
    phone = get_phone(session, id)
    if phone.operator_id is None:
        raise Refused(f"{phone.number} is a common phone, which needs no approval")
    if phone.approval == "none":
        raise Refused(f"{phone.number} can't be decided about before its operator has confirmed it")
    decision: Approval = "approved" if approved else "refused"
    phone.approval = decision
    add_audit(session, at, acting_user, f"forwarding_phone.{decision}", f"phone {phone.number}")
    session.flush()
    return phone


def own_phone_of(session: Session, operator_id: int) -> ForwardingPhone:
    """An operator's own phone. Raises NotFound."""
    phone = find_own_phone(session, operator_id)
    if phone is None:
        raise NotFound("there is no phone to forward your calls to")
    return phone


def _checked_number(number: str) -> str:
    dialled = dialled_number(number)
    if dialled is None:
        raise invalid("number", "write a phone number: 2 to 20 digits, perhaps with a + before them")
    return dialled
