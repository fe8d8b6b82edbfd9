"""Making a tone and finding it again. PCM here is 16-bit signed, mono, in the machine's byte order."""

from __future__ import annotations

import math
from array import array

FULL_SCALE = 32767


def sine(frequency: float, samples: int, rate: int, *, first: int = 0, level: float = 0.3) -> bytes:
    """`samples` of a tone, as if it had begun `first` samples ago, at `level` of full scale."""
    step = 2 * math.pi * frequency / rate
    peak = level * FULL_SCALE
    return array("h", [round(peak * math.sin(step * number)) for number in range(first, first + samples)]).tobytes()


def strength(pcm: bytes, frequency: float, rate: int) -> float:
    """The share of the sound's energy that is at `frequency`, by Goertzel: 1 for a pure tone, near 0 without it."""
    samples = _samples(pcm)
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * frequency / rate)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    power = last * last + before * before - factor * last * before
    return min(1.0, 2 * power / (len(samples) * energy))


def loudness(pcm: bytes) -> float:
    """Root mean square of the sound, 1 for full scale."""
    samples = _samples(pcm)
    if not samples:
        return 0.0
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / FULL_SCALE


def _samples(pcm: bytes) -> array[int]:
    return array("h", pcm[: len(pcm) // 2 * 2])
