"""The outbox: letters that are to be sent, were sent, or were given up. A letter leaves it only when somebody removes it, or long
after it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import JSON, ColumnElement, Index, delete, text, update
from sqlmodel import Column, Field, Session, SQLModel, col, func, select

from controller.storage.columns import UtcDateTime
from controller.storage.rows import by_id

LetterState: TypeAlias = Literal["waiting", "sent", "given_up"]

_WAITING = "sent_at IS NULL AND given_up_at IS NULL"


class OutboxLetter(SQLModel, table=True):
    """A letter to one address. `id` is a ULID and the stable part of its Message-ID.

    `attachments` are {"path", "name", "media_type"} with paths relative to the data folder. `due_at` is when it may be tried
    next: who tries it moves it forward first, so that nobody else does, and so that it comes again should the process die.
    `dedupe_key` names the occasion: a second letter for the same one is not put in.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "due_at", sqlite_where=text(_WAITING), postgresql_where=text(_WAITING)),
        Index("ix_outbox_sent", "sent_at"),
    )

    id: str = Field(primary_key=True)
    kind: str
    language: str
    recipient: str
    subject: str
    body: str
    attachments: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    first_tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str = ""
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    given_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dedupe_key: str | None = Field(default=None, unique=True)

    @property
    def state(self) -> LetterState:
        return "sent" if self.sent_at is not None else "given_up" if self.given_up_at is not None else "waiting"


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many letters wait, and how many were given up."""

    waiting: int
    given_up: int


def find_by_occasion(session: Session, dedupe_key: str) -> OutboxLetter | None:
    return session.exec(select(OutboxLetter).where(OutboxLetter.dedupe_key == dedupe_key)).first()


def letter_states(session: Session, dedupe_keys: Sequence[str]) -> dict[str, LetterState]:
    """How the letters of these occasions are; an occasion without a letter is left out."""
    found = session.exec(select(OutboxLetter).where(col(OutboxLetter.dedupe_key).in_(dedupe_keys))).all()
    return {letter.dedupe_key: letter.state for letter in found if letter.dedupe_key is not None}


def get_letter(session: Session, id: str) -> OutboxLetter:
    """Raises NotFound."""
    return by_id(session, OutboxLetter, id, f"letter {id}")


def list_letters(
    session: Session, state: LetterState | None = None, limit: int = 50, before: str | None = None
) -> Sequence[OutboxLetter]:
    """Letters, newest first; `before` is the id of the last one of the page before."""
    query = select(OutboxLetter).order_by(col(OutboxLetter.id).desc()).limit(limit)
    if state is not None:
        query = query.where(_is(state))
    if before is not None:
        query = query.where(col(OutboxLetter.id) < before)
    return session.exec(query).all()


def count_letters(session: Session) -> OutboxCounts:
    """What health and pages tell of the outbox."""
    counted = (
        session.exec(select(func.count()).select_from(OutboxLetter).where(_is(state))).one() for state in ("waiting", "given_up")
    )
    return OutboxCounts(*counted)


def claim_due_letter(session: Session, at: datetime, until: datetime) -> OutboxLetter | None:
    """The letter that has been due longest, kept from others until the moment `until`; counts as an attempt."""
    due = (
        select(OutboxLetter)
        .where(_is("waiting"), col(OutboxLetter.due_at) <= at)
        .order_by(col(OutboxLetter.due_at), col(OutboxLetter.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    letter = session.exec(due).first()
    if letter is not None:
        letter.due_at = until
        letter.attempts += 1
        letter.first_tried_at = letter.first_tried_at or at
        session.flush()
    return letter


def mark_sent(session: Session, id: str, at: datetime) -> None:
    """No error if the letter was removed meanwhile."""
    _change(session, id, sent_at=at, last_error="")


def mark_deferred(session: Session, id: str, due_at: datetime, error: str) -> None:
    """It was not sent, and is due again at `due_at`."""
    _change(session, id, due_at=due_at, last_error=error)


def mark_given_up(session: Session, id: str, at: datetime, error: str) -> None:
    """It is not tried any more, unless somebody asks for it."""
    _change(session, id, given_up_at=at, last_error=error)


def delete_sent_before(session: Session, moment: datetime) -> int:
    """Forget letters that were sent before a moment; returns how many."""
    return session.exec(delete(OutboxLetter).where(col(OutboxLetter.sent_at) < moment)).rowcount


def _change(session: Session, id: str, **values: Any) -> None:
    session.exec(update(OutboxLetter).where(col(OutboxLetter.id) == id, _is("waiting")).values(**values))


def _is(state: str) -> ColumnElement[bool]:
    sent, given_up = col(OutboxLetter.sent_at), col(OutboxLetter.given_up_at)
    if state == "sent":
        return sent.is_not(None)
    return sent.is_(None) & (given_up.is_not(None) if state == "given_up" else given_up.is_(None))
