"""The installation's own prompts: what is known of each sound file. The files are `controller.prompts.files`' affair."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import JSON, Column, String, UniqueConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from controller.errors import NotFound
from controller.storage.columns import UtcDateTime
from controller.storage.locks import PROMPTS, hold
from controller.storage.scenarios import ScenarioVersion, StoredScenario

PromptKind: TypeAlias = Literal["uploaded", "recorded", "speech"]
"""How it came to be: a file that was sent, a recording by phone, a text that an engine spoke."""


class StoredPrompt(SQLModel, table=True):
    """`name` and `language` are how scenarios know it, and stay; `title` is for people.

    `original_name` is the name of the file that was sent, for people to see, never a path; `original_format` the extension under
    which it is kept. `loudness` is in dB below full scale, `waveform` values from 0 to 1. `text` and `voice` are of speech alone.
    """

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("name", "language"),)

    id: int = Field(default=None, primary_key=True)
    name: str
    language: str
    title: str
    kind: PromptKind = Field(sa_column=Column(String, nullable=False))
    original_name: str
    original_format: str
    length_seconds: float
    loudness: float
    waveform: list[float] = Field(sa_column=Column(JSON, nullable=False))
    text: str | None = None
    voice: str | None = None
    content_hash: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


def list_prompts(session: Session) -> Sequence[StoredPrompt]:
    """All of them by title."""
    return session.exec(select(StoredPrompt).order_by(col(StoredPrompt.title), col(StoredPrompt.language))).all()


def prompt_keys(session: Session) -> set[tuple[str, str]]:
    """Every (name, language)."""
    return {(name, language) for name, language in session.exec(select(StoredPrompt.name, StoredPrompt.language))}


def prompt_titles(session: Session) -> dict[str, str]:
    """Titles by name; of a prompt in several languages, any."""
    return dict(session.exec(select(StoredPrompt.name, StoredPrompt.title)).all())


def find_prompt(session: Session, name: str, language: str) -> StoredPrompt | None:
    return session.exec(select(StoredPrompt).where(StoredPrompt.name == name, StoredPrompt.language == language)).first()


def get_prompt(session: Session, name: str, language: str) -> StoredPrompt:
    """Raises NotFound."""
    found = find_prompt(session, name, language)
    if found is None:
        raise NotFound(f'there is no prompt "{name}" in the language {language}')
    return found


def count_uploaded(session: Session) -> int:
    """How many files were sent and are still there."""
    return session.exec(select(func.count()).select_from(StoredPrompt).where(col(StoredPrompt.kind) == "uploaded")).one()


def lock_prompts(session: Session) -> None:
    """Keep others from adding, deleting and publishing prompts until the transaction ends: they are counted and looked for."""
    hold(session, PROMPTS)


def documents_by_scenario(session: Session) -> list[tuple[str, str, dict[str, Any]]]:
    """(scenario's name, "draft" or "published", document) of every draft and of what is published now."""
    drafts = select(StoredScenario.name, StoredScenario.draft).order_by(col(StoredScenario.name))
    published = (
        select(StoredScenario.name, ScenarioVersion.document)
        .join(ScenarioVersion, col(StoredScenario.published_version_id) == ScenarioVersion.id)
        .order_by(col(StoredScenario.name))
    )
    return [
        (name, state, dict(document))
        for state, query in (("draft", drafts), ("published", published))
        for name, document in session.exec(query)
    ]
