"""Tones are told from each other, from both at once, and from noise."""

from __future__ import annotations

import random
from array import array

from controller.softphone import tones

RATE = 8000


def test_a_tone_is_found_and_another_is_not() -> None:
    pcm = tones.sine(440, 1600, RATE)
    assert tones.strength(pcm, 440, RATE) > 0.99
    assert tones.strength(pcm, 700, RATE) < 0.01


def test_two_tones_share_the_energy() -> None:
    one, two = array("h", tones.sine(440, 1600, RATE)), array("h", tones.sine(700, 1600, RATE))
    both = array("h", [a + b for a, b in zip(one, two, strict=True)]).tobytes()
    assert 0.4 < tones.strength(both, 440, RATE) < 0.6
    assert 0.4 < tones.strength(both, 700, RATE) < 0.6


def test_noise_and_silence_hold_no_tone() -> None:
    noise = array("h", [random.Random(7).randint(-9000, 9000) for _ in range(1600)]).tobytes()
    assert tones.strength(bytes(3200), 440, RATE) == 0
    assert tones.strength(b"", 440, RATE) == 0
    assert tones.strength(array("h", [random.Random(n).randint(-9000, 9000) for n in range(1600)]).tobytes(), 440, RATE) < 0.1
    assert tones.loudness(noise) > tones.loudness(bytes(3200)) == 0


def test_a_tone_continues_without_a_step() -> None:
    whole = tones.sine(440, 200, RATE)
    assert tones.sine(440, 100, RATE) + tones.sine(440, 100, RATE, first=100) == whole


def test_loudness_of_a_tone_is_its_level() -> None:
    assert abs(tones.loudness(tones.sine(400, 8000, RATE, level=0.5)) - 0.5 / 2**0.5) < 0.001
