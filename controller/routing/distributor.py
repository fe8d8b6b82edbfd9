"""Carries out what `matching` decides: rings people's phones, withdraws offers, tells callers how their search ended.

One task takes everything from one inbox, so decisions never overlap. It owns every operator line from the first ring to
its end; the call that got the operator hears of that line's end by `OperatorLineEnded`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from controller.clock import Clock
from controller.errors import TelephonyError
from controller.ids import CallId, ChannelId, operator_leg_id
from controller.presence import OperatorState, PresenceTracker
from controller.routing.matching import Action, Availability, CallBack, Ended, Matching, Offer, Situation, Withdraw
from controller.routing.rules import GroupRule, Person, RoutedOperator, Target
from controller.storage.journal import CallJournal
from controller.storage.journal_changes import LegAnswered, LegEnded, LegStarted
from controller.telephony.events import Answered, Gone, Ringing
from controller.telephony.mailboxes import Mailbox
from controller.telephony.port import CALL_VARIABLE, Telephony
from ivr.events import RoutingOutcome, VisitId

log = logging.getLogger(__name__)

PROGRESS_WITHIN: Final = 4.0
"""Seconds within which a phone that is alive begins to ring; SIP itself would take 32 to give up."""

OUTSIDE_PROGRESS_WITHIN: Final = 12.0
"""Seconds within which a carrier says something of a call: through a few networks it takes that long."""

_AVAILABILITY: Final[dict[OperatorState, Availability]] = {
    "offline": "offline",
    "available": "free",
    "ringing": "busy",
    "talking": "busy",
}


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A caller who wants somebody; answers go to `mailbox`. `max_wait` in seconds."""

    call: CallId
    channel: ChannelId
    mailbox: Mailbox
    visit: VisitId
    target: Target
    max_wait: float
    caller_number: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class SituationChanged:
    """How the search of a LineRequest stands; the first one comes when it begins, unless it ends at once."""

    visit: VisitId
    situation: Situation


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The answer to a LineRequest; `leg` is the open line of who answered, `operator` his extension (for a number outside: the
    call's id), `answered_at` Asterisk's time of that."""

    visit: VisitId
    outcome: RoutingOutcome
    operator: str | None = None
    leg: ChannelId | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperatorLineEnded:
    """The operator who had answered this call is gone, since `at` by Asterisk's clock."""

    leg: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class AbsentRequest:
    """Somebody who is not there takes a place in a group's line, at the moment `since`. When it is his turn, `TurnCame` goes to
    `mailbox`; then he is called, as `call`, and joins by a LineRequest of that name, or leaves.
    """

    call: CallId
    mailbox: Mailbox
    group: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TurnCame:
    """It is the turn of an AbsentRequest: an operator is kept for him until he joins or leaves."""

    call: CallId
    operator: str


@dataclass(frozen=True, slots=True)
class _PhoneChanged:
    operator: str
    state: OperatorState


@dataclass(frozen=True, slots=True)
class _RulesChanged:
    rules: tuple[GroupRule, ...]


@dataclass(frozen=True, slots=True)
class _Leaves:
    call: CallId


@dataclass(frozen=True, slots=True)
class _WaitedTooLong:
    call: CallId


@dataclass(frozen=True, slots=True)
class _Silent:
    leg: ChannelId


@dataclass(frozen=True, slots=True)
class _Settle:
    settled: asyncio.Event


@dataclass(slots=True)
class _Leg:
    call: CallId
    operator: str
    shown: str
    owner: Mailbox
    patience: asyncio.TimerHandle
    answered_at: datetime | None = None


@dataclass(slots=True)
class _Search:
    request: LineRequest
    timer: asyncio.TimerHandle
    told: Situation | None = None


_Message: TypeAlias = object


class Distributor:
    """The one place that rings people. `run()` must be running."""

    def __init__(self, telephony: Telephony, presence: PresenceTracker, journal: CallJournal, clock: Clock) -> None:
        self._telephony = telephony
        self._journal = journal
        self._clock = clock
        self._inbox: asyncio.Queue[_Message] = asyncio.Queue()
        self._matching = Matching()
        self._searches: dict[CallId, _Search] = {}
        self._absent: dict[CallId, AbsentRequest] = {}
        self._legs: dict[ChannelId, _Leg] = {}
        self._attempts: dict[CallId, int] = {}
        self._operators: dict[str, RoutedOperator] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._settling: list[asyncio.Event] = []
        presence.subscribe(lambda operator, state: self._inbox.put_nowait(_PhoneChanged(operator, state)))

    @property
    def waiting(self) -> tuple[CallId, ...]:
        """Callers in line, first come first."""
        return self._matching.waiting

    @property
    def absent(self) -> tuple[CallId, ...]:
        """Those who have a place in line and are not there, first come first."""
        return self._matching.absent

    @property
    def engaged(self) -> Mapping[str, CallId]:
        """Operators who are being rung, talk, or are reserved, and for which call."""
        return self._matching.engaged

    def set_rules(self, rules: Iterable[GroupRule]) -> None:
        """The groups as they are from now on, for waiting callers too."""
        self._inbox.put_nowait(_RulesChanged(tuple(rules)))

    def join(self, request: LineRequest | AbsentRequest) -> None:
        """Search somebody; one `SearchEnded` (for the absent: `TurnCame`) follows in the request's mailbox unless the caller
        leaves."""
        self._inbox.put_nowait(request)

    def leave(self, call: CallId) -> None:
        """The call is over; no error when it is in no line."""
        self._inbox.put_nowait(_Leaves(call))

    async def settle(self, patience: float) -> None:
        """Wait, at most `patience` seconds, until every operator's line has ended and is stored."""
        settled = asyncio.Event()
        self._inbox.put_nowait(_Settle(settled))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await settled.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                message = await self._inbox.get()
                try:
                    self._receive(message)
                except Exception:
                    log.exception("the distribution could not work on %r; it goes on with the next", message)
        finally:
            for task in self._requests:
                task.cancel()

    def _receive(self, message: _Message) -> None:
        match message:
            case LineRequest():
                self._open_search(message)
            case AbsentRequest(call, _, group, since):
                self._absent[call] = message
                self._act(self._matching.join_absent(call, group, since))
            case _Leaves(call):
                self._close_search(call)
                self._absent.pop(call, None)
                self._attempts.pop(call, None)
                self._act(self._matching.leave(call))
                self._drop_answered(call)
            case _WaitedTooLong(call):
                self._act(self._matching.give_up(call))
            case _PhoneChanged(operator, state):
                self._act(self._matching.set_phone(operator, _AVAILABILITY[state]))
            case _RulesChanged(rules):
                self._operators = {operator.extension: operator for rule in rules for operator in rule.operators}
                self._act(self._matching.set_rules(rules))
            case Ringing(leg) if leg in self._legs:
                self._legs[leg].patience.cancel()
            case _Silent(leg):
                self._give_up_on(leg)
            case Answered(leg, at):
                self._on_answer(leg, at)
            case Gone(leg):
                self._on_gone(leg, message)
            case _Settle(settled):
                self._settling.append(settled)
            case _:
                pass
        self._tell_situations()
        if not self._legs:
            for settled in self._settling:
                settled.set()
            self._settling.clear()

    def _open_search(self, request: LineRequest) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(request.max_wait, self._inbox.put_nowait, _WaitedTooLong(request.call))
        self._searches[request.call] = _Search(request, timer)
        self._absent.pop(request.call, None)
        self._act(self._matching.join(request.call, request.target, self._clock.now()))

    def _close_search(self, call: CallId) -> LineRequest | None:
        search = self._searches.pop(call, None)
        if search is None:
            return None
        search.timer.cancel()
        return search.request

    def _act(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Offer():
                    self._ring(action)
                case Withdraw(call, operator, answered_elsewhere):
                    self._withdraw(call, operator, answered_elsewhere)
                case CallBack(call, operator):
                    self._absent[call].mailbox.put_nowait(TurnCame(call, operator))
                case Ended(call, outcome, operator):
                    self._tell(call, outcome, operator)

    def _ring(self, offer: Offer) -> None:
        request = self._searches[offer.call].request
        attempt = self._attempts[offer.call] = self._attempts.get(offer.call, 0) + 1
        leg = operator_leg_id(offer.call, attempt)
        patient = OUTSIDE_PROGRESS_WITHIN if offer.number.outside else PROGRESS_WITHIN
        patience = asyncio.get_running_loop().call_later(patient, self._inbox.put_nowait, _Silent(leg))
        self._legs[leg] = _Leg(offer.call, offer.operator, offer.number.shown, request.mailbox, patience)
        self._telephony.mailboxes.expect(leg, self._inbox)
        self._journal.record(self._leg_started(leg, offer, request.target))
        self._start(self._dial(leg, offer, request))

    def _leg_started(self, leg: ChannelId, offer: Offer, target: Target) -> LegStarted:
        now, shown = self._clock.now(), offer.number.shown
        operator = target.operator if isinstance(target, Person) else self._operators[offer.operator]
        if operator is None:
            return LegStarted(offer.call, leg, now, None, "", shown, shown)
        return LegStarted(offer.call, leg, now, operator.id, operator.name, operator.extension, shown)

    async def _dial(self, leg: ChannelId, offer: Offer, request: LineRequest) -> None:
        try:
            await self._telephony.dial(
                leg,
                offer.number.device,
                ring_seconds=offer.number.ring_seconds,
                originator=request.channel,
                caller_number=request.caller_number,
                caller_name=request.caller_name,
                variables={CALL_VARIABLE: offer.call},
            )
        except TelephonyError as error:
            log.warning("%s could not be rung for call %s: %s", offer.number.shown, offer.call, error)
            self._telephony.mailboxes.deliver(Gone(leg, self._clock.now(), cause=0))

    def _give_up_on(self, leg: ChannelId) -> None:
        """The phone is dead or its network is: the caller must not wait for it as long as for one that rings."""
        if leg in self._legs:
            log.warning("nothing responds at %s", self._legs[leg].shown)
            self._start(self._hang_up(leg, answered_elsewhere=False))

    def _withdraw(self, call: CallId, operator: str, answered_elsewhere: bool) -> None:
        for leg, entry in self._legs.items():
            if entry.call == call and entry.operator == operator and entry.answered_at is None:
                self._start(self._hang_up(leg, answered_elsewhere))

    def _drop_answered(self, call: CallId) -> None:
        """The call is over. Its operator may have answered in this very moment, so that the call never heard of him."""
        for leg, entry in self._legs.items():
            if entry.call == call and entry.answered_at is not None:
                self._start(self._hang_up(leg, answered_elsewhere=False))

    async def _hang_up(self, leg: ChannelId, answered_elsewhere: bool) -> None:
        try:
            await self._telephony.hangup(leg, answered_elsewhere=answered_elsewhere)
        except TelephonyError as error:
            log.warning("operator line %s could not be hung up: %s", leg, error)

    def _on_answer(self, leg: ChannelId, at: datetime) -> None:
        entry = self._legs.get(leg)
        if entry is None:
            return
        entry.patience.cancel()
        actions = self._matching.answered(entry.call, entry.operator)
        if actions:
            entry.answered_at = at
            self._journal.record(LegAnswered(entry.call, leg, self._clock.now()))
        self._act(actions)

    def _on_gone(self, leg: ChannelId, gone: Gone) -> None:
        entry = self._legs.pop(leg, None)
        if entry is None:
            return
        entry.patience.cancel()
        if entry.answered_at is None:
            log.info("%s did not take call %s: cause %s", entry.shown, entry.call, gone.cause)
        self._journal.record(LegEnded(entry.call, leg, self._clock.now(), gone.cause, gone.sip_status))
        if entry.answered_at is not None:
            entry.owner.put_nowait(OperatorLineEnded(leg, gone.at))
        self._act(self._matching.line_free(entry.call, entry.operator))

    def _tell_situations(self) -> None:
        for call, situation in self._matching.situations.items():
            search = self._searches[call]
            if search.told != situation:
                search.told = situation
                search.request.mailbox.put_nowait(SituationChanged(search.request.visit, situation))

    def _tell(self, call: CallId, outcome: RoutingOutcome, operator: str | None) -> None:
        request = self._close_search(call)
        if request is None:
            return
        if operator is None:
            log.info("nobody of %s took call %s: %s", _name(request.target), call, outcome)
        for leg, entry in self._legs.items():
            if entry.call == call and entry.answered_at is not None:
                request.mailbox.put_nowait(SearchEnded(request.visit, outcome, operator, leg, entry.answered_at))
                return
        request.mailbox.put_nowait(SearchEnded(request.visit, outcome))

    def _start(self, request: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(request)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)


def _name(target: Target) -> str:
    return target if isinstance(target, str) else target.numbers[0].shown if target.numbers else "nobody"
