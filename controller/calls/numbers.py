"""What each of our numbers leads to, kept in memory so that an arriving call waits for no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.storage import Session
from controller.storage.numbers import list_routes
from controller.storage.scenarios import get_version
from ivr.graph import Node, NodeId, Scenario
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
class Route:
    """Where a call goes. `language` None means the installation's own."""

    line_name: str
    language: str | None
    scenario: Scenario
    scenario_version: int | None


UNKNOWN = Route("", None, NOT_IN_SERVICE, None)


def load_routes(session: Session, known: Mapping[str, Route]) -> dict[str, Route]:
    """Every number's route. Scenario versions never change, so those in `known` are used again."""
    scenarios = {route.scenario_version: route.scenario for route in known.values()}
    routes = {}
    for row in list_routes(session):
        version = row.scenario_version_id
        if version is None:
            routes[row.number] = Route(row.line_name, row.language, NOT_IN_SERVICE, None)
            continue
        if version not in scenarios:
            scenarios[version] = from_data(get_version(session, version).document)
        routes[row.number] = Route(row.line_name, row.language, scenarios[version], version)
    return routes
