"""Forwarding to an employee group (UIS-33)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import HoldPrompts, RouteToGroup
from ivr.operations.base import Arrival, Mention, Name, Operation, Prompts, Reaching, Stay, Step
from ivr.prompts import PromptRef


class ForwardToGroup(Operation):
    """Finds an operator of a group by the group's rules; meanwhile the caller hears the prompts of the number that he called, or
    those given here. Leaves by "failed" when nobody took the call (who drops it at once has not), nobody could be rung, or the
    longest wait is over; by "answered" after a conversation that the operator ended (not linked: the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})
    CONCLUDING_EXITS: ClassVar = frozenset({"answered"})
    ENDS_CALL: ClassVar = True

    type: Literal["forward_to_group"] = "forward_to_group"
    group: Name = Field(description="name of the operator group")
    max_wait_seconds: float = Field(300.0, ge=1, le=3600, description="longest wait for an operator's answer")
    arrival: Prompts | None = Field(
        None, description="played once while the search begins; not given: the number's, if the caller has heard nothing yet"
    )
    waiting: Prompts | None = Field(None, description="played again and again; not given: the number's; none: music alone")
    all_busy: Prompts | None = Field(None, description="played in turn with it while all are busy; not given: the number's")

    def enter(self, arrival: Arrival) -> Step:
        hold = HoldPrompts(self.arrival, self.waiting, self.all_busy)
        return Stay(Reaching(arrival.visit), (RouteToGroup(arrival.visit, self.group, self.max_wait_seconds, hold),))

    def prompts(self) -> tuple[PromptRef, ...]:
        return (*(self.arrival or ()), *(self.waiting or ()), *(self.all_busy or ()))

    def mentions(self) -> tuple[Mention, ...]:
        return (Mention("group", self.group, "group"),)
