"""Menu (UIS-15 to UIS-32, SKZ-1 to SKZ-9): a prompt, and a key that chooses where to go, or an extension dialled at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from pydantic import Field

from ivr.commands import CheckSchedule, Command
from ivr.digits import Collected, Collecting, DigitCollector
from ivr.events import KEYS, DigitReceived, Event, ScheduleChecked
from ivr.operations.base import MAX_NUMBER_LENGTH, Arrival, Leave, Mention, Name, Operation, Prompts, Stay, Step
from ivr.prompts import PromptRef

CYCLIC_PAUSE: Final = 5.0
"""Seconds between two plays of a prompt that is repeated without end (SKZ-7)."""
_NOT_DIALLED: Final = frozenset("*#")


class Menu(Operation):
    """Plays a prompt and waits for a key. A linked key stops the prompt and leaves by the exit of its name; any other leaves
    by "incorrect_input". When the wait timeout, counted from the end of the prompt, has passed without a key, the prompt is
    repeated as often as "repeat" says ("times": that many times after the first; "cyclic": for ever, with a pause of 5
    seconds), then the caller leaves by "wait_expired".

    With "extension_entry" linked, callers may dial an extension instead of a key: after each digit the menu waits for another
    as long as the wait timeout, or until "#". A single digit that is a linked key is that key; everything else is dialled.

    Outside its activity period (by the schedule named here, or else by the called number's) the menu is not played and the
    caller leaves by "not_played" at once. Callers who know the menu may type ahead of it.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"wait_expired", "incorrect_input"})
    OPTIONAL_EXITS: ClassVar = frozenset({*KEYS, "extension_entry", "not_played"})
    NUMBER_EXITS: ClassVar = frozenset({"extension_entry"})
    TAKES_KEYS: ClassVar = True

    type: Literal["menu"] = "menu"
    prompt: Prompts = Field(min_length=1, description="prompts, played in order")
    wait_seconds: float = Field(5.0, ge=0.5, le=300, description="wait timeout from the prompt's end; between digits too")
    repeat: Literal["none", "times", "cyclic"] = Field("none", description="what happens when the caller presses nothing")
    repeat_times: int = Field(1, ge=1, le=100, description='number of repetitions for "times"')
    period: Literal["at_any_time", "in_hours", "off_hours", "never"] = Field("at_any_time", description="when it is played")
    schedule: Name | None = Field(None, description="schedule of the activity period; none: the called number's own")
    type_ahead: bool = Field(True, description="keys pressed before the prompt count")

    def enter(self, arrival: Arrival) -> Step:
        if self.period == "at_any_time":
            return self.play(arrival)
        if self.period == "never":
            return Leave("not_played")
        return Stay(_Checking(self, arrival), (CheckSchedule(arrival.visit, self.schedule),))

    def play(self, arrival: Arrival) -> Step:
        """Play the prompt for the first time."""
        begun = self.new_entry(arrival, 1).begin(self.prompt)
        return Stay(_Choosing(self, arrival, begun.collector), begun.commands)

    def new_entry(self, arrival: Arrival, round: int) -> DigitCollector:
        """The entry of the `round`-th play."""
        longest = MAX_NUMBER_LENGTH if "extension_entry" in arrival.linked else 1
        first_seconds = CYCLIC_PAUSE if self.repeat == "cyclic" else self.wait_seconds
        return DigitCollector(arrival.visit, longest, self.wait_seconds, first_seconds, round=round)

    def repeats_after(self, round: int) -> bool:
        """Whether the prompt is played again after the `round`-th play."""
        return self.repeat == "cyclic" or (self.repeat == "times" and round <= self.repeat_times)

    def required_exits(self) -> frozenset[str]:
        if self.period == "never":
            return frozenset({"not_played"})
        required = self.REQUIRED_EXITS - self.unused_exits().keys()
        return required if self.period == "at_any_time" else required | {"not_played"}

    def optional_exits(self) -> frozenset[str]:
        return (self.OPTIONAL_EXITS | self.REQUIRED_EXITS) - self.required_exits()

    def unused_exits(self) -> Mapping[str, str]:
        if self.period == "never":
            return dict.fromkeys((self.OPTIONAL_EXITS | self.REQUIRED_EXITS) - {"not_played"}, "the menu is never played")
        unused = {"not_played": "the menu is played at any time"} if self.period == "at_any_time" else {}
        return unused | ({"wait_expired": "the prompt is repeated for ever"} if self.repeat == "cyclic" else {})

    def takes_keys(self) -> bool:
        return self.type_ahead

    def prompts(self) -> tuple[PromptRef, ...]:
        return self.prompt

    def mentions(self) -> tuple[Mention, ...]:
        return () if self.schedule is None else (Mention("schedule", self.schedule, "schedule"),)


@dataclass(frozen=True, slots=True)
class _Checking:
    menu: Menu
    arrival: Arrival

    def handle(self, event: Event) -> Step:
        if not isinstance(event, ScheduleChecked) or event.visit != self.arrival.visit:
            return Stay(self)
        now = "in_hours" if event.state == "open" else "off_hours"
        return self.menu.play(self.arrival) if now == self.menu.period else Leave("not_played")


@dataclass(frozen=True, slots=True)
class _Choosing:
    menu: Menu
    arrival: Arrival
    entry: DigitCollector

    def handle(self, event: Event) -> Step:
        if isinstance(event, DigitReceived) and event.digit in _NOT_DIALLED and not self.entry.digits:
            return self._choose(event.digit, self.entry.stop())
        match self.entry.take(event):
            case Collecting(entry, commands):
                return Stay(replace(self, entry=entry), commands)
            case Collected("", _):
                return self._silent()
            case Collected(typed, commands):
                return self._choose(typed, commands)
            case None:
                return Stay(self)

    def _choose(self, typed: str, commands: tuple[Command, ...]) -> Step:
        linked = self.arrival.linked
        if typed in linked.intersection(KEYS):
            return Leave(typed, commands)
        if typed not in _NOT_DIALLED and "extension_entry" in linked:
            return Leave("extension_entry", commands, typed)
        return Leave("incorrect_input", commands)

    def _silent(self) -> Step:
        round = self.entry.round
        if not self.menu.repeats_after(round):
            return Leave("wait_expired")
        begun = self.menu.new_entry(self.arrival, round + 1).begin(self.menu.prompt)
        return Stay(replace(self, entry=begun.collector), begun.commands)
