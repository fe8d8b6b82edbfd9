"""Forwarding to an employee group (UIS-33)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import Connect, RouteToGroup
from ivr.events import ConversationEnded, Event, RoutingEnded, VisitId
from ivr.operations.base import Leave, Operation, Stay, Step


class ForwardToGroup(Operation):
    """Finds an operator of a group by the group's rules; the caller hears music while he waits. Leaves by "failed" when
    nobody answered, nobody could be rung, who answered dropped the call at once, or the longest wait is over; by "answered"
    after a conversation that the operator ended (not linked: the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})

    ENDS_CALL: ClassVar = True

    type: Literal["forward_to_group"] = "forward_to_group"
    group: str = Field(min_length=1, max_length=64, description="name of the operator group")
    max_wait_seconds: float = Field(300.0, ge=1, le=3600, description="longest wait for an operator's answer")

    def enter(self, visit: VisitId, linked: frozenset[str]) -> Step:
        return Stay(_Searching(visit), (RouteToGroup(visit, self.group, self.max_wait_seconds),))

    def groups(self) -> tuple[str, ...]:
        return (self.group,)


@dataclass(frozen=True, slots=True)
class _Searching:
    visit: VisitId

    def handle(self, event: Event) -> Step:
        match event:
            case RoutingEnded(visit, "answered") if visit == self.visit:
                return Stay(_Talking(visit), (Connect(visit),))
            case RoutingEnded(visit, _) if visit == self.visit:
                return Leave("failed")
            case _:
                return Stay(self)


@dataclass(frozen=True, slots=True)
class _Talking:
    visit: VisitId

    def handle(self, event: Event) -> Step:
        if isinstance(event, ConversationEnded) and event.visit == self.visit:
            return Leave("answered" if event.established else "failed")
        return Stay(self)
