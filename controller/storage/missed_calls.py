"""Missed calls: callers whom nobody has spoken to, each with its owner and what became of it (SKZ-27, UIS-44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, Index, String, text, update
from sqlmodel import Field, Session, SQLModel, col, func, or_, select

from controller.storage.columns import UtcDateTime
from controller.storage.operators import Operator
from controller.storage.rows import by_id
from controller.storage.users import User

MissedKind: TypeAlias = Literal["working_time", "off_hours", "nobody_present"]
MissedStatus: TypeAlias = Literal["open", "called_back", "done"]
_IS_OPEN = "status = 'open'"


class MissedCall(SQLModel, table=True):
    """One lost call. `number` is the caller's in the form in which numbers are compared, empty when it was withheld; what is
    dialled is `caller_number`, as the carrier gave it.

    `offered_to` is the extension of who was rung first, empty for nobody. The owner is a user or an operator, or nobody yet.
    `recipient` is the address that the letter went to, empty when there was none. `closed_by` is a login or token;
    `closed_by_call` is the call in which the caller was reached. No foreign key to the calls: it outlives their history.
    """

    __tablename__ = "missed_calls"
    __table_args__ = (
        Index("ix_missed_calls_open", "number", "call_id", sqlite_where=text(_IS_OPEN), postgresql_where=text(_IS_OPEN)),
    )

    call_id: str = Field(primary_key=True)
    number: str
    caller_number: str
    caller_name: str
    called_number: str
    line_name: str
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    kind: MissedKind = Field(sa_type=String)
    offered_to: str = ""
    recipient: str = ""
    owner_user_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    owner_operator_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("operators.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    status: MissedStatus = Field(default="open", sa_type=String)
    note: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str = ""
    closed_by_call: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a missed call is: a user by his login, or an operator by his extension."""

    user: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class MissedView:
    """A missed call with its owner; None: nobody's."""

    row: MissedCall
    owner: Owner | None


@dataclass(frozen=True, slots=True)
class Mine:
    """The missed calls of a user: his own, and those of the operator whose phone is his."""

    user_id: int
    operator_id: int | None


@dataclass(frozen=True, slots=True)
class MissedFilters:
    """Which missed calls to list; None: no matter. `closed`: whether somebody has dealt with it."""

    status: MissedStatus | None = None
    closed: bool | None = None
    owner: Owner | None = None
    mine: Mine | None = None


def get_missed_call(session: Session, call_id: str) -> MissedCall:
    """Raises NotFound."""
    return by_id(session, MissedCall, call_id, f"missed call {call_id}")


def missed_call_view(session: Session, call_id: str) -> MissedView:
    """Raises NotFound."""
    return _views(session, [get_missed_call(session, call_id)])[0]


def list_missed_calls(session: Session, filters: MissedFilters, limit: int = 50, before: str | None = None) -> list[MissedView]:
    """Missed calls, those that arrived last first; `before` is the call of the last one of the page before."""
    query = select(MissedCall).order_by(col(MissedCall.call_id).desc()).limit(limit)
    for condition in _conditions(filters):
        query = query.where(condition)
    if before is not None:
        query = query.where(col(MissedCall.call_id) < before)
    return _views(session, session.exec(query).all())


def count_open_missed_calls(session: Session) -> int:
    """How many nobody has dealt with."""
    return session.exec(select(func.count()).select_from(MissedCall).where(MissedCall.status == "open")).one()


def close_as_called_back(session: Session, number: str, reached_at: datetime, call_id: str, at: datetime) -> int:
    """Whoever called from this number was spoken to: what he had missed before is done. Returns how many are closed now."""
    open_before = (col(MissedCall.number) == number) & (col(MissedCall.status) == "open") & (MissedCall.arrived_at < reached_at)
    closing = {"status": "called_back", "closed_at": at, "closed_by_call": call_id}
    return session.exec(update(MissedCall).where(open_before).values(**closing)).rowcount


def _conditions(filters: MissedFilters) -> list[Any]:
    found: list[Any] = []
    if filters.status is not None:
        found.append(col(MissedCall.status) == filters.status)
    if filters.closed is not None:
        found.append((col(MissedCall.status) == "open") != filters.closed)
    if filters.owner is not None:
        found.append(_is_owned_by(filters.owner))
    if filters.mine is not None:
        own, operator = col(MissedCall.owner_user_id) == filters.mine.user_id, filters.mine.operator_id
        found.append(own if operator is None else or_(own, col(MissedCall.owner_operator_id) == operator))
    return found


def _is_owned_by(owner: Owner) -> Any:
    if owner.user is not None:
        return col(MissedCall.owner_user_id).in_(select(User.id).where(User.login == owner.user))
    return col(MissedCall.owner_operator_id).in_(select(Operator.id).where(Operator.extension == owner.operator))


def _views(session: Session, rows: Sequence[MissedCall]) -> list[MissedView]:
    user_ids, operator_ids = {row.owner_user_id for row in rows}, {row.owner_operator_id for row in rows}
    users = dict(session.exec(select(User.id, User.login).where(col(User.id).in_(user_ids))).all())
    operators = dict(session.exec(select(Operator.id, Operator.extension).where(col(Operator.id).in_(operator_ids))).all())
    return [MissedView(row, _owner(row, users, operators)) for row in rows]


def _owner(row: MissedCall, users: dict[int, str], operators: dict[int, str]) -> Owner | None:
    if row.owner_user_id in users:
        return Owner(user=users[row.owner_user_id])
    if row.owner_operator_id in operators:
        return Owner(operator=operators[row.owner_operator_id])
    return None
