"""Which media callers hear."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath

import pytest

from controller.prompts import LANGUAGES, PromptLibrary
from controller.prompts.builtin import BUILTIN
from controller.prompts.library import OwnPrompts
from ivr.prompts import parse_prompt
from tests.fixtures.soundfiles import samples_of

FOLDER = PurePosixPath("/srv/prompts")


def media(library: PromptLibrary, *written: str, language: str = "en") -> tuple[str, ...]:
    return library.media([parse_prompt(one) for one in written], language)


@pytest.mark.covers("UIS-48", "UIS-47")
def test_own_and_standard_prompts_are_played_in_order_in_the_callers_language() -> None:
    library = PromptLibrary(folder=FOLDER)
    library.set_own(OwnPrompts(frozenset({("welcome", "en"), ("welcome", "ru")})))
    assert media(library, "welcome", "goodbye", language="ru") == ("sound:/srv/prompts/ru/welcome", "sound:ru/vm-goodbye")
    assert media(library, "welcome:en", "goodbye:en", language="ru") == ("sound:/srv/prompts/en/welcome", "sound:en/vm-goodbye")
    assert {("welcome", "ru"), ("goodbye", "en")} <= library.known and ("welcome", "de") not in library.known


@pytest.mark.covers("UIS-48")
def test_a_prompt_that_is_not_there_in_a_language_is_played_in_another() -> None:
    library = PromptLibrary(folder=FOLDER)
    library.set_own(OwnPrompts(frozenset({("welcome", "en")})))
    assert media(library, "welcome", language="ru") == ("sound:/srv/prompts/en/welcome",)
    assert media(library, "goodbye", language="de") == ("sound:en/vm-goodbye",)
    assert ("welcome", "ru") not in library.known


@pytest.mark.covers("UIS-47", "UIS-49")
def test_a_file_that_disappeared_is_a_second_of_silence_and_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    library, gone = PromptLibrary(folder=FOLDER), OwnPrompts(frozenset(), frozenset({("welcome", "en")}))
    with caplog.at_level(logging.ERROR):
        library.set_own(gone)
        library.set_own(gone)
    assert [record.message for record in caplog.records] == [
        'the sound file of the prompt "welcome" (en) is gone: callers hear a second of silence'
    ]
    assert media(library, "welcome", "goodbye") == ("sound:en/silence/1", "sound:en/vm-goodbye")
    assert ("welcome", "en") not in library.known


def test_a_prompt_that_does_not_exist_is_left_out_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert media(PromptLibrary(), "no-such-thing", "goodbye") == ("sound:en/vm-goodbye",)
    assert 'there is no prompt "no-such-thing"' in caplog.text


@pytest.mark.covers("UIS-48", "SKZ-39", "SKZ-40", "SKZ-41")
def test_there_is_a_standard_prompt_for_every_situation() -> None:
    situations = {
        *("authorization", "voicemail-greeting", "beep", "extension-entry", "extension-incorrect", "transfer", "goodbye"),
        *("line-arrival", "line-waiting", "line-busy", "line-no-answer", "line-off-hours", "callback-offer", "callback-accepted"),
        *("sorry-nobody-available", "second-of-silence"),
    }
    assert situations <= BUILTIN.keys()
    for name, prompt in BUILTIN.items():
        assert prompt.title and str(parse_prompt(name)) == name


@pytest.mark.covers("UIS-49")
def test_the_second_of_silence_has_its_name() -> None:
    assert BUILTIN["second-of-silence"].title == "Second of silence"


@pytest.mark.covers("UIS-48", "SKZ-39")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BUILTIN)
def test_every_standard_prompt_is_recorded_and_has_no_hole(asterisk_sounds: dict[str, Path], name: str, language: str) -> None:
    pcm = b"".join(samples_of(asterisk_sounds[language] / each) for each in BUILTIN[name].recordings_in(language))
    assert 0.3 <= len(pcm) / 16000 <= 20
    if name != "second-of-silence":
        assert _longest_silence(pcm) <= 1.5 and max(map(abs, memoryview(pcm).cast("h"))) > 3000


@pytest.mark.covers("UIS-48")
@pytest.mark.parametrize("name", sorted(BUILTIN.keys() - {"second-of-silence", "beep"}))
def test_no_standard_prompt_sounds_the_same_in_two_languages(asterisk_sounds: dict[str, Path], name: str) -> None:
    heard = [
        {samples_of(asterisk_sounds[language] / each) for each in BUILTIN[name].recordings_in(language)} for language in LANGUAGES
    ]
    assert not heard[0] & heard[1]


def _longest_silence(pcm: bytes) -> float:
    """In seconds: the longest run of slices of 20 ms that nobody would hear."""
    longest = run = 0
    for begin in range(0, len(pcm) - 319, 320):
        run = run + 1 if max(map(abs, memoryview(pcm)[begin : begin + 320].cast("h"))) < 300 else 0
        longest = max(longest, run)
    return longest * 0.02
