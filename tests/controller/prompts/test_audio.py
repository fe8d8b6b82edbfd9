"""What is sent becomes what Asterisk plays."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from controller.errors import AttendantError, InvalidInput
from controller.prompts import converting
from controller.prompts.audio import PEAK_DBFS, TARGET_DBFS, UnusableSound, convert, kind_of
from controller.prompts.converting import convert_apart
from controller.softphone import tones
from tests.fixtures.soundfiles import KINDS, decoded, encode, film, slices, tone_file, wav_file, zip_bytes

LONGEST = 600.0
MADE = {"ulaw": ("mulaw", 8000), "alaw": ("alaw", 8000), "wav16": ("wav", 16000)}


@pytest.mark.covers("SKZ-42", "SKZ-4", "UIS-47")
@pytest.mark.parametrize("kind", KINDS)
def test_a_tone_of_every_kind_of_file_is_the_same_tone_in_every_format(tmp_path: Path, kind: str) -> None:
    facts = convert(tone_file(tmp_path / "named-something.else", kind, 440, 2.0), tmp_path, LONGEST)
    assert facts.format == kind and facts.length_seconds == pytest.approx(2.0, abs=0.12)
    for extension, (container, rate) in MADE.items():
        pcm = decoded(tmp_path / f"sound.{extension}", container, rate)
        assert len(pcm) / 2 / rate == pytest.approx(facts.length_seconds, abs=0.01)
        assert tones.strength(pcm[rate : 2 * rate], 440, rate) > 0.98


def test_what_a_phone_can_not_carry_does_not_come_back_as_another_tone(tmp_path: Path) -> None:
    both = _mixed(tones.sine(1000, 88200, 44100), tones.sine(6000, 88200, 44100))
    convert(encode(tmp_path / "a.wav", "wav", both), tmp_path, LONGEST)
    pcm = decoded(tmp_path / "sound.ulaw", "mulaw", 8000)[8000:16000]
    assert tones.strength(pcm, 1000, 8000) > 0.98 and tones.strength(pcm, 2000, 8000) < 0.001


@pytest.mark.covers("UIS-47")
@pytest.mark.parametrize("level", [0.02, 0.3, 1.0])
def test_quiet_and_loud_files_come_out_equally_loud(tmp_path: Path, level: float) -> None:
    facts = convert(tone_file(tmp_path / "a.wav", "wav", level=level), tmp_path, LONGEST)
    assert facts.loudness == pytest.approx(TARGET_DBFS, abs=0.5)
    heard = decoded(tmp_path / "sound.wav16", "wav", 16000)
    assert tones.loudness(heard) == pytest.approx(10 ** (TARGET_DBFS / 20), rel=0.06)


def test_a_pause_does_not_make_the_rest_louder(tmp_path: Path) -> None:
    tone = tones.sine(440, 44100, 44100)
    facts = convert(encode(tmp_path / "a.wav", "wav", tone + bytes(3 * 88200) + tone), tmp_path, LONGEST)
    assert facts.loudness == pytest.approx(TARGET_DBFS, abs=0.5)


def test_a_peak_is_never_cut_off(tmp_path: Path) -> None:
    quiet, click = tones.sine(440, 44100, 44100, level=0.02), tones.sine(440, 100, 44100, level=0.5)
    convert(encode(tmp_path / "a.wav", "wav", quiet + click + quiet), tmp_path, LONGEST)
    heard = decoded(tmp_path / "sound.wav16", "wav", 16000)
    peak = max(map(abs, struct.unpack(f"<{len(heard) // 2}h", heard)))
    assert 10 ** ((PEAK_DBFS - 2) / 20) < peak / 32768 <= 10 ** (PEAK_DBFS / 20) + 0.001


def test_silence_around_is_cut_and_silence_within_stays(tmp_path: Path) -> None:
    tone, second = tones.sine(440, 44100, 44100), bytes(88200)
    source = encode(tmp_path / "a.wav", "wav", second * 3 + tone + second + tone + second * 3)
    facts = convert(source, tmp_path, LONGEST)
    assert facts.length_seconds == pytest.approx(3.4, abs=0.05)
    loud = [tones.loudness(part) > 0.01 for part in slices(decoded(tmp_path / "sound.wav16", "wav", 16000), 16000, 0.1)]
    assert loud[0:2] == [False, True] and loud[15] is False and loud[-3:] == [False] * 3


def test_a_file_of_silence_stays_silence_of_its_length(tmp_path: Path) -> None:
    facts = convert(wav_file(tmp_path / "a.wav", bytes(16000)), tmp_path, LONGEST)
    assert facts.length_seconds == 1.0 and max(facts.waveform) == 0.0


def test_the_waveform_is_200_peaks_that_follow_the_sound(tmp_path: Path) -> None:
    rising = b"".join(tones.sine(500, 800, 8000, level=step / 10) for step in range(1, 11))
    wave = convert(wav_file(tmp_path / "a.wav", rising), tmp_path, LONGEST).waveform
    middle = wave[25:185:20]
    assert len(wave) == 200 and all(0 <= peak <= 1 for peak in wave) and middle == sorted(middle) and middle[-1] > 4 * middle[0]


@pytest.mark.covers("T-36", "SKZ-42")
@pytest.mark.parametrize(
    ("content", "reason"),
    {
        "zip": (zip_bytes(), "no sound file"),
        "empty": (b"", "empty"),
        "text": (b"Press one for sales.", "no sound file"),
        "image": (b"\x89PNG\r\n\x1a\n" + bytes(100), "no sound file"),
        "play list": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "no sound file"),
        "avi": (b"RIFF\x00\x01\x00\x00AVI LIST" + bytes(100), "no sound file"),
        "wav header alone": (b"RIFF\x04\x00\x00\x00WAVE", "damaged"),
        "ogg in name": (b"OggS" + bytes(5000), "damaged"),
        "mp3 in name": (b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"no sound at all" * 400, "damaged|no sound"),
        "m4a in name": (b"\x00\x00\x00\x20ftypM4A " + bytes(3000), "damaged|no sound"),
        "wma in name": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(3000), "damaged|no sound"),
    }.values(),
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    source = tmp_path / "prompt.mp3"
    source.write_bytes(content)
    with pytest.raises(UnusableSound, match=reason):
        convert(source, tmp_path, LONGEST)


def test_a_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSound, match="film"):
        convert(film(tmp_path / "a.m4a"), tmp_path, LONGEST)


def test_a_wav_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    source = tone_file(tmp_path / "a.wav", "wav")
    source.write_bytes(source.read_bytes()[:-1000])
    with pytest.raises(UnusableSound, match="ends before the length"):
        convert(source, tmp_path, LONGEST)


def test_ten_hours_are_refused_by_what_the_file_says_of_itself(tmp_path: Path) -> None:
    """An mp3 that names its number of frames: 10 hours in some kilobytes, of which nothing has to be decoded."""
    source = tone_file(tmp_path / "a.mp3", "mp3", seconds=3)
    content = bytearray(source.read_bytes())
    place = max(content.find(b"Xing"), content.find(b"Info"))
    assert place > 0 and content[place + 7] & 1
    content[place + 8 : place + 12] = struct.pack(">I", 10 * 3600 * 44100 // 1152)
    source.write_bytes(content)
    with pytest.raises(UnusableSound, match="longer than 10 minutes"):
        convert(source, tmp_path, LONGEST)


def test_a_file_that_says_less_than_it_holds_is_counted(tmp_path: Path) -> None:
    source = tone_file(tmp_path / "a.mp3", "mp3", seconds=30)
    content = bytearray(source.read_bytes())
    place = max(content.find(b"Xing"), content.find(b"Info"))
    content[place + 8 : place + 12] = struct.pack(">I", 38)
    source.write_bytes(content)
    with pytest.raises(UnusableSound, match="longer than"):
        convert(source, tmp_path, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_told_by_the_first_bytes(tmp_path: Path, kind: str) -> None:
    assert kind_of(tone_file(tmp_path / "prompt.txt", kind, seconds=0.2).read_bytes()[:4096]) == kind


def test_another_process_gives_the_same_and_says_why_not(tmp_path: Path) -> None:
    facts = convert_apart(tone_file(tmp_path / "a.ogg", "ogg"), tmp_path, LONGEST)
    assert facts.format == "ogg" and len(facts.waveform) == 200 and (tmp_path / "sound.alaw").is_file()
    (tmp_path / "b.mp3").write_bytes(zip_bytes())
    with pytest.raises(InvalidInput, match="no sound file") as refused:
        convert_apart(tmp_path / "b.mp3", tmp_path, LONGEST)
    assert [problem.field for problem in refused.value.problems] == ["file"]


def test_a_converter_that_takes_too_long_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "CONVERSION_SECONDS", 0.01)
    with pytest.raises(InvalidInput, match="can't be read as sound within"):
        convert_apart(tone_file(tmp_path / "a.wav", "wav"), tmp_path, LONGEST)


def test_a_converter_that_dies_of_the_file_is_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting.sys, "executable", "/bin/false")
    with pytest.raises(InvalidInput, match="can't be read as sound"):
        convert_apart(tone_file(tmp_path / "a.wav", "wav"), tmp_path, LONGEST)


def test_a_converter_that_is_not_there_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting.sys, "executable", str(tmp_path / "none"))
    with pytest.raises(AttendantError, match="can't be started"):
        convert_apart(tone_file(tmp_path / "a.wav", "wav"), tmp_path, LONGEST)


def _mixed(one: bytes, other: bytes) -> bytes:
    pairs = zip(struct.iter_unpack("<h", one), struct.iter_unpack("<h", other), strict=True)
    return b"".join(struct.pack("<h", (first + second) // 2) for (first,), (second,) in pairs)
