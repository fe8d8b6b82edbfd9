from __future__ import annotations

import pytest

from ivr.commands import CheckCallback, Play, RequestCallback, StartTimer, StopPlayback
from ivr.events import CallbackAnswered, DigitReceived, PlaybackFinished, PlaybackId, TimerExpired, TimerId, VisitId
from ivr.operations import CallbackOffer
from ivr.operations.base import Leave, Stay
from ivr.prompts import CALLBACK_ACCEPTED, CALLBACK_OFFER
from tests.ivr.operations.walking import VISIT, after

OFFER = CallbackOffer(group="Sales")
PROMPT = PlaybackId("7.1")
POSSIBLE = CallbackAnswered(VISIT, "possible")


def test_an_offer_that_cannot_be_kept_is_not_made() -> None:
    assert after(OFFER).commands == (CheckCallback(VISIT, "Sales"),)
    assert after(OFFER, CallbackAnswered(VISIT, "not_possible")) == Leave("not_possible")


def test_the_key_accepts_and_the_place_in_the_line_is_asked_for() -> None:
    assert after(OFFER, POSSIBLE).commands == (Play(PROMPT, (CALLBACK_OFFER,)),)
    assert after(OFFER, POSSIBLE, DigitReceived("1")).commands == (StopPlayback(PROMPT), RequestCallback(VISIT, "Sales"))


def test_the_caller_hears_the_confirmation_before_he_leaves() -> None:
    accepted = (POSSIBLE, DigitReceived("1"), CallbackAnswered(VISIT, "accepted"))
    assert after(OFFER, *accepted).commands == (Play(PlaybackId("7.2"), (CALLBACK_ACCEPTED,)),)
    assert after(OFFER, *accepted, PlaybackFinished(PlaybackId("7.2"))) == Leave("accepted")


def test_another_key_or_none_declines() -> None:
    assert after(OFFER, POSSIBLE, DigitReceived("2")) == Leave("declined", (StopPlayback(PROMPT),))
    assert after(OFFER, POSSIBLE, PlaybackFinished(PROMPT)).commands == (StartTimer(TimerId("7.1.1"), 5),)
    assert after(OFFER, POSSIBLE, PlaybackFinished(PROMPT), TimerExpired(TimerId("7.1.1"))) == Leave("declined")


@pytest.mark.parametrize("answer", ["not_possible", "possible"])
def test_a_caller_who_cannot_be_called_back_any_more_goes_on(answer: str) -> None:
    late = CallbackAnswered(VISIT, answer)  # type: ignore[arg-type]
    assert after(OFFER, POSSIBLE, DigitReceived("1"), late) == Leave("not_possible")


def test_late_answers_and_keys_at_the_wrong_time_change_nothing() -> None:
    for state in (after(OFFER), after(OFFER, POSSIBLE, DigitReceived("1"))):
        assert isinstance(state, Stay)
        for event in (CallbackAnswered(VisitId(6), "accepted"), DigitReceived("1"), PlaybackFinished(PROMPT)):
            assert state.running.handle(event) == Stay(state.running)
