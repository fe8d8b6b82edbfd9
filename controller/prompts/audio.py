"""Sound files: what they are, and made into what Asterisk plays to our callers without transcoding.

The one door to PyAV (reading, resampling, writing) and pydub (trimming, loudness). All of it is work for a process of its own,
which may be killed: see `controller.prompts.converting`. PCM here is 16-bit signed, mono, RATE samples a second.

Rules (requirement SKZ-42, UIS-47):
- What a file is, its first bytes say, never its name. The demuxer is chosen by them and by nothing else: FFmpeg's own guessing
  would also read play lists, which name other files and addresses.
- A file that says how long it is is believed when it says too long; the samples are counted all the same.
- Silence before the sound is cut to LEAD_SECONDS, after it to TAIL_SECONDS. A file of nothing but silence stays as it is.
- The root mean square of the parts that are not silent is brought to TARGET_DBFS, unless a peak would pass PEAK_DBFS or the gain
  MOST_GAIN_DB.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from controller.prompts.facts import SoundFacts

with warnings.catch_warnings():
    # It says that it found no ffmpeg program, which is not used, and imports a module that Python 3.13 lacks.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.silence import detect_leading_silence

RATE: Final = 16_000
PHONE_RATE: Final = 8_000
PEAKS: Final = 200
TARGET_DBFS: Final = -20.0
PEAK_DBFS: Final = -1.0
MOST_GAIN_DB: Final = 30.0
SILENCE_DBFS: Final = -50.0
LEAD_SECONDS: Final = 0.1
TAIL_SECONDS: Final = 0.3
SAMPLE_BYTES: Final = 2
_SLICE_MS: Final = 50
_DEMUXERS: Final = {"mp3": "mp3", "wav": "wav", "wma": "asf", "ogg": "ogg", "m4a": "mov"}
_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class UnusableSound(Exception):
    """The file can't become a prompt. The message is for who sent it."""


def convert(source: Path, folder: Path, longest_seconds: float) -> SoundFacts:
    """Write the sound into the folder as "sound.EXTENSION" for each of FORMATS.

    Raises UnusableSound: no sound file of a known kind, damaged, empty, or longer than `longest_seconds`.
    """
    with source.open("rb") as file:
        beginning = file.read(4096)
        kind = kind_of(beginning)
        if kind == "wav" and _is_cut_off(beginning, source.stat().st_size):
            raise UnusableSound("the wav file is damaged: it ends before the length that it names")
        file.seek(0)
        pcm = _decode(file, kind, longest_seconds)
    sound = _normalised(_trimmed(AudioSegment(pcm, sample_width=SAMPLE_BYTES, frame_rate=RATE, channels=1)))
    heard: bytes = sound.raw_data
    _write(folder / "sound.wav16", "wav", "pcm_s16le", heard, RATE)
    for extension, demuxer, codec in (("ulaw", "mulaw", "pcm_mulaw"), ("alaw", "alaw", "pcm_alaw")):
        _write(folder / f"sound.{extension}", demuxer, codec, heard, PHONE_RATE)
    return SoundFacts(kind, len(heard) / SAMPLE_BYTES / RATE, round(_loudness(sound), 1), waveform(heard))


def kind_of(beginning: bytes) -> str:
    """Which of mp3, wav, wma, ogg and m4a a file is, by its first bytes. Raises UnusableSound for everything else."""
    if not beginning:
        raise UnusableSound("the file is empty")
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WAVE":
        return "wav"
    if beginning.startswith(_ASF):
        return "wma"
    if beginning.startswith(b"OggS"):
        return "ogg"
    if beginning[4:8] == b"ftyp":
        return "m4a"
    if beginning.startswith(b"ID3") or _is_mp3_frame(beginning):
        return "mp3"
    raise UnusableSound("this is no sound file: send mp3, wav, wma, ogg or m4a")


def _is_cut_off(beginning: bytes, size: int) -> bool:
    """Whether a RIFF file is shorter than it says. Programs that write into a pipe leave 0 or the largest number there."""
    named = int.from_bytes(beginning[4:8], "little")
    return size < named + 8 and named < 0x7FFF_FFFF


def waveform(pcm: bytes) -> list[float]:
    """The highest level of each of PEAKS equal parts, 0 to 1."""
    samples = array("h", pcm)
    ends = [len(samples) * part // PEAKS for part in range(PEAKS + 1)]
    parts = (samples[begin:end] for begin, end in pairwise(ends))
    return [round(min(1.0, max(max(part), -min(part)) / 32767), 3) if part else 0.0 for part in parts]


def _is_mp3_frame(beginning: bytes) -> bool:
    """Eleven set bits, then MPEG layer III with a bit rate and a sample rate that exist."""
    if len(beginning) < 4 or beginning[0] != 0xFF or beginning[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, sample_rate = beginning[1] >> 3 & 3, beginning[1] >> 1 & 3, beginning[2] >> 4, beginning[2] >> 2 & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and sample_rate != 3


def _decode(file: BinaryIO, kind: str, longest_seconds: float) -> bytes:
    pcm = bytearray()
    try:
        with av.open(file, "r", format=_DEMUXERS[kind]) as container:
            stream = _sound_stream(container.streams.audio, any(not _is_cover(video) for video in container.streams.video))
            if container.duration is not None and container.duration > longest_seconds * av.time_base:
                raise _too_long(longest_seconds)
            for chunk in _samples(container.decode(stream)):
                pcm += chunk
                if len(pcm) > longest_seconds * RATE * SAMPLE_BYTES:
                    raise _too_long(longest_seconds)
    except (FFmpegError, ValueError, EOFError) as error:
        raise UnusableSound(f"the {kind} file is damaged or not what it seems: {_reason(error)}") from error
    if not pcm:
        raise UnusableSound(f"there is no sound in this {kind} file")
    return bytes(pcm)


def _sound_stream(streams: tuple[AudioStream, ...], has_video: bool) -> AudioStream:
    if has_video:
        raise UnusableSound("this is a film, not a sound file: send mp3, wav, wma, ogg or m4a")
    if not streams:
        raise UnusableSound("there is no sound in this file")
    return streams[0]


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _samples(frames: Iterator[av.AudioFrame]) -> Iterator[bytes]:
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in frames:
        for resampled in resampler.resample(frame):
            yield bytes(resampled.planes[0])[: resampled.samples * SAMPLE_BYTES]
    for resampled in resampler.resample(None):
        yield bytes(resampled.planes[0])[: resampled.samples * SAMPLE_BYTES]


def _too_long(longest_seconds: float) -> UnusableSound:
    return UnusableSound(f"the sound is longer than {longest_seconds / 60:g} minutes")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _trimmed(sound: AudioSegment) -> AudioSegment:
    if sound.max_dBFS <= SILENCE_DBFS:
        return sound
    lead = detect_leading_silence(sound, SILENCE_DBFS, 10)
    tail = detect_leading_silence(sound.reverse(), SILENCE_DBFS, 10)
    return sound[max(0, lead - round(LEAD_SECONDS * 1000)) : len(sound) - max(0, tail - round(TAIL_SECONDS * 1000))]


def _normalised(sound: AudioSegment) -> AudioSegment:
    if sound.max_dBFS <= SILENCE_DBFS:
        return sound
    return sound.apply_gain(min(TARGET_DBFS - _loudness(sound), PEAK_DBFS - sound.max_dBFS, MOST_GAIN_DB))


def _loudness(sound: AudioSegment) -> float:
    """Root mean square in dBFS of the slices that are not silent; SILENCE_DBFS if all are."""
    slices = (part for part in sound[::_SLICE_MS] if part.dBFS > SILENCE_DBFS)
    loud = [part.rms**2 for part in slices]
    if not loud:
        return SILENCE_DBFS
    rms = (sum(loud) / len(loud)) ** 0.5
    return float(AudioSegment(array("h", [round(rms)]).tobytes(), sample_width=SAMPLE_BYTES, frame_rate=RATE, channels=1).dBFS)


def _write(path: Path, container_format: str, codec: str, pcm: bytes, rate: int) -> None:
    with av.open(path, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        resampler = AudioResampler(format="s16", layout="mono", rate=rate)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
        frame.planes[0].update(pcm + bytes(frame.planes[0].buffer_size - len(pcm)))
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
