"""Schedule: a branch by working time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import CheckSchedule
from ivr.events import Event, ScheduleChecked
from ivr.operations.base import Arrival, Leave, Mention, Name, Operation, Stay, Step


class Schedule(Operation):
    """Branches by a schedule: "open" in working time, "holiday" on a holiday (not linked: "closed"), "closed" otherwise."""

    REQUIRED_EXITS: ClassVar = frozenset({"open", "closed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"holiday"})
    TAKES_KEYS: ClassVar = True

    type: Literal["schedule"] = "schedule"
    schedule: Name | None = Field(None, description="name of the schedule; none: the called number's own")

    def enter(self, arrival: Arrival) -> Step:
        return Stay(_Checking(arrival), (CheckSchedule(arrival.visit, self.schedule),))

    def mentions(self) -> tuple[Mention, ...]:
        return () if self.schedule is None else (Mention("schedule", self.schedule, "schedule"),)


@dataclass(frozen=True, slots=True)
class _Checking:
    arrival: Arrival

    def handle(self, event: Event) -> Step:
        match event:
            case ScheduleChecked(visit, "holiday") if visit == self.arrival.visit and "holiday" not in self.arrival.linked:
                return Leave("closed")
            case ScheduleChecked(visit, state) if visit == self.arrival.visit:
                return Leave(state)
            case _:
                return Stay(self)
