from __future__ import annotations

import pytest
from pydantic import ValidationError

from ivr.commands import Play, Record, SaveVoicemail, StopPlayback, StopRecording
from ivr.events import CallerHungUp, DigitReceived, PlaybackFinished, PlaybackId, RecordingFinished, RecordingId
from ivr.operations import Voicemail
from ivr.operations.base import End, Leave, Stay
from ivr.prompts import BEEP, LEAVE_A_MESSAGE
from tests.ivr.operations.walking import VISIT, after

BOX = Voicemail(mail_to=("boss@example.org", "office@example.org"))
GREETED, BEEPED = PlaybackFinished(PlaybackId("7.1")), PlaybackFinished(PlaybackId("7.2"))
RECORDING = RecordingId("7.1")


def saved(recording: RecordingId | None) -> SaveVoicemail:
    return SaveVoicemail(VISIT, recording, ("boss@example.org", "office@example.org"))


@pytest.mark.covers("UIS-10")
def test_greeting_beep_and_recording_follow_each_other() -> None:
    assert after(BOX).commands == (Play(PlaybackId("7.1"), (LEAVE_A_MESSAGE,)),)
    assert after(BOX, GREETED).commands == (Play(PlaybackId("7.2"), (BEEP,)),)
    assert after(BOX, GREETED, BEEPED).commands == (Record(RECORDING, 180, 5),)


@pytest.mark.covers("UIS-10")
def test_what_was_said_is_kept_for_all_addresses() -> None:
    assert after(BOX, GREETED, BEEPED, RecordingFinished(RECORDING, 12, 5)) == Leave("next", (saved(RECORDING),))


@pytest.mark.covers("UIS-11")
def test_a_caller_who_said_nothing_gives_a_letter_too() -> None:
    assert after(BOX, GREETED, BEEPED, RecordingFinished(RECORDING, 5, 5)) == Leave("next", (saved(None),))


def test_a_recording_that_could_not_be_made_gives_a_letter_too() -> None:
    assert after(BOX, GREETED, BEEPED, RecordingFinished(RECORDING, 0)) == Leave("next", (saved(None),))


def test_a_hash_key_during_the_greeting_goes_to_the_beep() -> None:
    assert after(BOX, DigitReceived("#")).commands == (
        StopPlayback(PlaybackId("7.1")),
        Play(PlaybackId("7.2"), (BEEP,)),
    )
    assert after(BOX, DigitReceived("1")) == Stay(after(BOX).running)  # type: ignore[union-attr]


@pytest.mark.covers("UIS-10")
def test_a_hash_key_stops_the_recording_once() -> None:
    stopping = after(BOX, GREETED, BEEPED, DigitReceived("#"))
    assert stopping.commands == (StopRecording(RECORDING),)
    assert after(BOX, GREETED, BEEPED, DigitReceived("#"), DigitReceived("#")).commands == ()


@pytest.mark.covers("UIS-11")
def test_hanging_up_saves_what_there_is() -> None:
    assert after(BOX, CallerHungUp()) == End((saved(None),))
    assert after(BOX, GREETED, CallerHungUp()) == End((saved(None),))
    assert after(BOX, GREETED, BEEPED, CallerHungUp()) == End((saved(RECORDING),))


@pytest.mark.parametrize("address", ["", "boss", "boss@example", "a@b.c\nBcc: x@y.z", "a,b@example.org", "a b@example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Voicemail(mail_to=(address,))


@pytest.mark.parametrize("seconds", [600.5, 1800, 4, float("inf"), float("nan")])
def test_half_an_hour_cannot_be_asked_for(seconds: float) -> None:
    with pytest.raises(ValidationError, match="max_seconds"):
        Voicemail(max_seconds=seconds)
