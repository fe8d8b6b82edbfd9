"""What a call asks the shell to do. Values only; the shell answers with events (see `ivr.events`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivr.events import PlaybackId, TimerId, VisitId
from ivr.prompts import PromptRef

HangupCause = Literal["normal", "busy", "congestion", "rejected", "unallocated"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call; the interpreter puts it before the first command that needs the line open."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts one after another; one `PlaybackFinished` follows, whatever happens."""

    playback: PlaybackId
    prompts: tuple[PromptRef, ...]


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Stop a `Play`; its `PlaybackFinished` still follows."""

    playback: PlaybackId


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Ask for a `TimerExpired` after `seconds`."""

    timer: TimerId
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The timer is of no interest any more."""

    timer: TimerId


@dataclass(frozen=True, slots=True)
class RouteToGroup:
    """Find an operator of a group; the caller hears music meanwhile. One `RoutingEnded` follows.

    `max_wait` is the caller's longest wait in seconds, from joining the line to an operator's answer.
    """

    visit: VisitId
    group: str
    max_wait: float


@dataclass(frozen=True, slots=True)
class Connect:
    """Join the caller with the operator who answered; `ConversationEnded` follows when the operator leaves."""

    visit: VisitId


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call. An unanswered call is refused with the cause."""

    cause: HangupCause = "normal"


Command: TypeAlias = Answer | Play | StopPlayback | StartTimer | CancelTimer | RouteToGroup | Connect | Hangup

NEEDS_OPEN_LINE = (Play, RouteToGroup)
"""Commands that make sense only on an answered call."""
