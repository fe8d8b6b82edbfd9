from __future__ import annotations

import pytest

from ivr.commands import CancelTimer, CheckSchedule, Play, StartTimer, StopPlayback
from ivr.events import DigitReceived, Event, PlaybackFinished, PlaybackId, ScheduleChecked, TimerExpired, TimerId, VisitId
from ivr.operations import Menu
from ivr.operations.base import Arrival, Leave, Running, Stay, Step
from ivr.prompts import PromptRef
from tests.ivr.operations.walking import after as walked
from tests.ivr.operations.walking import keys

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


# Extension entry.

WITH_EXTENSIONS = frozenset({"2", "#", "wait_expired", "incorrect_input", "extension_entry"})


def dialling(typed: str, *events: Event) -> Step:
    return walked(Menu(prompt=(CHOOSE,)), *keys(typed), *events, linked=WITH_EXTENSIONS)


@pytest.mark.covers("UIS-22")
def test_each_digit_starts_the_wait_timeout_again() -> None:
    assert dialling("20").commands == (CancelTimer(TimerId("7.1.1")), StartTimer(TimerId("7.1.2"), 5))


@pytest.mark.covers("UIS-26")
def test_the_hash_key_after_digits_ends_the_number() -> None:
    assert dialling("2045#") == Leave("extension_entry", (CancelTimer(TimerId("7.1.4")),), "2045")
    assert dialling("2#") == Leave("2", (CancelTimer(TimerId("7.1.1")),))


@pytest.mark.covers("UIS-32")
def test_a_hash_key_or_a_star_alone_is_a_key_at_once() -> None:
    assert dialling("#") == Leave("#", (StopPlayback(PlaybackId("7.1")),))
    assert dialling("*") == Leave("incorrect_input", (StopPlayback(PlaybackId("7.1")),))


def test_200_digits_are_cut_to_the_longest_number() -> None:
    step = dialling("2" * 32)
    assert isinstance(step, Leave)
    assert (step.exit, step.entered) == ("extension_entry", "2" * 32)


# Activity period and repetition.


@pytest.mark.covers("SKZ-3")
@pytest.mark.parametrize(
    ("period", "state", "played"),
    [
        ("in_hours", "open", True),
        ("in_hours", "closed", False),
        ("in_hours", "holiday", False),
        ("off_hours", "open", False),
        ("off_hours", "closed", True),
        ("off_hours", "holiday", True),
    ],
)
def test_a_menu_is_played_in_its_activity_period_only(period: str, state: str, played: bool) -> None:
    limited = Menu(prompt=(CHOOSE,), period=period, schedule="Office")  # type: ignore[arg-type]
    assert walked(limited).commands == (CheckSchedule(VisitId(7), "Office"),)
    step = walked(limited, ScheduleChecked(VisitId(7), state))  # type: ignore[arg-type]
    assert step.commands == (Play(PlaybackId("7.1"), (CHOOSE,)),) if played else step == Leave("not_played")


@pytest.mark.covers("SKZ-3")
def test_a_menu_that_is_never_played_is_left_at_once() -> None:
    assert walked(Menu(prompt=(CHOOSE,), period="never")) == Leave("not_played")


@pytest.mark.covers("SKZ-7")
def test_without_repetition_the_prompt_is_played_once() -> None:
    assert walked(Menu(prompt=(CHOOSE,)), PROMPT_ENDED, TimerExpired(TimerId("7.1.1"))) == Leave("wait_expired")


@pytest.mark.covers("SKZ-7")
def test_a_repetition_is_a_play_of_its_own_in_which_keys_count() -> None:
    again = (PROMPT_ENDED, TimerExpired(TimerId("7.1.1")))
    repeated = Menu(prompt=(CHOOSE,), repeat="times", repeat_times=1)
    assert walked(repeated, *again).commands == (Play(PlaybackId("7.2"), (CHOOSE,)),)
    assert walked(repeated, *again, PROMPT_ENDED).commands == (), "the end of the first play comes late"
    assert walked(repeated, *again, DigitReceived("2"), linked=LINKED) == Leave("2", (StopPlayback(PlaybackId("7.2")),))


def test_exits_follow_from_the_parameters() -> None:
    cyclic = Menu(prompt=(CHOOSE,), repeat="cyclic", period="in_hours")
    assert cyclic.required_exits() == {"incorrect_input", "not_played"}
    assert cyclic.unused_exits().keys() == {"wait_expired"}
    assert Menu(prompt=(CHOOSE,), period="never").required_exits() == {"not_played"}
    assert cyclic.exits() == Menu(prompt=(CHOOSE,)).exits()
