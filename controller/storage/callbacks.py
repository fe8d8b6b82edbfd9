"""Callbacks: callers who keep their place in a group's line without holding the phone.

A number waits at most once for a group. The states:

    waiting ──> calling ──> done         he talked with somebody
       │  ^        │──────> failed       he hung up, or did not answer the last attempt
       │  └────────┘                     he did not answer, or nobody took the call: he is called again later
       ├──> expired                      his turn did not come in time
       └──> cancelled                    by somebody of the house

From the last four he gets back to waiting when somebody of the house has him called again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import CursorResult, Index, String, case, text, update
from sqlmodel import Field, Session, SQLModel, col, func, select

from controller.errors import Refused
from controller.ids import CallId
from controller.storage.calls import Call, CallLeg
from controller.storage.columns import UtcDateTime
from controller.storage.rows import by_id

CallbackState: TypeAlias = Literal["waiting", "calling", "done", "failed", "expired", "cancelled"]
OPEN_STATES: tuple[CallbackState, ...] = ("waiting", "calling")
MOST_OPEN = 1000
"""Callbacks that may be open at the same time."""

_IS_OPEN = text("state IN ('waiting', 'calling')")


class Callback(SQLModel, table=True):
    """One caller who is to be called back. `number` is his in the form in which numbers are compared (E.164); what is dialled is
    `caller_number`, as the carrier gave it.

    `place_at` is when he took his place in the group's line, `opened_at` when he asked, or was last put back to waiting. He is
    not called before `due_at`. `last_call_id` is the call made to him last. No foreign keys: what is named here may be removed
    meanwhile.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("ix_callbacks_open", "number", "group_name", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True)
    number: str
    caller_number: str
    caller_name: str
    called_number: str
    line_name: str
    language: str
    group_name: str
    call_id: str = Field(index=True)
    place_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    state: CallbackState = Field(default="waiting", sa_type=String)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    last_call_id: str | None = Field(default=None, index=True)
    detail: str = ""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def add_callback(session: Session, callback: Callback) -> Callback:
    """Keep a caller's place; when one is kept for his number and group already, that one stays and is returned.

    Raises Refused: as many wait as may.
    """
    found = find_open_callback(session, callback.number, callback.group_name)
    if found is not None:
        return found
    if session.exec(select(func.count()).where(_open())).one() >= MOST_OPEN:
        raise Refused(f"{MOST_OPEN} callers wait for their callback already")
    session.add(callback)
    session.flush()
    return callback


def find_open_callback(session: Session, number: str, group: str) -> Callback | None:
    """The callback that waits, or is being made, for a number and a group."""
    return session.exec(select(Callback).where(Callback.number == number, Callback.group_name == group, _open())).first()


def get_callback(session: Session, id: int) -> Callback:
    """Raises NotFound."""
    return by_id(session, Callback, id, f"callback {id}")


def concerned_by_callbacks(session: Session, numbers: Mapping[str, str | None]) -> set[str]:
    """Those of the calls, given with their callers' numbers, that were made for a callback, led to one, or came from a number
    that waits for one anyway.
    """
    made = col(Callback.call_id).in_(numbers) | col(Callback.last_call_id).in_(numbers)
    waits = col(Callback.number).in_({number for number in numbers.values() if number}) & _open()
    found = session.exec(select(Callback).where(made | waits)).all()
    calls = {id for one in found for id in (one.call_id, one.last_call_id)}
    waiting = {one.number for one in found if one.state in OPEN_STATES}
    return {call for call, number in numbers.items() if call in calls or number in waiting}


def list_callbacks(
    session: Session, state: CallbackState | None = None, limit: int = 50, before: int | None = None
) -> Sequence[Callback]:
    """Callbacks, those asked for last first; `before` is the id of the last one of the page before."""
    query = select(Callback).order_by(col(Callback.id).desc()).limit(limit)
    if state is not None:
        query = query.where(Callback.state == state)
    if before is not None:
        query = query.where(col(Callback.id) < before)
    return session.exec(query).all()


def waiting_callbacks(session: Session) -> Sequence[Callback]:
    """Those who wait, in the order of their places."""
    return session.exec(
        select(Callback).where(Callback.state == "waiting").order_by(col(Callback.place_at), col(Callback.id))
    ).all()


def claim_callback(session: Session, id: int, call: CallId, at: datetime) -> bool:
    """He is going to be called now, by the call of this id; False when he does not wait any more, or is not due."""
    waits = (col(Callback.id) == id) & (col(Callback.state) == "waiting") & (col(Callback.due_at) <= at)
    values = {"state": "calling", "attempts": Callback.attempts + 1, "last_call_id": call, "detail": ""}
    return _changed(session.exec(update(Callback).where(waits).values(**values)))


def close_callback(session: Session, id: int, state: CallbackState, detail: str, at: datetime) -> bool:
    """He is called no more; False when that is known already."""
    values = {"state": state, "detail": detail, "ended_at": at}
    return _changed(session.exec(update(Callback).where(col(Callback.id) == id, _open()).values(**values)))


def defer_callback(session: Session, id: int, due_at: datetime, detail: str, *, attempted: bool = True) -> bool:
    """He waits (again), and is called at `due_at` at the earliest; if he was not really `attempted`, his claim does not count."""
    values: dict[str, Any] = {"state": "waiting", "due_at": due_at, "detail": detail}
    if not attempted:
        claimed = col(Callback.state) == "calling"
        values["attempts"] = case((claimed, col(Callback.attempts) - 1), else_=col(Callback.attempts))
    return _changed(session.exec(update(Callback).where(col(Callback.id) == id, _open()).values(**values)))


@dataclass(frozen=True, slots=True)
class CutOff:
    """A callback that was being made when the controller ended: had he answered by then, and talked with somebody?"""

    callback: Callback
    answered: bool
    talked: bool


def callbacks_cut_off(session: Session) -> list[CutOff]:
    """Those that are being made. To be asked before anything is called."""
    found = session.exec(select(Callback).where(Callback.state == "calling")).all()
    calls = [callback.last_call_id for callback in found]
    answered = set(session.exec(select(Call.id).where(col(Call.id).in_(calls))))
    talked_in = col(CallLeg.call_id).in_(calls) & col(CallLeg.talk_started_at).is_not(None)
    talked = set(session.exec(select(CallLeg.call_id).where(talked_in)))
    return [CutOff(callback, callback.last_call_id in answered, callback.last_call_id in talked) for callback in found]


def _open() -> Any:
    return col(Callback.state).in_(OPEN_STATES)


def _changed(result: CursorResult[Any]) -> bool:
    return result.rowcount == 1
