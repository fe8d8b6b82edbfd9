from __future__ import annotations

import pytest

from ivr.commands import Connect, RouteToGroup
from ivr.events import ConversationEnded, DigitReceived, Event, RoutingEnded, VisitId
from ivr.operations import ForwardToGroup
from ivr.operations.base import Arrival, Leave, Stay, Step

VISIT = VisitId(4)


def after(*events: Event) -> Step:
    step = ForwardToGroup(group="Sales", max_wait_seconds=30).enter(Arrival(VISIT, frozenset({"failed"})))
    for event in events:
        assert isinstance(step, Stay)
        step = step.running.handle(event)
    return step


@pytest.mark.covers("UIS-33")
def test_an_operator_of_the_group_is_searched() -> None:
    assert after().commands == (RouteToGroup(VISIT, "Sales", 30),)


def test_an_operator_who_answered_is_connected() -> None:
    assert after(RoutingEnded(VISIT, "answered")).commands == (Connect(VISIT),)


@pytest.mark.parametrize("outcome", ["no_answer", "no_operators", "timeout"])
def test_a_search_without_an_answer_leaves_by_failed(outcome: str) -> None:
    assert after(RoutingEnded(VISIT, outcome)) == Leave("failed")  # type: ignore[arg-type]


def test_the_end_of_the_conversation_leaves_by_answered() -> None:
    assert after(RoutingEnded(VISIT, "answered"), ConversationEnded(VISIT)) == Leave("answered")


DROPPED = (RoutingEnded(VISIT, "answered"), ConversationEnded(VISIT, established=False))


def test_an_operator_who_drops_the_call_at_once_has_not_taken_it_and_the_search_goes_on() -> None:
    assert after(*DROPPED, RoutingEnded(VISIT, "answered")).commands == (Connect(VISIT),)
    assert after(*DROPPED, RoutingEnded(VISIT, "answered"), ConversationEnded(VISIT)) == Leave("answered")
    assert after(*DROPPED, RoutingEnded(VISIT, "no_answer")) == Leave("failed")


def test_answers_to_an_earlier_visit_change_nothing() -> None:
    former = VisitId(3)
    assert after(RoutingEnded(former, "no_answer")).commands == ()
    assert isinstance(after(RoutingEnded(VISIT, "answered"), ConversationEnded(former)), Stay)


def test_keys_mean_nothing_while_waiting() -> None:
    assert isinstance(after(DigitReceived("1")), Stay)
