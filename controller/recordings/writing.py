"""Whether Asterisk could write a conversation's recording at all: of a full disk it tells nobody but its own log (SKZ-52)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from controller.ids import CallId
from controller.recordings.listening import HEADER
from controller.recordings.stereo import RAW

log = logging.getLogger(__name__)

COMPLETED_SECONDS: Final = 10.0
"""After the end of a recording, until Asterisk has certainly written what it could."""
MOST_WAITING: Final = 10_000
"""Recordings that may wait to be looked at; more would be ended within COMPLETED_SECONDS by no office."""

Unwritten: TypeAlias = Callable[[CallId, str], None]
"""Is told the call and the id of a recording of which nothing is there."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A recording that ended `at` a moment of the event loop."""

    at: float
    call: CallId
    path: PurePosixPath


class WrittenCheck:
    """Looks at each recording that has ended; of one that could not be written nothing stays.

    `run` belongs to whoever starts it; when it has been cancelled, `close` looks at the rest.
    """

    def __init__(self, folder: Path, unwritten: Unwritten) -> None:
        self._folder = folder
        self._unwritten = unwritten
        self._ended: deque[_Ended] = deque()
        self._more = asyncio.Event()

    def look_at(self, call: CallId, path: PurePosixPath) -> None:
        """The recording that shall be `path` (relative to the folder) has ended."""
        if len(self._ended) == MOST_WAITING:
            log.error("call %s: whether its recording %s was written is not looked at: too many end at once", call, path)
            return
        self._ended.append(_Ended(asyncio.get_running_loop().time(), call, path))
        self._more.set()

    async def run(self) -> None:
        """Look at what has ended, for ever."""
        while True:
            self._more.clear()
            while self._ended:
                await self._wait_for(COMPLETED_SECONDS)
                first, written = self._ended[0], await self._is_first_written()
                self._ended.popleft()
                if not written:
                    self._tell(first)
                    await asyncio.to_thread(_remove, self._folder / first.path)
            await self._more.wait()

    async def close(self, patience: float) -> None:
        """Look at the rest, and wait for none that ended more than `patience` seconds ago. Nothing is taken away: Asterisk may
        still complete it.
        """
        while self._ended:
            if not await self._is_first_written():
                await self._wait_for(patience)
                if not await self._is_first_written():
                    self._tell(self._ended[0])
            self._ended.popleft()

    async def _wait_for(self, seconds: float) -> None:
        """Until the first has ended so many seconds ago."""
        await asyncio.sleep(self._ended[0].at + seconds - asyncio.get_running_loop().time())

    async def _is_first_written(self) -> bool:
        return await asyncio.to_thread(_is_written, self._folder / self._ended[0].path)

    def _tell(self, ended: _Ended) -> None:
        log.error("call %s: nothing could be written into its recording %s; is the disk full?", ended.call, ended.path)
        self._unwritten(ended.call, ended.path.stem)


def _is_written(file: Path) -> bool:
    """Also when nobody said anything: then Asterisk has written the header alone. Of two channels it writes a bare file first."""
    return _size(file) >= HEADER or _size(file.with_suffix(RAW)) > 0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _remove(file: Path) -> None:
    for each in (file, file.with_suffix(RAW)):
        try:
            each.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s can't be deleted: %s", each, error.strerror)
