from __future__ import annotations

import pytest

from ivr.commands import CancelTimer, Play, StartTimer, StopPlayback
from ivr.events import DigitReceived, Event, PlaybackFinished, PlaybackId, TimerExpired, TimerId, VisitId
from ivr.operations import Menu
from ivr.operations.base import Arrival, Leave, Running, Stay, Step
from ivr.prompts import PromptRef

CHOOSE = PromptRef("choose")
LINKED = frozenset({"1", "2", "wait_expired", "incorrect_input"})
PROMPT_ENDED = PlaybackFinished(PlaybackId("7.1"))


def entered() -> Running:
    step = Menu(prompt=(CHOOSE,), wait_seconds=5).enter(Arrival(VisitId(7), LINKED))
    assert isinstance(step, Stay)
    return step.running


def after(*events: Event) -> Step:
    step: Step = Stay(entered())
    for event in events:
        assert isinstance(step, Stay)
        step = step.running.handle(event)
    return step


def test_the_prompt_is_played_on_entering() -> None:
    step = Menu(prompt=(CHOOSE,)).enter(Arrival(VisitId(7), LINKED))
    assert step.commands == (Play(PlaybackId("7.1"), (CHOOSE,)),)


@pytest.mark.covers("UIS-15", "UIS-16")
def test_a_linked_key_during_the_prompt_stops_it_and_leaves_at_once() -> None:
    assert after(DigitReceived("2")) == Leave("2", (StopPlayback(PlaybackId("7.1")),))


@pytest.mark.covers("UIS-16")
def test_the_wait_timeout_counts_from_the_end_of_the_prompt() -> None:
    step = after(PROMPT_ENDED)
    assert step.commands == (StartTimer(TimerId("7.1.1"), 5),)


@pytest.mark.covers("UIS-15")
def test_a_linked_key_after_the_prompt_cancels_the_timer() -> None:
    assert after(PROMPT_ENDED, DigitReceived("1")) == Leave("1", (CancelTimer(TimerId("7.1.1")),))


@pytest.mark.covers("UIS-17")
def test_no_key_within_the_wait_timeout_leaves_by_wait_expired() -> None:
    assert after(PROMPT_ENDED, TimerExpired(TimerId("7.1.1"))) == Leave("wait_expired")


@pytest.mark.covers("UIS-18")
@pytest.mark.parametrize("key", ["3", "0", "*", "#"])
def test_a_key_that_is_not_linked_leaves_by_incorrect_input(key: str) -> None:
    step = after(DigitReceived(key))  # type: ignore[arg-type]
    assert step == Leave("incorrect_input", (StopPlayback(PlaybackId("7.1")),))


def test_events_of_another_visit_change_nothing() -> None:
    for event in (PlaybackFinished(PlaybackId("6.1")), TimerExpired(TimerId("6.1.1"))):
        assert after(event) == Stay(entered())


def test_a_prompt_that_cannot_be_played_counts_as_ended() -> None:
    step = after(PlaybackFinished(PlaybackId("7.1"), failed=True))
    assert step.commands == (StartTimer(TimerId("7.1.1"), 5),)


def test_the_end_of_the_prompt_reported_twice_starts_one_timer() -> None:
    assert after(PROMPT_ENDED, PROMPT_ENDED).commands == ()
