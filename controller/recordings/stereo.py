"""Recordings of two channels: Asterisk writes them bare (`.raw`), and when one is over it becomes a WAV file.

A bare file that is left by an earlier process is taken up by the next one. One that can't be made a WAV is tried again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import wave
from pathlib import Path, PurePosixPath
from typing import Final

from controller.recordings.listening import RATE

log = logging.getLogger(__name__)

RAW: Final = ".raw"
RETRY_SECONDS: Final = 60.0
SETTLED_SECONDS: Final = 0.5
"""A file that has not grown for so long is whole: Asterisk writes while it records, and completes a file at once."""
_CHUNK: Final = 1 << 20


class StereoFinisher:
    """Completes the recordings of a folder; left is the caller, right the operator. `run` belongs to whoever starts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left: dict[Path, None] = {}
        self._more = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many are not complete yet."""
        return len(self._left)

    def complete(self, path: PurePosixPath) -> None:
        """The recording that shall be `path` (a .wav, relative to the folder) has ended."""
        self._left[self._folder / path] = None
        self._more.set()

    async def run(self) -> None:
        """Take up what an earlier process left, then complete what ends, for ever."""
        for raw in await asyncio.to_thread(lambda: list(self._folder.rglob(f"*{RAW}"))):
            self._left[raw.with_suffix(".wav")] = None
        while True:
            self._more.clear()
            for path in list(self._left):
                if await self._completed(path):
                    del self._left[path]
            try:
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._more.wait()
            except TimeoutError:
                pass

    async def close(self, patience: float) -> None:
        """Complete what has ended, for at most `patience` seconds; `run` has ended before. The next start takes up the rest."""
        try:
            async with asyncio.timeout(patience):
                for path in list(self._left):
                    await self._completed(path)
        except TimeoutError:
            log.warning("%d recordings are completed at the next start", len(self._left))

    async def _completed(self, path: Path) -> bool:
        """False for one that has to be tried again."""
        raw = path.with_suffix(RAW)
        try:
            before = -1
            while (size := await asyncio.to_thread(_size, raw)) != before:
                before = size
                await asyncio.sleep(SETTLED_SECONDS)
            if size:
                await asyncio.to_thread(_make_wav, raw, path)
        except OSError as error:
            log.error("the recording %s can't be completed and is tried again: %s", path, error)
            return False
        return True


def _size(raw: Path) -> int:
    """0 when nothing was written."""
    return raw.stat().st_size if raw.exists() else 0


def _make_wav(raw: Path, path: Path) -> None:
    new = path.with_suffix(".new")
    with raw.open("rb") as source, new.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        while chunk := source.read(_CHUNK):
            sound.writeframes(chunk)
    os.replace(new, path)
    raw.unlink()
