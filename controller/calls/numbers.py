"""What each of our numbers leads to, kept in memory so that an arriving call waits for no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.prompts import LANGUAGES, PromptLibrary
from controller.routing import Arrival
from controller.schedules import Schedule
from controller.storage import Session
from controller.storage.campaigns import CampaignView, campaign_views
from controller.storage.forwarding import NO_FORWARDING, Forwarding
from controller.storage.numbers import InboundRoute, list_routes
from controller.storage.scenarios import get_version, published_versions
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle, inserted_by
from ivr.lines import STANDARD_PROMPTS, Line, LinePrompts, line_scenario, standard_prompt
from ivr.operations import HangUp, InfoMessage
from ivr.prompts import PromptRef
from ivr.serialization import from_data

NOT_IN_SERVICE = ScenarioBundle(
    Scenario(
        start=NodeId("not_in_service"),
        nodes={
            NodeId("not_in_service"): Node(
                operation=InfoMessage(message=(PromptRef("number-not-in-service"),)), links={"next": NodeId("goodbye")}
            ),
            NodeId("goodbye"): Node(operation=HangUp(cause="unallocated")),
        },
    )
)
"""For numbers that are not ours, and those that have no published scenario."""


@dataclass(frozen=True, slots=True)
class OwnHours:
    """A number's own schedule."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes: a scenario with those it inserts, and their published versions at this moment; a call keeps them to its
    end. `language` None means the installation's own. `off_hours` is where it goes while the schedule is closed, if that is
    elsewhere. `campaign` is the one that the number belongs to.
    """

    line_name: str
    language: str | None
    bundle: ScenarioBundle
    scenario_version: int | None
    inserted_versions: Mapping[str, int] = field(default_factory=dict)
    prompts: LinePrompts = STANDARD_PROMPTS
    forwarding: Forwarding = NO_FORWARDING
    hours: OwnHours | None = None
    off_hours: Route | None = None
    source: str = ""
    campaign: CampaignView | None = None


UNKNOWN = Route("", None, NOT_IN_SERVICE, None)

_REFUSALS: Mapping[Arrival, Node] = {
    "incoming_off": Node(operation=HangUp(cause="rejected"), title="Incoming calls are switched off for this number"),
    "all_in_use": Node(operation=HangUp(cause="busy"), title="All channels of this number are in use"),
}


def refusing(route: Route, arrival: Arrival) -> Route:
    """The number's route for a call that it does not take: nobody serves it, and the record says why (LNR-1)."""
    why = NodeId(arrival)
    nothing: dict[str, int] = {}
    bundle = ScenarioBundle(Scenario(start=why, nodes={why: _REFUSALS[arrival]}))
    return replace(route, bundle=bundle, scenario_version=None, inserted_versions=nothing)


def load_routes(session: Session, known: Mapping[str, Route], library: PromptLibrary) -> dict[str, Route]:
    """Every number's route. Scenario versions never change, so those in `known` are used again.

    An inserted scenario that is not published, or not there any more, is left out: callers pass it over.
    """
    versions = _Versions(session, known)
    campaigns = {campaign.id: campaign for campaign in campaign_views(session)}
    return {
        row.number: _route(row, versions, library, None if row.campaign_id is None else campaigns.get(row.campaign_id))
        for row in list_routes(session)
    }


def _route(row: InboundRoute, versions: _Versions, library: PromptLibrary, campaign: CampaignView | None) -> Route:
    """The published scenario of working time, and that of off-hours; where one is missing, what the number's settings make. Where
    it has no group of its own, the employees of its campaign answer.
    """
    prompts = _audible(LinePrompts.read(row.prompts), library, row.language or LANGUAGES[0])
    hours = None if row.schedule is None else OwnHours(row.schedule[0], Schedule.model_validate(row.schedule[1]))
    group = row.group if row.group is not None or campaign is None else campaign.line.name
    line = Line(prompts, None if hours is None else hours.name, group, row.longest_wait)
    made = NOT_IN_SERVICE if line.schedule is None and line.group is None else ScenarioBundle(line_scenario(line))

    def to(version: int | None) -> Route:
        bundle = made if version is None else versions.bundle(version)
        pinned = {name: versions.published_ids[name] for name in bundle.inserted}
        return Route(
            row.line_name,
            row.language,
            bundle,
            version,
            pinned,
            prompts,
            row.forwarding,
            hours,
            source=row.source,
            campaign=campaign,
        )

    in_hours = to(row.scenario_version_id)
    served_alike = row.off_hours_version_id == row.scenario_version_id
    return in_hours if hours is None or served_alike else replace(in_hours, off_hours=to(row.off_hours_version_id))


def _audible(prompts: LinePrompts, library: PromptLibrary, language: str) -> LinePrompts:
    """The standard prompt stands in for one whose sound file has disappeared."""
    gone = [slot for slot, ref in prompts.by_slot().items() if ref is not None and not library.is_there(ref, language)]
    standing_in: dict[str, Any] = {slot: standard_prompt(slot) for slot in gone}
    return replace(prompts, **standing_in)


class _Versions:
    """Published versions, each read once."""

    def __init__(self, session: Session, known: Mapping[str, Route]) -> None:
        self._session = session
        self._read: dict[int, Scenario] = {}
        for route in (each for one in known.values() for each in (one, one.off_hours) if each is not None):
            self._read |= {id: route.bundle.inserted[name] for name, id in route.inserted_versions.items()}
            if route.scenario_version is not None:
                self._read[route.scenario_version] = route.bundle.root
        self.published_ids = published_versions(session)

    def bundle(self, version: int) -> ScenarioBundle:
        """A scenario with those that it inserts."""
        root = self._scenario(version)
        return ScenarioBundle(root, inserted_by(root, self._published))

    def _scenario(self, version: int) -> Scenario:
        if version not in self._read:
            self._read[version] = from_data(get_version(self._session, version).document)
        return self._read[version]

    def _published(self, name: str) -> Scenario | None:
        version = self.published_ids.get(name)
        return None if version is None else self._scenario(version)
