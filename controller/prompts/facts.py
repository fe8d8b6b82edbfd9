"""What is known of a prompt's sound, for those who have no need of the sound libraries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.errors import FieldProblem, InvalidInput

FORMATS: Final = ("ulaw", "alaw", "wav16")
"""File name extensions of what is made. Asterisk takes the one that suits the call; `wav16` is also what browsers play."""


LARGEST_FILE_BYTES: Final = 10 * 1024 * 1024
"""10 MB; a file of exactly this size is taken (SKZ-42)."""


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """`format` is the original's (mp3, wav, wma, ogg or m4a); the rest is of what callers hear.

    `waveform` is values from 0 to 1 for equal parts, `loudness` in dB below full scale (RMS of what is not silent).
    """

    format: str
    length_seconds: float
    loudness: float
    waveform: list[float]


@dataclass(frozen=True, slots=True)
class PreparedSound:
    """A sound that was converted and waits in a folder of its own for its place in the library.

    `folder` holds "sound.EXTENSION" for each of FORMATS, and the `original` as it came. `content_hash` is the original's SHA-256.
    """

    folder: Path
    original: Path
    facts: SoundFacts
    content_hash: str


def invalid_file(message: str) -> InvalidInput:
    """The file that was sent can't become a prompt."""
    return InvalidInput(f"file: {message}", [FieldProblem("file", message)])
