"""Collects what a caller types: the prompt stops at the first key, each key restarts the time for the next.

The time for the first key counts from the end of the prompt. An entry is complete when it is as long as can be, when the key
that ends it is pressed, or when the time is over. At most `longest` keys are ever kept, however many are typed at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ivr.commands import CancelTimer, Command, Play, StartTimer, StopPlayback
from ivr.events import DigitReceived, Event, Key, PlaybackFinished, PlaybackId, TimerExpired, TimerId, VisitId
from ivr.prompts import PromptRef


@dataclass(frozen=True, slots=True)
class DigitCollector:
    """The state of one entry. `ending` is the key that ends it and is not part of it; `first_seconds` may differ from
    `between_seconds`, the time between two keys. `round` counts the entries of a visit, so that each has ids of its own.
    """

    visit: VisitId
    longest: int
    between_seconds: float
    first_seconds: float
    ending: Key | None = "#"
    round: int = 1
    digits: str = field(default="", repr=False)
    prompt_over: bool = False
    timers: int = 0

    def begin(self, prompts: tuple[PromptRef, ...]) -> Collecting:
        """Play the prompt, if there is one, and listen."""
        if prompts:
            return Collecting(self, (Play(self._playback, prompts),))
        return self._wait(self.first_seconds)

    def take(self, event: Event) -> Collecting | Collected | None:
        """What an event changes; None: nothing."""
        match event:
            case DigitReceived(digit):
                return self._type(digit)
            case PlaybackFinished(playback) if playback == self._playback and not self.prompt_over:
                return self._wait(self.first_seconds)
            case TimerExpired(timer) if self.timers and timer == self._timer:
                return Collected(self.digits)
            case _:
                return None

    def _type(self, digit: Key) -> Collecting | Collected:
        if digit == self.ending:
            return Collected(self.digits, self.stop())
        typed = replace(self, digits=self.digits + digit)
        if len(typed.digits) >= self.longest:
            return Collected(typed.digits, self.stop())
        waiting = typed._wait(self.between_seconds)
        return Collecting(waiting.collector, (*self.stop(), *waiting.commands))

    def _wait(self, seconds: float) -> Collecting:
        waiting = replace(self, prompt_over=True, timers=self.timers + 1)
        return Collecting(waiting, (StartTimer(waiting._timer, seconds),))

    def stop(self) -> tuple[Command, ...]:
        """What ends the entry before it is complete."""
        return (CancelTimer(self._timer),) if self.prompt_over else (StopPlayback(self._playback),)

    @property
    def _playback(self) -> PlaybackId:
        return PlaybackId(f"{self.visit}.{self.round}")

    @property
    def _timer(self) -> TimerId:
        return TimerId(f"{self.visit}.{self.round}.{self.timers}")


@dataclass(frozen=True, slots=True)
class Collecting:
    """The entry goes on."""

    collector: DigitCollector
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Collected:
    """The entry is complete; nothing plays and no timer runs any more."""

    digits: str
    commands: tuple[Command, ...] = ()
