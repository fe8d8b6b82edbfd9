"""Whether Asterisk could write a conversation's recording at all: of a full disk it tells nobody but its own log (SKZ-52)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
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


class WrittenCheck:
    """Looks at each recording that has ended; of one that could not be written nothing stays.

    `run` belongs to whoever starts it.
    """

    def __init__(self, folder: Path, unwritten: Unwritten) -> None:
        self._folder = folder
        self._unwritten = unwritten
        self._ended: asyncio.Queue[tuple[float, CallId, PurePosixPath]] = asyncio.Queue(MOST_WAITING)

    def look_at(self, call: CallId, path: PurePosixPath) -> None:
        """The recording that shall be `path` (relative to the folder) has ended."""
        due = asyncio.get_running_loop().time() + COMPLETED_SECONDS
        with suppress(asyncio.QueueFull):
            self._ended.put_nowait((due, call, path))

    async def run(self) -> None:
        """Look at what has ended, for ever."""
        while True:
            due, call, path = await self._ended.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            if not await asyncio.to_thread(_is_written, self._folder / path):
                log.error("call %s: nothing could be written into its recording %s; is the disk full?", call, path)
                self._unwritten(call, path.stem)
                await asyncio.to_thread(_remove, self._folder / path)


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
