"""What operators' browsers ring with: the standard ringtone, made here of sines, and the users' own, cut to what is ever heard.

<folder>/standard.wav       made when it is first asked for
<folder>/<id>.wav           a user's own
<folder>/incoming/…         what is being prepared
"""

from __future__ import annotations

import math
import os
import tempfile
import wave
from array import array
from pathlib import Path
from typing import Final

from controller.prompts.facts import PreparedSound

FOLDER: Final = "ringtones"
"""Under the data folder."""
RING_SECONDS: Final = 30
"""How long a phone that is not answered rings in the pages (SKZ-49)."""
_RATE: Final = 16_000
_BELLS: Final = ((0.0, 659.26), (0.16, 830.61), (0.32, 987.77), (0.7, 830.61), (0.86, 987.77))
"""When each begins, in seconds, and its frequency."""
_BELL_SECONDS: Final = 0.9
_TONE_SECONDS: Final = 3.0
"""The sound and the pause after it."""


def standard_ringtone(folder: Path) -> Path:
    """The file of the standard ringtone. Raises OSError."""
    file = folder / "standard.wav"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write(file, _RATE, _bells())
    return file


def keep_ringtone(sound: PreparedSound, file: Path) -> None:
    """Put the first RING_SECONDS of a converted sound into a new file. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(sound.folder / "sound.wav16"), "rb") as whole:
        rate = whole.getframerate()
        _write(file, rate, whole.readframes(RING_SECONDS * rate))


def _bells() -> bytes:
    mixed = [0.0] * round(_TONE_SECONDS * _RATE)
    for begin, frequency in _BELLS:
        first = round(begin * _RATE)
        for number in range(round(_BELL_SECONDS * _RATE)):
            seconds = number / _RATE
            rise = min(1.0, seconds / 0.004)
            height = math.sin(math.tau * frequency * seconds) + 0.35 * math.sin(math.tau * 2 * frequency * seconds)
            mixed[first + number] += rise * math.exp(-5.5 * seconds) * height
    peak = max(map(abs, mixed))
    return array("h", [round(0.6 * 32767 * value / peak) for value in mixed]).tobytes()


def _write(file: Path, rate: int, pcm: bytes) -> None:
    """Whole or not at all: who reads the folder meanwhile finds no half a file."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.writeframes(pcm)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
