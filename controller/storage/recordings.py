"""Recordings of conversations: where the file is, and of which call."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, delete
from sqlmodel import Field, Session, SQLModel, col

from controller.storage.columns import UtcDateTime
from controller.storage.rows import by_id


class Recording(SQLModel, table=True):
    """`id` is ours, made before the recording starts; `path` is relative to the recordings folder. `pauses` are
    {"from": moment, "to": moment or null}, moments in ISO 8601: what was said in between is silence in the file. `failed`:
    nothing could be written, and there is no file.
    """

    __tablename__ = "recordings"

    id: str = Field(primary_key=True)
    call_id: str = Field(sa_column=Column(ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True))
    path: str
    started_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pauses: list[dict[str, str | None]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    failed: bool = False


def get_recording(session: Session, id: str) -> Recording:
    """Raises NotFound."""
    return by_id(session, Recording, id, f"recording {id}")


def remove_recordings(session: Session, ids: Collection[str]) -> None:
    """Forget them. Their files are the caller's affair."""
    session.exec(delete(Recording).where(col(Recording.id).in_(ids)))
