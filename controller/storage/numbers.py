"""Inbound numbers: what callers dial, and what serves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import JSON, Column, ForeignKey
from sqlmodel import Field, Session, SQLModel, col, select

from controller.errors import NotFound
from controller.storage.groups import Group
from controller.storage.scenarios import StoredScenario
from controller.storage.schedules import StoredSchedule
from ivr.lines import LONGEST_WAIT

T = TypeVar("T")


def _reference(to: str) -> Column[int]:
    return Column(ForeignKey(to, ondelete="SET NULL"), nullable=True, index=True)


class InboundNumber(SQLModel, table=True):
    """A number of ours. `language` None means the installation's own.

    `scenario_id` serves callers in working time, `off_hours_scenario_id` outside of it; without a schedule it is always working
    time. `group_id` answers where there is no scenario; `longest_wait` in seconds. `prompts` is as `LinePrompts.written`. The
    campaign of `campaign_id` says what unknown callers get, and its employees answer where there is no group either.
    """

    __tablename__ = "inbound_numbers"

    id: int = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    line_name: str
    scenario_id: int | None = Field(default=None, sa_column=_reference("scenarios.id"))
    language: str | None = None
    off_hours_scenario_id: int | None = Field(default=None, sa_column=_reference("scenarios.id"))
    schedule_id: int | None = Field(default=None, sa_column=_reference("schedules.id"))
    group_id: int | None = Field(default=None, sa_column=_reference("groups.id"))
    campaign_id: int | None = Field(default=None, sa_column=_reference("campaigns.id"))
    longest_wait: int = LONGEST_WAIT
    prompts: dict[str, str | None] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number with the names of what it refers to."""

    row: InboundNumber
    scenario: str | None
    off_hours_scenario: str | None
    schedule: str | None
    group: str | None


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """What serves a number's callers. The versions are None where the number has no published scenario; `schedule` is its own
    schedule's name and document.
    """

    number: str
    line_name: str
    language: str | None
    scenario_version_id: int | None
    off_hours_version_id: int | None
    schedule: tuple[str, dict[str, Any]] | None
    group: str | None
    longest_wait: int
    prompts: dict[str, str | None]
    campaign_id: int | None


def list_routes(session: Session) -> list[InboundRoute]:
    """The routes of all numbers, by number."""
    rows = list_numbers(session)
    published = dict(session.exec(select(StoredScenario.id, StoredScenario.published_version_id)).all())
    schedules = {one.id: (one.name, one.document) for one in session.exec(select(StoredSchedule))}
    groups = _names(session, Group)
    return [
        InboundRoute(
            row.number,
            row.line_name,
            row.language,
            _of(published, row.scenario_id),
            _of(published, row.off_hours_scenario_id),
            _of(schedules, row.schedule_id),
            _of(groups, row.group_id),
            row.longest_wait,
            row.prompts,
            row.campaign_id,
        )
        for row in rows
    ]


def list_numbers(session: Session) -> Sequence[InboundNumber]:
    """All numbers of ours, by number."""
    return session.exec(select(InboundNumber).order_by(col(InboundNumber.number))).all()


def number_views(session: Session) -> list[NumberView]:
    """All numbers with the names of what they refer to, by number."""
    return _views(session, list_numbers(session))


def get_number(session: Session, id: int) -> NumberView:
    """Raises NotFound."""
    found = session.get(InboundNumber, id)
    if found is None:
        raise NotFound(f"there is no number with the id {id}")
    return _views(session, [found])[0]


def find_number(session: Session, number: str) -> InboundNumber | None:
    return session.exec(select(InboundNumber).where(InboundNumber.number == number)).first()


def numbers_of(session: Session, scenario_id: int) -> Sequence[InboundNumber]:
    """The numbers that a scenario answers, in working time or outside of it."""
    answers = (col(InboundNumber.scenario_id) == scenario_id) | (col(InboundNumber.off_hours_scenario_id) == scenario_id)
    return session.exec(select(InboundNumber).where(answers).order_by(col(InboundNumber.number))).all()


def numbers_of_schedule(session: Session, schedule_id: int) -> Sequence[InboundNumber]:
    """The numbers whose own schedule it is."""
    return session.exec(
        select(InboundNumber).where(InboundNumber.schedule_id == schedule_id).order_by(col(InboundNumber.number))
    ).all()


def numbers_of_group(session: Session, group_id: int) -> Sequence[InboundNumber]:
    """The numbers that a group answers without a scenario."""
    return session.exec(select(InboundNumber).where(InboundNumber.group_id == group_id).order_by(col(InboundNumber.number))).all()


def numbers_by_campaign(session: Session) -> dict[int, list[str]]:
    """The numbers of campaigns, by the campaigns' ids; of one without numbers: not named."""
    found: dict[int, list[str]] = {}
    for row in list_numbers(session):
        if row.campaign_id is not None:
            found.setdefault(row.campaign_id, []).append(row.number)
    return found


def _views(session: Session, rows: Sequence[InboundNumber]) -> list[NumberView]:
    scenarios, schedules, groups = (_names(session, table) for table in (StoredScenario, StoredSchedule, Group))
    return [
        NumberView(
            row,
            _of(scenarios, row.scenario_id),
            _of(scenarios, row.off_hours_scenario_id),
            _of(schedules, row.schedule_id),
            _of(groups, row.group_id),
        )
        for row in rows
    ]


def _names(session: Session, table: type[StoredScenario] | type[StoredSchedule] | type[Group]) -> dict[int, str]:
    return dict(session.exec(select(table.id, table.name)).all())


def _of(found: Mapping[int, T], id: int | None) -> T | None:
    return None if id is None else found.get(id)
