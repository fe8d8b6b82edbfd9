"""Inbound numbers: what callers dial, and what serves them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import JSON, Column, ForeignKey, text
from sqlmodel import Field, Session, col, select

from controller.storage.calls import Call
from controller.storage.confirmations import Confirmable
from controller.storage.forwarding import Forwarding
from controller.storage.groups import Group
from controller.storage.rows import by_id
from controller.storage.scenarios import StoredScenario
from controller.storage.schedules import StoredSchedule
from controller.storage.trunks import Trunk
from controller.storage.users import User
from ivr.lines import LONGEST_WAIT

T = TypeVar("T")


def _reference(to: str) -> Column[int]:
    return Column(ForeignKey(to, ondelete="SET NULL"), nullable=True, index=True)


class InboundNumber(Confirmable, table=True):
    """A number of ours; it is shown to those who are called while it is confirmed. `language` None means the installation's own.

    `scenario_id` serves callers in working time, `off_hours_scenario_id` outside of it; without a schedule it is always working
    time. `group_id` answers where there is no scenario; `longest_wait` in seconds. `prompts` is as `LinePrompts.written`,
    `forwarding` as `Forwarding.written`. `responsible_id` is the user who is told of missed calls. The campaign of `campaign_id`
    says what unknown callers get, and its employees answer where there is no group either.

    `channels` is how many calls of both directions it takes at once, None: any number; `incoming` and `outgoing` are the
    directions that it takes (LNR-1). `source` is a label for its calls (UIS-46). `trunk_id` brings its calls, and shows it to
    those who are called through it.

    `recordings_days` is how long recordings of its calls are kept, None: as long as its campaign, or else the
    installation, wants.
    """

    __tablename__ = "inbound_numbers"

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
    forwarding: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default=text("'{}'")))
    channels: int | None = None
    incoming: bool = True
    outgoing: bool = True
    source: str = ""
    trunk_id: int | None = Field(default=None, sa_column=_reference("trunks.id"))
    responsible_id: int | None = Field(default=None, sa_column=_reference("users.id"))
    recordings_days: int | None = None


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number with the names of what it refers to; of its responsible the login."""

    row: InboundNumber
    scenario: str | None
    off_hours_scenario: str | None
    schedule: str | None
    group: str | None
    trunk: str | None
    responsible: str | None


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
    forwarding: Forwarding
    source: str
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
            Forwarding.read(row.forwarding),
            row.source,
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
    found = by_id(session, InboundNumber, id, f"number with the id {id}")
    return _views(session, [found])[0]


def find_number(session: Session, number: str) -> InboundNumber | None:
    return session.exec(select(InboundNumber).where(InboundNumber.number == number)).first()


def numbers_called(session: Session, numbers: Collection[str]) -> dict[str, InboundNumber]:
    """Those of these that are numbers of ours, by number."""
    return {one.number: one for one in session.exec(select(InboundNumber).where(col(InboundNumber.number).in_(numbers)))}


def responsible_of(session: Session, number: InboundNumber) -> User | None:
    """Who is told of the number's missed calls."""
    return None if number.responsible_id is None else session.get(User, number.responsible_id)


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


def last_call_of(session: Session, number: str) -> datetime | None:
    """When somebody called this number last, also in vain; None: never."""
    return session.exec(
        select(Call.started_at)
        .where(Call.called_number == number, Call.direction == "inbound")
        .order_by(col(Call.started_at).desc())
        .limit(1)
    ).first()


def numbers_forwarding_to(session: Session, number: str) -> list[InboundNumber]:
    """The numbers whose missed calls are forwarded to this common phone."""
    return [row for row in list_numbers(session) if Forwarding.read(row.forwarding).number == number]


def numbers_by_campaign(session: Session) -> dict[int, list[str]]:
    """The numbers of campaigns, by the campaigns' ids; of one without numbers: not named."""
    found: dict[int, list[str]] = {}
    for row in list_numbers(session):
        if row.campaign_id is not None:
            found.setdefault(row.campaign_id, []).append(row.number)
    return found


def _views(session: Session, rows: Sequence[InboundNumber]) -> list[NumberView]:
    tables = (StoredScenario, StoredSchedule, Group, Trunk)
    scenarios, schedules, groups, trunks = (_names(session, table) for table in tables)
    logins = dict(session.exec(select(User.id, User.login)).all())
    return [
        NumberView(
            row,
            _of(scenarios, row.scenario_id),
            _of(scenarios, row.off_hours_scenario_id),
            _of(schedules, row.schedule_id),
            _of(groups, row.group_id),
            _of(trunks, row.trunk_id),
            _of(logins, row.responsible_id),
        )
        for row in rows
    ]


_Named: TypeAlias = type[StoredScenario] | type[StoredSchedule] | type[Group] | type[Trunk]


def _names(session: Session, table: _Named) -> dict[int, str]:
    return dict(session.exec(select(table.id, table.name)).all())


def _of(found: Mapping[int, T], id: int | None) -> T | None:
    return None if id is None else found.get(id)
