"""What the recording of one voice holds: how long it is, and whether somebody speaks in it.

Asterisk's own figures are whole seconds and count silence as speech. A file is looked at in slices of 20 ms; a slice is loud
when the mean of its samples passes LOUD, the limit of Asterisk's own silence detection.
"""

from __future__ import annotations

import logging
import os
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOUD: Final = 256
"""Of 32767."""
SHORTEST_WORD: Final = 0.2
"""Seconds of loud slices below which nobody has spoken: a receiver that is put down clicks for less."""
RATE: Final = 8000
HEADER: Final = 44
"""Bytes of a WAV file before its samples."""
_SLICE: Final = RATE // 50


@dataclass(frozen=True, slots=True)
class Heard:
    """How long a recording is, and for how long it is loud; in seconds."""

    seconds: float
    loud_seconds: float

    @property
    def somebody_spoke(self) -> bool:
        return self.loud_seconds >= SHORTEST_WORD


def listen(path: Path) -> Heard | None:
    """Look through a recording (WAV of Asterisk: mono, 16 bits, 8000 Hz); None when there is none, or nothing was written.

    Blocks for as long as the disk does. The recording must be over: one that Asterisk did not live to complete is completed.
    """
    try:
        content = path.read_bytes()
        if len(content) < HEADER or not content.startswith(b"RIFF"):
            return None
        samples = content[HEADER : len(content) - len(content) % 2]
        if int.from_bytes(content[HEADER - 4 : HEADER], "little") != len(samples):
            log.warning("the recording %s was not completed; %.1f s of it are there", path.name, len(samples) / 2 / RATE)
            write_wav(path, samples, channels=1)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.error("the recording %s can't be read: %s", path, error.strerror)
        return None
    sound = array("h", samples)
    slices = (sound[begin : begin + _SLICE] for begin in range(0, len(sound), _SLICE))
    loud = sum(sum(map(abs, part)) > LOUD * len(part) for part in slices)
    return Heard(len(sound) / RATE, loud * _SLICE / RATE)


def write_wav(path: Path, samples: bytes, channels: int) -> None:
    """Write a whole WAV file in one step. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples)
    os.replace(new, path)
