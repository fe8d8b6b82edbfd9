"""The two prompts: tones in µ-law whose every RTP packet is the same, so that the caller knows a prompt by one packet."""

from __future__ import annotations

import math
from pathlib import Path

_PACKET = 160
"""Samples in 20 ms."""

FIRST_SECONDS, SECOND_SECONDS = 3.0, 1.0


def _mu_law(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def _tone(frequency: int) -> bytes:
    """20 ms of a tone; the frequency must be a multiple of 50 Hz."""
    return bytes(_mu_law(round(10_000 * math.sin(math.tau * frequency * place / 8000))) for place in range(_PACKET))


FIRST, SECOND = _tone(400), _tone(800)
"""The payload of the RTP packets of either prompt."""


def write_prompts(folder: Path) -> None:
    """The recordings of the prompts that menu.json and menu.conf name."""
    folder.mkdir()
    (folder / "one-moment-please.ulaw").write_bytes(FIRST * round(FIRST_SECONDS * 50))
    (folder / "vm-goodbye.ulaw").write_bytes(SECOND * round(SECOND_SECONDS * 50))
