"""Stores every operator's states, so that pages see them and people can look back (SKZ-61)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from controller.errors import StorageError
from controller.presence.operator_state import StateChange
from controller.storage.database import Database
from controller.storage.operator_states import NewState, add_states, newest_states

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 2.0
BOUND: Final = 10_000
"""Changes that may wait for a database that is away; then the oldest go."""


class StateHistory:
    """Takes changes without ever waiting, and stores them within about a tenth of a second while `run()` runs.

    `on_stored` is called after each transaction. A state that is stored already, as after a restart, is not stored again.
    """

    def __init__(self, database: Database, on_stored: Callable[[], None]) -> None:
        self._database = database
        self._on_stored = on_stored
        self._waiting: deque[StateChange] = deque(maxlen=BOUND)
        self._something_waits = asyncio.Event()
        self._last: dict[str, tuple[str, str]] | None = None

    def record(self, change: StateChange) -> None:
        """Take one change."""
        self._waiting.append(change)
        self._something_waits.set()

    async def run(self) -> None:
        """Store until cancelled; a database that is away is tried again."""
        while True:
            await self._something_waits.wait()
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._store()
            except StorageError as error:
                log.warning("operators' states can't be stored, trying on: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def flush(self) -> None:
        """Store what waits now. Raises StorageError."""
        await self._store()

    async def _store(self) -> None:
        if self._last is None:
            self._last = await self._database.read(newest_states)
        batch = list(self._waiting)
        last, new = dict(self._last), list[NewState]()
        for change in batch:
            if last.get(change.extension) != (change.state, change.reason):
                last[change.extension] = change.state, change.reason
                new.append(NewState(change.extension, change.at, change.state, change.reason, change.by))
        if new:
            await self._database.run(add_states, new)
        self._last = last
        for change in batch:
            if self._waiting and self._waiting[0] is change:
                self._waiting.popleft()
        if not self._waiting:
            self._something_waits.clear()
        if new:
            self._on_stored()
