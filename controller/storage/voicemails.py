"""Voicemails: what callers left, and that they called when they left nothing (UIS-10, UIS-11)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Column, Field, Session, SQLModel, col, func, select

from controller.storage.columns import UtcDateTime
from controller.storage.rows import by_id


class Voicemail(SQLModel, table=True):
    """`id` is ours, made before the recording starts. `path` is relative to the data folder; None when nothing was recorded.

    `failed`: what the caller said could not be recorded. `arrived_at` is when the call arrived, not when it was recorded.
    `recipients` are the e-mail addresses that get a letter each. No foreign key to the calls: their journal is written a little
    later, and a voicemail outlives the history of calls.
    """

    __tablename__ = "voicemails"

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    scenario: str
    node: str
    caller_number: str
    called_number: str
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    path: str | None = None
    length_seconds: float = 0.0
    failed: bool = False
    recipients: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    heard_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


def find_voicemail(session: Session, id: str) -> Voicemail | None:
    return session.get(Voicemail, id)


def get_voicemail(session: Session, id: str) -> Voicemail:
    """Raises NotFound."""
    return by_id(session, Voicemail, id, f"voicemail {id}")


def left_in_calls(session: Session, ids: Collection[str]) -> set[str]:
    """Those of these calls of which a voicemail is kept."""
    return set(session.exec(select(Voicemail.call_id).where(col(Voicemail.call_id).in_(ids)))) if ids else set()


def list_voicemails(
    session: Session, heard: bool | None = None, limit: int = 50, before: str | None = None
) -> Sequence[Voicemail]:
    """Voicemails, those of the newest calls first; `before` is the id of the last one of the page before."""
    query = select(Voicemail).order_by(col(Voicemail.id).desc()).limit(limit)
    if heard is not None:
        query = query.where(col(Voicemail.heard_at).is_not(None) if heard else col(Voicemail.heard_at).is_(None))
    if before is not None:
        query = query.where(col(Voicemail.id) < before)
    return session.exec(query).all()


def count_unheard(session: Session) -> int:
    """How many nobody has dealt with."""
    return session.exec(select(func.count()).select_from(Voicemail).where(col(Voicemail.heard_at).is_(None))).one()
