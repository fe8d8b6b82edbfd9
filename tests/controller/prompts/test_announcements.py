"""What waiting callers are told, in both languages."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.prompts import LANGUAGES, PromptLibrary
from controller.prompts.announcements import ANNOUNCEMENTS, LAST_PLACE, place_prompt, wait_prompt
from ivr.prompts import PromptRef
from web.words import prompt_title


def media(prompt: PromptRef | None, language: str) -> list[str]:
    assert prompt is not None
    return [one.removeprefix(f"sound:{language}/") for one in PromptLibrary().media([prompt], language)]


@pytest.mark.parametrize(
    ("place", "spoken"),
    [
        (1, ["queue-youarenext"]),
        (2, ["queue-thereare", "digits/2", "queue-callswaiting"]),
        (20, ["queue-thereare", "digits/20", "queue-callswaiting"]),
        (21, ["queue-thereare", "digits/20", "digits/1", "queue-callswaiting"]),
        (99, ["queue-thereare", "digits/90", "digits/9", "queue-callswaiting"]),
    ],
)
def test_a_place_is_said_as_a_number(place: int, spoken: list[str]) -> None:
    for language in LANGUAGES:
        assert media(place_prompt(place), language) == spoken


@pytest.mark.parametrize(
    ("seconds", "language", "spoken"),
    [
        (5, "en", ["queue-holdtime", "digits/1", "queue-minute"]),
        (60, "ru", ["queue-holdtime", "digits/1n", "queue-minute"]),
        (61, "en", ["queue-holdtime", "digits/2", "queue-minutes"]),
        (61, "ru", ["queue-holdtime", "digits/5", "queue-minutes"]),
        (21 * 60, "ru", ["queue-holdtime", "digits/20", "digits/5", "queue-minutes"]),
        (3600, "en", ["queue-holdtime", "digits/60", "queue-minutes"]),
    ],
)
def test_a_wait_is_said_in_minutes(seconds: float, language: str, spoken: list[str]) -> None:
    assert media(wait_prompt(seconds, language), language) == spoken


@given(st.floats(0, 3600), st.sampled_from([*LANGUAGES, "de"]))
def test_nobody_is_promised_a_shorter_wait_than_is_expected(seconds: float, language: str) -> None:
    prompt = wait_prompt(seconds, language)
    assert prompt is not None and prompt.name in ANNOUNCEMENTS
    assert ceil(seconds / 60) <= int(prompt.name.rpartition("-")[2]) < ceil(seconds / 60) + 6


@pytest.mark.parametrize("place", [0, -1, LAST_PLACE + 1])
def test_what_can_not_be_said_is_not_said(place: int) -> None:
    assert place_prompt(place) is None
    assert wait_prompt(3601, "en") is None


def test_announcements_are_in_no_list_of_prompts_and_have_titles() -> None:
    assert not {name for name, _ in PromptLibrary().known} & ANNOUNCEMENTS.keys()
    assert prompt_title("line-place-3", {}) == "Number 3 in the line"
    assert prompt_title("line-wait-1:ru", {}) == "Expected wait: a minute (ru)"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_recording_is_there(asterisk_sounds: dict[str, Path], language: str) -> None:
    recordings = {recording for prompt in ANNOUNCEMENTS.values() for recording in prompt.recordings_in(language)}
    missing = {one for one in recordings if not list(asterisk_sounds[language].glob(f"{one}.*"))}
    assert missing == set()
