"""What a call asks the shell to do. Values only; the shell answers with events (see `ivr.events`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivr.events import PlaybackId, RecordingId, TimerId, VisitId
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
class Record:
    """Record the caller until `StopRecording`, his hanging up, `max_seconds`, or `max_silence` seconds without a word.

    One `RecordingFinished` follows, whatever happens, unless he hangs up. No beep: that is a prompt before it.
    """

    recording: RecordingId
    max_seconds: float
    max_silence: float


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Stop a `Record` and keep what there is; its `RecordingFinished` still follows."""

    recording: RecordingId


@dataclass(frozen=True, slots=True)
class SaveVoicemail:
    """Keep the voicemail of a visit and mail it to the addresses, also when nothing was said. Nothing follows.

    `recording` None: nothing was recorded, or nothing was said in it. When the caller hung up while he was recorded, the
    recording has ended by itself, perhaps a moment later; the shell waits for the file and looks whether he said anything.
    Subject: the caller's number and the time the call arrived.
    """

    visit: VisitId
    recording: RecordingId | None
    mail_to: tuple[str, ...]


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
class HoldPrompts:
    """What a caller shall hear while he waits, in place of the prompts of the number that he called. None: the number's; none at
    all: nothing, and music instead of a waiting prompt.
    """

    arrival: tuple[PromptRef, ...] | None = None
    waiting: tuple[PromptRef, ...] | None = None
    all_busy: tuple[PromptRef, ...] | None = None


@dataclass(frozen=True, slots=True)
class RouteToGroup:
    """Find an operator of a group; the caller hears prompts and music meanwhile. One `RoutingEnded` follows.

    `max_wait` is the caller's longest wait in seconds, from joining the line to an operator's answer.
    """

    visit: VisitId
    group: str
    max_wait: float
    hold: HoldPrompts = HoldPrompts()


@dataclass(frozen=True, slots=True)
class RouteToExtension:
    """Ring the employee with this extension, his numbers one after another; the caller hears music meanwhile.

    One `RoutingEnded` follows; "unknown_number" when nobody has this extension.
    """

    visit: VisitId
    extension: str


@dataclass(frozen=True, slots=True)
class RouteToManager:
    """Ring the caller's personal manager, his numbers one after another; the caller hears music meanwhile.

    One `RoutingEnded` follows; "unknown_number" when the caller is unknown, withholds his number or has no manager.
    """

    visit: VisitId


@dataclass(frozen=True, slots=True)
class RouteToExternal:
    """Ring a number outside for at most `ring_seconds`; the caller hears music meanwhile. One `RoutingEnded` follows."""

    visit: VisitId
    number: str
    ring_seconds: float


@dataclass(frozen=True, slots=True)
class Connect:
    """Join the caller with who answered; `ConversationEnded` follows when that side leaves."""

    visit: VisitId


@dataclass(frozen=True, slots=True)
class CheckSchedule:
    """Is it working time? `schedule` None means the schedule of the number that was called. One `ScheduleChecked` follows;
    a schedule that does not exist (any more) counts as open.
    """

    visit: VisitId
    schedule: str | None


@dataclass(frozen=True, slots=True)
class CheckCaller:
    """Who calls? `block_list` None means the installation's own; it is looked at only `with_blocked`, and who is found on it has
    been blocked once more. One `CallerChecked` follows.
    """

    visit: VisitId
    block_list: str | None
    tags: tuple[str, ...]
    with_blocked: bool = True


@dataclass(frozen=True, slots=True)
class LookUp:
    """POST the caller's and the called number to `url` and read its JSON answer, within `seconds`.

    The answer is an object with "exit" (one of `exits`) or "operator" (an extension); with anything else, a redirect, too
    many bytes, an address inside the network that is not allowed or no answer in time, `LookupAnswered` names neither.
    One `LookupAnswered` follows.
    """

    visit: VisitId
    url: str
    seconds: float
    exits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckCallback:
    """Could the caller be called back now, if he wanted? One `CallbackAnswered` follows: "possible" or "not_possible"."""

    visit: VisitId
    group: str


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """Keep the caller's place in the group's line and call him back at his number when it is his turn.

    One `CallbackAnswered` follows: "accepted" or "not_possible".
    """

    visit: VisitId
    group: str


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """From now on prompts without a language of their own are played in this one."""

    language: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call. An unanswered call is refused with the cause."""

    cause: HangupCause = "normal"


Command: TypeAlias = (
    Answer
    | Play
    | StopPlayback
    | Record
    | StopRecording
    | SaveVoicemail
    | StartTimer
    | CancelTimer
    | RouteToGroup
    | RouteToExtension
    | RouteToManager
    | RouteToExternal
    | Connect
    | CheckSchedule
    | CheckCaller
    | LookUp
    | CheckCallback
    | RequestCallback
    | SetLanguage
    | Hangup
)

NEEDS_OPEN_LINE = (Play, Record, RouteToGroup, RouteToExtension, RouteToManager, RouteToExternal)
"""Commands that make sense only on an answered call."""
