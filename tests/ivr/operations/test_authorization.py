from __future__ import annotations

import pytest
from pydantic import ValidationError

from ivr.commands import CancelTimer, Play, StartTimer, StopPlayback
from ivr.events import DigitReceived, PlaybackFinished, PlaybackId, TimerExpired, TimerId
from ivr.operations import Authorization
from ivr.operations.base import Leave, Stay
from ivr.prompts import ENTER_CODE, PromptRef
from tests.ivr.operations.walking import after, keys

ASK = Authorization(code="0042")
PROMPT = PlaybackId("7.1")


@pytest.mark.covers("UIS-9", "UIS-48")
def test_the_standard_message_is_played_unless_there_is_an_own_one() -> None:
    assert after(ASK).commands == (Play(PROMPT, (ENTER_CODE,)),)
    own = Authorization(code="1", prompt=(PromptRef("say-friend"),))
    assert after(own).commands == (Play(PROMPT, (PromptRef("say-friend"),)),)


@pytest.mark.covers("UIS-6")
def test_the_entry_is_complete_by_the_hash_key_or_when_the_interval_is_over() -> None:
    assert after(ASK, *keys("0042#")) == Leave("yes", (CancelTimer(TimerId("7.1.4")),))
    assert after(ASK, *keys("0042"), TimerExpired(TimerId("7.1.4"))) == Leave("yes")


@pytest.mark.covers("UIS-6", "UIS-7")
def test_a_digit_behind_the_code_makes_it_wrong_at_once() -> None:
    assert after(ASK, *keys("00421")) == Leave("no", (CancelTimer(TimerId("7.1.4")),))


@pytest.mark.covers("UIS-6")
@pytest.mark.parametrize("typed", ["0043#", "42#", "#", "*#", "004#"])
def test_everything_else_leaves_by_no(typed: str) -> None:
    step = after(ASK, *keys(typed))
    assert isinstance(step, Leave)
    assert step.exit == "no"


@pytest.mark.covers("UIS-8")
def test_the_interval_counts_from_the_end_of_the_prompt_and_starts_again_with_every_digit() -> None:
    assert after(ASK, PlaybackFinished(PROMPT)).commands == (StartTimer(TimerId("7.1.1"), 5),)
    assert after(ASK, DigitReceived("0")).commands == (StopPlayback(PROMPT), StartTimer(TimerId("7.1.1"), 5))
    assert after(ASK, *keys("00")).commands == (CancelTimer(TimerId("7.1.1")), StartTimer(TimerId("7.1.2"), 5))


@pytest.mark.covers("UIS-8")
def test_an_interval_that_was_restarted_and_expires_late_changes_nothing() -> None:
    assert isinstance(after(ASK, *keys("00"), TimerExpired(TimerId("7.1.1"))), Stay)
    assert after(ASK, *keys("00"), TimerExpired(TimerId("7.1.2"))) == Leave("no")


def test_nothing_typed_leaves_by_no() -> None:
    assert after(ASK, PlaybackFinished(PROMPT), TimerExpired(TimerId("7.1.1"))) == Leave("no")


@pytest.mark.covers("UIS-7")
@pytest.mark.parametrize("code", ["", "12a", "1 2", "٣", "-1", "1\n"])
def test_a_code_of_anything_but_digits_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        Authorization(code=code)


@pytest.mark.covers("UIS-7")
def test_a_code_may_be_long() -> None:
    step = after(Authorization(code="1234567890" * 30), *keys("1234567890" * 30 + "#"))
    assert isinstance(step, Leave)
    assert step.exit == "yes"


def test_neither_code_nor_entry_is_shown_when_the_state_is_printed() -> None:
    step = after(Authorization(code="8642"), *keys("864"))
    assert "864" not in repr(step)
