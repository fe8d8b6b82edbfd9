"""The audit log: who changed what, and when. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.columns import UtcDateTime


class AuditEntry(SQLModel, table=True):
    """`actor` is a login, or what acted ("command line"); `subject` is what was changed ("scenario Demo")."""

    __tablename__ = "audit"

    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def add_audit(session: Session, at: datetime, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Add a row to the change that is being made. `detail` must be JSON and must hold no secret."""
    session.add(AuditEntry(at=at, actor=actor, action=action, subject=subject, detail=detail))


def list_audit(session: Session, limit: int = 100) -> Sequence[AuditEntry]:
    """The last `limit` changes, newest first."""
    return session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)).all()
