"""What happens to a call, as the journal takes it. Values only; moments are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from controller.ids import CallId, ChannelId
from controller.storage.calls import Direction, EndedBy, Outcome
from ivr.events import ScheduleState


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call came. Always the first change of a call. `campaign` is the id of the campaign whose the number is, `hours` how its
    schedule stands (None: it has none).
    """

    call: CallId
    at: datetime
    caller_number: str
    caller_name: str
    called_number: str
    line_name: str
    language: str
    scenario_version_id: int | None
    inserted_versions: Mapping[str, int] = field(default_factory=dict)
    direction: Direction = "inbound"
    source: str = ""
    campaign: int | None = None
    hours: ScheduleState | None = None


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The line was opened."""

    call: CallId
    at: datetime


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over; `hangup_cause` is the Q.850 cause."""

    call: CallId
    at: datetime
    ended_by: EndedBy | None
    hangup_cause: int | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StepEntered:
    """The caller came to a node; `visit` counts 1, 2, … within the call."""

    call: CallId
    visit: int
    at: datetime
    node: str
    title: str
    operation: str


@dataclass(frozen=True, slots=True)
class StepLeft:
    """The caller left a node; `exit` is None when the call ended in it. `digits` are stored as they are: no secrets.

    `prompts` are those that were begun, as written in scenarios.
    """

    call: CallId
    visit: int
    at: datetime
    exit: str | None
    digits: str = ""
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegStarted:
    """Somebody is being called; `leg` is the channel, `number` where it rings, `transferred_by` the extension of who has
    transferred the caller to him.

    Of a number outside that is no operator's, `operator_extension` is that number and the name is empty. `trunk` is the id of the
    trunk that the line goes through. `of_client`: it is the line to who stands as the caller, whom we have called.
    """

    call: CallId
    leg: ChannelId
    at: datetime
    operator_id: int | None
    operator_name: str
    operator_extension: str
    number: str = ""
    transferred_by: str = ""
    trunk: int | None = None
    of_client: bool = False


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The operator's phone was picked up."""

    call: CallId
    leg: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class LegConnected:
    """Caller and operator hear each other."""

    call: CallId
    leg: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line through the trunk of this id that is over: begun when, and open for how long by Asterisk's clock (None: nobody has
    answered).
    """

    trunk: int
    number: str
    begun_at: datetime
    open_for: timedelta | None


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is over, and with it the conversation, if there was one.

    `paid` is what its cost is reckoned from; None: it went through no trunk, or nobody saw its end, so nobody knows the cost.
    """

    call: CallId
    leg: ChannelId
    at: datetime
    cause: int | None
    sip_status: int | None = None
    paid: PaidLine | None = None


@dataclass(frozen=True, slots=True)
class RoutingDecided:
    """Why a call is offered to somebody, or can be to nobody; `number` counts 1, 2, … within the call. See `RoutingDecision`.

    `order`: extension and what the strategy went by. `left_out`: extension, why, and the call that he is engaged with.
    """

    call: CallId
    number: int
    at: datetime
    rule: str
    target: str
    strategy: str
    rule_version: int
    offered: tuple[str, ...]
    order: tuple[tuple[str, str | int | None], ...] = ()
    left_out: tuple[tuple[str, str, CallId | None], ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """`recording` is our id of it; `path` is relative to the recordings folder."""

    call: CallId
    recording: str
    at: datetime
    path: str


@dataclass(frozen=True, slots=True)
class Pause:
    """What was said from `begin` on is not in the recording; `end` is None while that goes on."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordingPaused:
    """The recording was paused or goes on; `pauses` are all that it has had."""

    call: CallId
    recording: str
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    call: CallId
    recording: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """Nothing of it could be written."""

    call: CallId
    recording: str


Change: TypeAlias = (
    CallStarted
    | CallAnswered
    | CallEnded
    | StepEntered
    | StepLeft
    | LegStarted
    | LegAnswered
    | LegConnected
    | LegEnded
    | RoutingDecided
    | RecordingStarted
    | RecordingPaused
    | RecordingEnded
    | RecordingFailed
)
