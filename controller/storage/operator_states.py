"""What operators have set on their phones, and every state they were in (SKZ-61 to SKZ-63)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field, Session, SQLModel, col, func, select

from controller.storage.columns import UtcDateTime
from controller.storage.operators import Operator

MAX_CHANGES = 500
Wish: TypeAlias = Literal["available", "offline", "do_not_disturb"]
"""What somebody can choose to be; all other states come by themselves."""


class OperatorSwitches(SQLModel, table=True):
    """Logged in or out, and whether he does not want to be disturbed, with the reason; who has set nothing has no row."""

    __tablename__ = "operator_switches"

    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True))
    logged_in: bool
    do_not_disturb: bool
    reason: str
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str


class OperatorStateChange(SQLModel, table=True):
    """A state that an operator was in from `at` on; `changed_by` brought it about. The newest is the one he is in."""

    __tablename__ = "operator_state_changes"
    __table_args__ = (Index("ix_operator_state_changes_operator", "operator_id", "id"), {"sqlite_autoincrement": True})

    id: int = Field(default=None, primary_key=True)
    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)
    state: str
    reason: str
    changed_by: str


@dataclass(frozen=True, slots=True)
class NewState:
    """A change to be stored."""

    extension: str
    at: datetime
    state: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class OperatorNow:
    """An operator, what he has set (None: nothing), and the state he is in (None: nobody has looked yet)."""

    operator: Operator
    switches: OperatorSwitches | None
    newest: OperatorStateChange | None


def switches_by_extension(session: Session) -> dict[str, OperatorSwitches]:
    """What operators have set."""
    query = select(Operator.extension, OperatorSwitches).where(col(Operator.id) == col(OperatorSwitches.operator_id))
    return dict(session.exec(query).all())


def put_switches(session: Session, switches: OperatorSwitches) -> None:
    """Make this what the operator has set."""
    session.merge(switches)
    session.flush()


def add_states(session: Session, changes: Iterable[NewState]) -> None:
    """Store changes in this order; those of operators who were removed meanwhile are left out."""
    ids = dict(session.exec(select(Operator.extension, Operator.id)).all())
    session.add_all(
        OperatorStateChange(operator_id=ids[one.extension], at=one.at, state=one.state, reason=one.reason, changed_by=one.by)
        for one in changes
        if one.extension in ids
    )
    session.flush()


def operators_now(session: Session) -> list[OperatorNow]:
    """Every operator as he is, by extension."""
    switches = {one.operator_id: one for one in session.exec(select(OperatorSwitches))}
    newest = _newest(session)
    operators = session.exec(select(Operator).order_by(col(Operator.extension)))
    return [OperatorNow(operator, switches.get(operator.id), newest.get(operator.id)) for operator in operators]


def operator_now(session: Session, operator: Operator) -> OperatorNow:
    """One operator as he is."""
    history = state_changes(session, operator.id, 1)
    return OperatorNow(operator, session.get(OperatorSwitches, operator.id), history[0] if history else None)


def state_changes(session: Session, operator_id: int, limit: int) -> Sequence[OperatorStateChange]:
    """His last states, newest first, at most `limit` (1 to MAX_CHANGES; others are moved into that range)."""
    query = select(OperatorStateChange).where(OperatorStateChange.operator_id == operator_id)
    limit = min(max(limit, 1), MAX_CHANGES)
    return session.exec(query.order_by(col(OperatorStateChange.id).desc()).limit(limit)).all()


def newest_states(session: Session) -> dict[str, tuple[str, str]]:
    """State and reason of every operator by extension, as they were stored last."""
    extensions = dict(session.exec(select(Operator.id, Operator.extension)).all())
    return {extensions[id]: (one.state, one.reason) for id, one in _newest(session).items()}


def _newest(session: Session) -> Mapping[int, OperatorStateChange]:
    last = select(func.max(OperatorStateChange.id)).group_by(col(OperatorStateChange.operator_id))
    found = session.exec(select(OperatorStateChange).where(col(OperatorStateChange.id).in_(last)))
    return {one.operator_id: one for one in found}
