"""Insert scenario (UIS-40)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.operations.base import Arrival, Insert, Mention, Name, Operation, Step


class InsertScenario(Operation):
    """Runs another scenario here, as it was published when the call began; a change of it applies wherever it is inserted.
    Where it comes to an exit that is not linked, the caller goes on here by "next". A "Hang up" in it ends the call, and so
    does an "answered" that is not linked: after a conversation nobody is sent on by surprise. Scenarios must not insert each
    other in a circle.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"next"})
    TAKES_KEYS: ClassVar = True

    type: Literal["insert_scenario"] = "insert_scenario"
    scenario: Name = Field(description="name of the scenario")

    def enter(self, arrival: Arrival) -> Step:
        return Insert(self.scenario)

    def mentions(self) -> tuple[Mention, ...]:
        return (Mention("scenario", self.scenario, "scenario"),)
