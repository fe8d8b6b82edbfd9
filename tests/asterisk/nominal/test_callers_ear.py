"""What a caller hears from the greeting to the voicemail, in both languages: nothing is cut, nothing is missing, and no hole.

How it is checked: the caller's phone keeps every sample that comes. Of the prompts that ship, the loudness in slices of 20 ms is
held against that of the recording itself: a prompt that is cut, or in the other language, does not fit. Of own prompts each is a
tone of its own. A hole is a time in which nothing audible comes, by the clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from controller.prompts import PromptLibrary
from controller.prompts.builtin import BUILTIN
from controller.softphone import PhoneCall, tones
from controller.softphone.phone import RATE, SOUND_FOUND
from ivr.graph import Scenario
from tests.fixtures.soundfiles import asterisk_sounds, samples_of, slices, tone_file
from tests.fixtures.sounds import seconds_of
from tests.fixtures.system import System
from tests.fixtures.uploading import upload
from tests.ivr.builders import hang_up, menu, message, node, scenario

__all__ = ["asterisk_sounds"]

pytestmark = pytest.mark.asterisk
NUMBER = "8150"
SLICE = 0.02
LONGEST_HOLE = 1.5
QUIET = 0.8
PIECE = 20
"""Slices of a recording that are looked for together."""
CODE = "007"
SPOKEN = {"greeting": "greeting", "menu": "demo-menu", "code": "authorization", "voicemail": "voicemail-greeting", "end": "beep"}
TONES = {"greeting": (500, 620), "menu": (900, 1100), "code": (1300, 1500), "voicemail": (1800, 2000), "end": (2400, 2400)}
"""Frequencies of the own prompts, English and Russian."""


def through(prompts: dict[str, str]) -> Scenario:
    """Greeting, menu, authorization, voicemail."""
    code = {"code": CODE, "prompt": [prompts["code"]], "inter_digit_seconds": 5}
    leave = {"greeting": [prompts["voicemail"]], "max_silence_seconds": 1}
    return scenario(
        "greeting",
        greeting=message({"next": "menu"}, prompts["greeting"]),
        menu=menu({"1": "code", "wait_expired": "bye", "incorrect_input": "bye"}, 5, prompts["menu"]),
        code=node("authorization", {"yes": "voicemail", "no": "bye"}, **code),
        voicemail=node("voicemail", {"next": "bye"}, **leave),
        bye=hang_up(),
    )


async def walks(call: PhoneCall) -> bytes:
    """Hear each prompt to its end, press the key that it asks for, and say something; gives all that was heard.

    Fails where the caller hears nothing for LONGEST_HOLE seconds, his own pause before each key (QUIET) included.
    """
    heard = b""
    await call.hears_sound()
    call.longest_silence = 0
    for keys in ("1", f"{CODE}#", ""):
        await call.hears_silence(limit=30, seconds=QUIET)
        assert call.longest_silence < LONGEST_HOLE
        heard += call.heard
        await call.press(keys)
        call.forget_sound()
        if keys:
            await call.hears_sound(limit=LONGEST_HOLE)
    call.send_tone(1000)
    await call.hears_silence(seconds=1)
    await call.hangup()
    return heard


@pytest.mark.covers("UIS-9", "UIS-10", "UIS-13", "UIS-15", "UIS-48", "SKZ-39")
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_the_prompts_that_ship_are_heard_whole_in_the_callers_language_without_a_hole(
    system: System, asterisk_sounds: dict[str, Path], language: str
) -> None:
    await system.restart(PromptLibrary())
    await system.serve((NUMBER, through(SPOKEN)), language=language)
    _, call = await system.call(NUMBER)
    heard = await walks(call)
    for prompt in SPOKEN.values():
        for recording in BUILTIN[prompt].recordings_in(language):
            pcm = samples_of(asterisk_sounds[language] / recording)
            assert _is_heard(pcm, heard), f"{recording} of {prompt} was not heard as it was recorded"


@pytest.mark.covers("UIS-47", "UIS-48", "SKZ-4")
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_own_prompts_are_heard_whole_in_the_callers_language_without_a_hole(
    system: System, tmp_path: Path, language: str
) -> None:
    seconds = {"greeting": 0.8, "menu": 1.2, "code": 0.8, "voicemail": 1.0}
    for name, length in seconds.items():
        for place, each in enumerate(("en", "ru")):
            source = tone_file(tmp_path / f"{name}-{each}", "wav", TONES[name][place], length)
            await upload(system, source, each, f"Own {name}")
    prompts = {name: f"own-{name}" for name in seconds}
    await system.serve((NUMBER, through(prompts)), language=language)
    _, call = await system.call(NUMBER)
    heard = await walks(call)
    ours, others = (0, 1) if language == "en" else (1, 0)
    for name, length in seconds.items():
        assert seconds_of(TONES[name][ours], heard) == pytest.approx(length, abs=0.1)
        assert seconds_of(TONES[name][others], heard) == 0


def _is_heard(recording: bytes, heard: bytes) -> bool:
    """Whether the loudness of each piece of a recording is found in what was heard. A phone that is short of time drops a slice
    now and then: of a recording of five pieces and more, one piece in five may be missing.
    """
    wanted = _loudness(recording)
    found = [0.0] * PIECE + _loudness(heard)  # of the silence before the first word slices may be missing
    pieces = [wanted[begin : begin + PIECE] for begin in range(0, max(1, len(wanted) - PIECE + 1), PIECE)]
    audible = [piece for piece in pieces if max(piece) > SOUND_FOUND]
    return sum(_best_fit(piece, found) <= 0.9 for piece in audible) <= len(audible) // 5


def _best_fit(piece: Sequence[float], found: Sequence[float]) -> float:
    return max(_likeness(piece, found[begin : begin + len(piece)]) for begin in range(len(found) - len(piece) + 1))


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    means = sum(one) / len(one), sum(other) / len(other)
    pairs = [(first - means[0], second - means[1]) for first, second in zip(one, other, strict=True)]
    size = math.sqrt(sum(first * first for first, _ in pairs) * sum(second * second for _, second in pairs))
    return sum(first * second for first, second in pairs) / size if size else 0.0


def _loudness(pcm: bytes) -> list[float]:
    return [tones.loudness(piece) for piece in slices(pcm, RATE, SLICE)]
