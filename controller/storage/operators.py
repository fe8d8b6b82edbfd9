"""Operators: people with a phone, and perhaps further numbers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from sqlalchemy import Column, ForeignKey, delete
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.rows import by_id

RING_SECONDS = 20
"""How long a number rings when nothing else is said."""

CallMode: TypeAlias = Literal["sip_phone", "browser", "own_number"]
"""What an operator telephones with: his SIP phone, the page of his desk, or, for calls that he asks for, a number of his own
outside, which is called before the client (SKZ-72).
"""


class Operator(SQLModel, table=True):
    """`extension` is the short number and the SIP user; `sip_secret` its password, in clear because it is shown to who sets up
    the phone. `ring_seconds`: how long that phone rings when he is wanted in particular, before his next number does.
    `inbound`: he works with inbound calls, so groups ring him and he can say do not disturb (SKZ-63); `team`: he sees his
    colleagues, so he can transfer to them (SKZ-67). `time_zone` is an IANA name, None that of the schedule or installation.
    `call_mode` is a CallMode.
    """

    __tablename__ = "operators"
    # Legs of calls name operators: the id of one that was removed must not come again.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int = Field(default=None, primary_key=True)
    extension: str = Field(unique=True)
    name: str
    sip_secret: str
    ring_seconds: int = RING_SECONDS
    inbound: bool = True
    team: bool = True
    time_zone: str | None = None
    call_mode: str = "sip_phone"

    @property
    def account_secret(self) -> str:
        """The password of his SIP account as it stands. His browser's is another one than his phone's, so that a phone that is
        still on can't register in its place.
        """
        if self.call_mode != "browser":
            return self.sip_secret
        return hmac.new(self.sip_secret.encode(), b"browser", hashlib.sha256).hexdigest()


class OperatorNumber(SQLModel, table=True):
    """A number outside where an operator is rung after his own phone; `position` counts from 1 (UIS-35)."""

    __tablename__ = "operator_numbers"

    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(primary_key=True)
    number: str
    ring_seconds: int = RING_SECONDS


@dataclass(frozen=True, slots=True)
class RungNumber:
    """A number outside, and how long it rings in seconds."""

    number: str
    ring_seconds: int = RING_SECONDS


@dataclass(frozen=True, slots=True)
class OperatorView:
    """An operator with his further numbers in order; without his secret."""

    id: int
    extension: str
    name: str
    ring_seconds: int
    numbers: tuple[RungNumber, ...]
    inbound: bool = True
    team: bool = True
    time_zone: str | None = None
    call_mode: CallMode = "sip_phone"


def list_operators(session: Session) -> Sequence[Operator]:
    """All operators, by extension."""
    return session.exec(select(Operator).order_by(col(Operator.extension))).all()


def operator_views(session: Session) -> list[OperatorView]:
    """All operators with their numbers, by extension."""
    return _views(session, list_operators(session))


def operator_view(session: Session, id: int) -> OperatorView:
    """Raises NotFound."""
    return _views(session, [get_operator(session, id)])[0]


def get_operator(session: Session, id: int) -> Operator:
    """Raises NotFound."""
    return by_id(session, Operator, id, f"operator with the id {id}")


def find_operator(session: Session, extension: str) -> Operator | None:
    return session.exec(select(Operator).where(Operator.extension == extension)).first()


def operators_with(session: Session, extensions: Collection[str]) -> dict[str, Operator]:
    """The operators who have these extensions, by extension."""
    return {one.extension: one for one in session.exec(select(Operator).where(col(Operator.extension).in_(extensions)))}


def replace_operator_numbers(session: Session, operator_id: int, numbers: Iterable[RungNumber]) -> None:
    """Make these the operator's further numbers, in this order."""
    session.exec(delete(OperatorNumber).where(col(OperatorNumber.operator_id) == operator_id))
    session.add_all(
        OperatorNumber(operator_id=operator_id, position=position, number=one.number, ring_seconds=one.ring_seconds)
        for position, one in enumerate(numbers, start=1)
    )
    session.flush()


def _views(session: Session, operators: Sequence[Operator]) -> list[OperatorView]:
    numbers: dict[int, list[RungNumber]] = {operator.id: [] for operator in operators}
    query = select(OperatorNumber).where(col(OperatorNumber.operator_id).in_(numbers)).order_by(col(OperatorNumber.position))
    for row in session.exec(query):
        numbers[row.operator_id].append(RungNumber(row.number, row.ring_seconds))
    return [
        OperatorView(
            operator.id,
            operator.extension,
            operator.name,
            operator.ring_seconds,
            tuple(numbers[operator.id]),
            operator.inbound,
            operator.team,
            operator.time_zone,
            cast(CallMode, operator.call_mode),
        )
        for operator in operators
    ]
