"""Menu (UIS-15 to UIS-18): a prompt, and a key that chooses where to go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import CancelTimer, Command, Play, StartTimer, StopPlayback
from ivr.events import KEYS, DigitReceived, Event, PlaybackFinished, TimerExpired, VisitId
from ivr.operations.base import Leave, Operation, Stay, Step, playback_id, timer_id
from ivr.prompts import Prompt, PromptRef


class Menu(Operation):
    """Plays a prompt and waits for one key. A key that is linked stops the prompt at once and leaves by the exit of its
    name; any other key leaves by "incorrect_input". When the wait timeout, counted from the end of the prompt, has passed
    without a key, the caller leaves by "wait_expired". No call is lost: both must be linked, and at least one key. A key
    pressed during the message before the menu counts too.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"wait_expired", "incorrect_input"})
    OPTIONAL_EXITS: ClassVar = frozenset(KEYS)

    TAKES_KEYS: ClassVar = True

    type: Literal["menu"] = "menu"
    prompt: tuple[Prompt, ...] = Field(min_length=1, max_length=20, description="prompts, played in order")
    wait_seconds: float = Field(5.0, ge=0.5, le=300, description="wait timeout, from the end of the prompt")

    def enter(self, visit: VisitId, linked: frozenset[str]) -> Step:
        return Stay(_Choosing(visit, linked.intersection(KEYS), self.wait_seconds), (Play(playback_id(visit), self.prompt),))

    def prompts(self) -> tuple[PromptRef, ...]:
        return self.prompt


@dataclass(frozen=True, slots=True)
class _Choosing:
    visit: VisitId
    keys: frozenset[str]
    wait_seconds: float
    prompt_ended: bool = False

    def handle(self, event: Event) -> Step:
        match event:
            case DigitReceived(digit):
                return Leave(digit if digit in self.keys else "incorrect_input", self._tidy_up())
            case PlaybackFinished(playback) if playback == playback_id(self.visit) and not self.prompt_ended:
                waiting = replace(self, prompt_ended=True)
                return Stay(waiting, (StartTimer(timer_id(self.visit), self.wait_seconds),))
            case TimerExpired(timer) if timer == timer_id(self.visit):
                return Leave("wait_expired")
            case _:
                return Stay(self)

    def _tidy_up(self) -> tuple[Command, ...]:
        return (CancelTimer(timer_id(self.visit)),) if self.prompt_ended else (StopPlayback(playback_id(self.visit)),)
