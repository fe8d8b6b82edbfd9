from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.routing.history import PastWork, WorkHistory, expected_wait
from controller.routing.rules import RoutedOperator
from controller.routing.strategies import ORDERS, Candidate, OperatorFacts, Turn, basis
from controller.storage.groups import Strategy

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
EVERY_STRATEGY: tuple[Strategy, ...] = get_args(Strategy)


def at(minutes: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def candidates(**facts: OperatorFacts) -> list[Candidate]:
    """Operators named by letters, in this order."""
    return [Candidate(RoutedOperator(place, name, name), place, known) for place, (name, known) in enumerate(facts.items())]


def talked(minutes: float, calls: int = 1) -> OperatorFacts:
    return OperatorFacts(at(minutes), at(0), calls)


def order(strategy: Strategy, found: Sequence[Candidate], last: int = -1, seed: int = 1) -> str:
    return "".join(one.operator.extension for one in ORDERS[strategy](found, Turn(last, Random(seed))))


def test_every_strategy_has_an_order() -> None:
    assert set(ORDERS) == set(EVERY_STRATEGY)


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
@given(free=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 9), st.integers(1, 9)), max_size=8), last=st.integers(-1, 9))
def test_every_strategy_orders_exactly_the_candidates_and_twice_the_same(
    strategy: Strategy, free: list[tuple[int, int, int]], last: int
) -> None:
    found = [
        Candidate(RoutedOperator(place, str(place), "", level, level), place, talked(minutes, calls))
        for place, (minutes, calls, level) in enumerate(free)
    ]
    ordered = ORDERS[strategy](found, Turn(last, Random(7)))
    assert sorted(one.place for one in ordered) == list(range(len(free)))
    assert ORDERS[strategy](found, Turn(last, Random(7))) == ordered
    assert all(isinstance(basis(strategy, one), str | int) for one in ordered)


@pytest.mark.covers("SKZ-22")
def test_t28_longest_idle_takes_first_whose_conversation_ended_first() -> None:
    assert order("longest_idle", candidates(A=talked(60), B=talked(65), C=talked(50))) == "CAB"


@pytest.mark.covers("SKZ-22")
def test_longest_idle_puts_those_without_a_conversation_first_as_they_came_to_work() -> None:
    found = candidates(A=talked(1), B=OperatorFacts(None, at(30)), C=OperatorFacts(None, at(20)), D=OperatorFacts())
    assert order("longest_idle", found) == "DCBA"


@pytest.mark.covers("SKZ-23")
def test_linear_and_ring_all_keep_the_configured_order() -> None:
    found = candidates(A=talked(60, 9), B=talked(0, 0))
    assert order("linear", found, last=0) == order("ring_all", found, last=0) == "AB"


@pytest.mark.parametrize(("last", "expected"), [(-1, "ABCD"), (0, "BCDA"), (1, "CDAB"), (3, "ABCD")])
def test_round_robin_goes_on_after_the_last_who_was_offered_a_call(last: int, expected: str) -> None:
    found = candidates(A=OperatorFacts(), B=OperatorFacts(), C=OperatorFacts(), D=OperatorFacts())
    assert order("round_robin", found, last) == expected


def test_round_robin_passes_over_those_who_are_not_free() -> None:
    found = candidates(A=OperatorFacts(), B=OperatorFacts(), C=OperatorFacts())
    assert order("round_robin", found[:1] + found[2:], last=0) == "CA"


def test_fewest_calls_goes_by_todays_conversations_and_then_by_idleness() -> None:
    assert order("fewest_calls", candidates(A=talked(1, 5), B=talked(9, 2), C=talked(3, 2))) == "CBA"


def test_levels_take_the_lowest_first_and_within_it_the_longest_idle() -> None:
    found = [
        Candidate(RoutedOperator(place, name, "", level=level), place, talked(minutes))
        for place, (name, level, minutes) in enumerate([("A", 2, 1), ("B", 1, 9), ("C", 1, 3), ("D", 3, 0)])
    ]
    assert order("levels", found) == "CBAD"


@pytest.mark.covers("SKZ-21")
def test_at_random_everybody_comes_first_about_as_often() -> None:
    found = candidates(A=OperatorFacts(), B=OperatorFacts(), C=OperatorFacts(), D=OperatorFacts())
    first = Counter(order("random", found, seed=seed)[0] for seed in range(2000))
    assert all(400 < first[name] < 600 for name in "ABCD")


def test_by_weight_who_weighs_three_times_as_much_comes_first_three_times_as_often() -> None:
    found = [
        Candidate(RoutedOperator(place, name, "", weight), place) for place, (name, weight) in enumerate([("A", 1), ("B", 3)])
    ]
    first = Counter(order("weighted_random", found, seed=seed)[0] for seed in range(2000))
    assert 2.5 < first["B"] / first["A"] < 3.6


def test_the_history_counts_conversations_of_this_day_where_we_are() -> None:
    history = WorkHistory(UTC)
    history.load([PastWork("A", at(-30), 4)])
    history.at(at(0))
    history.talk_begins("A", at(1))
    history.talk_ends("A", at(3), "Sales", 120)
    assert history.of("A") == OperatorFacts(at(3), None, 5)
    history.talk_begins("A", at(4))
    history.talk_undone("A")
    assert history.of("A").calls_today == 5
    history.at(at(60 * 15))
    assert history.of("A") == OperatorFacts(at(3), None, 0)


def test_an_operator_counts_from_when_he_comes_and_is_forgotten_when_removed() -> None:
    history = WorkHistory(UTC)
    history.comes("A", at(5))
    assert history.of("A") == OperatorFacts(None, at(5), 0)
    history.forget("A")
    assert history.of("A") == OperatorFacts()


def test_the_expected_wait_is_said_only_when_enough_is_known() -> None:
    history = WorkHistory(UTC)
    for length in (60, 120):
        history.talk_ends("A", at(1), "Sales", length)
    assert history.usual_seconds("Sales") is None
    history.talk_ends("A", at(1), "Sales", 180)
    assert history.usual_seconds("Sales") == 120
    assert history.usual_seconds("Support") is None
    assert expected_wait(3, 2, 120) == 180
    assert expected_wait(3, 0, 120) is None
    assert expected_wait(3, 2, None) is None


def test_the_expected_wait_is_what_callers_wait_in_a_line_that_is_played_through() -> None:
    """Two operators talk exponentially long; whoever stands third waits, on average, as long as was said."""
    chance, waits = Random(5), []
    for _ in range(4000):
        free_at = [chance.expovariate(1 / 120), chance.expovariate(1 / 120)]
        for _ahead in range(3):
            soonest = min(free_at)
            free_at[free_at.index(soonest)] = soonest + chance.expovariate(1 / 120)
        waits.append(soonest)
    assert sum(waits) / len(waits) == pytest.approx(expected_wait(3, 2, 120), rel=0.05)
