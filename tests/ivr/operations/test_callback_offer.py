from __future__ import annotations

from ivr.commands import Play, RequestCallback, StartTimer, StopPlayback
from ivr.events import CallbackAnswered, DigitReceived, PlaybackFinished, PlaybackId, TimerExpired, TimerId, VisitId
from ivr.operations import CallbackOffer
from ivr.operations.base import Leave, Stay
from ivr.prompts import CALLBACK_ACCEPTED, CALLBACK_OFFER
from tests.ivr.operations.walking import VISIT, after

OFFER = CallbackOffer(group="Sales")
PROMPT = PlaybackId("7.1")


def test_the_key_accepts_and_the_place_in_the_line_is_asked_for() -> None:
    assert after(OFFER).commands == (Play(PROMPT, (CALLBACK_OFFER,)),)
    assert after(OFFER, DigitReceived("1")).commands == (StopPlayback(PROMPT), RequestCallback(VISIT, "Sales"))


def test_the_caller_hears_the_confirmation_before_he_leaves() -> None:
    accepted = (DigitReceived("1"), CallbackAnswered(VISIT, "accepted"))
    assert after(OFFER, *accepted).commands == (Play(PlaybackId("7.2"), (CALLBACK_ACCEPTED,)),)
    assert after(OFFER, *accepted, PlaybackFinished(PlaybackId("7.2"))) == Leave("accepted")


def test_another_key_or_none_declines() -> None:
    assert after(OFFER, DigitReceived("2")) == Leave("declined", (StopPlayback(PROMPT),))
    assert after(OFFER, PlaybackFinished(PROMPT)).commands == (StartTimer(TimerId("7.1.1"), 5),)
    assert after(OFFER, PlaybackFinished(PROMPT), TimerExpired(TimerId("7.1.1"))) == Leave("declined")


def test_a_caller_who_cannot_be_called_back_goes_on() -> None:
    assert after(OFFER, DigitReceived("1"), CallbackAnswered(VISIT, "not_possible")) == Leave("not_possible")


def test_late_answers_and_more_keys_change_nothing() -> None:
    requesting = after(OFFER, DigitReceived("1"))
    assert isinstance(requesting, Stay)
    for event in (CallbackAnswered(VisitId(6), "accepted"), DigitReceived("1"), PlaybackFinished(PROMPT)):
        assert requesting.running.handle(event) == Stay(requesting.running)
