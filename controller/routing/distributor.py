"""Carries out what `matching` decides: has people rung, withdraws offers, tells callers how their search stands and ends.

One task takes everything from one inbox, so decisions never overlap. The lines of operators are kept by `operator_lines`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import count
from random import Random

from controller.clock import Clock
from controller.ids import CallId, ChannelId
from controller.presence import OperatorState, PresenceTracker
from controller.routing.decisions import Decision, on_record
from controller.routing.history import PastWork, WorkHistory, expected_wait
from controller.routing.lines import NumberLines
from controller.routing.matching import Action, CallBack, Ended, Matching, Offer, Situation, Withdraw, WrapUp
from controller.routing.operator_lines import OperatorLine, OperatorLines, Silent, TalkedTooLong, TalkEndsSoon
from controller.routing.requests import (
    AbsentRequest,
    KeepRequest,
    Kept,
    LineRequest,
    Outlook,
    PickedUp,
    PickUpRequest,
    SearchEnded,
    SituationChanged,
    TurnCame,
)
from controller.routing.rules import SHORTEST_CONVERSATION, GroupRule, Person, RoutedOperator, name_of
from controller.storage.journal import CallJournal
from controller.telephony.events import Answered, Gone, KeyPressed, LinesJoined, PlaybackEnded, Ringing, TransferWanted
from controller.telephony.port import Telephony
from ivr.events import RoutingOutcome

log = logging.getLogger(__name__)


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
class _Leaves:
    call: CallId


@dataclass(frozen=True, slots=True)
class _WaitedTooLong:
    call: CallId


@dataclass(frozen=True, slots=True)
class _Settle:
    settled: asyncio.Event


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


class Distributor:
    """The one place that rings people. `run()` must be running. `sees_team` tells who may transfer to colleagues (SKZ-67);
    `on_engaged` is told, and must not wait, when other operators are engaged than before.
    """

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
        on_engaged: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_engaged = on_engaged
        self._told_engaged = frozenset[str]()
        self._presence = presence
        self._journal = journal
        self._clock = clock
        self._inbox: asyncio.Queue[object] = asyncio.Queue()
        self._mailboxes = telephony.mailboxes
        self._lines = OperatorLines(telephony, journal, clock, lines, self._inbox, sees_team)
        self._history = WorkHistory(zone)
        self._matching = Matching(self._history.of, chance, presence.is_undisturbed)
        self._searches: dict[CallId, _Search] = {}
        self._absent: dict[CallId, AbsentRequest] = {}
        self._choices: dict[CallId, int] = {}
        self._rules: dict[str, GroupRule] = {}
        self._operators: dict[str, RoutedOperator] = {}
        self._present: set[str] = set()
        self._wrap_ups: dict[str, _WrappingUp] = {}
        self._turns = count(1)
        self._minute: asyncio.TimerHandle | None = None
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
        group = None if search is None else search.request.group
        if search is None or position is None or group is None:
            return None
        if self._matching.situations[call] == "available":
            return Outlook(position, 0.0)
        rule = self._rules.get(group)
        time, now = search.request.working_time, self._clock.now()
        operators = [
            one
            for one in (() if rule is None else rule.operators)
            if one.extension in self._present and (time is None or time.holds_for(one.zone, now))
        ]
        usual = self._history.usual_seconds(group)
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
        self._lines.hang_up(leg)

    def keep(self, request: KeepRequest) -> None:
        """Offer him no call but the one that he has asked for."""
        self._inbox.put_nowait(request)

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
            self._lines.close()

    def _receive(self, message: object) -> None:
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
                self._choices.pop(call, None)
                self._act(self._matching.leave(call))
                self._lines.leave(call)
            case _WaitedTooLong(call):
                self._act(self._matching.give_up(call))
            case _PhoneChanged(operator, state):
                self._on_phone(operator, state)
            case _Before(past):
                self._history.load(past)
            case _WrapUpOver(operator, turn):
                self._on_wrap_up_over(operator, turn)
            case _MinuteBegins():
                self._minute = None
                self._act(self._matching.look_again())
            case TalkEndsSoon(leg):
                self._lines.warn(leg)
            case TalkedTooLong(leg):
                self._lines.end_talk(leg)
            case _RulesChanged(rules):
                self._on_rules(rules)
            case Ringing(leg) if leg in self._lines.open:
                self._lines.open[leg].has_moved()
            case Silent(leg):
                self._lines.give_up_on(leg)
            case Answered(leg, at):
                self._on_answer(leg, at)
            case Gone():
                self._on_gone(message)
            case KeyPressed(leg) | PlaybackEnded(leg) | TransferWanted(leg) if leg in self._lines.open:
                owner = self._lines.open[leg].owner
                if not owner.full():
                    owner.put_nowait(message)
            case LinesJoined(leg) if leg in self._lines.open:
                joined = self._lines.join(message)
                if joined is not None:
                    self._act(self._matching.hand_over(joined.operator, joined.call))
            case PickUpRequest():
                self._pick_up(message)
            case KeepRequest(call, mailbox, operator):
                mailbox.put_nowait(Kept(self._matching.keep(call, operator)))
            case _Settle(settled):
                self._settling.append(settled)
            case _:
                pass
        self._tell_situations()
        self._tell_engaged()
        self._watch_the_clock()
        if not self._lines.open:
            for settled in self._settling:
                settled.set()
            self._settling.clear()

    def _watch_the_clock(self) -> None:
        """Working time begins and ends with a minute: while somebody waits who goes by it, each minute is looked at."""
        if self._minute is None and self._matching.goes_by_the_clock:
            now = self._clock.now()
            left = 60 - now.second - now.microsecond / 1e6
            self._minute = asyncio.get_running_loop().call_later(left, self._inbox.put_nowait, _MinuteBegins())

    def _on_phone(self, operator: str, state: OperatorState) -> None:
        if state == "offline":
            self._present.discard(operator)
        elif operator not in self._present:
            self._present.add(operator)
            self._history.comes(operator, self._clock.now())
        self._act(self._matching.set_phone(operator, state))

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
        now, loop = self._clock.now(), asyncio.get_running_loop()
        came = request.since or now
        since = loop.time() - (now - came).total_seconds()
        self._searches[request.call] = _Search(request, since, self._wait_timer(request, since))
        self._absent.pop(request.call, None)
        place = request.owner, request.working_time, request.offered
        self._act(self._matching.join(request.call, request.target, came, *place))

    def _wait_timer(self, request: LineRequest, since: float) -> asyncio.TimerHandle:
        """When the caller, who has waited since then, has waited too long by the rules of now."""
        rule = self._rules.get(request.group or "")
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
                    self._lines.withdraw(call, operator, answered_elsewhere)
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
        self._journal.record(on_record(why, call, number, self._clock.now()))

    def _ring(self, offer: Offer) -> None:
        self._explain(offer.call, offer.why)
        request = self._searches[offer.call].request
        self._lines.ring(offer, request, self._who(offer, request))

    def _who(self, offer: Offer, request: LineRequest) -> RoutedOperator | None:
        """Who is rung by the offer; None: a number that is nobody's."""
        if isinstance(request.target, Person):
            return request.target.operator
        owner = request.owner
        return owner if owner is not None and owner.extension == offer.operator else self._operators[offer.operator]

    def _pick_up(self, request: PickUpRequest) -> None:
        # A line that has ended meanwhile is no more expected, and nothing more would be heard of it.
        there = request.channel in self._mailboxes.expected
        call, actions = self._matching.pick_up(request.operator.extension, request.of) if there else (None, [])
        if call is not None:
            search, now = self._searches[call].request, self._clock.now()
            self._lines.take_in(call, search, request)
            self._history.talk_begins(request.operator.extension, now)
            self._lines.talk_begins(request.channel, now, self._longest_talk(search.group))
        request.mailbox.put_nowait(PickedUp(call))
        self._act(actions)

    def _on_answer(self, leg: ChannelId, at: datetime) -> None:
        line = self._lines.open.get(leg)
        if line is None:
            return
        line.has_moved()
        line.open_since = at
        actions = self._matching.answered(line.call, line.operator)
        if actions:
            self._presence.set_talks_elsewhere(line.operator, line.shown != line.operator)
            self._history.talk_begins(line.operator, at)
            self._lines.talk_begins(leg, at, self._longest_talk(line.group))
        self._act(actions)

    def _on_gone(self, gone: Gone) -> None:
        line = self._lines.ended(gone)
        if line is None:
            return
        talked = False
        if line.answered_at is not None:
            self._presence.set_talks_elsewhere(line.operator, False)
            seconds = (gone.at - line.answered_at).total_seconds()
            talked = seconds >= SHORTEST_CONVERSATION
            self._note_talk(line, gone.at, seconds if talked else None)
        self._act(self._matching.line_free(line.call, line.operator, talked=talked))

    def _note_talk(self, line: OperatorLine, at: datetime, seconds: float | None) -> None:
        """`seconds` None: who answered dropped the call at once, which is no conversation."""
        if seconds is None:
            self._history.talk_undone(line.operator)
            return
        rule = self._rules.get(line.group or "")
        wrap_up = 0 if rule is None else rule.terms.wrap_up_seconds
        self._history.talk_ends(line.operator, at, line.group, seconds + wrap_up)

    def _longest_talk(self, group: str | None) -> float | None:
        """A conversation has the length, in seconds, that its group allowed when it began; None: any."""
        rule = self._rules.get(group or "")
        return None if rule is None else rule.terms.longest_talk

    def _tell_engaged(self) -> None:
        engaged = frozenset(self._matching.engaged)
        if engaged != self._told_engaged:
            self._told_engaged = engaged
            self._on_engaged()

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
        found = self._lines.answered_by(call, operator)
        if found is None:
            request.mailbox.put_nowait(SearchEnded(request.visit, outcome, missed=missed))
        else:
            request.mailbox.put_nowait(SearchEnded(request.visit, outcome, operator, *found, missed))
