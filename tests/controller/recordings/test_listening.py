"""Whether anything is said in a recording, and recordings that Asterisk did not complete."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from controller.recordings.listening import RATE, Heard, listen
from controller.softphone import tones


def recording(path: Path, *parts: tuple[float, float]) -> Path:
    """A file of (seconds, loudness) one after another."""
    pcm = b"".join(tones.sine(400, round(seconds * RATE), RATE, level=level) for seconds, level in parts)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(pcm)
    return path


@pytest.mark.parametrize(
    ("parts", "spoken"),
    [
        ([(2, 0.0)], False),
        ([(2, 0.005)], False),  # the noise of a line
        ([(1, 0.0), (0.1, 0.5), (1, 0.0)], False),  # the click of a receiver
        ([(1, 0.0), (0.3, 0.1), (1, 0.0)], True),  # "yes"
        ([(2, 0.05)], True),
    ],
)
def test_a_word_counts_and_noise_does_not(tmp_path: Path, parts: list[tuple[float, float]], spoken: bool) -> None:
    heard = listen(recording(tmp_path / "one.wav", *parts))
    assert heard is not None and heard.somebody_spoke is spoken
    assert heard.seconds == pytest.approx(sum(seconds for seconds, _ in parts))


def test_what_was_never_written_is_nothing(tmp_path: Path) -> None:
    assert listen(tmp_path / "missing.wav") is None
    (tmp_path / "empty.wav").write_bytes(b"")
    assert listen(tmp_path / "empty.wav") is None
    (tmp_path / "folder.wav").mkdir()
    assert listen(tmp_path / "folder.wav") is None


def test_a_recording_without_a_sample_is_zero_seconds(tmp_path: Path) -> None:
    assert listen(recording(tmp_path / "one.wav")) == Heard(0, 0)


def test_a_recording_that_was_not_completed_is_completed(tmp_path: Path) -> None:
    file = recording(tmp_path / "one.wav", (1, 0.3))
    content = bytearray(file.read_bytes())
    content[40:44] = bytes(4)
    file.write_bytes(content + b"\x00")
    assert listen(file) == Heard(1, 1)
    with wave.open(str(file)) as mended:
        assert mended.getnframes() == RATE
