"""Phones that missed calls are forwarded to: entered, confirmed by a code, approved (SKZ-10, SKZ-11, SKZ-33, SKZ-34)."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from controller.actions.fields import dialled_number, invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.forwarding import (
    Approval,
    ForwardingPhone,
    GivenCode,
    codes_since,
    find_common_phone,
    find_own_phone,
    forget_code,
    get_phone,
    phone_view,
    take_try,
)
from controller.storage.numbers import numbers_forwarding_to
from controller.storage.operators import find_operator

CODE_DIGITS: Final = 6
CODE_VALID: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
"""How often a code may be typed wrong, the last time included."""
CODE_PAUSE: Final = timedelta(minutes=1)
"""Between two codes for the same number."""
LIMIT_SPAN: Final = timedelta(hours=1)
MOST_CODES: Final = 5
"""For one number in LIMIT_SPAN, whoever asks for them."""
MOST_CODES_OF_ONE: Final = 10
"""That one user or token may ask for in LIMIT_SPAN."""

CodeVerdict: TypeAlias = Literal["confirmed", "wrong", "none"]
"""What a typed code was; "none": there is none to compare it with, because it is too old or was tried too often."""


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


def make_code(session: Session, id: int, *, acting_user: str, at: datetime) -> tuple[str, str]:
    """A new code for a phone, to be told by a call or sent: (number, code). The code before it is void.

    Raises Refused: there were too many, for this number or this user; NotFound.
    """
    phone = get_phone(session, id)
    _check_limits(session, phone.number, acting_user, at)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    phone.code_hash, phone.code_expires_at, phone.code_tries = _hashed(code, secrets.token_hex(8)), at + CODE_VALID, 0
    session.add(GivenCode(number=phone.number, asked_by=acting_user, at=at))
    add_audit(session, at, acting_user, "forwarding_phone.code", f"phone {phone.number}")
    session.flush()
    return phone.number, code


def withdraw_code(session: Session, id: int, made_at: datetime) -> None:
    """It could not be told: the code that was made at this moment is void, and does not count.

    Raises NotFound.
    """
    phone = get_phone(session, id)
    phone.code_hash = ""
    forget_code(session, phone.number, made_at)
    session.flush()


def enter_code(session: Session, id: int, code: str, months: int, *, acting_user: str, at: datetime) -> CodeVerdict:
    """Compare a typed code. The right one confirms the number for so many months from now, also while an earlier confirmation
    is valid; an operator's number that is not approved is put before the administrators.

    A wrong one is an answer, not an error, so that it is counted. Raises NotFound.
    """
    get_phone(session, id)
    if not take_try(session, id, at, MOST_TRIES):
        return "none"
    phone = get_phone(session, id)
    session.refresh(phone)
    salt = phone.code_hash.partition("$")[0]
    if not hmac.compare_digest(phone.code_hash, _hashed(code.strip(), salt)):
        return "wrong"
    phone.code_hash = ""
    phone.confirmed_at, phone.expires_at = at, months_later(at, months)
    if phone.operator_id is not None and phone.approval != "approved":
        phone.approval = "requested"
    until = f"{phone.expires_at:%Y-%m-%d}"
    add_audit(session, at, acting_user, "forwarding_phone.confirm", f"phone {phone.number}", until=until, approval=phone.approval)
    session.flush()
    return "confirmed"


def confirm_for_good(session: Session, id: int, *, acting_user: str, at: datetime) -> ForwardingPhone:
    """A number of our own trunk needs no code, and its confirmation never ends. For administrators.

    Raises Refused: it is an operator's own; NotFound.
    """
    phone = get_phone(session, id)
    if phone.operator_id is not None:
        raise Refused(f"{phone.number} is an operator's own: he confirms it himself")
    phone.confirmed_at, phone.expires_at, phone.code_hash = at, None, ""
    add_audit(session, at, acting_user, "forwarding_phone.confirm_for_good", f"phone {phone.number}")
    session.flush()
    return phone


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


def months_later(moment: datetime, months: int) -> datetime:
    """The same day and time so many months later; the last day of a month that is too short.

    >>> months_later(datetime(2026, 11, 30), 3)
    datetime.datetime(2027, 2, 28, 0, 0)
    """
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def _check_limits(session: Session, number: str, acting_user: str, at: datetime) -> None:
    codes = codes_since(session, at - LIMIT_SPAN)
    for_number = [code for code in codes if code.number == number]
    if for_number and at - for_number[-1].at < CODE_PAUSE:
        raise Refused(f"a code for {number} was given just now: wait a minute for the next")
    if len(for_number) >= MOST_CODES or sum(code.asked_by == acting_user for code in codes) >= MOST_CODES_OF_ONE:
        raise Refused("too many codes were asked for: try again in an hour")


def _hashed(code: str, salt: str) -> str:
    return f"{salt}${hashlib.sha256(f'{salt}{code}'.encode()).hexdigest()}"


def _checked_number(number: str) -> str:
    dialled = dialled_number(number)
    if dialled is None:
        raise invalid("number", "write a phone number: 2 to 20 digits, perhaps with a + before them")
    return dialled
