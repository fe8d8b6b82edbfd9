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

TimerId = NewType("TimerId", str)
"""Unique within a call."""

Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
KEYS: tuple[Key, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#")

RoutingOutcome = Literal["answered", "no_answer", "no_operators", "timeout"]
"""How a search for an operator ended: one answered and is joined with the caller by `Connect`; all were rung
and none answered; none could be rung; the caller's longest wait was over."""


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
class TimerExpired:
    """The time of a `StartTimer` is over."""

    timer: TimerId


@dataclass(frozen=True, slots=True)
class RoutingEnded:
    """The answer to `RouteToGroup`."""

    visit: VisitId
    outcome: RoutingOutcome


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """The operator left the conversation that `Connect` began; the caller is still there.

    `established` is False when they never really talked: the operator dropped the call at once.
    """

    visit: VisitId
    established: bool = True


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller is gone; nothing can be played to him any more."""


Event: TypeAlias = DigitReceived | PlaybackFinished | TimerExpired | RoutingEnded | ConversationEnded | CallerHungUp
