from __future__ import annotations

import pytest

from ivr.commands import CancelTimer, Connect, Play, RouteToExtension, StartTimer, StopPlayback
from ivr.events import ConversationEnded, DigitReceived, PlaybackFinished, PlaybackId, RoutingEnded, TimerExpired, TimerId
from ivr.operations import DialExtension
from ivr.operations.base import Leave, Stay
from ivr.prompts import ENTER_EXTENSION, SECOND_OF_SILENCE, PromptRef
from tests.ivr.operations.walking import VISIT, after, keys

ASK = DialExtension()
FIXED = DialExtension(extension="2045")
IN_MENU = DialExtension(variant="in_menu")
PROMPT = PlaybackId("7.1")


@pytest.mark.covers("UIS-34")
def test_the_caller_is_asked_and_a_key_stops_the_message() -> None:
    assert after(ASK).commands == (Play(PROMPT, (ENTER_EXTENSION,)),)
    assert after(ASK, DigitReceived("2")).commands == (StopPlayback(PROMPT), StartTimer(TimerId("7.1.1"), 5))


@pytest.mark.covers("UIS-34")
def test_the_hash_key_or_the_interval_ends_the_number() -> None:
    by_hash = after(ASK, *keys("2045#"))
    assert by_hash.commands == (CancelTimer(TimerId("7.1.4")), RouteToExtension(VISIT, "2045"))
    by_time = after(ASK, *keys("2045"), TimerExpired(TimerId("7.1.4")))
    assert by_time.commands == (RouteToExtension(VISIT, "2045"),)


def test_a_number_of_200_digits_is_cut() -> None:
    assert RouteToExtension(VISIT, "2" * 32) in after(ASK, *keys("2" * 32)).commands


@pytest.mark.covers("UIS-37")
@pytest.mark.parametrize("typed", ["#", "2*45#", "*#"])
def test_what_is_no_number_is_a_wrong_one_without_asking_anybody(typed: str) -> None:
    step = after(ASK, *keys(typed))
    assert isinstance(step, Leave)
    assert step.exit == "wrong_number"


def test_nothing_typed_is_a_wrong_number() -> None:
    assert after(ASK, PlaybackFinished(PROMPT), TimerExpired(TimerId("7.1.1"))) == Leave("wrong_number")


@pytest.mark.covers("UIS-34")
def test_a_fixed_extension_is_rung_at_once_or_after_its_message() -> None:
    assert after(FIXED).commands == (RouteToExtension(VISIT, "2045"),)
    told = FIXED.model_copy(update={"prompt": (PromptRef("one-moment"),)})
    assert after(told).commands == (Play(PROMPT, (PromptRef("one-moment"),)),)
    assert after(told, DigitReceived("1")) == Stay(after(told).running)  # type: ignore[union-attr]
    assert after(told, PlaybackFinished(PROMPT)).commands == (RouteToExtension(VISIT, "2045"),)


@pytest.mark.covers("UIS-21")
def test_in_a_menu_the_number_that_was_dialled_there_is_rung_without_a_message() -> None:
    assert after(IN_MENU, entered="2045").commands == (RouteToExtension(VISIT, "2045"),)


@pytest.mark.covers("UIS-28")
@pytest.mark.parametrize("number", ["2*", ""])
def test_in_a_menu_what_is_no_number_gives_a_second_of_silence(number: str) -> None:
    assert after(IN_MENU, entered=number).commands == (Play(PlaybackId("7.2"), (SECOND_OF_SILENCE,)),)
    assert after(IN_MENU, PlaybackFinished(PlaybackId("7.2")), entered=number) == Leave("wrong_number")


@pytest.mark.covers("UIS-28")
def test_an_own_prompt_for_wrong_numbers_is_played_in_both_variants() -> None:
    for variant in (FIXED, IN_MENU):
        own = variant.model_copy(update={"wrong_number_prompt": (PromptRef("no-such-number"),)})
        step = after(own, RoutingEnded(VISIT, "unknown_number"), entered="2045")
        assert step.commands == (Play(PlaybackId("7.2"), (PromptRef("no-such-number"),)),)


@pytest.mark.covers("UIS-37")
def test_an_employee_who_is_not_reached_is_failed_and_an_unknown_one_a_wrong_number() -> None:
    for outcome in ("no_answer", "no_operators", "timeout"):
        assert after(FIXED, RoutingEnded(VISIT, outcome)) == Leave("failed")  # type: ignore[arg-type]
    assert after(FIXED, RoutingEnded(VISIT, "unknown_number")) == Leave("wrong_number")


def test_an_employee_who_answers_is_connected() -> None:
    assert after(FIXED, RoutingEnded(VISIT, "answered")).commands == (Connect(VISIT),)
    assert after(FIXED, RoutingEnded(VISIT, "answered"), ConversationEnded(VISIT)) == Leave("answered")
