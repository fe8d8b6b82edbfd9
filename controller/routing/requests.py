"""What calls ask of the distribution, and what it tells them, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from controller.ids import CallId, ChannelId
from controller.routing.matching import Situation
from controller.routing.rules import RoutedOperator, Target
from controller.schedules import WorkingTime
from controller.telephony.mailboxes import Mailbox
from ivr.events import RoutingOutcome, VisitId


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A caller who wants somebody; answers go to `mailbox`. `max_wait` in seconds; a group's own longest wait may be shorter.

    `channel` is None while he is not on the line himself. `owner` is the caller's own operator, for groups that want him first;
    `transferred_by` the extension of who transfers him. `came_in_on` is the number of ours that he has called; `working_time`
    says by operators' own clocks who may be rung (None: all).

    `since` is when he began to wait, None: now. `offered` are those to whom he was offered before who answered dropped the call:
    they are not rung again, and he keeps his place.
    """

    call: CallId
    channel: ChannelId | None
    mailbox: Mailbox
    visit: VisitId
    target: Target
    max_wait: float
    caller_number: str
    caller_name: str
    owner: RoutedOperator | None = None
    transferred_by: str = ""
    came_in_on: str = ""
    working_time: WorkingTime | None = None
    since: datetime | None = None
    offered: tuple[str, ...] = ()

    @property
    def group(self) -> str | None:
        """The group whose line he waits in; None: he wants one person."""
        return self.target if isinstance(self.target, str) else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a caller stands in his line: `position` 1 is next; `expected_wait` in seconds, None when nobody can honestly say."""

    position: int
    expected_wait: float | None


@dataclass(frozen=True, slots=True)
class SituationChanged:
    """How the search of a LineRequest stands; the first one comes when it begins, unless it ends at once."""

    visit: VisitId
    situation: Situation


@dataclass(frozen=True, slots=True)
class PickUpRequest:
    """An operator who called in on `channel`, which is answered, wants a call that rings elsewhere: at `of`, or (None) at any
    colleague. One `PickedUp` follows in `mailbox`; when it succeeded the channel is an operator's line like any other.
    """

    channel: ChannelId
    mailbox: Mailbox
    operator: RoutedOperator
    of: str | None


@dataclass(frozen=True, slots=True)
class KeepRequest:
    """An operator is about to be rung for a call that he has asked for: he is offered no other until that `call` is left. One
    `Kept` follows in `mailbox`.
    """

    call: CallId
    mailbox: Mailbox
    operator: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to a KeepRequest; `granted` is false when another call is his already."""

    granted: bool


@dataclass(frozen=True, slots=True)
class PickedUp:
    """The answer to a PickUpRequest; `call` is None when nothing rings that he may take."""

    call: CallId | None


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The answer to a LineRequest; `leg` is the open line of who answered, `operator` his extension (for a number outside: what
    begins with the call's id), `answered_at` Asterisk's time of that. `missed`: to whom the call was offered in vain, in that
    order, and who answered."""

    visit: VisitId
    outcome: RoutingOutcome
    operator: str | None = None
    leg: ChannelId | None = None
    answered_at: datetime | None = None
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorLineEnded:
    """The operator who had answered this call is gone, since `at` by Asterisk's clock."""

    leg: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The operator on `first` has joined his caller with `operator`, whom he talked with on his second line: that one's open line
    `leg` belongs to this call since `at`, and is `record` in its journal.
    """

    first: ChannelId
    leg: ChannelId
    operator: str
    record: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsentRequest:
    """Somebody who is not there takes a place in a group's line, at the moment `since`. When it is his turn, `TurnCame` goes to
    `mailbox`; then he is called, as `call`, and joins by a LineRequest of that name, or leaves. `working_time` as there.
    """

    call: CallId
    mailbox: Mailbox
    group: str
    since: datetime
    working_time: WorkingTime | None = None


@dataclass(frozen=True, slots=True)
class TurnCame:
    """It is the turn of an AbsentRequest: an operator is kept for him until he joins or leaves."""

    call: CallId
    operator: str
