"""What can happen to a call that walks a scenario. Values only: an event carries facts, never objects.

Every event that answers a command carries the id the command gave it; one that comes too late
therefore matches nothing and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType, TypeAlias

VisitId = NewType("VisitId", int)
"""The n-th node a call entered, from 1."""

PlaybackId = NewType("PlaybackId", str)
"""Unique within a call; the shell puts the call's id before it."""

RecordingId = NewType("RecordingId", str)
"""Unique within a call; the shell puts the call's id before it."""

TimerId = NewType("TimerId", str)
"""Unique within a call."""

Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
KEYS: tuple[Key, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#")

RoutingOutcome = Literal["answered", "no_answer", "no_operators", "timeout", "unknown_number"]
"""How a search for a person ended: somebody answered and is joined with the caller by `Connect`; all were rung and none
answered; none could be rung; the caller's longest wait was over; nobody has the number that was dialled."""

ScheduleState = Literal["open", "closed", "holiday"]
CallbackOutcome = Literal["possible", "accepted", "not_possible"]


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The caller pressed a key."""

    digit: Key


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """A `Play` ended: it ran to its end, was stopped, or could not be played (`failed`)."""

    playback: PlaybackId
    failed: bool = False


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """A `Record` ended: stopped, too long, silent too long, or it could not be made (0 seconds).

    `seconds` is its whole length and `silence` how much of it was silence, so that a caller who said nothing is known.
    """

    recording: RecordingId
    seconds: float
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The time of a `StartTimer` is over."""

    timer: TimerId


@dataclass(frozen=True, slots=True)
class RoutingEnded:
    """The answer to `RouteToGroup`, `RouteToExtension`, `RouteToManager` and `RouteToExternal`."""

    visit: VisitId
    outcome: RoutingOutcome


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """The other side left the conversation that `Connect` began; the caller is still there.

    `established` is False when they never really talked: the other side dropped the call at once. Another `RoutingEnded` of the
    visit follows then.
    """

    visit: VisitId
    established: bool = True


@dataclass(frozen=True, slots=True)
class ScheduleChecked:
    """The answer to `CheckSchedule`: how the schedule stands at this moment."""

    visit: VisitId
    state: ScheduleState


@dataclass(frozen=True, slots=True)
class CallerChecked:
    """The answer to `CheckCaller`: whether the number is on the block list, whether a contact has it, and which of the
    tags asked for that contact carries. A withheld number is not known.
    """

    visit: VisitId
    blocked: bool = False
    known: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LookupAnswered:
    """The answer to `LookUp`: the exit or the operator's extension that the other system named; neither when it could not
    be asked or said something else.
    """

    visit: VisitId
    exit: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackAnswered:
    """The answer to `CheckCallback` and `RequestCallback`. Not possible: a withheld number, nobody works now, no such group, or
    no way to call outside.
    """

    visit: VisitId
    outcome: CallbackOutcome


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller is gone; nothing can be played to him any more."""


Event: TypeAlias = (
    DigitReceived
    | PlaybackFinished
    | RecordingFinished
    | TimerExpired
    | RoutingEnded
    | ConversationEnded
    | ScheduleChecked
    | CallerChecked
    | LookupAnswered
    | CallbackAnswered
    | CallerHungUp
)
