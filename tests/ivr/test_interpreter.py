from __future__ import annotations

from typing import Any

import pytest

from ivr.commands import (
    Answer,
    CancelTimer,
    Hangup,
    Play,
    RouteToExtension,
    RouteToGroup,
    SaveVoicemail,
    StartTimer,
    StopPlayback,
)
from ivr.events import (
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    RoutingEnded,
    ScheduleChecked,
    TimerExpired,
    TimerId,
    VisitId,
)
from ivr.graph import NodeId, Scenario, ScenarioBundle
from ivr.interpreter import MASK, MAX_DEPTH, MAX_IDLE_VISITS, Entered, Left, Transition, Typed, advance, start
from ivr.prompts import PromptRef
from tests.ivr.builders import GREETED, authorization, group, hang_up, in_menu, insert, menu, message, node, scenario, voicemail


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
    assert transition.commands == (StopPlayback(PlaybackId("2.1")), RouteToGroup(VisitId(3), "Sales", 300))
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
    assert transition.commands == (RouteToGroup(VisitId(3), "Sales", 300),), "the menu's prompt is not even begun"
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


# Keys typed ahead.


def test_keys_typed_ahead_pass_operations_that_only_choose_a_way() -> None:
    branched = scenario(
        start=message({"next": "hours"}),
        hours=node("schedule", {"open": "choice", "closed": "end"}),
        choice=menu({"1": "sales", "wait_expired": "end", "incorrect_input": "end"}),
        sales=group({"failed": "end"}),
        end=hang_up(),
    )
    waiting = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), of=branched)
    assert waiting.run.node == "hours"
    assert advance(waiting.run, ScheduleChecked(VisitId(2), "open")).run.node == "sales"


def test_keys_typed_ahead_of_a_menu_wait_until_its_schedule_is_known() -> None:
    links = {"1": "sales", "wait_expired": "end", "incorrect_input": "end", "not_played": "end"}
    limited = scenario(
        start=message({"next": "choice"}),
        choice=menu(links, period="in_hours"),
        sales=group({"failed": "end"}),
        end=hang_up(),
    )
    checking = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), of=limited)
    assert (checking.run.node, checking.run.typed) == ("choice", "1")
    played = advance(checking.run, ScheduleChecked(VisitId(2), "open"))
    assert played.commands == (RouteToGroup(VisitId(3), "Sales", 300),)


def test_an_operation_may_refuse_keys_typed_ahead() -> None:
    deaf = scenario(
        start=message({"next": "choice"}),
        choice=menu({"1": "end", "wait_expired": "end", "incorrect_input": "end"}, type_ahead=False),
        end=hang_up(),
    )
    transition = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), of=deaf)
    assert transition.run.node == "choice"
    assert transition.moves[0] == Typed(VisitId(1), "1"), "they are noted where they were pressed"


def test_an_extension_typed_ahead_of_a_menu_is_dialled() -> None:
    links = {"wait_expired": "end", "incorrect_input": "end", "extension_entry": "dialled"}
    known = scenario(start=message({"next": "choice"}), choice=menu(links), dialled=in_menu({}), end=hang_up())
    keys = [DigitReceived(key) for key in ("2", "0", "4", "5", "#")]
    transition = walk(*keys, PlaybackFinished(PlaybackId("1.1")), of=known)  # type: ignore[arg-type]
    assert transition.commands == (RouteToExtension(VisitId(3), "2045"),)


# Secrets.

GUARDED = scenario(
    start=message({"next": "again"}),
    again=message({"next": "code"}),
    code=authorization({"yes": "end", "no": "code"}, "1234"),
    end=hang_up(),
)


@pytest.mark.covers("UIS-6")
def test_a_code_is_masked_in_the_record_also_when_it_is_typed_ahead() -> None:
    asked = walk(PlaybackFinished(PlaybackId("1.1")), DigitReceived("1"), PlaybackFinished(PlaybackId("2.1")), of=GUARDED)
    wrong = advance(asked.run, DigitReceived("9"))
    typed = [move for transition in (asked, wrong) for move in transition.moves if isinstance(move, Typed)]
    assert typed == [Typed(VisitId(3), MASK), Typed(VisitId(3), MASK)]


def test_keys_that_nobody_took_are_masked_where_a_code_is_asked_for_anywhere() -> None:
    transition = walk(DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), of=GUARDED)
    assert Typed(VisitId(1), MASK) in transition.moves


# Inserted scenarios.

INNER = scenario(start=message({}, "inside"))
OUTER = scenario(
    start=message({"next": "inner"}),
    inner=insert("Inner", {"next": "sales"}),
    sales=group({"failed": "end"}),
    end=hang_up(),
)
GREETED_TWICE = (PlaybackFinished(PlaybackId("1.1")), PlaybackFinished(PlaybackId("3.1")))


def inserted(**scenarios: Scenario) -> ScenarioBundle:
    return ScenarioBundle(OUTER, {name.capitalize(): inner for name, inner in scenarios.items()})


@pytest.mark.covers("UIS-40")
def test_an_inserted_scenario_is_walked_and_its_unlinked_end_goes_on_behind_it() -> None:
    inside = walk(GREETED_TWICE[0], of=inserted(inner=INNER))
    assert inside.moves == (
        Left(VisitId(1), "next"),
        Entered(VisitId(2), NodeId("inner"), "insert_scenario"),
        Entered(VisitId(3), NodeId("start"), "info_message", "Inner"),
    )
    behind = walk(*GREETED_TWICE, of=inserted(inner=INNER))
    assert behind.moves == (
        Left(VisitId(3), "next"),
        Left(VisitId(2), "next"),
        Entered(VisitId(4), NodeId("sales"), "forward_to_group"),
    )


@pytest.mark.covers("UIS-40")
def test_hanging_up_in_an_inserted_scenario_ends_the_call() -> None:
    ending = scenario(start=message({"next": "end"}), end=hang_up())
    over = walk(*GREETED_TWICE, of=inserted(inner=ending))
    assert (over.commands, over.run.ended) == ((Hangup(),), "scenario_ended")
    assert over.moves[-2:] == (Left(VisitId(4), None), Left(VisitId(2), None))


@pytest.mark.covers("UIS-40")
def test_a_conversation_in_an_inserted_scenario_is_the_end_unless_it_is_linked_on() -> None:
    talking = (PlaybackFinished(PlaybackId("1.1")), RoutingEnded(VisitId(3), "answered"), ConversationEnded(VisitId(3)))
    assert walk(*talking, of=inserted(inner=scenario(start=group({})))).run.ended == "scenario_ended"
    linked = scenario(start=group({"answered": "thanks"}), thanks=message({}))
    assert walk(*talking, of=inserted(inner=linked)).run.node == "thanks"


@pytest.mark.covers("UIS-40")
def test_a_voicemail_in_an_inserted_scenario_goes_on_behind_it() -> None:
    spoken = (
        PlaybackFinished(PlaybackId("1.1")),
        PlaybackFinished(PlaybackId("3.1")),
        PlaybackFinished(PlaybackId("3.2")),
        RecordingFinished(RecordingId("3.1"), 10),
    )
    transition = walk(*spoken, of=inserted(inner=scenario(start=voicemail())))
    assert transition.run.node == "sales"
    assert isinstance(transition.commands[0], SaveVoicemail)


@pytest.mark.covers("UIS-40")
def test_a_scenario_that_is_not_there_is_passed_over() -> None:
    assert walk(GREETED_TWICE[0], of=inserted()).run.node == "sales"
    assert walk(GREETED_TWICE[0], of=inserted(inner=scenario("nowhere", end=hang_up()))).run.node == "sales"


@pytest.mark.covers("UIS-40")
def test_scenarios_that_insert_each_other_come_to_an_end() -> None:
    inner = scenario(start=message({"next": "deeper"}), deeper=insert("Inner", {"next": "start"}))
    run, depth = walk(GREETED_TWICE[0], of=inserted(inner=inner)).run, 0
    for _ in range(100):
        depth = max(depth, len(run.frames))
        run = advance(run, PlaybackFinished(PlaybackId(f"{run.visit}.1"))).run
    assert depth == MAX_DEPTH
    idle = scenario(start=insert("Inner", {"next": "start"}))
    assert walk(GREETED_TWICE[0], of=inserted(inner=idle)).run.ended == "looping"


def test_a_caller_who_hangs_up_leaves_every_scenario_he_is_in() -> None:
    over = walk(GREETED_TWICE[0], CallerHungUp(), of=inserted(inner=INNER))
    assert over.moves == (Left(VisitId(3), None), Left(VisitId(2), None))


def test_keys_typed_ahead_go_into_an_inserted_scenario_and_out_of_it() -> None:
    inner = scenario(start=node("schedule", {}))
    links = {"1": "end", "wait_expired": "sales", "incorrect_input": "sales"}
    nodes = {
        "start": message({"next": "inner"}),
        "inner": insert("Inner", {"next": "choice"}),
        "choice": menu(links),
        "sales": group({}),
        "end": hang_up(),
    }
    bundle = ScenarioBundle(scenario(**nodes), {"Inner": inner})
    events = (DigitReceived("1"), PlaybackFinished(PlaybackId("1.1")), ScheduleChecked(VisitId(3), "open"))
    assert walk(*events, of=bundle).run.ended == "scenario_ended"  # type: ignore[arg-type]
