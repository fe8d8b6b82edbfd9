"""Who is offered which call: the decisions of the distribution, without any effect. Facts go in, actions come out.

Rules, each of them tested:
- An operator has at most one call: from the offer until his line is free again he is `engaged` and gets no other. After a
  conversation of a group that gives him time to wrap up, he gets none until that is over.
- A person in particular is rung on his numbers one after another, engaged from the first to the last. Nobody waits for him: who
  is engaged, wraps up, or is busy on his phone, is not reached. A number outside is nobody's: two callers may be offered it at
  once.
- A caller is in at most one line, and every search ends in exactly one `Ended`, or by `leave`.
- Free operators are offered to the callers of the group with the highest priority first, and of two callers of equal priority to
  the one who came first.
- The caller's own operator, if the group wants that, is rung first and alone, if he is free when the caller comes (SKZ-24). He
  need not be of the group. Then the strategy decides.
- A caller is offered to each operator once. When nobody is left who could still take him, his search ends: "no_operators"
  if nobody was rung, else "no_answer". Operators who are busy may still take him, so he waits for them.
- The newest group rules and phone states decide, for waiting callers too. Who is being rung, or talks, is left alone: an operator
  who is taken out of the group meanwhile may still answer.
- A call that is forwarded rings an operator's own number outside though his phone may still be reported as ringing, for this very
  call; but not while he talks, is not to be disturbed, or is engaged with another.
- A call with a working time is offered only to those who work at the moment by their own clocks; for it, who does not is as good
  as offline (SKZ-29). Who picks a call up has chosen that himself.
- Somebody absent (he is called back) has a place in the line like a caller, by the moment he took it. When it is his turn, one
  free operator is reserved for him and gets nothing else until he arrives or leaves; the others serve those behind him. He
  waits for ever; once arrived he is a caller like the others, offered to his operator first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Final, Literal, TypeAlias

from controller.ids import CallId
from controller.presence import OperatorState
from controller.routing.decisions import Decision, Hindrance, LeftOut, Ranked, Rule
from controller.routing.rules import GroupRule, Number, Person, RoutedOperator, Target, name_of, phone_of
from controller.routing.strategies import AT_ONCE, BY_CHANCE, ORDERS, Candidate, OperatorFacts, Turn, basis
from controller.schedules import WorkingTime
from ivr.events import RoutingOutcome

Situation: TypeAlias = Literal["available", "busy"]
"""How a search stands: somebody is being rung for the caller, or everybody who could take him is busy."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring the operator for this call on this number. For a number outside that is nobody's, `operator` begins with the call's
    id.

    Offers that were decided together have the same `why`.
    """

    call: CallId
    operator: str
    number: Number
    why: Decision | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop ringing the operator; `answered_elsewhere` when a colleague has the call."""

    call: CallId
    operator: str
    answered_elsewhere: bool


@dataclass(frozen=True, slots=True)
class CallBack:
    """It is the absent one's turn: call him. The operator is kept for him until he arrives or leaves."""

    call: CallId
    operator: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The search is over; `operator` has the caller when it was "answered". `why` says why nobody could be chosen, or that it was
    picked up elsewhere, `missed` to whom the call was offered in vain, in that order, and who answered.
    """

    call: CallId
    outcome: RoutingOutcome
    operator: str | None = None
    why: Decision | None = field(default=None, compare=False)
    missed: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class WrapUp:
    """The operator has so many seconds before he is offered anything; `wrap_up_over` is to be called then."""

    operator: str
    seconds: float


Action: TypeAlias = Offer | Withdraw | CallBack | Ended | WrapUp
_SEED_BITS: Final = 32
_FIRST_OF_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Waiting:
    target: Target
    since: datetime
    owner: RoutedOperator | None
    """The caller's own operator, until it is decided whether he is rung first."""
    left: list[Number] = field(default_factory=list)
    """Numbers of the person that have not rung yet."""
    owner_rings: bool = False
    owner_left_out: LeftOut | None = None
    """Why the owner does not get the call, from then on."""
    working_time: WorkingTime | None = None
    absent: bool = False
    kept: Decision | None = None
    """How the operator was chosen who is kept for him."""
    offered: list[str] = field(default_factory=list)
    ringing: set[str] = field(default_factory=set)


class Matching:
    """Waiting callers, operators, and who is engaged with whom. Every method returns what to do now, in order.

    `facts` tells of operators' work what strategies go by; `chance` gives each decision that needs it a seed; `undisturbed` tells
    who wants no calls, also where his phone's state hides it. Working times hold at the moment that `at` said last.
    """

    def __init__(
        self,
        facts: Callable[[str], OperatorFacts] | None = None,
        chance: Random | None = None,
        undisturbed: Callable[[str], bool] = lambda extension: False,
    ) -> None:
        self._facts = facts or (lambda extension: OperatorFacts())
        self._chance = chance or Random()
        self._undisturbed = undisturbed
        self._now = _FIRST_OF_ALL
        self._rules: dict[str, GroupRule] = {}
        self._phones: dict[str, OperatorState] = {}
        self._engaged: dict[str, CallId] = {}
        self._talking_for: dict[str, str] = {}
        self._asked: dict[CallId, str] = {}
        self._wrapping_up: set[str] = set()
        self._last_offered: dict[str, str] = {}
        self._places: dict[CallId, datetime] = {}
        self._waiting: dict[CallId, _Waiting] = {}

    @property
    def waiting(self) -> tuple[CallId, ...]:
        """Callers in line, first come first."""
        return tuple(call for call, entry in self._waiting.items() if not entry.absent)

    @property
    def absent(self) -> tuple[CallId, ...]:
        """Those who have a place in line and are not there, first come first."""
        return tuple(call for call, entry in self._waiting.items() if entry.absent)

    @property
    def engaged(self) -> Mapping[str, CallId]:
        """Operators who are being rung, talk, or are reserved, and for which call."""
        return self._engaged

    @property
    def wrapping_up(self) -> frozenset[str]:
        """Operators who have had a conversation and are not to be rung yet."""
        return frozenset(self._wrapping_up)

    @property
    def situations(self) -> Mapping[CallId, Situation]:
        """How the search of each waiting caller stands."""
        there = ((call, entry) for call, entry in self._waiting.items() if not entry.absent)
        return {call: "available" if entry.ringing else "busy" for call, entry in there}

    @property
    def goes_by_the_clock(self) -> bool:
        """Whether somebody waits whose operators the time of day decides."""
        return any(entry.working_time is not None for entry in self._waiting.values())

    def at(self, now: datetime) -> None:
        """It is `now` for the decisions that follow."""
        self._now = now

    def look_again(self) -> list[Action]:
        """Time has passed: somebody's working time may have begun or ended."""
        return self._match()

    def set_rules(self, rules: Iterable[GroupRule]) -> list[Action]:
        """The groups as they are now."""
        self._rules = {rule.name: rule for rule in rules}
        return self._match()

    def set_phone(self, operator: str, state: OperatorState) -> list[Action]:
        """An operator's state changed: he is rung while he is "available", and waited for unless he is "offline"."""
        self._phones[operator] = state
        return self._match()

    def join(
        self,
        call: CallId,
        target: Target,
        at: datetime = _FIRST_OF_ALL,
        owner: RoutedOperator | None = None,
        working_time: WorkingTime | None = None,
        offered: tuple[str, ...] = (),
    ) -> list[Action]:
        """A caller wants somebody: he comes behind all callers, and behind the absent who took their place before `at`. A call
        that waits already keeps its place in the former line; somebody absent has arrived by it. `owner`: the caller's own;
        `working_time` None: whatever the clock says. With `offered` he is back, because the last of these dropped his call at
        once: his place is the one that he had, and they are not rung again.
        """
        entry = self._waiting.get(call)
        if entry is not None and entry.absent:
            return self._arrive(call, entry)
        if entry is None:
            callers = (other.since for other in self._waiting.values() if not other.absent)
            behind_all = max([at, *callers])
            since = self._places.get(call, behind_all) if offered else behind_all
            self._place(call, _Waiting(target, since, owner, working_time=working_time, offered=[*offered]))
        return self._match()

    def join_absent(self, call: CallId, group: str, since: datetime, working_time: WorkingTime | None = None) -> list[Action]:
        """Somebody who is not there has taken a place in the group's line, at the moment `since`."""
        if call not in self._waiting:
            self._place(call, _Waiting(group, since, None, working_time=working_time, absent=True))
        return self._match()

    def leave(self, call: CallId) -> list[Action]:
        """The caller does not wait any more, whatever the reason, and will not be back; who has asked for the call is free."""
        self._places.pop(call, None)
        asked = self._asked.pop(call, "")
        if self._engaged.get(asked) == call:
            del self._engaged[asked]
        return [*self._remove(call, answered_by=None), *self._match()]

    def keep(self, call: CallId, operator: str) -> bool:
        """The operator is engaged with a call that he has asked for, until it is left; False: he is engaged already."""
        if operator in self._engaged:
            return False
        self._engaged[operator], self._asked[call] = call, operator
        return True

    def give_up(self, call: CallId) -> list[Action]:
        """The caller's longest wait is over."""
        entry = self._waiting.get(call)
        if entry is None:
            return []
        return [*self._remove(call, answered_by=None), Ended(call, "timeout", missed=tuple(entry.offered))]

    def answered(self, call: CallId, operator: str) -> list[Action]:
        """The operator picked up. Too late (withdrawn meanwhile): nothing, his line is ended by the withdrawal."""
        entry = self._waiting.get(call)
        if entry is None or operator not in entry.ringing:
            return []
        if isinstance(entry.target, str):
            self._talking_for[operator] = entry.target
        return self._taken(call, entry, operator)

    def _taken(self, call: CallId, entry: _Waiting, by: str, why: Decision | None = None) -> list[Action]:
        self._places[call] = entry.since
        missed = [one for one in entry.offered if one not in entry.ringing]
        return [*self._remove(call, answered_by=by), Ended(call, "answered", by, why, missed=(*missed, by))]

    def pick_up(self, by: str, of: str | None) -> tuple[CallId | None, list[Action]]:
        """The operator takes, on a line of his own, the call that rings at `of`, or (None) the oldest that rings at somebody who
        shares a group with him. No call is given when there is none, or when he is engaged himself.
        """
        if by in self._engaged:
            return None, []
        near = self._colleagues(by) if of is None else {of}
        found = next(((call, entry) for call, entry in self._waiting.items() if entry.ringing & near), None)
        if found is None:
            return None, []
        call, entry = found
        self._engaged[by] = call
        if isinstance(entry.target, str):
            self._talking_for[by] = entry.target
        return call, self._taken(call, entry, by, self._picked_up(entry, by, near))

    def _picked_up(self, entry: _Waiting, by: str, near: set[str]) -> Decision:
        rang = tuple(LeftOut(one, "ringing") for one in entry.offered if one in entry.ringing & near)
        rule = self._rule_of(entry.target)
        strategy, version = ("", 0) if rule is None else (rule.strategy, rule.version)
        return Decision("picked_up", name_of(entry.target), strategy, version, (by,), (), rang)

    def _colleagues(self, operator: str) -> set[str]:
        groups = ({member.extension for member in rule.operators} for rule in self._rules.values())
        return set().union(*(group for group in groups if operator in group))

    def line_free(self, call: CallId, operator: str, *, talked: bool = False) -> list[Action]:
        """The operator's line of this call is no more: unanswered, refused, withdrawn, or (`talked`) a conversation is over."""
        entry = self._waiting.get(call)
        if entry is not None and operator in entry.ringing:
            if entry.left and self._left_alone(operator) is None:
                # He stays engaged: a caller who waits for him in a line must not get in between two of his numbers.
                return [self._next_number(call, entry, operator)]
            entry.ringing.discard(operator)
            entry.owner_rings = False
        actions: list[Action] = []
        if self._engaged.get(operator) == call:
            del self._engaged[operator]
            rule = self._rules.get(self._talking_for.pop(operator, ""))
            if talked and rule is not None and rule.terms.wrap_up_seconds > 0:
                self._wrapping_up.add(operator)
                actions.append(WrapUp(operator, rule.terms.wrap_up_seconds))
        return [*actions, *self._match()]

    def hand_over(self, operator: str, call: CallId) -> list[Action]:
        """An operator who talks does so for another call from now on."""
        self._engaged[operator] = call
        return self._match()

    def wrap_up_over(self, operator: str) -> list[Action]:
        """The operator may be rung again: his time is over, or he needs no more of it."""
        self._wrapping_up.discard(operator)
        return self._match()

    def position(self, call: CallId) -> int | None:
        """The place of a waiting caller among those of his line, 1 for who is next; None when he waits in none."""
        entry = self._waiting.get(call)
        if entry is None:
            return None
        line = [one for one, other in self._waiting.items() if other.target == entry.target]
        return line.index(call) + 1

    def _remove(self, call: CallId, answered_by: str | None) -> list[Action]:
        entry = self._waiting.pop(call, None)
        if entry is None:
            return []
        if entry.kept is not None:
            del self._engaged[entry.kept.offered[0]]
        others = sorted(entry.ringing - {answered_by})
        return [Withdraw(call, operator, answered_elsewhere=answered_by is not None) for operator in others]

    def _match(self) -> list[Action]:
        actions: list[Action] = []
        for call, entry in self._in_turn():
            actions += self._offers(call, entry)
            if not entry.absent and not entry.ringing and not self._could_still_take(call, entry):
                del self._waiting[call]
                outcome: RoutingOutcome = "no_answer" if entry.offered else "no_operators"
                actions.append(Ended(call, outcome, why=self._nobody(call, entry), missed=tuple(entry.offered)))
        return actions

    def _in_turn(self) -> list[tuple[CallId, _Waiting]]:
        """The waiting callers as they are served."""
        return sorted(self._waiting.items(), key=lambda one: -self._priority(one[1].target))

    def _rule_of(self, target: Target) -> GroupRule | None:
        """The group that is wanted; None: a person is, or there is no such group any more."""
        return self._rules.get(target) if isinstance(target, str) else None

    def _priority(self, target: Target) -> int:
        rule = self._rule_of(target)
        return 0 if rule is None else rule.terms.priority

    def _offers(self, call: CallId, entry: _Waiting) -> Iterator[Offer | CallBack]:
        if isinstance(entry.target, Person):
            yield from self._person_offers(call, entry, entry.target)
        elif (rule := self._rules.get(entry.target)) is not None:
            yield from self._reservations(call, entry, rule) if entry.absent else self._group_offers(call, entry, rule)

    def _person_offers(self, call: CallId, entry: _Waiting, person: Person) -> Iterator[Offer]:
        name = person.operator.extension if person.operator is not None else self._nobody_of(call)
        works = person.operator is None or self._works(entry, person.operator)
        if not entry.offered:
            # Again each time: his state may change while his line of the search before this one is ending.
            entry.left = self._reachable(person)
        if not entry.offered and entry.left and works and name not in self._engaged and name not in self._wrapping_up:
            entry.offered.append(name)
            entry.ringing.add(name)
            self._engaged[name] = call
            yield self._next_number(call, entry, name)

    def _nobody_of(self, call: CallId) -> str:
        """A name for who answers outside: not that of the one before, whose line may not be free yet."""
        name = str(call)
        while name in self._engaged:
            name += "+"
        return name

    def _next_number(self, call: CallId, entry: _Waiting, operator: str) -> Offer:
        number = entry.left.pop(0)
        forwarded = isinstance(entry.target, Person) and entry.target.forwarded
        rule: Rule = "forwarded" if forwarded else "person"
        return Offer(call, operator, number, Decision(rule, name_of(entry.target), "", 0, (number.shown,)))

    def _group_offers(self, call: CallId, entry: _Waiting, rule: GroupRule) -> Iterator[Offer]:
        owner, entry.owner = entry.owner, None
        if owner is not None and rule.terms.sticky_owner:
            is_free = self._hindrance(entry, owner) is None
            entry.owner_left_out = self._why_not(entry, owner)
            if is_free:
                entry.owner_rings = True
                why = Decision("owner", rule.name, rule.strategy, rule.version, (owner.extension,))
                yield self._offer(call, entry, rule, owner.extension, why)
                return
        if entry.owner_rings or (entry.ringing and rule.strategy not in AT_ONCE):
            return
        choice = self._choice(entry, rule)
        if choice is not None:
            for extension in choice.offered:
                yield self._offer(call, entry, rule, extension, choice)

    def _reservations(self, call: CallId, entry: _Waiting, rule: GroupRule) -> Iterator[CallBack]:
        choice = self._choice(entry, rule) if entry.kept is None else None
        if choice is not None:
            operator = choice.offered[0]
            entry.kept = replace(choice, rule="kept", offered=(operator,))
            self._engaged[operator] = call
            yield CallBack(call, operator)

    def _choice(self, entry: _Waiting, rule: GroupRule) -> Decision | None:
        """Whom the strategy takes; None when nobody is free."""
        candidates = [
            Candidate(member, place, self._facts(member.extension))
            for place, member in enumerate(rule.operators)
            if self._hindrance(entry, member) is None
        ]
        if not candidates:
            return None
        seed = self._chance.getrandbits(_SEED_BITS) if rule.strategy in BY_CHANCE else None
        last = self._last_offered.get(rule.name)
        places = (place for place, member in enumerate(rule.operators) if member.extension == last)
        order = ORDERS[rule.strategy](candidates, Turn(next(places, -1), Random(seed)))
        chosen = order if rule.strategy in AT_ONCE else order[:1]
        return Decision(
            "strategy",
            rule.name,
            rule.strategy,
            rule.version,
            tuple(one.operator.extension for one in chosen),
            tuple(Ranked(one.operator.extension, basis(rule.strategy, one)) for one in order),
            tuple(self._left_out(entry, rule)),
            seed,
        )

    def _nobody(self, call: CallId, entry: _Waiting) -> Decision:
        """Why nobody could be chosen."""
        target = entry.target
        if isinstance(target, Person):
            left_out = [] if target.operator is None else [self._not_reached(call, entry, target, target.operator)]
            return Decision("nobody", name_of(target), "", 0, (), (), tuple(left_out))
        rule = self._rules.get(target)
        if rule is None:
            return Decision("nobody", target, "", 0, ())
        return Decision("nobody", target, rule.strategy, rule.version, (), (), tuple(self._left_out(entry, rule)))

    def _not_reached(self, call: CallId, entry: _Waiting, person: Person, operator: RoutedOperator) -> LeftOut:
        extension, why_not = operator.extension, self._why_not(entry, operator)
        if entry.offered or why_not.call not in (None, call):
            return why_not
        alone = self._left_alone(extension) if person.forwarded else None
        if alone is None and why_not.call == call:
            # That line of his is ending, and did not hinder anything.
            alone = self._phones.get(extension, "offline")
        return why_not if alone is None else LeftOut(extension, alone)

    def _left_alone(self, operator: str) -> OperatorState | None:
        """Why he is rung nowhere at all; None when he may be."""
        state = self._phones.get(operator)
        if state in ("talking", "do_not_disturb"):
            return state
        return "do_not_disturb" if self._undisturbed(operator) else None

    def _left_out(self, entry: _Waiting, rule: GroupRule) -> Iterator[LeftOut]:
        owner = entry.owner_left_out
        if owner is not None and owner.extension not in [member.extension for member in rule.operators]:
            yield owner
        for member in rule.operators:
            if self._hindrance(entry, member) is not None:
                yield self._why_not(entry, member)

    def _why_not(self, entry: _Waiting, operator: RoutedOperator) -> LeftOut:
        hindrance = self._hindrance(entry, operator) or "already_offered"
        return LeftOut(operator.extension, hindrance, self._engaged.get(operator.extension) if hindrance == "engaged" else None)

    def _hindrance(self, entry: _Waiting, operator: RoutedOperator) -> Hindrance | None:
        """Why the operator can't be offered this call now; None when he can."""
        extension = operator.extension
        if extension in entry.offered:
            return "already_offered"
        if not self._works(entry, operator):
            return "outside_his_working_time"
        if extension in self._engaged:
            return "engaged"
        if extension in self._wrapping_up:
            return "wrap_up"
        state = self._phones.get(extension, "offline")
        return None if state == "available" else state

    def _works(self, entry: _Waiting, operator: RoutedOperator) -> bool:
        return entry.working_time is None or entry.working_time.holds_for(operator.zone, self._now)

    def _offer(self, call: CallId, entry: _Waiting, rule: GroupRule, operator: str, why: Decision) -> Offer:
        entry.offered.append(operator)
        entry.ringing.add(operator)
        self._engaged[operator] = call
        self._last_offered[rule.name] = operator
        return Offer(call, operator, phone_of(operator, rule.ring_seconds), why)

    def _place(self, call: CallId, entry: _Waiting) -> None:
        """Put somebody into the line: behind those who were there before him."""
        line = [*self._waiting.items(), (call, entry)]
        self._waiting = dict(sorted(line, key=lambda one: one[1].since))

    def _arrive(self, call: CallId, entry: _Waiting) -> list[Action]:
        """He is there: his operator is rung, if he still can be."""
        kept, entry.absent, entry.kept = entry.kept, False, None
        if kept is None:
            return self._match()
        (operator,) = kept.offered
        del self._engaged[operator]
        rule = self._rule_of(entry.target)
        members = () if rule is None else rule.operators
        member = next((member for member in members if member.extension == operator), None)
        if rule is None or member is None or self._hindrance(entry, member) is not None:
            return self._match()
        return [self._offer(call, entry, rule, operator, kept), *self._match()]

    def _reachable(self, person: Person) -> list[Number]:
        """The numbers that are worth ringing now: none while he is on his phone, the others when that is off. Where a call is
        forwarded to counts only whether he is left alone.
        """
        extension = None if person.operator is None else person.operator.extension
        if extension is None or (person.forwarded and self._left_alone(extension) is None):
            return list(person.numbers)
        state = self._phones.get(extension, "offline")
        if person.forwarded or state not in ("available", "offline"):
            return []
        return [number for number in person.numbers if number.outside or state == "available"]

    def _could_still_take(self, call: CallId, entry: _Waiting) -> bool:
        if isinstance(entry.target, Person):
            # His line of the search before this one is being ended: he is free in a moment.
            operator = entry.target.operator
            offered = not entry.left or bool(entry.offered)
            return not offered and operator is not None and self._engaged.get(operator.extension) == call
        rule = self._rules.get(entry.target)
        if rule is None:
            return False
        return any(
            member.extension not in entry.offered
            and self._phones.get(member.extension, "offline") != "offline"
            and self._works(entry, member)
            for member in rule.operators
        )
