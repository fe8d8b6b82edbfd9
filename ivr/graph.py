"""A scenario: nodes with operations, and links from their exits; a bundle: a scenario with those it inserts.

Limits keep a hostile document from costing more than a moment: MAX_NODES nodes, names of NODE_NAME's form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, NewType

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ivr.operations import AnyOperation

MAX_NODES = 1000
NodeId = NewType("NodeId", str)
_NodeName = Annotated[NodeId, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
_ExitName = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,31}|[0-9*#])$")]


class Position(BaseModel):
    """Where the editor draws a node, in its own units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: float = Field(allow_inf_nan=False)
    y: float = Field(allow_inf_nan=False)


class Node(BaseModel):
    """One step of a scenario. `links` leads from an exit's name to the next node's id; an exit without one ends the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: AnyOperation
    links: dict[_ExitName, NodeId] = Field(default_factory=dict)
    title: str = Field("", max_length=100, description="what people see on the node")
    position: Position | None = None


class Scenario(BaseModel):
    """A graph that callers walk. It may be a draft with mistakes in it: see `ivr.validation`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: NodeId
    nodes: dict[_NodeName, Node] = Field(min_length=1, max_length=MAX_NODES)


@dataclass(frozen=True, slots=True)
class ScenarioBundle:
    """What a call walks: its scenario, and by name every scenario that this one inserts, directly or not. The shell chooses
    their versions when the call begins; one that is missing is passed over.
    """

    root: Scenario
    inserted: Mapping[str, Scenario] = field(default_factory=dict)

    def scenario(self, name: str | None) -> Scenario | None:
        """An inserted scenario; None is the name of the root."""
        return self.root if name is None else self.inserted.get(name)

    def nodes(self) -> Iterator[Node]:
        """Every node of every scenario."""
        for scenario in (self.root, *self.inserted.values()):
            yield from scenario.nodes.values()


def inserts(scenario: Scenario) -> tuple[str, ...]:
    """The names of the scenarios that it inserts itself."""
    return tuple(name for node in scenario.nodes.values() for name in node.operation.scenarios())


def inserted_by(scenario: Scenario, find: Callable[[str], Scenario | None]) -> dict[str, Scenario]:
    """All that it inserts, directly or not, by name, as far as `find` knows them. Scenarios may insert each other in a circle."""
    found: dict[str, Scenario] = {}
    waiting = [*inserts(scenario)]
    while waiting:
        name = waiting.pop()
        inner = None if name in found else find(name)
        if inner is not None:
            found[name] = inner
            waiting += inserts(inner)
    return found
