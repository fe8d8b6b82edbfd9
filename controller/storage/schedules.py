"""Schedules by name. What is in them is `controller.schedules.Schedule`, kept as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.columns import UtcDateTime
from controller.storage.rows import by_id


class StoredSchedule(SQLModel, table=True):
    """`document` is a checked `Schedule`; scenarios name schedules by `name`."""

    __tablename__ = "schedules"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(sa_type=UtcDateTime)


def list_schedules(session: Session) -> Sequence[StoredSchedule]:
    """All schedules, by name."""
    return session.exec(select(StoredSchedule).order_by(col(StoredSchedule.name))).all()


def get_schedule(session: Session, id: int) -> StoredSchedule:
    """Raises NotFound."""
    return by_id(session, StoredSchedule, id, f"schedule {id}")


def find_schedule(session: Session, name: str) -> StoredSchedule | None:
    return session.exec(select(StoredSchedule).where(StoredSchedule.name == name)).first()


def schedule_names(session: Session) -> frozenset[str]:
    """What a scenario may branch on."""
    return frozenset(session.exec(select(StoredSchedule.name)))
