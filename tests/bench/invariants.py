"""What no run of the distribution's bench may break, judged by what phones saw and what is stored, never by what the
controller believes. Pure.

Moments are seconds since the epoch: phones and controller share a machine, and so its clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations, pairwise
from typing import Final

from controller.routing import SHORTEST_CONVERSATION
from controller.storage.calls import CallDetail, CallLeg, CallStep, RoutingDecision

TALKED, TOLD, DROPPED, GAVE_UP = "talked", "told", "dropped by an operator", "gave up"
"""How calls may end, as their callers see it."""
ENDED_BY: Final[Mapping[str, frozenset[str]]] = {
    TALKED: frozenset({"caller"}),
    GAVE_UP: frozenset({"caller"}),
    TOLD: frozenset({"scenario", "operator"}),
    DROPPED: frozenset({"scenario", "operator"}),
}
"""What the record of such a call must say. An operator may drop a call before its caller has heard him."""
AT_PHONES: Final = 0.25
"""Seconds that a phone may learn later of the end of a call than the controller."""
ON_RECORD: Final = 0.02
"""Seconds that a timer may be early by the clock of the records."""
SURELY: Final = 0.3
"""Seconds of waiting by which one surely came before another, and was still there: a search begins and ends a moment beside the
step that is on record."""
CONVERSATION: Final = SHORTEST_CONVERSATION + 0.2
"""Seconds after which it was one by anybody's clock."""
LINGERS: Final = 3.0
"""Seconds within which every line of a call that is over has ended."""


@dataclass(frozen=True, slots=True)
class Line:
    """A group's line. `rings_all`: everybody who is free is rung at once."""

    members: frozenset[str]
    priority: int = 0
    wrap_up: float = 0
    rings_all: bool = False


@dataclass(slots=True)
class Invite:
    """A call as an operator's phone saw it: `beside` so many others that it had then. `heard_at`: he heard the caller; `over_at`
    is None as long as it goes on, and for who did not even notice it."""

    operator: str
    caller: str
    at: float
    beside: int = 0
    answered_at: float | None = None
    heard_at: float | None = None
    over_at: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A call to `group`'s number as its caller saw it; `end` is one of those above, or what went wrong."""

    caller: str
    group: str
    end: str
    over_at: float


@dataclass(frozen=True, slots=True)
class Break:
    """An operator's time without calls: from the confirmation that he is not disturbed until he asks for calls again."""

    operator: str
    begin: float
    end: float


@dataclass(slots=True)
class Verdict:
    """How often an invariant was put to the test, and how it was broken."""

    invariant: str
    checked: int = 0
    broken: list[str] = field(default_factory=list)

    def check(self, holds: bool, otherwise: str) -> None:
        self.checked += 1
        if not holds:
            self.broken.append(otherwise)

    @property
    def failures(self) -> list[str]:
        """Why it does not count as held: also when nothing has put it to the test."""
        untested = [] if self.checked else ["nothing has put it to the test"]
        return [f"{self.invariant}: {what}" for what in (*untested, *self.broken)]

    def __str__(self) -> str:
        return f"{self.invariant}: {self.checked - len(self.broken)} of {self.checked}"


def judge(
    lines: Mapping[str, Line],
    invites: Sequence[Invite],
    breaks: Iterable[Break],
    placed: Sequence[Placed],
    stored: Sequence[CallDetail],
) -> list[Verdict]:
    """Every invariant; `lines` by their groups, after which their nodes are named, `stored` the calls that were placed, each with
    its decisions."""
    visits = [visit for call in stored for visit in _visits(call)]
    legs = _by_operator(leg for call in stored for leg in call.legs)
    return [
        _one_call_at_a_time(invites),
        _one_line_at_a_time(legs),
        _wrap_up_at_phones(lines, invites, placed),
        _wrap_up_on_record(lines, visits),
        _undisturbed(breaks, invites, legs),
        _first_come_first_served(lines, visits),
        _the_more_urgent_first(lines, visits),
        _in_one_line(lines, visits, stored, invites),
        _nobody_lost(placed, stored),
        _nobody_stays_reserved(placed, invites, stored),
    ]


@dataclass(frozen=True, slots=True)
class _Visit:
    """A caller's stay in a group's line."""

    caller: str
    group: str
    since: float
    until: float
    legs: tuple[CallLeg, ...]
    decisions: tuple[RoutingDecision, ...]

    def waits_at(self, moment: float) -> bool:
        """Whether nobody had taken him, and he was there for sure. Who was dropped at once waits again."""
        answered = [leg for leg in self.legs if leg.answered_at is not None and _seconds(leg.answered_at) <= moment]
        taken = any(leg.ended_at is None or moment < _seconds(leg.ended_at) + SURELY for leg in answered)
        return self.since + SURELY < moment < self.until - SURELY and not taken

    def could_have(self, operator: str, moment: float, line: Line) -> bool:
        """Whether the operator, who was free, could have been offered this call."""
        before = [leg for leg in self.legs if _seconds(leg.started_at) <= moment]
        rings = any(leg.ended_at is None or _seconds(leg.ended_at) >= moment for leg in before)
        tried = operator in [leg.operator_extension for leg in before]
        return operator in line.members and not tried and (line.rings_all or not rings) and self.waits_at(moment)


def _one_call_at_a_time(invites: Iterable[Invite]) -> Verdict:
    verdict = Verdict("one call at a time, as phones saw it")
    for one in invites:
        verdict.check(one.beside == 0, f"{one.operator} was offered {one.caller} beside {one.beside} other calls")
    return verdict


def _one_line_at_a_time(legs: Mapping[str, Sequence[CallLeg]]) -> Verdict:
    verdict = Verdict("one call at a time, on record")
    for operator, his in legs.items():
        for one, then in pairwise(his):
            over = one.ended_at is not None and one.ended_at <= then.started_at
            verdict.check(over, f"{operator} had the line {one.id} when {then.id} began")
    return verdict


def _wrap_up_at_phones(lines: Mapping[str, Line], invites: Iterable[Invite], placed: Iterable[Placed]) -> Verdict:
    verdict = Verdict("wrap-up respected, as phones saw it")
    pauses = {call.caller: lines[call.group].wrap_up for call in placed}
    for operator, his in _invites_by_operator(invites).items():
        for one, then in pairwise(his):
            pause = pauses.get(one.caller, 0)
            if pause and one.heard_at is not None and one.answered_at is not None and one.over_at is not None:
                if one.over_at - one.answered_at < CONVERSATION:
                    continue
                gap = then.at - one.over_at
                verdict.check(gap >= pause - AT_PHONES, f"{operator} had {gap:.2f} s after {one.caller}")
    return verdict


def _wrap_up_on_record(lines: Mapping[str, Line], visits: Iterable[_Visit]) -> Verdict:
    verdict = Verdict("wrap-up respected, on record")
    group_of = {leg.id: visit.group for visit in visits for leg in visit.legs}
    for operator, his in _by_operator(leg for visit in visits for leg in visit.legs).items():
        for one, then in pairwise(his):
            pause = lines[group_of[one.id]].wrap_up
            if not pause or one.answered_at is None or one.ended_at is None:
                continue
            if (one.ended_at - one.answered_at).total_seconds() >= CONVERSATION:
                gap = (then.started_at - one.ended_at).total_seconds()
                verdict.check(gap >= pause - ON_RECORD, f"{operator} had {gap:.2f} s between {one.id} and {then.id}")
    return verdict


def _undisturbed(breaks: Iterable[Break], invites: Iterable[Invite], legs: Mapping[str, Sequence[CallLeg]]) -> Verdict:
    verdict = Verdict("do not disturb respected")
    at_phones = _invites_by_operator(invites)
    for one in breaks:
        came = [invite.at for invite in at_phones.get(one.operator, ())]
        begun = [_seconds(leg.started_at) for leg in legs.get(one.operator, ())]
        disturbed = [at - one.begin for at in (*came, *begun) if one.begin < at < one.end]
        verdict.check(not disturbed, f"{one.operator} was rung {disturbed} s after he was not to be disturbed")
    return verdict


def _first_come_first_served(lines: Mapping[str, Line], visits: Sequence[_Visit]) -> Verdict:
    """No caller is offered an operator while an earlier one of his line waits who could have been offered that operator."""
    verdict = Verdict("first come, first served")
    for visit, operator, at in _choices(visits):
        line = lines[visit.group]
        before = (one for one in visits if one.group == visit.group and one.since + SURELY < visit.since)
        passed_over = [one.caller for one in before if one.could_have(operator, at, line)]
        verdict.check(not passed_over, f"{operator} was offered {visit.caller}, though before him {passed_over} had come")
    return verdict


def _the_more_urgent_first(lines: Mapping[str, Line], visits: Sequence[_Visit]) -> Verdict:
    """Nor while somebody waits in a more urgent line who could have been offered that operator."""
    verdict = Verdict("priority respected")
    for visit, operator, at in _choices(visits):
        urgent = {
            name: line for name, line in lines.items() if line.priority > lines[visit.group].priority and operator in line.members
        }
        if urgent:
            waits = [one.caller for one in visits if one.group in urgent and one.could_have(operator, at, urgent[one.group])]
            verdict.check(not waits, f"{operator} was offered {visit.caller}, though {waits} waited in a more urgent line")
    return verdict


def _in_one_line(
    lines: Mapping[str, Line], visits: Iterable[_Visit], stored: Sequence[CallDetail], invites: Iterable[Invite]
) -> Verdict:
    """Each choice for a caller was made in the line where he stood then, one phone at a time where that is the rule; and nobody
    was heard by two operators at once."""
    verdict = Verdict("never in two lines")
    of_caller: defaultdict[str, list[_Visit]] = defaultdict(list)
    for visit in visits:
        of_caller[visit.caller].append(visit)
    talks: defaultdict[str, list[Invite]] = defaultdict(list)
    for invite in invites:
        if invite.heard_at is not None:
            talks[invite.caller].append(invite)
    for call in stored:
        caller = call.call.caller_number
        wrong = [
            f"offered {one.offered} by {one.target} elsewhere than in its line"
            for one in call.decisions
            if not any(one in visit.decisions and visit.group == one.target for visit in of_caller[caller])
        ]
        wrong += [
            f"{one.operator_extension} and {then.operator_extension} were rung at once"
            for visit in of_caller[caller]
            if not lines[visit.group].rings_all
            for one, then in pairwise(visit.legs)
            if one.ended_at is None or one.ended_at > then.started_at
        ]
        wrong += [
            f"{one.operator} and {then.operator} talked with him at once"
            for one, then in combinations(talks[caller], 2)
            if _overlap(one, then)
        ]
        verdict.check(not wrong, f"{caller}: {', '.join(wrong)}")
    return verdict


def _nobody_lost(placed: Iterable[Placed], stored: Iterable[CallDetail]) -> Verdict:
    """Every call ended answered, at an exit, or by its caller, and its record says the same."""
    verdict = Verdict("nobody lost")
    records = {call.call.caller_number: call.call for call in stored}
    for call in placed:
        record = records.get(call.caller)
        whole = record is not None and record.ended_at is not None and record.ended_by in ENDED_BY.get(call.end, ())
        said = "nothing" if record is None else f"{record.outcome} by {record.ended_by}"
        verdict.check(whole, f"{call.caller} {call.end}, and on record is {said}")
    return verdict


def _nobody_stays_reserved(placed: Iterable[Placed], invites: Iterable[Invite], stored: Iterable[CallDetail]) -> Verdict:
    """Every line of a call that is over ends at once, by the phones and on record."""
    verdict = Verdict("nobody reserved for a call that is over")
    over = {call.caller: call.over_at for call in placed}
    for one in invites:
        if one.caller in over and one.over_at is not None:
            longer = one.over_at - over[one.caller]
            verdict.check(longer <= LINGERS, f"the phone of {one.operator} had {one.caller} for {longer:.1f} s more")
    for call in stored:
        for leg in call.legs:
            end = leg.ended_at
            ended = end is not None and call.call.ended_at is not None
            ended = ended and _seconds(end) - _seconds(call.call.ended_at) <= LINGERS
            verdict.check(ended, f"the line {leg.id} ended at {end}, its call at {call.call.ended_at}")
    return verdict


def _choices(visits: Iterable[_Visit]) -> Iterator[tuple[_Visit, str, float]]:
    """Whom the callers were offered, and when."""
    for visit in visits:
        for decision in visit.decisions:
            for operator in decision.offered:
                yield visit, operator, _seconds(decision.at)


def _visits(call: CallDetail) -> Iterator[_Visit]:
    for step in call.steps:
        if step.operation == "forward_to_group":
            legs = tuple(leg for leg in call.legs if _within(step, leg.started_at))
            decisions = tuple(one for one in call.decisions if _within(step, one.at))
            until = float("inf") if step.left_at is None else _seconds(step.left_at)
            yield _Visit(call.call.caller_number, step.node, _seconds(step.entered_at), until, legs, decisions)


def _within(step: CallStep, moment: datetime) -> bool:
    return step.entered_at <= moment and (step.left_at is None or moment <= step.left_at)


def _by_operator(legs: Iterable[CallLeg]) -> dict[str, list[CallLeg]]:
    found: defaultdict[str, list[CallLeg]] = defaultdict(list)
    for leg in sorted(legs, key=lambda one: one.started_at):
        found[leg.operator_extension].append(leg)
    return found


def _invites_by_operator(invites: Iterable[Invite]) -> dict[str, list[Invite]]:
    found: defaultdict[str, list[Invite]] = defaultdict(list)
    for invite in sorted(invites, key=lambda one: one.at):
        found[invite.operator].append(invite)
    return found


def _overlap(one: Invite, other: Invite) -> bool:
    """Whether two operators heard a caller for longer at once than their phones may be late."""
    first, second = sorted((one, other), key=lambda invite: invite.heard_at or 0)
    return first.over_at is None or first.over_at - (second.heard_at or 0) > AT_PHONES


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
