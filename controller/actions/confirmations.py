"""Numbers that are confirmed to be ours: a code is told or sent, and typed, or an administrator says so (SKZ-10, SKZ-11)."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from controller.errors import Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.confirmations import GivenCode, codes_since, forget_code, take_try
from controller.storage.forwarding import ForwardingPhone, get_phone
from controller.storage.numbers import InboundNumber, get_number

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


Kind: TypeAlias = type[ForwardingPhone] | type[InboundNumber]
"""What is confirmed: a phone that calls are forwarded to, or a number of ours that is shown to those who are called."""


def make_code(session: Session, id: int, of: Kind = ForwardingPhone, *, acting_user: str, at: datetime) -> tuple[str, str]:
    """A new code for a phone or a number, to be told by a call or sent: (number, code). The code before it is void.

    Raises Refused: there were too many, for this number or this user; NotFound.
    """
    row = _get(session, of, id)
    _check_limits(session, row.number, acting_user, at)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    row.code_hash, row.code_expires_at, row.code_tries = _hashed(code, secrets.token_hex(8)), at + CODE_VALID, 0
    session.add(GivenCode(number=row.number, asked_by=acting_user, at=at))
    _audit(session, row, "code", acting_user, at)
    session.flush()
    return row.number, code


def withdraw_code(session: Session, id: int, made_at: datetime, of: Kind = ForwardingPhone) -> None:
    """It could not be told: the code that was made at this moment is void, and does not count.

    Raises NotFound.
    """
    row = _get(session, of, id)
    row.code_hash = ""
    forget_code(session, row.number, made_at)
    session.flush()


def enter_code(
    session: Session, id: int, code: str, months: int, of: Kind = ForwardingPhone, *, acting_user: str, at: datetime
) -> CodeVerdict:
    """Compare a typed code. The right one confirms the number for so many months from now, also while an earlier confirmation
    is valid; an operator's number that is not approved is put before the administrators.

    A wrong one is an answer, not an error, so that it is counted. Raises NotFound.
    """
    row = _get(session, of, id)
    if not take_try(session, row, at, MOST_TRIES):
        return "none"
    session.refresh(row)
    salt = row.code_hash.partition("$")[0]
    if not hmac.compare_digest(row.code_hash, _hashed(code.strip(), salt)):
        return "wrong"
    row.code_hash = ""
    row.confirmed_at, row.expires_at = at, months_later(at, months)
    more = {"until": f"{row.expires_at:%Y-%m-%d}"}
    if isinstance(row, ForwardingPhone):
        if row.operator_id is not None and row.approval != "approved":
            row.approval = "requested"
        more["approval"] = row.approval
    _audit(session, row, "confirm", acting_user, at, **more)
    session.flush()
    return "confirmed"


def confirm_for_good(
    session: Session, id: int, of: Kind = ForwardingPhone, *, acting_user: str, at: datetime
) -> ForwardingPhone | InboundNumber:
    """A number of our own trunk needs no code, and its confirmation never ends. For administrators.

    Raises Refused: it is an operator's own; NotFound.
    """
    row = _get(session, of, id)
    if isinstance(row, ForwardingPhone) and row.operator_id is not None:
        raise Refused(f"{row.number} is an operator's own: he confirms it himself")
    row.confirmed_at, row.expires_at, row.code_hash = at, None, ""
    _audit(session, row, "confirm_for_good", acting_user, at)
    session.flush()
    return row


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


def _get(session: Session, of: Kind, id: int) -> ForwardingPhone | InboundNumber:
    """Raises NotFound."""
    return get_phone(session, id) if of is ForwardingPhone else get_number(session, id).row


def _audit(
    session: Session, row: ForwardingPhone | InboundNumber, what: str, acting_user: str, at: datetime, **more: str
) -> None:
    kind, noun = ("forwarding_phone", "phone") if isinstance(row, ForwardingPhone) else ("number", "number")
    add_audit(session, at, acting_user, f"{kind}.{what}", f"{noun} {row.number}", **more)
