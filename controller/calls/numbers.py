"""What each of our numbers leads to, kept in memory so that an arriving call waits for no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from controller.prompts import LANGUAGES, PromptLibrary
from controller.schedules import Schedule, state_at, zone_for
from controller.storage import Session
from controller.storage.numbers import InboundRoute, list_routes
from controller.storage.scenarios import get_version
from ivr.graph import Node, NodeId, Scenario
from ivr.lines import STANDARD_PROMPTS, Line, LinePrompts, line_scenario, standard_prompt
from ivr.operations import HangUp, InfoMessage
from ivr.prompts import PromptRef
from ivr.serialization import from_data

NOT_IN_SERVICE = Scenario(
    start=NodeId("not_in_service"),
    nodes={
        NodeId("not_in_service"): Node(
            operation=InfoMessage(message=(PromptRef("number-not-in-service"),)), links={"next": NodeId("goodbye")}
        ),
        NodeId("goodbye"): Node(operation=HangUp(cause="unallocated")),
    },
)
"""For numbers that are not ours, and those that have no published scenario."""


@dataclass(frozen=True, slots=True)
class OwnHours:
    """A number's own schedule."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes. `language` None means the installation's own. `off_hours` is where it goes while the schedule is closed,
    if that is elsewhere.
    """

    line_name: str
    language: str | None
    scenario: Scenario
    scenario_version: int | None
    prompts: LinePrompts = STANDARD_PROMPTS
    hours: OwnHours | None = None
    off_hours: Route | None = None

    def at(self, moment: datetime, installation: tzinfo) -> Route:
        """The route at a moment; `installation` is the zone of schedules without their own."""
        if self.off_hours is None or self.hours is None:
            return self
        schedule = self.hours.schedule
        return self if state_at(schedule, moment, zone_for(schedule, installation)) == "open" else self.off_hours


UNKNOWN = Route("", None, NOT_IN_SERVICE, None)


def load_routes(session: Session, known: Mapping[str, Route], library: PromptLibrary) -> dict[str, Route]:
    """Every number's route. Scenario versions never change, so those in `known` are used again."""
    every = [one for route in known.values() for one in (route, route.off_hours) if one is not None]
    scenarios = {route.scenario_version: route.scenario for route in every if route.scenario_version is not None}

    def scenario(version: int) -> Scenario:
        if version not in scenarios:
            scenarios[version] = from_data(get_version(session, version).document)
        return scenarios[version]

    return {row.number: _route(row, scenario, library) for row in list_routes(session)}


def _route(row: InboundRoute, scenario: Callable[[int], Scenario], library: PromptLibrary) -> Route:
    """The published scenario of working time, and that of off-hours; where one is missing, what the number's settings make."""
    prompts = _audible(LinePrompts.read(row.prompts), library, row.language or LANGUAGES[0])
    hours = None if row.schedule is None else OwnHours(row.schedule[0], Schedule.model_validate(row.schedule[1]))
    line = Line(prompts, None if hours is None else hours.name, row.group, row.longest_wait)
    made = NOT_IN_SERVICE if line.schedule is None and line.group is None else line_scenario(line)

    def to(version: int | None) -> Route:
        return Route(row.line_name, row.language, made if version is None else scenario(version), version, prompts, hours)

    in_hours = to(row.scenario_version_id)
    served_alike = row.off_hours_version_id == row.scenario_version_id
    return in_hours if hours is None or served_alike else replace(in_hours, off_hours=to(row.off_hours_version_id))


def _audible(prompts: LinePrompts, library: PromptLibrary, language: str) -> LinePrompts:
    """The standard prompt stands in for one whose sound file has disappeared."""
    gone = [slot for slot, ref in prompts.by_slot().items() if ref is not None and not library.is_there(ref, language)]
    standing_in: dict[str, Any] = {slot: standard_prompt(slot) for slot in gone}
    return replace(prompts, **standing_in)
