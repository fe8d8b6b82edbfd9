"""Phones outside that missed calls are forwarded to, and what confirms that their numbers are ours (SKZ-10, SKZ-11, SKZ-31 to
SKZ-36).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, Index, String, delete, text, update
from sqlmodel import Field, Session, SQLModel, col, func, select

from controller.storage.columns import UtcDateTime
from controller.storage.locks import CONFIRMATIONS, hold
from controller.storage.operators import Operator
from controller.storage.rows import by_id

ForwardingMode: TypeAlias = Literal["forbidden", "common", "own"]
ShownNumber: TypeAlias = Literal["caller", "called"]
Approval: TypeAlias = Literal["none", "requested", "approved", "refused"]
ConfirmationState: TypeAlias = Literal["unconfirmed", "confirmed", "expired"]

WARNED_BEFORE: Final = timedelta(days=14)
"""Before the end of a confirmation people are told of it."""
_COMMON = "operator_id IS NULL"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What becomes of a number's calls that operators have missed: nothing, one `common` phone rings, or each operator's `own`.

    `number` is the common phone's. It rings for `wait_seconds` in each of `attempts`; `shows`: it sees the caller's number, or
    the one that he called.
    """

    mode: ForwardingMode = "forbidden"
    number: str | None = None
    wait_seconds: int = 25
    attempts: int = 1
    shows: ShownNumber = "caller"

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Forwarding:
        """From `written`; what is not named is as by default."""
        return cls(**written)

    def written(self) -> dict[str, Any]:
        """As the database keeps it."""
        return asdict(self)


NO_FORWARDING: Final = Forwarding()


class ForwardingPhone(SQLModel, table=True):
    """A number outside: an operator's own (`operator_id`, one at most), or a common one.

    `confirmed_at` None: nobody has proven yet that it is ours. A confirmation without `expires_at` never ends. An operator's
    number is used once it is confirmed and approved by an administrator. `code_hash` is the salted SHA-256 of the code that was
    given last, "" when there is none; `code_tries` counts what was typed for it.
    """

    __tablename__ = "forwarding_phones"
    __table_args__ = (
        Index("ix_forwarding_phones_common", "number", unique=True, sqlite_where=text(_COMMON), postgresql_where=text(_COMMON)),
        # An id that comes again would be a code for another number.
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True)
    number: str
    operator_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), nullable=True, unique=True)
    )
    approval: Approval = Field(default="none", sa_type=String)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code_hash: str = ""
    code_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code_tries: int = 0

    def state(self, at: datetime) -> ConfirmationState:
        """How its confirmation is at a moment."""
        if self.confirmed_at is None:
            return "unconfirmed"
        return "confirmed" if self.expires_at is None or self.expires_at > at else "expired"

    def expires_soon(self, at: datetime) -> bool:
        """Whether its confirmation ends within WARNED_BEFORE."""
        return self.state(at) == "confirmed" and self.expires_at is not None and self.expires_at - at <= WARNED_BEFORE

    def is_used(self, at: datetime) -> bool:
        """Whether calls may be forwarded to it at a moment."""
        return self.state(at) == "confirmed" and (self.operator_id is None or self.approval == "approved")


class GivenCode(SQLModel, table=True):
    """A code that was told by a call or sent, kept for as long as it counts against the limits."""

    __tablename__ = "given_codes"

    id: int = Field(default=None, primary_key=True)
    number: str
    asked_by: str
    at: datetime = Field(sa_type=UtcDateTime, index=True)


@dataclass(frozen=True, slots=True)
class PhoneView:
    """A phone with the operator whose own it is; None: a common one."""

    row: ForwardingPhone
    operator: Operator | None


def list_phones(session: Session) -> list[PhoneView]:
    """All phones: the common ones by number, then the operators' by extension."""
    query = (
        select(ForwardingPhone, Operator)
        .join(Operator, isouter=True)
        .order_by(func.coalesce(Operator.extension, ""), col(ForwardingPhone.number))
    )
    return [PhoneView(phone, operator) for phone, operator in session.exec(query).all()]


def phone_view(session: Session, id: int) -> PhoneView:
    """Raises NotFound."""
    phone = get_phone(session, id)
    return PhoneView(phone, None if phone.operator_id is None else session.get(Operator, phone.operator_id))


def get_phone(session: Session, id: int) -> ForwardingPhone:
    """Raises NotFound."""
    return by_id(session, ForwardingPhone, id, f"phone to forward to with the id {id}")


def find_common_phone(session: Session, number: str) -> ForwardingPhone | None:
    return session.exec(
        select(ForwardingPhone).where(ForwardingPhone.number == number, col(ForwardingPhone.operator_id).is_(None))
    ).first()


def find_own_phone(session: Session, operator_id: int) -> ForwardingPhone | None:
    """The phone that an operator's missed calls are forwarded to."""
    return session.exec(select(ForwardingPhone).where(ForwardingPhone.operator_id == operator_id)).first()


def take_try(session: Session, id: int, at: datetime, most: int) -> bool:
    """Count a code that was typed; False when there is none to compare it with: never made, too old, or tried too often."""
    valid = (col(ForwardingPhone.code_hash) != "") & (col(ForwardingPhone.code_expires_at) > at)
    query = (
        update(ForwardingPhone)
        .where(col(ForwardingPhone.id) == id, valid, col(ForwardingPhone.code_tries) < most)
        .values(code_tries=ForwardingPhone.code_tries + 1)
    )
    return session.exec(query).rowcount == 1


def codes_since(session: Session, moment: datetime) -> Sequence[GivenCode]:
    """The codes after a moment, the first first; those before it are forgotten. Others wait until the transaction ends."""
    hold(session, CONFIRMATIONS)
    session.exec(delete(GivenCode).where(col(GivenCode.at) <= moment))
    return session.exec(select(GivenCode).order_by(col(GivenCode.at))).all()


def forget_code(session: Session, number: str, at: datetime) -> None:
    """The code of this moment was not given."""
    session.exec(delete(GivenCode).where(col(GivenCode.number) == number, col(GivenCode.at) == at))
