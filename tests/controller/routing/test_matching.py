from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.ids import CallId
from controller.routing.matching import Action, Availability, CallBack, Ended, Matching, Offer, Withdraw
from controller.routing.rules import GroupRule, Number, Person, RoutedOperator, Strategy, phone_of

ANN, BOB, CAROL = "2001", "2002", "2003"
FIRST, SECOND, THIRD = CallId("first"), CallId("second"), CallId("third")


def rules(name: str, strategy: Strategy, *extensions: str) -> GroupRule:
    operators = tuple(RoutedOperator(int(extension), extension, f"Operator {extension}") for extension in extensions)
    return GroupRule(name, strategy, 20, operators)


def matching(strategy: Strategy, *extensions: str, free: tuple[str, ...] | None = None) -> Matching:
    made = Matching()
    made.set_rules([rules("Sales", strategy, *extensions)])
    for extension in extensions if free is None else free:
        made.set_phone(extension, "free")
    return made


def offer(call: CallId, operator: str) -> Offer:
    return Offer(call, operator, phone_of(operator, 20))


def person(extension: str, *outside: str) -> Person:
    """An employee with his phone and numbers outside."""
    numbers = (phone_of(extension, 20), *(Number(f"PJSIP/{one}@trunk", 10, one, outside=True) for one in outside))
    return Person(RoutedOperator(int(extension), extension, f"Operator {extension}"), numbers)


def outside(number: str) -> Person:
    return Person(None, (Number(f"PJSIP/{number}@trunk", 30, number, outside=True),))


def test_ring_all_rings_every_free_operator_at_once() -> None:
    assert matching("ring_all", ANN, BOB).join(FIRST, "Sales") == [offer(FIRST, ANN), offer(FIRST, BOB)]


def test_linear_rings_one_after_another_and_each_call_from_the_first() -> None:
    sales = matching("linear", ANN, BOB)
    assert sales.join(FIRST, "Sales") == [offer(FIRST, ANN)]
    assert sales.line_free(FIRST, ANN) == [offer(FIRST, BOB)]
    sales.leave(FIRST)
    sales.line_free(FIRST, BOB)
    assert sales.join(SECOND, "Sales") == [offer(SECOND, ANN)]


def test_the_first_who_answers_has_the_call_and_the_others_stop_ringing() -> None:
    sales = matching("ring_all", ANN, BOB, CAROL)
    sales.join(FIRST, "Sales")
    assert sales.answered(FIRST, BOB) == [
        Withdraw(FIRST, ANN, answered_elsewhere=True),
        Withdraw(FIRST, CAROL, answered_elsewhere=True),
        Ended(FIRST, "answered", BOB),
    ]
    assert sales.answered(FIRST, ANN) == []


def test_nobody_registered_ends_the_search_at_once() -> None:
    assert matching("ring_all", ANN, BOB, free=()).join(FIRST, "Sales") == [Ended(FIRST, "no_operators")]


def test_a_group_that_does_not_exist_or_is_empty_ends_the_search_at_once() -> None:
    assert matching("ring_all").join(FIRST, "Sales") == [Ended(FIRST, "no_operators")]
    assert matching("ring_all", ANN).join(FIRST, "Night") == [Ended(FIRST, "no_operators")]


def test_when_all_were_rung_and_none_answered_the_search_ends() -> None:
    sales = matching("ring_all", ANN, BOB)
    sales.join(FIRST, "Sales")
    assert sales.line_free(FIRST, ANN) == []
    assert sales.line_free(FIRST, BOB) == [Ended(FIRST, "no_answer")]


def test_a_busy_operator_is_waited_for_and_rung_as_soon_as_he_is_free() -> None:
    sales = matching("linear", ANN, free=())
    sales.set_phone(ANN, "busy")
    assert sales.join(FIRST, "Sales") == []
    assert sales.set_phone(ANN, "free") == [offer(FIRST, ANN)]


def test_a_caller_waits_for_an_operator_who_is_engaged_and_the_first_come_is_first_served() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    assert sales.join(SECOND, "Sales") == []
    assert sales.join(THIRD, "Sales") == []
    sales.answered(FIRST, ANN)
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]


def test_a_caller_who_leaves_stops_the_ringing_and_the_next_gets_the_operator() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    assert sales.leave(FIRST) == [Withdraw(FIRST, ANN, answered_elsewhere=False)]
    assert sales.answered(FIRST, ANN) == []
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]


def test_the_longest_wait_ends_the_search_and_the_ringing() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    assert sales.give_up(FIRST) == [Withdraw(FIRST, ANN, answered_elsewhere=False), Ended(FIRST, "timeout")]
    assert sales.give_up(FIRST) == []


def test_a_new_operator_is_offered_the_caller_who_waits_already() -> None:
    sales = matching("linear", ANN)
    sales.join(FIRST, "Sales")
    sales.set_phone(BOB, "free")
    assert sales.set_rules([rules("Sales", "ring_all", ANN, BOB)]) == [offer(FIRST, BOB)]


def test_when_the_last_operator_logs_out_the_waiting_caller_goes_on() -> None:
    sales = matching("ring_all", ANN, free=())
    sales.set_phone(ANN, "busy")
    sales.join(FIRST, "Sales")
    assert sales.set_phone(ANN, "offline") == [Ended(FIRST, "no_operators")]


def test_an_operator_who_did_not_answer_one_caller_is_offered_the_next() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    assert sales.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer"), offer(SECOND, ANN)]


def test_a_search_stands_by_whether_somebody_is_rung_for_the_caller() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    assert sales.situations == {FIRST: "available", SECOND: "busy"}
    sales.answered(FIRST, ANN)
    sales.line_free(FIRST, ANN)
    assert sales.situations == {SECOND: "available"}


def test_a_persons_numbers_are_rung_one_after_another_and_then_the_search_ends() -> None:
    wanted = person(ANN, "100", "101")
    house = matching("ring_all", ANN)
    assert house.join(FIRST, wanted) == [Offer(FIRST, ANN, wanted.numbers[0])]
    assert house.line_free(FIRST, ANN) == [Offer(FIRST, ANN, wanted.numbers[1])]
    assert house.line_free(FIRST, ANN) == [Offer(FIRST, ANN, wanted.numbers[2])]
    assert house.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer")]
    assert dict(house.engaged) == {}


def test_between_two_numbers_of_a_person_nobody_else_gets_him() -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, person(ANN, "100"))
    assert house.join(SECOND, "Sales") == []
    assert house.line_free(FIRST, ANN) == [Offer(FIRST, ANN, person(ANN, "100").numbers[1])]
    assert house.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer"), offer(SECOND, ANN)]


def test_a_person_who_is_engaged_or_on_his_phone_is_not_waited_for() -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, "Sales")
    assert house.join(SECOND, person(ANN, "100")) == [Ended(SECOND, "no_operators")]
    house.answered(FIRST, ANN)
    assert house.join(SECOND, person(ANN, "100")) == [Ended(SECOND, "no_operators")]
    house.line_free(FIRST, ANN)
    house.set_phone(ANN, "busy")
    assert house.join(SECOND, person(ANN, "100")) == [Ended(SECOND, "no_operators")]


def test_a_person_whose_phone_is_off_is_rung_on_his_other_numbers() -> None:
    house = matching("ring_all", ANN, free=())
    assert house.join(FIRST, person(ANN)) == [Ended(FIRST, "no_operators")]
    assert house.join(SECOND, person(ANN, "100")) == [Offer(SECOND, ANN, person(ANN, "100").numbers[1])]


def test_a_person_who_answers_any_of_his_numbers_has_the_call() -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, person(ANN, "100", "101"))
    house.line_free(FIRST, ANN)
    assert house.answered(FIRST, ANN) == [Ended(FIRST, "answered", ANN)]
    assert house.line_free(FIRST, ANN) == []
    assert dict(house.engaged) == {}


def test_a_caller_who_leaves_between_the_numbers_frees_the_person() -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, person(ANN, "100"))
    house.line_free(FIRST, ANN)
    assert house.leave(FIRST) == [Withdraw(FIRST, ANN, answered_elsewhere=False)]
    assert house.line_free(FIRST, ANN) == []
    assert dict(house.engaged) == {}


def test_a_number_outside_may_be_called_for_two_callers_at_once() -> None:
    house = Matching()
    number = outside("100").numbers[0]
    assert house.join(FIRST, outside("100")) == [Offer(FIRST, "first", number)]
    assert house.join(SECOND, outside("100")) == [Offer(SECOND, "second", number)]


NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return NINE + timedelta(minutes=count)


def test_somebody_absent_is_called_when_it_is_his_turn_and_his_operator_is_kept_for_him() -> None:
    sales = matching("linear", ANN)
    assert sales.join_absent(FIRST, "Sales", NINE) == [CallBack(FIRST, ANN)]
    assert sales.join(SECOND, "Sales", minutes(1)) == []
    assert sales.set_phone(ANN, "free") == []
    assert sales.join(FIRST, "Sales", minutes(2)) == [offer(FIRST, ANN)]
    assert sales.answered(FIRST, ANN) == [Ended(FIRST, "answered", ANN)]
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]


def test_the_absent_and_callers_are_served_by_the_moment_they_came() -> None:
    sales = matching("linear", ANN, free=())
    sales.set_phone(ANN, "busy")
    sales.join(SECOND, "Sales", minutes(5))
    sales.join_absent(THIRD, "Sales", minutes(6))
    sales.join_absent(FIRST, "Sales", minutes(4))
    assert sales.set_phone(ANN, "free") == [CallBack(FIRST, ANN)]
    assert sales.leave(FIRST) == [offer(SECOND, ANN)]
    assert sales.line_free(SECOND, ANN) == [Ended(SECOND, "no_answer"), CallBack(THIRD, ANN)]


def test_one_operator_is_kept_for_the_absent_and_the_others_serve_those_behind_him() -> None:
    sales = matching("ring_all", ANN, BOB)
    assert sales.join_absent(FIRST, "Sales", NINE) == [CallBack(FIRST, ANN)]
    assert sales.join(SECOND, "Sales", minutes(1)) == [offer(SECOND, BOB)]


def test_the_absent_who_is_not_reached_frees_his_operator_for_the_next() -> None:
    sales = matching("ring_all", ANN)
    sales.join_absent(FIRST, "Sales", NINE)
    sales.join(SECOND, "Sales", minutes(1))
    assert sales.leave(FIRST) == [offer(SECOND, ANN)]
    assert (sales.absent, sales.waiting) == ((), (SECOND,))


def test_the_absent_wait_for_operators_to_come_and_for_their_group() -> None:
    sales = matching("ring_all", ANN, free=())
    assert sales.join_absent(FIRST, "Sales", NINE) == []
    assert sales.join_absent(SECOND, "Night", NINE) == []
    assert sales.set_phone(ANN, "free") == [CallBack(FIRST, ANN)]
    assert sales.absent == (FIRST, SECOND)


def test_who_arrives_and_finds_his_operator_busy_or_gone_gets_another() -> None:
    for lose in (
        lambda sales: sales.set_phone(ANN, "busy"),
        lambda sales: sales.set_rules([rules("Sales", "linear", BOB)]),
    ):
        sales = matching("linear", ANN, BOB)
        sales.join_absent(FIRST, "Sales", NINE)
        lose(sales)
        assert sales.join(FIRST, "Sales", minutes(1)) == [offer(FIRST, BOB)]
        assert dict(sales.engaged) == {BOB: FIRST}


def test_who_arrives_when_everybody_has_left_is_told_so() -> None:
    sales = matching("linear", ANN)
    sales.join_absent(FIRST, "Sales", NINE)
    sales.set_phone(ANN, "offline")
    assert sales.join(FIRST, "Sales", minutes(1)) == [Ended(FIRST, "no_operators")]
    assert dict(sales.engaged) == {}


@dataclass
class World:
    """What the shell and the phones know."""

    lines: dict[str, CallId] = field(default_factory=dict)
    """Who is rung or talks, and for whom; one line each."""
    waiting: dict[CallId, int] = field(default_factory=dict)
    absent: dict[CallId, datetime] = field(default_factory=dict)
    absent_from: dict[CallId, str] = field(default_factory=dict)
    reserved: dict[str, CallId] = field(default_factory=dict)


class AnyHistory(RuleBasedStateMachine):
    """Phones, callers and administrators do what they like, in any order."""

    operators = st.sampled_from([ANN, BOB, CAROL, "2004"])

    def __init__(self) -> None:
        super().__init__()
        self.matching = Matching()
        self.world = World()
        self.calls = 0
        self.ended: Counter[CallId] = Counter()
        self.phones: dict[str, Availability] = {}
        self.groups: dict[str, GroupRule] = {}
        self.wanted: dict[CallId, Person] = {}
        self.lines_joined: dict[CallId, str] = {}
        self.rung: defaultdict[CallId, list[Number]] = defaultdict(list)

    def follow(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Offer(call, operator, number):
                    assert operator not in self.world.lines, "nobody is offered two calls, or rung on two numbers, at once"
                    assert operator not in self.world.reserved, "nor while he is kept for somebody"
                    assert number.outside or self.phones.get(operator) == "free", "only a free phone is rung"
                    assert call in self.world.waiting, "only for a caller who waits"
                    self.world.lines[operator] = call
                    self.rung[call].append(number)
                case CallBack(call, operator):
                    assert operator not in self.world.lines and operator not in self.world.reserved
                    assert self.phones.get(operator) == "free"
                    assert call in self.world.absent and call not in self.world.reserved.values()
                    self.world.reserved[operator] = call
                case Withdraw(call, operator):
                    assert self.world.lines[operator] == call
                case Ended(call):
                    self.ended[call] += 1
                    assert self.world.waiting.pop(call, None) is not None, "a search ends once"

    @rule(strategy=st.sampled_from(["ring_all", "linear"]), members=st.lists(operators, unique=True))
    def rules_change(self, strategy: Strategy, members: list[str]) -> None:
        self.groups["Sales"] = rules("Sales", strategy, *members)
        self.follow(self.matching.set_rules(self.groups.values()))

    @rule(members=st.lists(operators, unique=True))
    def the_other_group_changes(self, members: list[str]) -> None:
        self.groups["Support"] = rules("Support", "ring_all", *members)
        self.follow(self.matching.set_rules(self.groups.values()))

    @rule(operator=operators, availability=st.sampled_from(["offline", "busy", "free"]))
    def phone_changes(self, operator: str, availability: Availability) -> None:
        self.phones[operator] = availability
        self.follow(self.matching.set_phone(operator, availability))

    @rule(group=st.sampled_from(["Sales", "Support", "Night"]))
    def caller_joins(self, group: str) -> None:
        self.calls += 1
        call = CallId(f"call {self.calls}")
        self.world.waiting[call] = self.calls
        self.lines_joined[call] = group
        self.follow(self.matching.join(call, group, minutes(self.calls)))

    @rule(operator=operators, further=st.lists(st.sampled_from(["100", "101"]), unique=True))
    def caller_wants_a_person(self, operator: str, further: list[str]) -> None:
        self.join_person(person(operator, *further))

    @rule(number=st.sampled_from(["100", "101"]))
    def caller_wants_a_number_outside(self, number: str) -> None:
        self.join_person(outside(number))

    def join_person(self, wanted: Person) -> None:
        self.calls += 1
        call = CallId(f"call {self.calls}")
        self.world.waiting[call] = self.calls
        self.wanted[call] = wanted
        self.follow(self.matching.join(call, wanted))

    @rule(group=st.sampled_from(["Sales", "Support", "Night"]), since=st.integers(0, 100))
    def somebody_absent_takes_a_place(self, group: str, since: int) -> None:
        self.calls += 1
        call = CallId(f"call {self.calls}")
        self.world.absent[call] = minutes(since)
        self.world.absent_from[call] = group
        self.follow(self.matching.join_absent(call, group, minutes(since)))

    @precondition(lambda self: self.world.reserved)
    @rule(data=st.data())
    def the_absent_is_reached(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.world.reserved)))
        call = self.world.reserved.pop(operator)
        del self.world.absent[call]
        self.calls += 1
        self.world.waiting[call] = self.calls
        self.lines_joined[call] = self.world.absent_from[call]
        self.follow(self.matching.join(call, "Sales", minutes(self.calls)))

    @precondition(lambda self: self.world.absent)
    @rule(data=st.data())
    def the_absent_leaves(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.world.absent)))
        del self.world.absent[call]
        self.world.reserved = {operator: other for operator, other in self.world.reserved.items() if other != call}
        self.follow(self.matching.leave(call))

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def caller_leaves(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.world.waiting)))
        del self.world.waiting[call]
        self.follow(self.matching.leave(call))

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def caller_waits_too_long(self, data: st.DataObject) -> None:
        self.follow(self.matching.give_up(data.draw(st.sampled_from(sorted(self.world.waiting)))))

    @precondition(lambda self: self.world.lines)
    @rule(data=st.data())
    def operator_picks_up(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.world.lines)))
        self.follow(self.matching.answered(self.world.lines[operator], operator))

    @precondition(lambda self: self.world.lines)
    @rule(data=st.data())
    def line_ends(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.world.lines)))
        call = self.world.lines.pop(operator)
        self.follow(self.matching.line_free(call, operator))

    @invariant()
    def nobody_stays_engaged_without_a_line_or_somebody_he_is_kept_for(self) -> None:
        assert dict(self.matching.engaged) == self.world.lines | self.world.reserved

    @invariant()
    def waiting_callers_are_exactly_those_whose_search_has_not_ended(self) -> None:
        assert set(self.matching.waiting) == set(self.world.waiting)

    @invariant()
    def the_absent_keep_their_places(self) -> None:
        assert set(self.matching.absent) == set(self.world.absent)
        places = [self.world.absent[call] for call in self.matching.absent]
        assert places == sorted(places)

    @invariant()
    def no_operator_is_free_while_somebody_absent_wants_one_of_his_group(self) -> None:
        for call in set(self.matching.absent) - set(self.world.reserved.values()):
            rule = self.groups.get(self.world.absent_from[call])
            members = [member.extension for member in rule.operators] if rule is not None else []
            engaged = self.matching.engaged
            assert not [one for one in members if one not in engaged and self.phones.get(one) == "free"]

    @invariant()
    def a_persons_numbers_ring_in_their_order_and_each_once(self) -> None:
        for call, wanted in self.wanted.items():
            numbers = iter(wanted.numbers)
            assert all(number in numbers for number in self.rung[call])

    @invariant()
    def nobody_waits_for_a_person_without_being_rung_for(self) -> None:
        assert all(call in self.world.lines.values() for call in self.matching.waiting if call in self.wanted)

    @invariant()
    def all_are_busy_for_whom_nobody_is_rung_and_only_for_him(self) -> None:
        rung = set(self.world.lines.values())
        assert self.matching.situations == {call: "available" if call in rung else "busy" for call in self.world.waiting}

    @invariant()
    def who_is_told_that_all_are_busy_has_been_offered_to_everybody_who_is_free(self) -> None:
        for call, situation in self.matching.situations.items():
            if situation == "busy":
                members = {one.extension for one in self.groups[self.lines_joined[call]].operators}
                engaged = self.world.lines.keys() | self.world.reserved.keys()
                free = {one for one in members - engaged if self.phones.get(one) == "free"}
                assert free <= {number.shown for number in self.rung[call]}

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        """Whoever waits is being rung for, or somebody of his group may still become free."""
        for call in self.matching.waiting:
            rung = call in self.world.lines.values()
            online = any(state != "offline" for state in self.phones.values())
            assert rung or online


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
