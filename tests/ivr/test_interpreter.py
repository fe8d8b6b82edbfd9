from __future__ import annotations

from typing import Any

import pytest

from ivr.commands import Answer, CancelTimer, Hangup, Play, RouteToGroup, StartTimer, StopPlayback
from ivr.events import (
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    PlaybackFinished,
    PlaybackId,
    RoutingEnded,
    TimerExpired,
    TimerId,
    VisitId,
)
from ivr.graph import NodeId
from ivr.interpreter import MAX_IDLE_VISITS, Entered, Left, Transition, Typed, advance, start
from ivr.prompts import PromptRef
from tests.ivr.builders import GREETED, group, hang_up, menu, message, scenario


def walk(*events: Event, of: Any = GREETED) -> Transition:
    """The last transition."""
    transition = start(of)
    for event in events:
        transition = advance(transition.run, event)
    return transition


def test_a_call_is_answered_before_its_first_prompt_and_only_once() -> None:
    assert walk().commands == (Answer(), Play(PlaybackId("1.1"), (PromptRef("hello"),)))
    assert Answer() not in walk(PlaybackFinished(PlaybackId("1.1"))).commands


def test_a_call_may_be_refused_unanswered() -> None:
    transition = start(scenario(start=hang_up("busy")))
    assert transition.commands == (Hangup("busy"),)
    assert transition.run.ended == "scenario_ended"


@pytest.mark.covers("UIS-1", "UIS-4")
def test_a_key_leads_along_its_link_to_the_next_operation() -> None:
    transition = walk(PlaybackFinished(PlaybackId("1.1")), DigitReceived("1"))
    assert transition.commands == (StopPlayback(PlaybackId("2.1")), RouteToGroup(VisitId(3), "Sales", 60))
    assert transition.moves == (
        Typed(VisitId(2), "1"),
        Left(VisitId(2), "1"),
        Entered(VisitId(3), NodeId("sales"), "forward_to_group"),
    )


def test_a_node_entered_again_is_a_new_visit() -> None:
    transition = walk(PlaybackFinished(PlaybackId("1.1")), DigitReceived("*"))
    assert transition.commands == (StopPlayback(PlaybackId("2.1")), Play(PlaybackId("3.1"), (PromptRef("choose"),)))


def test_the_end_of_a_stopped_prompt_reported_late_changes_nothing() -> None:
    again = walk(PlaybackFinished(PlaybackId("1.1")), DigitReceived("*"))
    assert advance(again.run, PlaybackFinished(PlaybackId("2.1"))) == Transition(again.run)


def test_a_timer_that_expires_late_changes_nothing() -> None:
    waiting = walk(PlaybackFinished(PlaybackId("1.1")), PlaybackFinished(PlaybackId("2.1")))
    assert waiting.commands == (StartTimer(TimerId("2.1.1"), 5),)
    again = advance(waiting.run, DigitReceived("*"))
    assert again.commands == (CancelTimer(TimerId("2.1.1")), Play(PlaybackId("3.1"), (PromptRef("choose"),)))
    assert advance(again.run, TimerExpired(TimerId("2.1.1"))) == Transition(again.run)


def test_an_exit_without_a_link_ends_the_call() -> None:
    talking = walk(PlaybackFinished(PlaybackId("1.1")), DigitReceived("1"), RoutingEnded(VisitId(3), "answered"))
    over = advance(talking.run, ConversationEnded(VisitId(3)))
    assert over.commands == (Hangup(),)
    assert over.run.ended == "scenario_ended"


@pytest.mark.parametrize("events", [(), (PlaybackFinished(PlaybackId("1.1")),)])
def test_a_caller_may_hang_up_anywhere(events: tuple[Event, ...]) -> None:
    transition = walk(*events, CallerHungUp())
    assert transition.commands == ()
    assert transition.run.ended == "caller_hung_up"
    assert transition.moves == (Left(VisitId(1 + len(events)), None),)


def test_nothing_happens_after_the_end() -> None:
    over = walk(CallerHungUp()).run
    for event in (DigitReceived("1"), CallerHungUp(), PlaybackFinished(PlaybackId("1.1"))):
        assert advance(over, event) == Transition(over)


def test_a_key_pressed_during_the_message_before_a_menu_is_not_lost() -> None:
    transition = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")))
    assert transition.commands == (RouteToGroup(VisitId(3), "Sales", 60),), "the menu's prompt is not even begun"
    assert Typed(VisitId(2), "1") in transition.moves, "the key belongs to the menu that took it"


def test_several_keys_typed_ahead_walk_through_several_menus() -> None:
    deep = scenario(
        start=message({"next": "first"}),
        first=menu({"1": "second", "wait_expired": "end", "incorrect_input": "end"}),
        second=menu({"2": "sales", "wait_expired": "end", "incorrect_input": "end"}),
        sales=group({"failed": "end"}),
        end=hang_up(),
    )
    transition = walk(DigitReceived("1"), DigitReceived("2"), PlaybackFinished(PlaybackId("1.1")), of=deep)
    assert transition.run.node == "sales"


def test_a_key_pressed_in_vain_is_forgotten_with_the_next_node_but_noted() -> None:
    messages = scenario(
        start=message({"next": "other"}),
        other=message({"next": "choice"}),
        choice=menu({"1": "end", "wait_expired": "end", "incorrect_input": "end"}),
        end=hang_up(),
    )
    first = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), of=messages)
    assert Typed(VisitId(1), "1") in first.moves
    second = advance(first.run, PlaybackFinished(PlaybackId("2.1")))
    assert second.run.node == "choice"


def test_a_thousand_keys_typed_ahead_are_bounded() -> None:
    run = walk().run
    for _ in range(1000):
        run = advance(run, DigitReceived("1")).run
    assert len(run.typed) == 32


@pytest.mark.parametrize("draft", [scenario("nowhere", end=hang_up()), scenario(start=group({"failed": "nowhere"}))])
def test_a_draft_that_leads_to_a_node_that_does_not_exist_ends_the_call_there(draft: Any) -> None:
    transition = start(draft)
    if transition.run.ended is None:
        transition = advance(transition.run, RoutingEnded(VisitId(1), "no_answer"))
    assert transition.run.ended == "scenario_ended"
    assert transition.commands == (Hangup(),)


def test_a_loop_in_which_nothing_takes_time_is_ended() -> None:
    looping = scenario(start=group({"failed": "start"}))
    transition = start(looping)
    visits = 0
    while transition.run.ended is None:
        visits += 1
        transition = advance(transition.run, RoutingEnded(transition.run.visit, "no_operators"))
    assert (transition.run.ended, visits) == ("looping", MAX_IDLE_VISITS)
