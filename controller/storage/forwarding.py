"""Phones outside that missed calls are forwarded to (SKZ-31 to SKZ-36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, Index, String, text
from sqlmodel import Field, Session, col, func, select

from controller.storage.confirmations import Confirmable
from controller.storage.operators import Operator
from controller.storage.rows import by_id

ForwardingMode: TypeAlias = Literal["forbidden", "common", "own"]
ShownNumber: TypeAlias = Literal["caller", "called"]
Approval: TypeAlias = Literal["none", "requested", "approved", "refused"]
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


class ForwardingPhone(Confirmable, table=True):
    """A number outside: an operator's own (`operator_id`, one at most), or a common one. An operator's number is used once it is
    confirmed and approved by an administrator.
    """

    __tablename__ = "forwarding_phones"
    __table_args__ = (
        Index("ix_forwarding_phones_common", "number", unique=True, sqlite_where=text(_COMMON), postgresql_where=text(_COMMON)),
        # An id that comes again would be a code for another number.
        {"sqlite_autoincrement": True},
    )

    operator_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), nullable=True, unique=True)
    )
    approval: Approval = Field(default="none", sa_type=String)

    def is_used(self, at: datetime) -> bool:
        """Whether calls may be forwarded to it at a moment."""
        return self.state(at) == "confirmed" and (self.operator_id is None or self.approval == "approved")


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
