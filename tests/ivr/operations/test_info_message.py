from __future__ import annotations

import pytest

from ivr.commands import Play
from ivr.events import DigitReceived, PlaybackFinished, PlaybackId, VisitId
from ivr.operations import InfoMessage
from ivr.operations.base import Arrival, Leave, Stay
from ivr.prompts import PromptRef

MESSAGE = InfoMessage(message=(PromptRef("hello", "ru"),))


@pytest.mark.covers("UIS-13")
def test_the_message_is_played_and_the_call_goes_on() -> None:
    step = MESSAGE.enter(Arrival(VisitId(1)))
    assert isinstance(step, Stay)
    assert step.commands == (Play(PlaybackId("1.1"), (PromptRef("hello", "ru"),)),)
    assert step.running.handle(PlaybackFinished(PlaybackId("1.1"))) == Leave("next")


@pytest.mark.covers("UIS-14")
def test_a_key_does_not_skip_the_message() -> None:
    step = MESSAGE.enter(Arrival(VisitId(1)))
    assert isinstance(step, Stay)
    assert step.running.handle(DigitReceived("1")) == Stay(step.running)


def test_the_end_of_another_playback_changes_nothing() -> None:
    step = MESSAGE.enter(Arrival(VisitId(2)))
    assert isinstance(step, Stay)
    assert step.running.handle(PlaybackFinished(PlaybackId("1.1"))) == Stay(step.running)
