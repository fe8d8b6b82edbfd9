"""Who is offered which call: the decisions of the distribution, without any effect. Facts go in, actions come out.

Rules, each of them tested:
- An operator has at most one call: from the offer until his line is free again he is `engaged` and gets no other.
- A person in particular is rung on his numbers one after another, engaged from the first to the last. Nobody waits for him: who
  is engaged, or busy on his phone, is not reached. A number outside is nobody's: two callers may be offered it at once.
- A caller is in at most one line, and every search ends in exactly one `Ended`, or by `leave`.
- Of two callers waiting for the same operator the one who came first is served first.
- A caller is offered to each operator once. When nobody is left who could still take him, his search ends: "no_operators"
  if nobody was rung, else "no_answer". Operators who are busy may still take him, so he waits for them.
- The newest group rules and phone states decide, for waiting callers too.
- Somebody absent (he is called back) has a place in the line like a caller, by the moment he took it. When it is his turn, one
  free operator is reserved for him and gets nothing else until he arrives or leaves; the others serve those behind him. He
  waits for ever; once arrived he is a caller like the others, offered to his operator first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from controller.ids import CallId
from controller.routing.rules import GroupRule, Number, Person, Target, phone_of
from ivr.events import RoutingOutcome

Availability: TypeAlias = Literal["offline", "busy", "free"]
Situation: TypeAlias = Literal["available", "busy"]
"""How a search stands: somebody is being rung for the caller, or everybody who could take him is busy."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring the operator for this call on this number. For a number outside that is nobody's, `operator` is the call's id."""

    call: CallId
    operator: str
    number: Number


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
    """The search is over; `operator` has the caller when it was "answered"."""

    call: CallId
    outcome: RoutingOutcome
    operator: str | None = None


Action: TypeAlias = Offer | Withdraw | CallBack | Ended
_FIRST_OF_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Waiting:
    target: Target
    left: list[Number]
    """Numbers of the person that have not rung yet."""
    since: datetime
    absent: bool = False
    reserved: str | None = None
    """The operator who is kept for him."""
    offered: set[str] = field(default_factory=set)
    ringing: set[str] = field(default_factory=set)


class Matching:
    """Waiting callers, operators, and who is engaged with whom. Every method returns what to do now, in order."""

    def __init__(self) -> None:
        self._rules: dict[str, GroupRule] = {}
        self._phones: dict[str, Availability] = {}
        self._engaged: dict[str, CallId] = {}
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
    def situations(self) -> Mapping[CallId, Situation]:
        """How the search of each waiting caller stands."""
        there = ((call, entry) for call, entry in self._waiting.items() if not entry.absent)
        return {call: "available" if entry.ringing else "busy" for call, entry in there}

    def set_rules(self, rules: Iterable[GroupRule]) -> list[Action]:
        """The groups as they are now."""
        self._rules = {rule.name: rule for rule in rules}
        return self._match()

    def set_phone(self, operator: str, availability: Availability) -> list[Action]:
        """A phone's state changed."""
        self._phones[operator] = availability
        return self._match()

    def join(self, call: CallId, target: Target, at: datetime = _FIRST_OF_ALL) -> list[Action]:
        """A caller wants somebody: he comes behind all callers, and behind the absent who took their place before `at`. A call
        that waits already keeps its place in the former line; somebody absent has arrived by it.
        """
        entry = self._waiting.get(call)
        if entry is not None and entry.absent:
            return self._arrive(call, entry)
        if entry is None:
            callers = (other.since for other in self._waiting.values() if not other.absent)
            self._place(call, _Waiting(target, self._reachable(target), max([at, *callers])))
        return self._match()

    def join_absent(self, call: CallId, group: str, since: datetime) -> list[Action]:
        """Somebody who is not there has taken a place in the group's line, at the moment `since`."""
        if call not in self._waiting:
            self._place(call, _Waiting(group, [], since, absent=True))
        return self._match()

    def leave(self, call: CallId) -> list[Action]:
        """The caller does not wait any more, whatever the reason."""
        return [*self._remove(call, answered_by=None), *self._match()]

    def give_up(self, call: CallId) -> list[Action]:
        """The caller's longest wait is over."""
        if call not in self._waiting:
            return []
        return [*self._remove(call, answered_by=None), Ended(call, "timeout")]

    def answered(self, call: CallId, operator: str) -> list[Action]:
        """The operator picked up. Too late (withdrawn meanwhile): nothing, his line is ended by the withdrawal."""
        entry = self._waiting.get(call)
        if entry is None or operator not in entry.ringing:
            return []
        return [*self._remove(call, answered_by=operator), Ended(call, "answered", operator)]

    def line_free(self, call: CallId, operator: str) -> list[Action]:
        """The operator's line of this call is no more: not answered, refused, withdrawn, or the conversation is over."""
        entry = self._waiting.get(call)
        if entry is not None and operator in entry.ringing:
            if entry.left:
                # He stays engaged: a caller who waits for him in a line must not get in between two of his numbers.
                return [Offer(call, operator, entry.left.pop(0))]
            entry.ringing.discard(operator)
        if self._engaged.get(operator) == call:
            del self._engaged[operator]
        return self._match()

    def _remove(self, call: CallId, answered_by: str | None) -> list[Action]:
        entry = self._waiting.pop(call, None)
        if entry is None:
            return []
        if entry.reserved is not None:
            del self._engaged[entry.reserved]
        others = sorted(entry.ringing - {answered_by})
        return [Withdraw(call, operator, answered_elsewhere=answered_by is not None) for operator in others]

    def _match(self) -> list[Action]:
        actions: list[Action] = []
        for call, entry in list(self._waiting.items()):
            actions += self._offers(call, entry)
            if not entry.absent and not entry.ringing and not self._could_still_take(entry):
                del self._waiting[call]
                actions.append(Ended(call, "no_answer" if entry.offered else "no_operators"))
        return actions

    def _offers(self, call: CallId, entry: _Waiting) -> Iterator[Offer | CallBack]:
        if isinstance(entry.target, Person):
            yield from self._person_offers(call, entry, entry.target)
        elif (rule := self._rules.get(entry.target)) is not None:
            yield from self._reservations(call, entry, rule) if entry.absent else self._group_offers(call, entry, rule)

    def _reservations(self, call: CallId, entry: _Waiting, rule: GroupRule) -> Iterator[CallBack]:
        if entry.reserved is not None:
            return
        operator = next((member.extension for member in rule.operators if self._is_free(member.extension)), None)
        if operator is not None:
            entry.reserved = operator
            self._engaged[operator] = call
            yield CallBack(call, operator)

    def _person_offers(self, call: CallId, entry: _Waiting, person: Person) -> Iterator[Offer]:
        name = person.operator.extension if person.operator is not None else str(call)
        if not entry.offered and entry.left and name not in self._engaged:
            yield self._offer(call, entry, name, entry.left.pop(0))

    def _group_offers(self, call: CallId, entry: _Waiting, rule: GroupRule) -> Iterator[Offer]:
        for operator in (member.extension for member in rule.operators):
            if rule.strategy == "linear" and entry.ringing:
                return
            if operator in entry.offered or not self._is_free(operator):
                continue
            yield self._offer(call, entry, operator, phone_of(operator, rule.ring_seconds))

    def _offer(self, call: CallId, entry: _Waiting, operator: str, number: Number) -> Offer:
        entry.offered.add(operator)
        entry.ringing.add(operator)
        self._engaged[operator] = call
        return Offer(call, operator, number)

    def _is_free(self, operator: str) -> bool:
        return operator not in self._engaged and self._phones.get(operator) == "free"

    def _place(self, call: CallId, entry: _Waiting) -> None:
        """Put somebody into the line: behind those who were there before him."""
        line = [*self._waiting.items(), (call, entry)]
        self._waiting = dict(sorted(line, key=lambda one: one[1].since))

    def _arrive(self, call: CallId, entry: _Waiting) -> list[Action]:
        """He is there: his operator is rung, if he still can be."""
        operator, entry.absent, entry.reserved = entry.reserved, False, None
        if operator is None:
            return self._match()
        del self._engaged[operator]
        rule = self._rules.get(entry.target) if isinstance(entry.target, str) else None
        members = {member.extension for member in rule.operators} if rule is not None else set()
        if rule is None or operator not in members or not self._is_free(operator):
            return self._match()
        return [self._offer(call, entry, operator, phone_of(operator, rule.ring_seconds)), *self._match()]

    def _reachable(self, target: Target) -> list[Number]:
        """The numbers that are worth ringing now: none while he is on his phone, the others when that is off."""
        if not isinstance(target, Person):
            return []
        phone = self._phones.get(target.operator.extension, "offline") if target.operator is not None else "free"
        if phone == "busy":
            return []
        return [number for number in target.numbers if number.outside or phone == "free"]

    def _could_still_take(self, entry: _Waiting) -> bool:
        rule = self._rules.get(entry.target) if isinstance(entry.target, str) else None
        if rule is None:
            return False
        extensions = (member.extension for member in rule.operators)
        return any(
            extension not in entry.offered and self._phones.get(extension, "offline") != "offline" for extension in extensions
        )
