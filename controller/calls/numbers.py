"""What each of our numbers leads to, kept in memory so that an arriving call waits for no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.storage import Session
from controller.storage.numbers import InboundRoute, list_routes
from controller.storage.scenarios import get_version, published_versions
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle, inserted_by
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
class Route:
    """Where a call goes: a scenario with those it inserts, and their published versions at this moment; a call keeps them to its
    end. `language` None means the installation's own.
    """

    line_name: str
    language: str | None
    bundle: ScenarioBundle
    scenario_version: int | None
    inserted_versions: Mapping[str, int] = field(default_factory=dict)


UNKNOWN = Route("", None, NOT_IN_SERVICE, None)


def load_routes(session: Session, known: Mapping[str, Route]) -> dict[str, Route]:
    """Every number's route. Scenario versions never change, so those in `known` are used again.

    An inserted scenario that is not published, or not there any more, is left out: callers pass it over.
    """
    versions = _Versions(session, known)
    return {row.number: _route(row, versions) for row in list_routes(session)}


def _route(row: InboundRoute, versions: _Versions) -> Route:
    if row.scenario_version_id is None:
        return Route(row.line_name, row.language, NOT_IN_SERVICE, None)
    root = versions.scenario(row.scenario_version_id)
    inserted = inserted_by(root, versions.published)
    pinned = {name: versions.published_ids[name] for name in inserted}
    return Route(row.line_name, row.language, ScenarioBundle(root, inserted), row.scenario_version_id, pinned)


class _Versions:
    """Published versions, each read once."""

    def __init__(self, session: Session, known: Mapping[str, Route]) -> None:
        self._session = session
        self._read: dict[int, Scenario] = {}
        for route in known.values():
            self._read |= {id: route.bundle.inserted[name] for name, id in route.inserted_versions.items()}
            if route.scenario_version is not None:
                self._read[route.scenario_version] = route.bundle.root
        self.published_ids = published_versions(session)

    def scenario(self, version: int) -> Scenario:
        if version not in self._read:
            self._read[version] = from_data(get_version(self._session, version).document)
        return self._read[version]

    def published(self, name: str) -> Scenario | None:
        version = self.published_ids.get(name)
        return None if version is None else self.scenario(version)
