from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.ids import CallId
from controller.presence import OperatorState
from controller.routing.decisions import Decision, LeftOut, Ranked
from controller.routing.matching import Action, CallBack, Ended, Matching, Offer, Withdraw, WrapUp
from controller.routing.rules import GroupRule, Number, Person, RoutedOperator, phone_of
from controller.routing.strategies import ORDERS, Candidate, Turn
from controller.schedules import Schedule, WorkingTime
from controller.storage.groups import GroupTerms, Strategy

ANN, BOB, CAROL = "2001", "2002", "2003"
FIRST, SECOND, THIRD = CallId("first"), CallId("second"), CallId("third")


def rules(name: str, strategy: Strategy, *extensions: str) -> GroupRule:
    operators = tuple(RoutedOperator(int(extension), extension, f"Operator {extension}") for extension in extensions)
    return GroupRule(name, strategy, 20, operators)


def matching(strategy: Strategy, *extensions: str, free: tuple[str, ...] | None = None) -> Matching:
    made = Matching()
    made.set_rules([rules("Sales", strategy, *extensions)])
    for extension in extensions if free is None else free:
        made.set_phone(extension, "available")
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
    sales.set_phone(ANN, "talking")
    assert sales.join(FIRST, "Sales") == []
    assert sales.set_phone(ANN, "available") == [offer(FIRST, ANN)]


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
    sales.set_phone(BOB, "available")
    assert sales.set_rules([rules("Sales", "ring_all", ANN, BOB)]) == [offer(FIRST, BOB)]


def test_when_the_last_operator_logs_out_the_waiting_caller_goes_on() -> None:
    sales = matching("ring_all", ANN, free=())
    sales.set_phone(ANN, "talking")
    sales.join(FIRST, "Sales")
    assert sales.set_phone(ANN, "offline") == [Ended(FIRST, "no_operators")]


def test_an_operator_who_did_not_answer_one_caller_is_offered_the_next() -> None:
    sales = matching("ring_all", ANN)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    assert sales.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer"), offer(SECOND, ANN)]


def test_an_operator_who_has_asked_for_a_call_is_offered_no_other_until_it_is_left() -> None:
    sales = matching("linear", ANN, BOB)
    assert sales.keep(SECOND, ANN)
    assert sales.join(FIRST, "Sales") == [offer(FIRST, BOB)]
    assert not sales.keep(CallId("fourth"), BOB)
    assert sales.join(THIRD, "Sales") == []
    assert sales.leave(SECOND) == [offer(THIRD, ANN)]
    assert sales.leave(SECOND) == []


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
    house.set_phone(ANN, "talking")
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


def test_a_number_outside_is_rung_though_the_line_of_the_one_before_is_not_free_yet() -> None:
    house = Matching()
    house.join(FIRST, outside("100"))
    house.answered(FIRST, "first")
    (offer,) = house.join(FIRST, outside("200"))
    assert isinstance(offer, Offer) and (offer.number.shown, offer.operator) == ("200", "first+")
    assert house.line_free(FIRST, "first", talked=True) == []
    assert house.answered(FIRST, "first+") == [Ended(FIRST, "answered", "first+")]
    house.line_free(FIRST, "first+", talked=True)
    assert dict(house.engaged) == {}


def test_a_number_outside_may_be_called_for_two_callers_at_once() -> None:
    house = Matching()
    number = outside("100").numbers[0]
    assert house.join(FIRST, outside("100")) == [Offer(FIRST, "first", number)]
    assert house.join(SECOND, outside("100")) == [Offer(SECOND, "second", number)]


def missed(actions: Sequence[Action]) -> tuple[str, ...]:
    """To whom the call was offered whose search has ended."""
    return next(action.missed for action in actions if isinstance(action, Ended))


@pytest.mark.covers("SKZ-32")
def test_the_end_of_a_search_names_who_missed_the_call_in_the_order_of_the_offers() -> None:
    sales = matching("linear", BOB, ANN, CAROL, free=(ANN, BOB))
    sales.join(FIRST, "Sales")
    sales.line_free(FIRST, BOB)
    assert missed(sales.line_free(FIRST, ANN)) == (BOB, ANN)
    sales.join(SECOND, "Sales")
    assert missed(sales.give_up(SECOND)) == (BOB,)


@pytest.mark.covers("SKZ-32")
def test_a_forwarded_call_rings_the_operators_number_outside_while_his_phone_still_seems_to_ring() -> None:
    house, number = matching("ring_all", ANN, free=()), person(ANN, "100").numbers[1]
    house.set_phone(ANN, "ringing")
    called = house.join(FIRST, replace(person(ANN), numbers=(number,), forwarded=True))
    assert called == [Offer(FIRST, ANN, number)] and why(called).rule == "forwarded"


@pytest.mark.covers("SKZ-32")
def test_a_forwarded_call_waits_for_the_end_of_its_own_ringing_and_for_nothing_else() -> None:
    sales, number = matching("ring_all", ANN, BOB), person(ANN, "100").numbers[1]
    to_ann = replace(person(ANN), numbers=(number,), forwarded=True)
    sales.join(FIRST, "Sales")
    sales.give_up(FIRST)
    assert sales.join(FIRST, to_ann) == []
    assert sales.line_free(FIRST, BOB) == []
    assert sales.line_free(FIRST, ANN) == [Offer(FIRST, ANN, number)]
    assert sales.join(SECOND, to_ann) == [Ended(SECOND, "no_operators")]


def terms(group: GroupRule, **values: Any) -> GroupRule:
    return replace(group, terms=GroupTerms(**values))


def of_terms(strategy: Strategy, *extensions: str, **values: Any) -> Matching:
    made = matching(strategy, *extensions)
    made.set_rules([terms(rules("Sales", strategy, *extensions), **values)])
    return made


def operator(extension: str) -> RoutedOperator:
    return RoutedOperator(int(extension), extension, f"Operator {extension}")


def why(actions: Sequence[Action]) -> Decision:
    found = [action.why for action in actions if isinstance(action, Offer | Ended) and action.why is not None]
    assert found
    return found[-1]


@pytest.mark.covers("SKZ-24")
def test_t26_the_owner_is_rung_first_whatever_the_strategy_says() -> None:
    for strategy in get_args(Strategy):
        sales = of_terms(strategy, ANN, BOB, CAROL, sticky_owner=True)
        assert sales.join(FIRST, "Sales", NINE, operator(CAROL)) == [offer(FIRST, CAROL)]


@pytest.mark.covers("SKZ-24")
def test_t27_when_the_owner_is_not_active_the_strategy_decides_at_once() -> None:
    sales = of_terms("linear", ANN, BOB, CAROL, sticky_owner=True)
    sales.set_phone(CAROL, "offline")
    assert sales.join(FIRST, "Sales", NINE, operator(CAROL)) == [offer(FIRST, ANN)]


@pytest.mark.covers("SKZ-24")
def test_t27_it_is_said_why_an_owner_was_passed_over_who_is_not_of_the_group() -> None:
    sales = of_terms("linear", ANN, BOB, sticky_owner=True)
    assert why(sales.join(FIRST, "Sales", NINE, operator("2009"))).left_out == (LeftOut("2009", "offline"),)
    sales.answered(FIRST, ANN)
    sales.set_phone(BOB, "talking")
    sales.set_phone("2009", "available")
    sales.join(SECOND, person("2009"))
    assert sales.join(THIRD, "Sales", NINE, operator("2009")) == []
    sales.line_free(SECOND, "2009")
    decided = why(sales.line_free(FIRST, ANN))
    assert decided.left_out == (LeftOut("2009", "engaged", SECOND), LeftOut(BOB, "talking")), "as it was when the caller came"
    sales.set_phone(BOB, "offline")
    ended = why(sales.line_free(THIRD, ANN))
    assert (ended.rule, ended.left_out[0]) == ("nobody", LeftOut("2009", "engaged", SECOND))


@pytest.mark.covers("SKZ-24")
def test_an_owner_who_was_rung_in_vain_is_left_out_for_that_whether_he_is_of_the_group_or_not() -> None:
    for owner in (CAROL, "2009"):
        sales = of_terms("linear", ANN, CAROL, sticky_owner=True)
        sales.set_phone("2009", "available")
        sales.join(FIRST, "Sales", NINE, operator(owner))
        assert why(sales.line_free(FIRST, owner)).left_out == (LeftOut(owner, "already_offered"),)


def test_where_the_owner_is_not_rung_first_nothing_is_said_of_him() -> None:
    assert why(matching("linear", ANN).join(FIRST, "Sales", NINE, operator("2009"))).left_out == ()


def test_an_owner_who_does_not_answer_leaves_the_caller_to_the_strategy_and_is_not_rung_again() -> None:
    sales = of_terms("ring_all", ANN, BOB, CAROL, sticky_owner=True)
    sales.join(FIRST, "Sales", NINE, operator(CAROL))
    assert sales.set_phone(ANN, "available") == []
    assert sales.line_free(FIRST, CAROL) == [offer(FIRST, ANN), offer(FIRST, BOB)]


def test_without_the_checkbox_the_owner_is_one_of_many_and_a_stranger_to_the_group_may_be_the_owner() -> None:
    assert matching("linear", ANN, BOB).join(FIRST, "Sales", NINE, operator(BOB)) == [offer(FIRST, ANN)]
    sales = of_terms("linear", ANN, sticky_owner=True)
    sales.set_phone("2009", "available")
    assert sales.join(FIRST, "Sales", NINE, operator("2009")) == [offer(FIRST, "2009")]
    assert sales.line_free(FIRST, "2009") == [offer(FIRST, ANN)]


@pytest.mark.covers("SKZ-23")
def test_t29_two_calls_one_after_the_other_both_start_at_the_first() -> None:
    sales = matching("linear", ANN, BOB, CAROL)
    for call in (FIRST, SECOND):
        assert sales.join(call, "Sales") == [offer(call, ANN)]
        sales.answered(call, ANN)
        sales.line_free(call, ANN, talked=True)


def test_round_robin_gives_each_call_to_the_next_operator() -> None:
    sales = matching("round_robin", ANN, BOB, CAROL)
    for call, extension in ((FIRST, ANN), (SECOND, BOB), (THIRD, CAROL)):
        assert sales.join(call, "Sales") == [offer(call, extension)]
    sales.leave(FIRST)
    sales.line_free(FIRST, ANN)
    assert sales.join(CallId("fourth"), "Sales") == [offer(CallId("fourth"), ANN)]


def test_after_a_conversation_an_operator_is_left_alone_for_his_wrap_up() -> None:
    sales = of_terms("ring_all", ANN, wrap_up_seconds=10)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    sales.answered(FIRST, ANN)
    assert sales.line_free(FIRST, ANN, talked=True) == [WrapUp(ANN, 10)]
    assert sales.wrapping_up == {ANN}
    assert sales.set_phone(ANN, "available") == []
    assert sales.join(THIRD, person(ANN, "100")) == [Ended(THIRD, "no_operators")]
    assert sales.wrap_up_over(ANN) == [offer(SECOND, ANN)]


def test_there_is_no_wrap_up_without_a_conversation() -> None:
    sales = of_terms("ring_all", ANN, wrap_up_seconds=10)
    sales.join(FIRST, "Sales")
    sales.join(SECOND, "Sales")
    assert sales.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer"), offer(SECOND, ANN)]
    sales.answered(SECOND, ANN)
    assert sales.line_free(SECOND, ANN, talked=False) == []
    assert sales.wrapping_up == frozenset()


def test_groups_that_share_operators_are_served_by_priority_and_then_first_come_first_served() -> None:
    house = Matching()
    usual, urgent = rules("Sales", "ring_all", ANN), terms(rules("Urgent", "ring_all", ANN), priority=5)
    house.set_rules([usual, urgent])
    house.set_phone(ANN, "talking")
    for call, group in (("1", "Sales"), ("2", "Urgent"), ("3", "Urgent"), ("4", "Sales")):
        house.join(CallId(call), group)
    served = []
    house.set_phone(ANN, "available")
    while house.engaged:
        call = house.engaged[ANN]
        served.append(call)
        house.answered(call, ANN)
        house.line_free(call, ANN)
    assert served == ["2", "3", "1", "4"]


def test_who_is_taken_out_of_the_group_while_he_is_rung_may_still_answer() -> None:
    sales = matching("linear", ANN, BOB)
    sales.join(FIRST, "Sales")
    assert sales.set_rules([rules("Sales", "linear", BOB)]) == []
    assert sales.answered(FIRST, ANN) == [Ended(FIRST, "answered", ANN)]
    sales.line_free(FIRST, ANN)
    assert sales.join(SECOND, "Sales") == [offer(SECOND, BOB)]


def test_a_group_that_is_removed_lets_its_callers_go_on() -> None:
    sales = matching("ring_all", ANN, free=())
    sales.set_phone(ANN, "talking")
    sales.join(FIRST, "Sales")
    assert sales.set_rules([]) == [Ended(FIRST, "no_operators")]


def test_the_position_is_that_among_the_callers_of_the_line() -> None:
    house = Matching()
    house.set_rules([rules("Sales", "ring_all", ANN), rules("Support", "ring_all", BOB)])
    house.set_phone(ANN, "talking")
    house.set_phone(BOB, "talking")
    for call, group in ((FIRST, "Sales"), (SECOND, "Support"), (THIRD, "Sales")):
        house.join(call, group)
    assert [house.position(call) for call in (FIRST, SECOND, THIRD)] == [1, 1, 2]
    house.leave(FIRST)
    assert (house.position(FIRST), house.position(THIRD)) == (None, 1)


def test_an_offer_says_who_was_considered_who_was_left_out_and_why() -> None:
    sales = matching("linear", ANN, BOB, CAROL, "2004", "2005", "2006", free=(ANN, BOB, CAROL, "2006"))
    sales.set_rules([terms(rules("Sales", "linear", ANN, BOB, CAROL, "2004", "2005", "2006"), wrap_up_seconds=9)])
    sales.join(FIRST, "Sales")
    sales.answered(FIRST, ANN)
    sales.line_free(FIRST, ANN, talked=True)
    sales.join(SECOND, "Sales")
    sales.set_phone("2004", "talking")
    sales.join(THIRD, "Sales")
    decided = why(sales.line_free(THIRD, CAROL))
    assert (decided.rule, decided.target, decided.strategy, decided.version) == ("strategy", "Sales", "linear", 1)
    assert decided.offered == ("2006",)
    assert decided.order == (Ranked("2006", 6),)
    assert decided.left_out == (
        LeftOut(ANN, "wrap_up"),
        LeftOut(BOB, "engaged", SECOND),
        LeftOut(CAROL, "already_offered"),
        LeftOut("2004", "talking"),
        LeftOut("2005", "offline"),
    )


def test_a_choice_by_chance_can_be_made_again_from_its_seed() -> None:
    extensions = [str(number) for number in range(2001, 2021)]
    sales = matching("random", *extensions)
    decided = why(sales.join(FIRST, "Sales"))
    assert decided.seed is not None
    again = ORDERS["random"](
        [Candidate(operator(extension), place) for place, extension in enumerate(extensions)], Turn(-1, Random(decided.seed))
    )
    assert [one.extension for one in decided.order] == [one.operator.extension for one in again]
    assert decided.offered == (again[0].operator.extension,)


def test_offers_that_ring_together_were_one_decision() -> None:
    offers = matching("ring_all", ANN, BOB).join(FIRST, "Sales")
    assert all(isinstance(one, Offer) and one.why is why(offers) for one in offers)
    assert why(offers).offered == (ANN, BOB)


@pytest.mark.covers("SKZ-61")
def test_a_call_that_is_picked_up_says_by_whom_and_at_whom_it_rang() -> None:
    for of, rang in ((None, (ANN, CAROL)), (CAROL, (CAROL,))):
        sales = matching("ring_all", ANN, BOB, CAROL, free=(ANN, CAROL))
        sales.join(FIRST, "Sales")
        call, actions = sales.pick_up(BOB, of)
        decided = why(actions)
        assert (call, decided.rule, decided.offered) == (FIRST, "picked_up", (BOB,))
        assert (decided.target, decided.strategy, decided.version) == ("Sales", "ring_all", 1)
        assert decided.left_out == tuple(LeftOut(extension, "ringing") for extension in rang)


def test_a_call_to_one_person_that_is_picked_up_says_so_too() -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, person(ANN))
    _, actions = house.pick_up("2009", ANN)
    assert why(actions) == Decision("picked_up", ANN, "", 0, ("2009",), (), (LeftOut(ANN, "ringing"),))


def test_a_search_that_finds_nobody_says_why() -> None:
    sales = matching("ring_all", ANN, BOB, free=(ANN,))
    sales.join(FIRST, "Sales")
    assert why(sales.line_free(FIRST, ANN)).left_out == (LeftOut(ANN, "already_offered"), LeftOut(BOB, "offline"))
    assert why(sales.join(SECOND, "Night")).rule == "nobody"
    assert why(sales.join(THIRD, person(BOB))).left_out == (LeftOut(BOB, "offline"),)


NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return NINE + timedelta(minutes=count)


def working_days(*days: str) -> WorkingTime:
    return WorkingTime(
        Schedule.model_validate(
            {
                "one_off_days": [{"day": day, "periods": [{"start": "09:00", "end": "18:00"}]} for day in days],
                "zone_mode": "operator",
            }
        ),
        UTC,
    )


def in_zones(group: GroupRule, *zones: str | None) -> GroupRule:
    operators = (replace(one, zone=zone and ZoneInfo(zone)) for one, zone in zip(group.operators, zones, strict=True))
    return replace(group, operators=tuple(operators))


OFFICE_DAY = working_days("2026-05-04")


def at_work(zone: str | None, moment: datetime) -> bool:
    """Whether it is OFFICE_DAY's working time where the operator is."""
    wall = moment.astimezone(ZoneInfo(zone or "UTC"))
    return wall.date().isoformat() == "2026-05-04" and 9 <= wall.hour < 18


def team_of_two_cities() -> Matching:
    """At NINE (UTC) it is 9 o'clock where ANN is, and 18 o'clock where BOB is."""
    made = matching("linear", BOB, ANN)
    made.set_rules([in_zones(rules("Sales", "linear", BOB, ANN), "Asia/Tokyo", None)])
    made.at(NINE)
    return made


@pytest.mark.covers("SKZ-29")
def test_an_operator_is_offered_a_call_only_in_his_own_working_time_and_it_is_said_why() -> None:
    sales = team_of_two_cities()
    actions = sales.join(FIRST, "Sales", NINE, working_time=OFFICE_DAY)
    assert actions == [offer(FIRST, ANN)]
    assert why(actions).left_out == (LeftOut(BOB, "outside_his_working_time"),)
    assert why(sales.line_free(FIRST, ANN)).left_out[0] == LeftOut(BOB, "outside_his_working_time")
    sales.line_free(FIRST, ANN)
    assert sales.join(SECOND, "Sales", NINE) == [offer(SECOND, BOB)], "a call without a working time goes to anybody"


@pytest.mark.covers("SKZ-29")
def test_a_waiting_call_follows_the_clock() -> None:
    sales = team_of_two_cities()
    sales.set_phone(ANN, "talking")
    sales.set_phone(BOB, "talking")
    sales.at(minutes(-1))
    assert sales.join(FIRST, "Sales", minutes(-1), working_time=OFFICE_DAY) == [], "BOB works for a minute more"
    assert sales.goes_by_the_clock
    sales.at(NINE)
    assert sales.set_phone(BOB, "available") == []
    assert sales.look_again() == [], "ANN has begun, and is waited for"
    sales.at(minutes(9 * 60))
    assert sales.look_again() == [Ended(FIRST, "no_operators")]
    assert not sales.goes_by_the_clock


@pytest.mark.covers("SKZ-29")
def test_the_owner_and_who_is_wanted_in_particular_are_not_rung_outside_their_working_time_either() -> None:
    sales = team_of_two_cities()
    tokyo = replace(operator(CAROL), zone=ZoneInfo("Asia/Tokyo"))
    sales.set_rules([terms(in_zones(rules("Sales", "linear", ANN), None), sticky_owner=True)])
    sales.set_phone(CAROL, "available")
    assert sales.join(FIRST, "Sales", NINE, tokyo, OFFICE_DAY) == [offer(FIRST, ANN)]
    wanted = replace(person(CAROL, "100"), operator=tokyo)
    actions = sales.join(SECOND, wanted, NINE, working_time=OFFICE_DAY)
    assert actions == [Ended(SECOND, "no_operators")]
    assert why(actions).left_out == (LeftOut(CAROL, "outside_his_working_time"),)
    number = outside("100")
    assert sales.join(THIRD, number, NINE, working_time=OFFICE_DAY) == [Offer(THIRD, THIRD, number.numbers[0])]


@pytest.mark.covers("SKZ-29")
def test_who_is_called_back_gets_somebody_who_works() -> None:
    sales = team_of_two_cities()
    assert sales.join_absent(FIRST, "Sales", NINE, OFFICE_DAY) == [CallBack(FIRST, ANN)]


@pytest.mark.covers("SKZ-29")
@given(
    zones=st.lists(st.none() | st.sampled_from(["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"]), min_size=1, max_size=4),
    strategy=st.sampled_from(get_args(Strategy)),
    moments=st.lists(st.integers(-36 * 60, 36 * 60).map(minutes), min_size=1, max_size=4).map(sorted),
)
def test_whenever_a_call_is_offered_it_is_working_time_where_the_operator_is(
    zones: list[str | None], strategy: Strategy, moments: list[datetime]
) -> None:
    extensions = [str(2001 + place) for place in range(len(zones))]
    sales = matching(strategy, *extensions)
    sales.set_rules([in_zones(rules("Sales", strategy, *extensions), *zones)])
    where = dict(zip(extensions, zones, strict=True))
    for number, moment in enumerate(moments):
        sales.at(moment)
        call = CallId(f"call {number}")
        actions = [*sales.look_again(), *sales.join(call, "Sales", moment, working_time=OFFICE_DAY)]
        offered = [action.operator for action in actions if isinstance(action, Offer)]
        assert all(at_work(where[extension], moment) for extension in offered)
        could = [one for one in extensions if at_work(where[one], moment) and one not in dict(sales.engaged)]
        assert not could or strategy != "ring_all", "everybody who is free and works is rung"
        assert (Ended(call, "no_operators") in actions) == (not any(at_work(where[one], moment) for one in extensions))


def test_who_is_wanted_in_particular_and_goes_off_while_his_former_line_ends_is_not_rung_there() -> None:
    sales = matching("ring_all", ANN, BOB)
    sales.join(FIRST, "Sales", NINE)
    sales.answered(FIRST, ANN)
    assert sales.join(FIRST, person(BOB, "100"), NINE) == [], "his line of the search before is still being ended"
    assert sales.set_phone(BOB, "offline") == []
    (offered,) = sales.line_free(FIRST, BOB)
    assert isinstance(offered, Offer) and (offered.operator, offered.number.shown) == (BOB, "100")


@pytest.mark.parametrize("state", ["talking", "do_not_disturb", "ringing"])
def test_who_is_wanted_in_particular_and_begins_to_talk_while_his_former_line_ends_is_not_rung(state: OperatorState) -> None:
    sales = matching("ring_all", ANN, BOB)
    sales.join(FIRST, "Sales", NINE)
    sales.answered(FIRST, ANN)
    assert sales.join(FIRST, person(BOB, "100"), NINE) == []
    actions = sales.set_phone(BOB, state)
    assert actions == [Ended(FIRST, "no_operators")]
    assert why(actions).left_out == (LeftOut(BOB, state),)
    assert sales.line_free(FIRST, BOB) == []


@pytest.mark.parametrize("state", ["talking", "do_not_disturb"])
def test_who_begins_to_talk_or_is_not_to_be_disturbed_is_rung_on_no_further_number(state: OperatorState) -> None:
    house = matching("ring_all", ANN)
    house.join(FIRST, person(ANN, "100"))
    house.set_phone(ANN, state)
    assert house.line_free(FIRST, ANN) == [Ended(FIRST, "no_answer")]
    assert dict(house.engaged) == {}


@pytest.mark.covers("SKZ-32")
@pytest.mark.parametrize("state", ["talking", "do_not_disturb"])
def test_a_call_is_not_forwarded_to_who_talks_or_is_not_to_be_disturbed_and_it_is_said_why(state: OperatorState) -> None:
    sales, number = matching("ring_all", ANN), person(ANN, "100").numbers[1]
    to_ann = replace(person(ANN), numbers=(number,), forwarded=True)
    sales.join(FIRST, "Sales")
    sales.give_up(FIRST)
    assert sales.join(FIRST, to_ann) == [], "the line on which he has missed it is still being ended"
    actions = sales.set_phone(ANN, state)
    assert actions == [Ended(FIRST, "no_operators")]
    assert why(actions).left_out == (LeftOut(ANN, state),)
    assert sales.join(FIRST, to_ann) == [Ended(FIRST, "no_operators")]


@pytest.mark.covers("SKZ-32")
def test_a_call_is_not_forwarded_to_who_wants_no_calls_though_his_phone_is_off_or_still_rings() -> None:
    for state in ("offline", "ringing"):
        house = Matching(undisturbed=lambda extension: extension == ANN)
        house.set_phone(ANN, state)
        actions = house.join(FIRST, replace(person(ANN), numbers=outside("100").numbers, forwarded=True))
        assert actions == [Ended(FIRST, "no_operators")]
        assert why(actions) == Decision("nobody", ANN, "", 0, (), (), (LeftOut(ANN, "do_not_disturb"),))


def test_who_was_dropped_at_once_is_back_at_his_place_and_another_is_rung() -> None:
    sales = matching("linear", ANN, BOB, free=(ANN,))
    sales.set_phone(BOB, "talking")
    sales.join(FIRST, "Sales", minutes(0))
    sales.join(SECOND, "Sales", minutes(1))
    sales.answered(FIRST, ANN)
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]
    assert sales.join(FIRST, "Sales", minutes(0), offered=(ANN,)) == []
    assert sales.waiting == (FIRST, SECOND)
    assert sales.set_phone(BOB, "available") == [offer(FIRST, BOB)]
    assert sales.line_free(FIRST, BOB) == [Ended(FIRST, "no_answer")]


def test_who_was_called_back_and_dropped_at_once_is_back_before_those_who_came_after_his_first_call() -> None:
    sales = matching("linear", ANN, BOB)
    sales.set_phone(BOB, "talking")
    sales.join_absent(FIRST, "Sales", NINE)
    sales.join(SECOND, "Sales", minutes(5))
    sales.join(FIRST, "Sales", minutes(9))
    sales.answered(FIRST, ANN)
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]
    sales.join(THIRD, "Sales", minutes(6))
    assert sales.join(FIRST, "Sales", minutes(9), offered=(ANN,)) == []
    assert (sales.waiting, sales.position(FIRST)) == ((FIRST, SECOND, THIRD), 1)
    assert sales.set_phone(BOB, "available") == [offer(FIRST, BOB)]


def test_somebody_absent_is_called_when_it_is_his_turn_and_his_operator_is_kept_for_him() -> None:
    sales = matching("linear", ANN)
    assert sales.join_absent(FIRST, "Sales", NINE) == [CallBack(FIRST, ANN)]
    assert sales.join(SECOND, "Sales", minutes(1)) == []
    assert sales.set_phone(ANN, "available") == []
    assert sales.join(FIRST, "Sales", minutes(2)) == [offer(FIRST, ANN)]
    assert sales.answered(FIRST, ANN) == [Ended(FIRST, "answered", ANN)]
    assert sales.line_free(FIRST, ANN) == [offer(SECOND, ANN)]


def test_the_absent_and_callers_are_served_by_the_moment_they_came() -> None:
    sales = matching("linear", ANN, free=())
    sales.set_phone(ANN, "talking")
    sales.join(SECOND, "Sales", minutes(5))
    sales.join_absent(THIRD, "Sales", minutes(6))
    sales.join_absent(FIRST, "Sales", minutes(4))
    assert sales.set_phone(ANN, "available") == [CallBack(FIRST, ANN)]
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
    assert sales.set_phone(ANN, "available") == [CallBack(FIRST, ANN)]
    assert sales.absent == (FIRST, SECOND)


def test_a_call_back_says_how_its_operator_was_chosen_at_the_moment_of_his_turn() -> None:
    for strategy in get_args(Strategy):
        sales = matching(strategy, ANN, BOB, CAROL)
        sales.set_phone(CAROL, "do_not_disturb")
        (called,) = sales.join_absent(FIRST, "Sales", NINE)
        assert isinstance(called, CallBack)
        for extension in {ANN, BOB, CAROL} - {called.operator}:
            sales.set_phone(extension, "offline")
        sales.set_rules([replace(rules("Sales", "linear", ANN, BOB, CAROL), version=2)])
        decided = why(sales.join(FIRST, "Sales", minutes(1)))
        assert (decided.rule, decided.offered, decided.left_out) == (
            "kept",
            (called.operator,),
            (LeftOut(CAROL, "do_not_disturb"),),
        )
        assert (decided.strategy, decided.version) == (strategy, 1)
        candidates = [Candidate(operator(extension), place) for place, extension in enumerate((ANN, BOB))]
        again = ORDERS[strategy](candidates, Turn(-1, Random(decided.seed)))
        assert [one.extension for one in decided.order] == [one.operator.extension for one in again]
        assert decided.order[0].extension == called.operator


def test_who_arrives_and_finds_his_operator_busy_or_gone_gets_another() -> None:
    for lose in (
        lambda sales: sales.set_phone(ANN, "talking"),
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


ZONES = {ANN: None, BOB: "Asia/Tokyo", CAROL: "America/New_York", "2004": None}


def here(wanted: Person) -> Person:
    """The same with the operator's own clock."""
    return wanted if wanted.operator is None else replace(wanted, operator=with_clock(wanted.operator.extension))


def with_clock(extension: str) -> RoutedOperator:
    zone = ZONES[extension]
    return replace(operator(extension), zone=zone and ZoneInfo(zone))


class AnyHistory(RuleBasedStateMachine):
    """Phones, callers and administrators do what they like, in any order, while a day goes by."""

    operators = st.sampled_from([ANN, BOB, CAROL, "2004"])
    working_times = st.none() | st.just(OFFICE_DAY)
    further_numbers = st.lists(st.sampled_from(["100", "101"]), unique=True)

    def __init__(self) -> None:
        super().__init__()
        self.undisturbed: set[str] = set()
        self.matching = Matching(chance=Random(1), undisturbed=self.undisturbed.__contains__)
        self.world = World()
        self.calls = 0
        self.ended: Counter[CallId] = Counter()
        self.phones: dict[str, OperatorState] = {}
        self.groups: dict[str, GroupRule] = {}
        self.wanted: dict[CallId, Person] = {}
        self.numbers: defaultdict[CallId, list[Number]] = defaultdict(list)
        self.talking: set[str] = set()
        self.wrapping_up: set[str] = set()
        self.lines: dict[CallId, str] = {}
        self.came: dict[CallId, datetime] = {}
        self.asked: dict[CallId, datetime] = {}
        self.kept: dict[str, CallId] = {}
        self.own_calls: dict[str, CallId] = {}
        self.owners: dict[CallId, str] = {}
        self.offered: defaultdict[CallId, set[str]] = defaultdict(set)
        self.withdrawn: set[str] = set()
        self.took: set[str] = set()
        self.missed: dict[CallId, tuple[str, ...]] = {}
        self.dropped: set[CallId] = set()
        self.unfound: set[CallId] = set()
        self.by_the_clock: set[CallId] = set()
        self.now = minutes(-8 * 60)
        self.matching.at(self.now)

    @initialize(strategies=st.tuples(*[st.sampled_from(get_args(Strategy))] * 2), priorities=st.tuples(*[st.integers(0, 2)] * 2))
    def a_usual_morning(self, strategies: tuple[Strategy, Strategy], priorities: tuple[int, int]) -> None:
        for name, strategy, priority in zip(("Sales", "Support"), strategies, priorities, strict=True):
            values = {"wrap_up_seconds": 5, "priority": priority, "sticky_owner": True}
            self.groups[name] = self.group(name, strategy, [ANN, BOB], values)
        self.follow(self.matching.set_rules(self.groups.values()))
        for extension in (ANN, BOB):
            self.phone_changes(extension, "available")

    def group(self, name: str, strategy: Strategy, members: list[str], values: dict[str, Any]) -> GroupRule:
        return terms(in_zones(rules(name, strategy, *members), *(ZONES[one] for one in members)), **values)

    def works(self, call: CallId, operator: str) -> bool:
        """Whether the call may be offered to him by the clock."""
        return call not in self.by_the_clock or operator not in ZONES or at_work(ZONES[operator], self.now)

    @property
    def rung(self) -> set[CallId]:
        """The calls for which somebody's phone rings."""
        quiet = self.talking | self.withdrawn
        return {call for operator, call in self.world.lines.items() if operator not in quiet}

    def follow(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Offer(call, operator, number):
                    assert operator not in self.world.lines, "nobody is offered two calls, or rung on two numbers, at once"
                    assert operator not in self.world.reserved, "nor while he is kept for somebody"
                    state, wanted = self.phones.get(operator), call in self.wanted
                    assert number.outside or state == "available", "only a free phone is rung"
                    assert state not in ("talking", "do_not_disturb"), "nor anything else of who talks or is not to be disturbed"
                    goes_on = wanted and bool(self.numbers[call])
                    hidden = goes_on or (wanted and self.wanted[call].forwarded)
                    assert not hidden or operator not in self.undisturbed, "nor though his phone does not show it"
                    assert wanted or operator not in self.offered[call], "nobody is offered a call of his group twice"
                    assert operator not in self.wrapping_up, "nobody is rung while he wraps up"
                    assert call in self.world.waiting, "only for a caller who waits"
                    assert action.why is not None and (operator in action.why.offered or call in self.wanted), (
                        "and it is said why"
                    )
                    assert self.works(call, operator) or goes_on, "and in his working time"
                    self.is_fair(call, operator)
                    self.offered[call].add(operator)
                    self.world.lines[operator] = call
                    self.numbers[call].append(number)
                case CallBack(call, operator):
                    assert operator not in self.world.lines and operator not in self.world.reserved
                    assert self.phones.get(operator) == "available"
                    assert call in self.world.absent and call not in self.world.reserved.values()
                    assert self.works(call, operator)
                    self.world.reserved[operator] = self.kept[operator] = call
                case Withdraw(call, operator):
                    assert self.world.lines[operator] == call
                    self.withdrawn.add(operator)
                case WrapUp(operator):
                    self.wrapping_up.add(operator)
                case Ended(call, outcome):
                    self.ended[call] += 1
                    assert self.world.waiting.pop(call, None) is not None, "a search ends once"
                    if call in self.lines:
                        self.missed[call] = action.missed
                        (self.unfound.discard if outcome == "answered" else self.unfound.add)(call)

    def is_fair(self, call: CallId, operator: str) -> None:
        """Nobody of at least the same priority who came before, and could have had this operator too, is passed over."""
        if call in self.wanted or self.kept.get(operator) == call:
            return
        group = self.groups[self.lines[call]]
        for other in self.world.waiting:
            rival = self.groups.get(self.lines.get(other, ""))
            if rival is None or other == call or self.owners.get(call) == operator:
                continue
            before = (-rival.terms.priority, self.came[other]) < (-group.terms.priority, self.came[call])
            takes_more = rival.strategy == "ring_all" or other not in self.rung
            member = operator in [one.extension for one in rival.operators] and self.works(other, operator)
            with_owner = self.owners.get(other) in [rung for rung, served in self.world.lines.items() if served == other]
            assert not (before and takes_more and member and not with_owner and operator not in self.offered[other])

    @rule(
        name=st.sampled_from(["Sales", "Support"]),
        strategy=st.sampled_from(get_args(Strategy)),
        members=st.lists(operators, unique=True),
        wrap_up=st.sampled_from([0, 5]),
        priority=st.integers(0, 2),
        sticky=st.booleans(),
    )
    def rules_change(self, name: str, strategy: Strategy, members: list[str], wrap_up: int, priority: int, sticky: bool) -> None:
        values = {"wrap_up_seconds": wrap_up, "priority": priority, "sticky_owner": sticky}
        self.groups[name] = self.group(name, strategy, members, values)
        self.follow(self.matching.set_rules(self.groups.values()))

    @rule(operator=operators, state=st.sampled_from(get_args(OperatorState)))
    def phone_changes(self, operator: str, state: OperatorState) -> None:
        self.phones[operator] = state
        self.follow(self.matching.set_phone(operator, state))

    @rule(operator=operators)
    def operator_wants_no_calls_or_wants_them_again(self, operator: str) -> None:
        """His phone does not show it yet."""
        self.undisturbed ^= {operator}

    @rule(minutes=st.sampled_from([30, 120, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.matching.at(self.now)
        self.follow(self.matching.look_again())

    @rule(group=st.sampled_from(["Sales", "Support", "Night"]), owner=st.none() | operators, time=working_times)
    def caller_joins(self, group: str, owner: str | None, time: WorkingTime | None) -> None:
        call = self.new_call(time)
        self.world.waiting[call] = self.calls
        self.lines[call] = group
        self.asked[call] = minutes(self.calls)
        self.comes(call, minutes(self.calls))
        if owner is not None:
            self.owners[call] = owner
        own = None if owner is None else with_clock(owner)
        self.follow(self.matching.join(call, group, minutes(self.calls), own, time))

    def new_call(self, time: WorkingTime | None) -> CallId:
        self.calls += 1
        call = CallId(f"call {self.calls}")
        if time is not None:
            self.by_the_clock.add(call)
        return call

    def comes(self, call: CallId, at: datetime) -> None:
        """He takes his place behind all callers."""
        self.came[call] = max([at, *(self.came[other] for other in self.world.waiting if other in self.came)])

    @rule(groups=st.lists(st.sampled_from(["Sales", "Support"]), min_size=2, max_size=4))
    def callers_come_in_a_rush(self, groups: list[str]) -> None:
        for group in groups:
            self.caller_joins(group, None, None)

    @precondition(lambda self: self.lines and self.world.waiting)
    @rule(data=st.data())
    def caller_joins_a_second_line(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.world.waiting)))
        before = self.matching.waiting
        self.follow(self.matching.join(call, "Support"))
        assert self.matching.waiting == before or call not in self.matching.waiting

    @precondition(lambda self: self.wrapping_up)
    @rule(data=st.data())
    def wrap_up_ends(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.wrapping_up)))
        self.wrapping_up.discard(operator)
        self.follow(self.matching.wrap_up_over(operator))

    @rule(operator=operators, further=further_numbers, time=working_times)
    def caller_wants_a_person(self, operator: str, further: list[str], time: WorkingTime | None) -> None:
        self.join_person(self.new_call(time), here(person(operator, *further)), time)

    @rule(number=st.sampled_from(["100", "101"]), time=working_times)
    def caller_wants_a_number_outside(self, number: str, time: WorkingTime | None) -> None:
        self.join_person(self.new_call(time), outside(number), time)

    def join_person(self, call: CallId, wanted: Person, time: WorkingTime | None) -> None:
        self.world.waiting[call] = self.calls
        self.wanted[call] = wanted
        self.follow(self.matching.join(call, wanted, working_time=time))

    @rule(operator=operators)
    def operator_asks_for_a_call(self, operator: str) -> None:
        call = self.new_call(None)
        engaged = operator in self.matching.engaged
        assert self.matching.keep(call, operator) is not engaged
        if not engaged:
            self.world.reserved[operator] = self.own_calls[operator] = call

    @precondition(lambda self: self.own_calls)
    @rule(data=st.data())
    def the_call_that_he_has_asked_for_is_over(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.own_calls)))
        del self.world.reserved[operator]
        self.follow(self.matching.leave(self.own_calls.pop(operator)))

    @precondition(lambda self: self.talking)
    @rule(data=st.data(), to=operators, further=further_numbers)
    def operator_transfers_his_caller(self, data: st.DataObject, to: str, further: list[str]) -> None:
        """The caller wants somebody else now, before the line of who transfers him has ended; that may be himself."""
        operator = data.draw(st.sampled_from(sorted(self.talking)))
        call = self.world.lines[operator]
        if call in self.world.waiting:
            return
        for kept in (self.lines, self.owners, self.offered, self.numbers):
            kept.pop(call, None)
        for some in (self.by_the_clock, self.unfound, self.dropped):
            some.discard(call)
        self.join_person(call, here(person(to, *further)), None)

    @precondition(lambda self: self.talking)
    @rule(data=st.data())
    def operator_drops_at_once(self, data: st.DataObject) -> None:
        """That was no conversation: a caller whom a group's line has given to him will be back there in a moment."""
        operator = data.draw(st.sampled_from(sorted(self.talking)))
        call = self.world.lines.pop(operator)
        for some in (self.talking, self.took):
            some.discard(operator)
        if call in self.lines and self.missed.get(call, ("",))[-1] == operator and call not in self.world.waiting:
            self.dropped.add(call)
        self.follow(self.matching.line_free(call, operator, talked=False))

    @precondition(lambda self: self.dropped)
    @rule(data=st.data())
    def who_was_dropped_is_back_at_his_place(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.dropped)))
        self.dropped.discard(call)
        self.calls += 1
        self.world.waiting[call] = self.calls
        self.offered[call] = set(self.missed[call])
        own = None if call not in self.owners else with_clock(self.owners[call])
        time = OFFICE_DAY if call in self.by_the_clock else None
        self.follow(self.matching.join(call, self.lines[call], self.asked[call], own, time, self.missed[call]))

    @precondition(lambda self: self.unfound)
    @rule(data=st.data(), number=st.sampled_from(["100", "101"]), attempts=st.integers(1, 2), common=st.booleans())
    def call_is_forwarded(self, data: st.DataObject, number: str, attempts: int, common: bool) -> None:
        """Nobody of the group has taken it: a phone outside rings, everybody's or of somebody who has missed it."""
        call = data.draw(st.sampled_from(sorted(self.unfound)))
        missed = self.missed[call]
        if call in self.world.waiting or call in [self.world.lines[operator] for operator in self.talking]:
            return
        whose = None if common or not missed else with_clock(data.draw(st.sampled_from(missed)))
        for kept in (self.lines, self.owners, self.offered, self.numbers):
            kept.pop(call, None)
        time = OFFICE_DAY if call in self.by_the_clock else None
        self.join_person(call, Person(whose, outside(number).numbers * attempts, forwarded=True), time)

    @precondition(lambda self: len(self.talking) > 1)
    @rule(data=st.data())
    def operator_hands_his_caller_over_to_whom_he_talks_with(self, data: st.DataObject) -> None:
        """The one on his second line has his caller from now on."""
        first, second = data.draw(st.permutations(sorted(self.talking)).map(lambda order: order[:2]))
        call = self.world.lines[first]
        self.world.lines[second] = call
        self.follow(self.matching.hand_over(second, call))

    @rule(by=operators, of=st.none() | operators)
    def operator_takes_a_call_that_rings_elsewhere(self, by: str, of: str | None) -> None:
        near = {of} if of is not None else self.colleagues(by)
        quiet = self.talking | self.withdrawn
        ringing_at = {one: call for one, call in self.world.lines.items() if one not in quiet}
        ringing = {call for one, call in ringing_at.items() if one in near}
        free = by not in self.world.lines and by not in self.world.reserved
        line = self.matching.waiting
        call, actions = self.matching.pick_up(by, of)
        assert call == next((one for one in line if free and one in ringing), None), "he takes the first of them, if he is free"
        if call is not None:
            self.world.lines[by] = call
            self.talking.add(by)
            self.took.add(by)
            rang = {left.extension for left in why(actions).left_out}
            assert rang and rang == {one for one in near if ringing_at.get(one) == call}, "and it is said whose he took"
        self.follow(actions)

    def colleagues(self, operator: str) -> set[str]:
        groups = [{one.extension for one in group.operators} for group in self.groups.values()]
        return set().union(*(group for group in groups if operator in group))

    @rule(group=st.sampled_from(["Sales", "Support", "Night"]), since=st.integers(0, 100), time=working_times)
    def somebody_absent_takes_a_place(self, group: str, since: int, time: WorkingTime | None) -> None:
        call = self.new_call(time)
        self.came[call] = minutes(since)
        self.world.absent[call] = minutes(since)
        self.world.absent_from[call] = group
        self.follow(self.matching.join_absent(call, group, minutes(since), time))

    @precondition(lambda self: self.world.reserved.keys() - self.own_calls.keys())
    @rule(data=st.data())
    def the_absent_is_reached(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.world.reserved.keys() - self.own_calls.keys())))
        call = self.world.reserved.pop(operator)
        del self.world.absent[call]
        self.calls += 1
        self.world.waiting[call] = self.calls
        self.lines[call] = self.world.absent_from[call]
        self.asked[call] = minutes(self.calls)
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
        actions = self.matching.answered(self.world.lines[operator], operator)
        if any(isinstance(action, Ended) for action in actions):
            self.talking.add(operator)
        self.follow(actions)

    @precondition(lambda self: self.world.lines)
    @rule(data=st.data())
    def line_ends(self, data: st.DataObject) -> None:
        operator = data.draw(st.sampled_from(sorted(self.world.lines)))
        call = self.world.lines.pop(operator)
        talked = operator in self.talking
        for some in (self.talking, self.withdrawn, self.took):
            some.discard(operator)
        self.follow(self.matching.line_free(call, operator, talked=talked))

    @invariant()
    def nobody_stays_engaged_without_a_line_or_somebody_he_is_kept_for(self) -> None:
        assert dict(self.matching.engaged) == self.world.lines | self.world.reserved

    @invariant()
    def who_wraps_up_is_known(self) -> None:
        assert self.matching.wrapping_up == self.wrapping_up
        assert not self.wrapping_up & self.world.lines.keys() - self.took, "only by taking a call himself he has one again"

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
            engaged = self.matching.engaged.keys() | self.wrapping_up
            free = [one for one in members if one not in engaged and self.phones.get(one) == "available"]
            assert not [one for one in free if self.works(call, one)]

    @invariant()
    def a_persons_numbers_ring_in_their_order_and_each_once(self) -> None:
        for call, wanted in self.wanted.items():
            numbers = iter(wanted.numbers)
            assert all(number in numbers for number in self.numbers[call])

    @invariant()
    def nobody_waits_for_a_person_without_being_rung_for(self) -> None:
        assert all(call in self.world.lines.values() for call in self.matching.waiting if call in self.wanted)

    @invariant()
    def all_are_busy_for_whom_nobody_is_rung_and_only_for_him(self) -> None:
        rung = self.rung
        assert self.matching.situations == {call: "available" if call in rung else "busy" for call in self.world.waiting}

    @invariant()
    def who_is_told_that_all_are_busy_has_been_offered_to_everybody_who_is_free(self) -> None:
        for call, situation in self.matching.situations.items():
            if situation == "busy" and call in self.lines:
                members = {one.extension for one in self.groups[self.lines[call]].operators}
                engaged = self.world.lines.keys() | self.world.reserved.keys() | self.wrapping_up
                free = {one for one in members - engaged if self.phones.get(one) == "available" and self.works(call, one)}
                assert free <= self.offered[call]

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        """Whoever waits is being rung for, or somebody of his group who works may still become free, or the line of whom he wants
        ends."""
        for call in self.matching.waiting:
            group = self.groups.get(self.lines.get(call, ""))
            members = {one.extension for one in group.operators} if group is not None else set()
            there = {one for one in members - self.offered[call] if self.phones.get(one, "offline") != "offline"}
            assert call in self.world.lines.values() or any(self.works(call, one) for one in there)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
