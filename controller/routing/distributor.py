"""Carries out what `matching` decides: rings people's phones, withdraws offers, tells callers how their search ended.

One task takes everything from one inbox, so decisions never overlap. It owns every operator line from the first ring to
its end; the call that got the operator hears of that line's end by `OperatorLineEnded`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from itertools import count
from random import Random
from typing import Final, TypeAlias

from controller.clock import Clock
from controller.errors import AttendantError, TelephonyError
from controller.ids import CallId, ChannelId, operator_leg_id
from controller.presence import OperatorState, PresenceTracker
from controller.routing.decisions import Decision, LeftOut
from controller.routing.history import PastWork, WorkHistory, expected_wait
from controller.routing.lines import AllInUse, NumberLines, OutgoingOff
from controller.routing.matching import Action, Availability, CallBack, Ended, Matching, Offer, Situation, Withdraw, WrapUp
from controller.routing.rules import SHORTEST_CONVERSATION, GroupRule, Number, Person, RoutedOperator, Target, name_of
from controller.schedules import WorkingTime
from controller.storage.journal import CallJournal
from controller.storage.journal_changes import LegAnswered, LegEnded, LegStarted, PaidLine, RoutingDecided
from controller.telephony import causes
from controller.telephony.events import Answered, Gone, KeyPressed, LinesJoined, PlaybackEnded, Ringing, TransferWanted
from controller.telephony.mailboxes import Mailbox
from controller.telephony.port import CALL_VARIABLE, TRANSFER_CONTEXT, TRANSFERS_OUTSIDE, TRANSFERS_TO_ALL, Telephony
from ivr.events import RoutingOutcome, VisitId

log = logging.getLogger(__name__)

PROGRESS_WITHIN: Final = 4.0
"""Seconds within which a phone that is alive begins to ring; SIP itself would take 32 to give up."""

OUTSIDE_PROGRESS_WITHIN: Final = 12.0
"""Seconds within which a carrier says something of a call: through a few networks it takes that long."""

WARNED_BEFORE: Final = 30.0
"""Seconds before the end of the longest conversation that the operator is warned; of a short one, at its half."""

WARNING: Final = ("sound:beep",)

_AVAILABILITY: Final[dict[OperatorState, Availability]] = {
    "offline": "offline",
    "available": "free",
    "ringing": "busy",
    "talking": "busy",
    "wrap_up": "busy",
    # On a break he is there: callers wait for him as long as they would, and nothing of his rings.
    "do_not_disturb": "busy",
}


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A caller who wants somebody; answers go to `mailbox`. `max_wait` in seconds; a group's own longest wait may be shorter.

    `channel` is None while he is not on the line himself. `owner` is the caller's own operator, for groups that want him first;
    `transferred_by` the extension of who transfers him. `came_in_on` is the number of ours that he has called; `working_time`
    says by operators' own clocks who may be rung (None: all).
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
class PickedUp:
    """The answer to a PickUpRequest; `call` is None when nothing rings that he may take."""

    call: CallId | None


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The answer to a LineRequest; `leg` is the open line of who answered, `operator` his extension (for a number outside: what
    begins with the call's id), `answered_at` Asterisk's time of that. `missed`: to whom the call was offered, in that order."""

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


@dataclass(frozen=True, slots=True)
class _PhoneChanged:
    operator: str
    state: OperatorState


@dataclass(frozen=True, slots=True)
class _RulesChanged:
    rules: tuple[GroupRule, ...]


@dataclass(frozen=True, slots=True)
class _Before:
    past: tuple[PastWork, ...]


@dataclass(frozen=True, slots=True)
class _WrapUpOver:
    """`turn` None: somebody ends it early."""

    operator: str
    turn: int | None


@dataclass(frozen=True, slots=True)
class _MinuteBegins:
    pass


@dataclass(frozen=True, slots=True)
class _TalkEndsSoon:
    leg: ChannelId


@dataclass(frozen=True, slots=True)
class _TalkedTooLong:
    leg: ChannelId


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
    group: str | None
    started: LegStarted
    patience: asyncio.TimerHandle | None = None
    answered_at: datetime | None = None
    limits: list[asyncio.TimerHandle] = field(default_factory=list)
    open_since: datetime | None = None

    def paid(self, gone: Gone) -> PaidLine | None:
        """What the line's cost is reckoned from. A carrier charges whoever answers, be it too late for the caller."""
        trunk, begun_at = self.started.trunk, self.started.at
        if trunk is None or gone.lost:
            return None
        return PaidLine(trunk, self.shown, begun_at, None if self.open_since is None else gone.at - self.open_since)

    def has_moved(self) -> None:
        """The phone is alive."""
        if self.patience is not None:
            self.patience.cancel()


@dataclass(slots=True)
class _Search:
    request: LineRequest
    since: float
    timer: asyncio.TimerHandle
    told: Situation | None = None
    explained: Decision | None = None


@dataclass(frozen=True, slots=True)
class _WrappingUp:
    turn: int
    timer: asyncio.TimerHandle


_Message: TypeAlias = object


class Distributor:
    """The one place that rings people. `run()` must be running. `sees_team` tells who may transfer to colleagues (SKZ-67)."""

    def __init__(
        self,
        telephony: Telephony,
        presence: PresenceTracker,
        journal: CallJournal,
        clock: Clock,
        *,
        lines: NumberLines,
        zone: tzinfo = UTC,
        sees_team: Callable[[str], bool] = lambda extension: True,
        chance: Random | None = None,
    ) -> None:
        self._telephony = telephony
        self._presence = presence
        self._journal = journal
        self._clock = clock
        self._lines = lines
        self._sees_team = sees_team
        self._inbox: asyncio.Queue[_Message] = asyncio.Queue()
        self._history = WorkHistory(zone)
        self._matching = Matching(self._history.of, chance)
        self._searches: dict[CallId, _Search] = {}
        self._absent: dict[CallId, AbsentRequest] = {}
        self._legs: dict[ChannelId, _Leg] = {}
        self._attempts: dict[CallId, int] = {}
        self._choices: dict[CallId, int] = {}
        self._rules: dict[str, GroupRule] = {}
        self._operators: dict[str, RoutedOperator] = {}
        self._present: set[str] = set()
        self._wrap_ups: dict[str, _WrappingUp] = {}
        self._turns = count(1)
        self._minute: asyncio.TimerHandle | None = None
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

    @property
    def wrapping_up(self) -> frozenset[str]:
        """Operators who have had a conversation and are not offered the next call yet."""
        return self._matching.wrapping_up

    @property
    def rules(self) -> Mapping[str, GroupRule]:
        """The groups by name, as the next decision uses them."""
        return self._rules

    def asks_for_owner(self, group: str) -> bool:
        """Whether a call to this group is to be joined with the caller's own operator in it."""
        rule = self._rules.get(group)
        return rule is not None and rule.terms.sticky_owner

    def outlook(self, call: CallId) -> Outlook | None:
        """How a waiting caller stands now; None when he waits in no group's line."""
        search, position = self._searches.get(call), self._matching.position(call)
        if search is None or position is None or not isinstance(search.request.target, str):
            return None
        if self._matching.situations[call] == "available":
            return Outlook(position, 0.0)
        rule = self._rules.get(search.request.target)
        time, now = search.request.working_time, self._clock.now()
        operators = [
            one
            for one in (() if rule is None else rule.operators)
            if one.extension in self._present and (time is None or time.holds_for(one.zone, now))
        ]
        usual = self._history.usual_seconds(search.request.target)
        return Outlook(position, expected_wait(position, len(operators), usual))

    def set_history(self, past: Iterable[PastWork]) -> None:
        """What operators did before this controller started."""
        self._inbox.put_nowait(_Before(tuple(past)))

    def end_wrap_up(self, operator: str) -> None:
        """The operator needs no more time; no error when he has none."""
        self._inbox.put_nowait(_WrapUpOver(operator, None))

    def set_rules(self, rules: Iterable[GroupRule]) -> None:
        """The groups as they are from now on, for waiting callers too."""
        self._inbox.put_nowait(_RulesChanged(tuple(rules)))

    def join(self, request: LineRequest | AbsentRequest) -> None:
        """Search somebody; one `SearchEnded` (for the absent: `TurnCame`) follows in the request's mailbox unless the caller
        leaves."""
        self._inbox.put_nowait(request)

    def give_up(self, call: CallId) -> None:
        """End the call's search now, as if its longest wait were over; no error when it has ended."""
        self._inbox.put_nowait(_WaitedTooLong(call))

    def drop(self, leg: ChannelId) -> None:
        """Hang up one operator's line; no error when it is gone."""
        self._start(self._hang_up(leg, answered_elsewhere=False))

    def pick_up(self, request: PickUpRequest) -> None:
        """Give him a call that rings elsewhere."""
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
        now = self._clock.now()
        self._history.at(now)
        self._matching.at(now)
        match message:
            case LineRequest():
                self._open_search(message)
            case AbsentRequest(call, _, group, since, working_time):
                self._absent[call] = message
                self._act(self._matching.join_absent(call, group, since, working_time))
            case _Leaves(call):
                self._close_search(call)
                self._absent.pop(call, None)
                self._attempts.pop(call, None)
                self._choices.pop(call, None)
                self._act(self._matching.leave(call))
                self._drop_answered(call)
            case _WaitedTooLong(call):
                self._act(self._matching.give_up(call))
            case _PhoneChanged(operator, state):
                self._on_phone(operator, _AVAILABILITY[state])
            case _Before(past):
                self._history.load(past)
            case _WrapUpOver(operator, turn):
                self._on_wrap_up_over(operator, turn)
            case _MinuteBegins():
                self._minute = None
                self._act(self._matching.look_again())
            case _TalkEndsSoon(leg):
                self._start(self._warn(leg))
            case _TalkedTooLong(leg) if leg in self._legs:
                log.info("%s has talked for as long as his group allows", self._legs[leg].shown)
                self._start(self._hang_up(leg, answered_elsewhere=False))
            case _RulesChanged(rules):
                self._on_rules(rules)
            case Ringing(leg) if leg in self._legs:
                self._legs[leg].has_moved()
            case _Silent(leg):
                self._give_up_on(leg)
            case Answered(leg, at):
                self._on_answer(leg, at)
            case Gone(leg):
                self._on_gone(leg, message)
            case KeyPressed(leg) | PlaybackEnded(leg) | TransferWanted(leg) if leg in self._legs:
                owner = self._legs[leg].owner
                if not owner.full():
                    owner.put_nowait(message)
            case LinesJoined(leg) if leg in self._legs:
                self._join_lines(message)
            case PickUpRequest():
                self._pick_up(message)
            case _Settle(settled):
                self._settling.append(settled)
            case _:
                pass
        self._tell_situations()
        self._watch_the_clock()
        if not self._legs:
            for settled in self._settling:
                settled.set()
            self._settling.clear()

    def _watch_the_clock(self) -> None:
        """Working time begins and ends with a minute: while somebody waits who goes by it, each minute is looked at."""
        if self._minute is None and self._matching.goes_by_the_clock:
            now = self._clock.now()
            left = 60 - now.second - now.microsecond / 1e6
            self._minute = asyncio.get_running_loop().call_later(left, self._inbox.put_nowait, _MinuteBegins())

    def _on_phone(self, operator: str, availability: Availability) -> None:
        if availability == "offline":
            self._present.discard(operator)
        elif operator not in self._present:
            self._present.add(operator)
            self._history.comes(operator, self._clock.now())
        self._act(self._matching.set_phone(operator, availability))

    def _on_rules(self, rules: tuple[GroupRule, ...]) -> None:
        before = self._operators
        self._rules = {rule.name: rule for rule in rules}
        self._operators = {operator.extension: operator for rule in rules for operator in rule.operators}
        for extension, operator in self._operators.items():
            if extension in before and before[extension].id != operator.id:
                self._history.forget(extension)
        for search in self._searches.values():
            search.timer.cancel()
            search.timer = self._wait_timer(search.request, search.since)
        self._act(self._matching.set_rules(rules))

    def _on_wrap_up_over(self, operator: str, turn: int | None) -> None:
        wrapping_up = self._wrap_ups.get(operator)
        if wrapping_up is None or turn not in (None, wrapping_up.turn):
            return
        wrapping_up.timer.cancel()
        del self._wrap_ups[operator]
        self._presence.set_wrap_up(operator, False)
        self._act(self._matching.wrap_up_over(operator))

    def _open_search(self, request: LineRequest) -> None:
        since = asyncio.get_running_loop().time()
        self._searches[request.call] = _Search(request, since, self._wait_timer(request, since))
        self._absent.pop(request.call, None)
        self._act(self._matching.join(request.call, request.target, self._clock.now(), request.owner, request.working_time))

    def _wait_timer(self, request: LineRequest, since: float) -> asyncio.TimerHandle:
        """When the caller, who has waited since then, has waited too long by the rules of now."""
        rule = self._rules.get(request.target) if isinstance(request.target, str) else None
        own = None if rule is None else rule.terms.longest_wait
        longest = request.max_wait if own is None else min(request.max_wait, own)
        loop = asyncio.get_running_loop()
        return loop.call_at(since + longest, self._inbox.put_nowait, _WaitedTooLong(request.call))

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
                case Ended(call, outcome, operator, why, missed):
                    self._explain(call, why)
                    self._tell(call, outcome, operator, missed)
                case WrapUp(operator, seconds):
                    over = _WrapUpOver(operator, next(self._turns))
                    timer = asyncio.get_running_loop().call_later(seconds, self._inbox.put_nowait, over)
                    self._wrap_ups[operator] = _WrappingUp(over.turn or 0, timer)
                    self._presence.set_wrap_up(operator, True)

    def _explain(self, call: CallId, why: Decision | None) -> None:
        """Keep with the call why it goes where it goes; what was decided at once, once."""
        search = self._searches.get(call)
        if why is None or search is None or search.explained is why:
            return
        search.explained = why
        number = self._choices[call] = self._choices.get(call, 0) + 1
        left_out = tuple((one.extension, self._state(one), one.call) for one in why.left_out)
        order = tuple((one.extension, one.basis) for one in why.order)
        decided = RoutingDecided(
            call,
            number,
            self._clock.now(),
            why.rule,
            why.target,
            why.strategy,
            why.version,
            why.offered,
            order,
            left_out,
            why.seed,
        )
        self._journal.record(decided)

    def _state(self, left_out: LeftOut) -> str:
        """Why he was left out, as precisely as his phone tells it."""
        if left_out.hindrance in ("offline", "busy"):
            return self._presence.states.get(left_out.extension, left_out.hindrance)
        return left_out.hindrance

    def _ring(self, offer: Offer) -> None:
        self._explain(offer.call, offer.why)
        request = self._searches[offer.call].request
        attempt = self._attempts[offer.call] = self._attempts.get(offer.call, 0) + 1
        leg = operator_leg_id(offer.call, attempt)
        patient = OUTSIDE_PROGRESS_WITHIN if offer.number.outside else PROGRESS_WITHIN
        patience = asyncio.get_running_loop().call_later(patient, self._inbox.put_nowait, _Silent(leg))
        group = request.target if isinstance(request.target, str) else None
        started = self._leg_started(leg, offer, request)
        self._legs[leg] = _Leg(offer.call, offer.operator, offer.number.shown, request.mailbox, group, started, patience)
        self._telephony.mailboxes.expect(leg, self._inbox)
        self._journal.record(started)
        self._start(self._dial(leg, offer, request))

    def _leg_started(self, leg: ChannelId, offer: Offer, request: LineRequest) -> LegStarted:
        now, shown, owner, by = self._clock.now(), offer.number.shown, request.owner, request.transferred_by
        if isinstance(request.target, Person):
            operator = request.target.operator
        elif owner is not None and owner.extension == offer.operator:
            operator = owner
        else:
            operator = self._operators[offer.operator]
        if operator is None:
            return LegStarted(offer.call, leg, now, None, "", shown, shown, by, offer.number.trunk_id)
        return LegStarted(offer.call, leg, now, operator.id, operator.name, operator.extension, shown, by, offer.number.trunk_id)

    async def _dial(self, leg: ChannelId, offer: Offer, request: LineRequest) -> None:
        try:
            await self._telephony.dial(
                leg,
                offer.number.device,
                ring_seconds=offer.number.ring_seconds,
                originator=request.channel,
                caller_number=self._caller_id(leg, offer.number, request),
                caller_name=request.caller_name,
                variables={CALL_VARIABLE: offer.call, TRANSFER_CONTEXT: self._transfers_to(offer.operator)},
            )
        except AllInUse as refused:
            self._not_dialled(leg, offer, refused, causes.NO_CHANNEL)
        except OutgoingOff as refused:
            self._not_dialled(leg, offer, refused, causes.OUTGOING_BARRED)
        except TelephonyError as error:
            self._not_dialled(leg, offer, error, causes.UNKNOWN)

    def _not_dialled(self, leg: ChannelId, offer: Offer, why: AttendantError, cause: int) -> None:
        log.warning("%s could not be rung for call %s: %s", offer.number.shown, offer.call, why)
        self._telephony.mailboxes.deliver(Gone(leg, self._clock.now(), cause))

    def _caller_id(self, leg: ChannelId, number: Number, request: LineRequest) -> str:
        """Colleagues see who calls; to a number outside, one of ours may be shown. Raises AllInUse, OutgoingOff."""
        if not number.outside:
            return request.caller_number
        return self._lines.dials(leg, number.trunk, came_in_on=request.came_in_on, own=request.caller_number)

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

    def _pick_up(self, request: PickUpRequest) -> None:
        # A line that has ended meanwhile is no more expected, and nothing more would be heard of it.
        there = request.channel in self._telephony.mailboxes.expected
        call, actions = self._matching.pick_up(request.operator.extension, request.of) if there else (None, [])
        if call is not None:
            operator, now, leg = request.operator, self._clock.now(), request.channel
            search = self._searches[call].request
            group = search.target if isinstance(search.target, str) else None
            self._telephony.mailboxes.expect(leg, self._inbox)
            name = operator.extension
            started = LegStarted(call, leg, now, operator.id, operator.name, name, name)
            entry = _Leg(call, name, name, search.mailbox, group, started, answered_at=now)
            self._legs[leg] = entry
            self._history.talk_begins(operator.extension, now)
            self._limit_talk(leg, entry)
            self._journal.record(started)
            self._journal.record(LegAnswered(call, leg, now))
            self._start(self._let_transfer(leg, operator.extension))
        request.mailbox.put_nowait(PickedUp(call))
        self._act(actions)

    def _transfers_to(self, operator: str) -> str:
        """Where the transfer key of his phone may lead."""
        return TRANSFERS_TO_ALL if self._sees_team(operator) else TRANSFERS_OUTSIDE

    async def _let_transfer(self, leg: ChannelId, operator: str) -> None:
        """He has opened this line himself, and an operator's it is only now."""
        try:
            await self._telephony.set_variable(leg, TRANSFER_CONTEXT, self._transfers_to(operator))
        except TelephonyError as error:
            log.info("the transfer key does not work on %s: %s", leg, error)

    def _join_lines(self, joined: LinesJoined) -> None:
        """The one who talks on the second line belongs to the caller of the first from now on. He has answered already, so his
        state does not matter (SKZ-68).
        """
        self._start(self._hang_up(joined.stand_in, answered_elsewhere=False))
        entry, far = self._legs[joined.channel], joined.far
        other = None if far is None else self._legs.get(far)
        possible = entry.call in self._attempts and (other is None or other.call != entry.call)
        if not possible or far is None or other is None or other.answered_at is None or not self._sees_team(entry.operator):
            entry.owner.put_nowait(joined)
            return
        now = self._clock.now()
        attempt = self._attempts[entry.call] = self._attempts[entry.call] + 1
        record = operator_leg_id(entry.call, attempt)
        self._journal.record(LegEnded(other.call, other.started.leg, now, causes.NORMAL_CLEARING))
        self._matching.hand_over(other.operator, entry.call)
        other.call, other.owner = entry.call, entry.owner
        other.started = replace(other.started, call=entry.call, leg=record, at=now, transferred_by=entry.operator)
        self._journal.record(other.started)
        self._journal.record(LegAnswered(entry.call, record, now))
        entry.owner.put_nowait(HandedOver(joined.channel, far, other.operator, record, joined.at))

    async def _hang_up(self, leg: ChannelId, answered_elsewhere: bool) -> None:
        try:
            await self._telephony.hangup(leg, answered_elsewhere=answered_elsewhere)
        except TelephonyError as error:
            log.warning("operator line %s could not be hung up: %s", leg, error)

    def _on_answer(self, leg: ChannelId, at: datetime) -> None:
        entry = self._legs.get(leg)
        if entry is None:
            return
        entry.has_moved()
        entry.open_since = at
        actions = self._matching.answered(entry.call, entry.operator)
        if actions:
            entry.answered_at = at
            self._presence.set_talks_elsewhere(entry.operator, entry.shown != entry.operator)
            self._history.talk_begins(entry.operator, at)
            self._limit_talk(leg, entry)
            self._journal.record(LegAnswered(entry.call, leg, self._clock.now()))
        self._act(actions)

    def _on_gone(self, leg: ChannelId, gone: Gone) -> None:
        self._lines.free(leg)
        entry = self._legs.pop(leg, None)
        if entry is None:
            return
        entry.has_moved()
        if entry.answered_at is None:
            log.info("%s did not take call %s: cause %s", entry.shown, entry.call, gone.cause)
        for limit in entry.limits:
            limit.cancel()
        ended = LegEnded(entry.call, entry.started.leg, self._clock.now(), gone.cause, gone.sip_status, entry.paid(gone))
        self._journal.record(ended)
        talked = False
        if entry.answered_at is not None:
            entry.owner.put_nowait(OperatorLineEnded(leg, gone.at))
            self._presence.set_talks_elsewhere(entry.operator, False)
            seconds = (gone.at - entry.answered_at).total_seconds()
            talked = seconds >= SHORTEST_CONVERSATION
            self._note_talk(entry, gone.at, seconds if talked else None)
        self._act(self._matching.line_free(entry.call, entry.operator, talked=talked))

    def _note_talk(self, entry: _Leg, at: datetime, seconds: float | None) -> None:
        """`seconds` None: who answered dropped the call at once, which is no conversation."""
        if seconds is None:
            self._history.talk_undone(entry.operator)
            return
        rule = self._rules.get(entry.group or "")
        wrap_up = 0 if rule is None else rule.terms.wrap_up_seconds
        self._history.talk_ends(entry.operator, at, entry.group, seconds + wrap_up)

    def _limit_talk(self, leg: ChannelId, entry: _Leg) -> None:
        """A conversation has the length that its group allowed when it began."""
        rule = self._rules.get(entry.group or "")
        longest = None if rule is None else rule.terms.longest_talk
        if longest is not None:
            later = asyncio.get_running_loop().call_later
            before = min(WARNED_BEFORE, longest / 2)
            entry.limits.append(later(longest - before, self._inbox.put_nowait, _TalkEndsSoon(leg)))
            entry.limits.append(later(longest, self._inbox.put_nowait, _TalkedTooLong(leg)))

    async def _warn(self, leg: ChannelId) -> None:
        """Only the operator hears it: he knows what to say to the caller."""
        try:
            await self._telephony.play(leg, f"{leg}-warning", WARNING, "en")
        except TelephonyError as error:
            log.warning("operator line %s could not be warned of its end: %s", leg, error)

    def _tell_situations(self) -> None:
        for call, situation in self._matching.situations.items():
            search = self._searches[call]
            if search.told != situation:
                search.told = situation
                search.request.mailbox.put_nowait(SituationChanged(search.request.visit, situation))

    def _tell(self, call: CallId, outcome: RoutingOutcome, operator: str | None, missed: tuple[str, ...]) -> None:
        request = self._close_search(call)
        if request is None:
            return
        if operator is None:
            log.info("nobody of %s took call %s: %s", name_of(request.target), call, outcome)
        for leg, entry in self._legs.items():
            if entry.call == call and entry.operator == operator and entry.answered_at is not None:
                request.mailbox.put_nowait(SearchEnded(request.visit, outcome, operator, leg, entry.answered_at))
                return
        request.mailbox.put_nowait(SearchEnded(request.visit, outcome, missed=missed))

    def _start(self, request: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(request)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
