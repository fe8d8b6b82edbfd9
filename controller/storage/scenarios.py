"""Scenarios: a draft that people edit, and published versions that calls run. A version never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, ForeignKey, UniqueConstraint, delete, func, update
from sqlalchemy.orm import defer
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from controller.storage.columns import UtcDateTime
from controller.storage.locks import SCENARIOS, hold
from controller.storage.rows import by_id

MOST_FORMER_DRAFTS: Final = 50


class StoredScenario(SQLModel, table=True):
    """A scenario that people edit.

    `draft` is a readable document, perhaps with mistakes. `draft_revision` grows by one with each saved draft; who saves
    names the revision he started from. `published_version_id` is None until the first publication; no foreign key, because the
    two tables would point at each other, and a version goes only with its scenario.
    """

    __tablename__ = "scenarios"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    draft: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    draft_revision: int = 1
    published_version_id: int | None = None
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ScenarioVersion(SQLModel, table=True):
    """One publication; `number` counts 1, 2, … within the scenario. Immutable."""

    __tablename__ = "scenario_versions"
    # Calls name versions: the id of one that was removed must not come again.
    __table_args__ = (UniqueConstraint("scenario_id", "number"), {"sqlite_autoincrement": True})

    id: int = Field(default=None, primary_key=True)
    scenario_id: int = Field(sa_column=Column(ForeignKey("scenarios.id", ondelete="CASCADE"), nullable=False))
    number: int
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    published_at: datetime = Field(sa_type=UtcDateTime)
    published_by: str


class FormerDraft(SQLModel, table=True):
    """A draft that was replaced, for undoing. The newest of a scenario has the highest id; `MOST_FORMER_DRAFTS` are kept."""

    __tablename__ = "scenario_former_drafts"

    id: int = Field(default=None, primary_key=True)
    scenario_id: int = Field(sa_column=Column(ForeignKey("scenarios.id", ondelete="CASCADE"), nullable=False, index=True))
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    replaced_at: datetime = Field(sa_type=UtcDateTime)
    replaced_by: str


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """A scenario without its documents. `published_number` is None until the first publication."""

    id: int
    name: str
    draft_revision: int
    updated_at: datetime
    published_version_id: int | None
    published_number: int | None


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version without its document."""

    id: int
    number: int
    published_at: datetime
    published_by: str


def list_scenarios(session: Session) -> list[ScenarioSummary]:
    """All scenarios by name."""
    published = col(ScenarioVersion.id) == StoredScenario.published_version_id
    query = (
        select(StoredScenario, ScenarioVersion.number)
        .outerjoin(ScenarioVersion, published)
        .options(defer(StoredScenario.draft))  # type: ignore[arg-type]  # SQLModel's attributes are SQLAlchemy's at run time
        .order_by(col(StoredScenario.name))
    )
    return [
        ScenarioSummary(found.id, found.name, found.draft_revision, found.updated_at, found.published_version_id, number)
        for found, number in session.exec(query)
    ]


def all_scenarios(session: Session) -> Sequence[StoredScenario]:
    """All scenarios with their drafts, by name."""
    return session.exec(select(StoredScenario).order_by(col(StoredScenario.name))).all()


def published_versions(session: Session) -> dict[str, int]:
    """The id of the version that new calls run, by the scenario's name; without those that have only a draft."""
    query = select(StoredScenario.name, StoredScenario.published_version_id)
    return {name: version for name, version in session.exec(query) if version is not None}


def get_scenario(session: Session, id: int, *, locked: bool = False) -> StoredScenario:
    """`locked` is as for `by_id`. Raises NotFound."""
    return by_id(session, StoredScenario, id, f"scenario {id}", locked=locked)


def find_scenario(session: Session, name: str) -> StoredScenario | None:
    return session.exec(select(StoredScenario).where(StoredScenario.name == name)).first()


def get_version(session: Session, id: int) -> ScenarioVersion:
    """A published version by its id (`Call.scenario_version_id`). Raises NotFound."""
    return by_id(session, ScenarioVersion, id, f"scenario version {id}")


def find_version_name(session: Session, id: int | None) -> str:
    """The name of the scenario that a published version is of, by the version's id; empty when there is none."""
    version = None if id is None else session.get(ScenarioVersion, id)
    return "" if version is None else get_scenario(session, version.scenario_id).name


def find_version(session: Session, scenario_id: int, number: int) -> ScenarioVersion | None:
    """The `number`-th version of a scenario."""
    query = select(ScenarioVersion).where(ScenarioVersion.scenario_id == scenario_id, ScenarioVersion.number == number)
    return session.exec(query).first()


def list_versions(session: Session, scenario_id: int) -> Sequence[VersionSummary]:
    """The versions of a scenario, newest first."""
    query = (
        select(ScenarioVersion.id, ScenarioVersion.number, ScenarioVersion.published_at, ScenarioVersion.published_by)
        .where(ScenarioVersion.scenario_id == scenario_id)
        .order_by(col(ScenarioVersion.number).desc())
    )
    return [VersionSummary(*row) for row in session.exec(query)]


def replace_draft(session: Session, id: int, draft: dict[str, Any], revision: int, at: datetime) -> bool:
    """Put a new draft in place of the one that has `revision`; False when it has another by now."""
    unchanged = (col(StoredScenario.id) == id) & (col(StoredScenario.draft_revision) == revision)
    values = {"draft": draft, "draft_revision": revision + 1, "updated_at": at}
    return session.exec(update(StoredScenario).where(unchanged).values(**values)).rowcount == 1


def keep_former_draft(session: Session, id: int, draft: dict[str, Any], by: str, at: datetime) -> None:
    """Remember a draft that is being replaced; the oldest beyond MOST_FORMER_DRAFTS are forgotten."""
    session.add(FormerDraft(scenario_id=id, document=draft, replaced_at=at, replaced_by=by))
    session.flush()
    kept = _former_drafts(id).limit(MOST_FORMER_DRAFTS)
    of_scenario = col(FormerDraft.scenario_id) == id
    session.exec(delete(FormerDraft).where(of_scenario, col(FormerDraft.id).not_in(kept)))


def take_former_draft(session: Session, id: int) -> dict[str, Any] | None:
    """The draft that was replaced last, which is forgotten with this; None when there is none."""
    newest = session.exec(_former_drafts(id).limit(1)).first()
    if newest is None:
        return None
    former = session.get_one(FormerDraft, newest)
    document = former.document
    session.delete(former)
    return document


def can_undo(session: Session, id: int) -> bool:
    """Whether there is a former draft."""
    return session.exec(_former_drafts(id).limit(1)).first() is not None


def _former_drafts(id: int) -> SelectOfScalar[int]:
    return select(FormerDraft.id).where(FormerDraft.scenario_id == id).order_by(col(FormerDraft.id).desc())


def lock_insertions(session: Session) -> None:
    """Keep others from changing which scenario inserts which until the transaction ends. Scenarios are locked after it."""
    hold(session, SCENARIOS)


def scenario_names(session: Session) -> frozenset[str]:
    """Every scenario there is, published or not."""
    return frozenset(session.exec(select(StoredScenario.name)))


def documents_named(session: Session, name: str) -> list[dict[str, Any]]:
    """The draft of a scenario and what is published of it; nothing when there is no such scenario."""
    scenario = find_scenario(session, name)
    if scenario is None:
        return []
    version = None if scenario.published_version_id is None else session.get(ScenarioVersion, scenario.published_version_id)
    return [scenario.draft, *([] if version is None else [version.document])]


def next_version_number(session: Session, scenario_id: int) -> int:
    """The number that the next publication of a scenario gets."""
    last = session.exec(select(func.max(ScenarioVersion.number)).where(ScenarioVersion.scenario_id == scenario_id)).one()
    return (last or 0) + 1


def documents_of(session: Session, scenario_id: int) -> list[dict[str, Any]]:
    """The documents of all versions of a scenario."""
    query = select(ScenarioVersion.document).where(ScenarioVersion.scenario_id == scenario_id)
    return [*session.exec(query)]


def scenarios_in_use(session: Session) -> list[tuple[str, dict[str, Any]]]:
    """The drafts, and what is published now, of all scenarios, each with the name of its scenario."""
    drafts = select(StoredScenario.name, StoredScenario.draft)
    published = select(StoredScenario.name, ScenarioVersion.document).join(
        ScenarioVersion, col(StoredScenario.published_version_id) == ScenarioVersion.id
    )
    return [(name, dict(document)) for query in (drafts, published) for name, document in session.exec(query)]
