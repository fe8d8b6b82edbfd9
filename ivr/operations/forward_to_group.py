"""Forwarding to an employee group (UIS-33)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import RouteToGroup
from ivr.operations.base import Arrival, Mention, Name, Operation, Reaching, Stay, Step


class ForwardToGroup(Operation):
    """Finds an operator of a group by the group's rules; the caller hears music while he waits. Leaves by "failed" when
    nobody answered, nobody could be rung, who answered dropped the call at once, or the longest wait is over; by "answered"
    after a conversation that the operator ended (not linked: the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})
    CONCLUDING_EXITS: ClassVar = frozenset({"answered"})
    ENDS_CALL: ClassVar = True

    type: Literal["forward_to_group"] = "forward_to_group"
    group: Name = Field(description="name of the operator group")
    max_wait_seconds: float = Field(300.0, ge=1, le=3600, description="longest wait for an operator's answer")

    def enter(self, arrival: Arrival) -> Step:
        return Stay(Reaching(arrival.visit), (RouteToGroup(arrival.visit, self.group, self.max_wait_seconds),))

    def mentions(self) -> tuple[Mention, ...]:
        return (Mention("group", self.group, "group"),)
