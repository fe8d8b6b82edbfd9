"""The journal: what happens to calls, on its way into the database. The engine records; a background task writes.

Rules:
- `record` never waits and never fails: a caller must not notice the database.
- What comes within GATHER_SECONDS is written in one transaction.
- A database that is away is tried again until it is back; nothing is lost while at most BOUND changes wait. Then the oldest
  steps and decisions go first, then the oldest calls, with a loud log: who called and what became of it is worth more than the
  way there.
- A change that the database refuses for itself is logged and left out; it must not hold up all others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, TypeAlias

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from controller.storage.database import Database, first_line
from controller.storage.journal_changes import Change, RoutingDecided, StepEntered, StepLeft
from controller.storage.journal_rows import write_changes
from controller.storage.rates import Pricing

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.1
MOST_AT_ONCE: Final = 500
BOUND: Final = 100_000
_LONGEST_RETRY_SECONDS: Final = 5.0
_NO_REGION: Final = Pricing()

_Flush: TypeAlias = "asyncio.Future[None]"


class CallJournal:
    """Takes changes without ever waiting and stores them within about a tenth of a second.

    `on_stored` is called, in the event loop, after each transaction; `pricing` tells what lines cost. `bound` and
    `retry_seconds` (the first wait after a failure) are for tests.
    """

    def __init__(
        self,
        database: Database,
        on_stored: Callable[[], None] | None = None,
        *,
        pricing: Pricing = _NO_REGION,
        bound: int = BOUND,
        retry_seconds: float = 0.1,
    ) -> None:
        self._database = database
        self._on_stored = on_stored
        self._pricing = pricing
        self._bound = bound
        self._retry_seconds = retry_seconds
        self._waiting: deque[Change | _Flush] = deque()
        self._something_waits = asyncio.Event()
        self._write_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        self.failing = False

    @property
    def backlog(self) -> int:
        """How many changes wait to be written."""
        return sum(not isinstance(item, asyncio.Future) for item in self._waiting)

    def record(self, change: Change) -> None:
        """Take one change. Never waits, never raises; may be called before `start`, in the event loop's thread only."""
        self._waiting.append(change)
        self._something_waits.set()
        if len(self._waiting) >= MOST_AT_ONCE:
            self._write_now.set()
        if len(self._waiting) > self._bound:
            self._make_room()

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._work(), name="call journal")

    async def flush(self) -> None:
        """Return when all that was recorded before is stored. Waits for as long as the database is away."""
        stored: _Flush = asyncio.get_running_loop().create_future()
        self._waiting.append(stored)
        self._something_waits.set()
        self._write_now.set()
        await stored

    async def stop(self, patience: float = 5.0) -> None:
        """Store what is left, for at most `patience` seconds, and end."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.flush()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        if self.backlog:
            log.error("the journal of calls ends with %d changes not stored", self.backlog)

    async def _work(self) -> None:
        while True:
            await self._something_waits.wait()
            await self._gather()
            batch = list(islice(self._waiting, MOST_AT_ONCE))
            await self._store([item for item in batch if not isinstance(item, asyncio.Future)])
            self._forget(batch)
            if self._on_stored is not None:
                self._on_stored()

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                await self._write_now.wait()

    def _forget(self, batch: Sequence[Change | _Flush]) -> None:
        """What is written leaves the queue only now, so that nothing is lost when the task is cancelled while it writes."""
        for item in batch:
            if self._waiting and self._waiting[0] is item:
                self._waiting.popleft()
            if isinstance(item, asyncio.Future) and not item.done():
                item.set_result(None)
        if not self._waiting:
            self._something_waits.clear()
        if len(self._waiting) < MOST_AT_ONCE and not any(isinstance(item, asyncio.Future) for item in self._waiting):
            self._write_now.clear()

    async def _store(self, changes: list[Change]) -> None:
        wait = self._retry_seconds
        while changes:
            try:
                await self._database.in_thread(lambda: self._write(changes))
                break
            except Exception as error:
                if not self.failing:
                    log.error("calls can't be stored, trying on: %s", first_line(error))
                self.failing = True
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_RETRY_SECONDS)
        if self.failing:
            log.warning("calls are stored again; %d changes wait", len(self._waiting))
        self.failing = False

    def _write(self, changes: list[Change]) -> None:
        """In a worker thread. Raises only when the database is away."""
        try:
            self._write_together(changes)
        except Exception as error:
            if _is_outage(error):
                raise
            self._write_one_by_one(changes)

    def _write_together(self, changes: Sequence[Change]) -> None:
        with self._database.engine.begin() as connection:
            write_changes(connection, changes, self._pricing)

    def _write_one_by_one(self, changes: list[Change]) -> None:
        for change in changes:
            try:
                self._write_together([change])
            except Exception as error:
                if _is_outage(error):
                    raise
                log.error("the database refuses %r: %s", change, first_line(error))
                self.dropped += 1

    def _make_room(self) -> None:
        """Drop the oldest tenth of what waits: steps and decisions, and when there are none, whole calls."""
        too_many = max(self._bound // 10, 1)
        changes = [item for item in self._waiting if not isinstance(item, asyncio.Future)]
        victims: list[Change] = list(
            islice((change for change in changes if isinstance(change, StepEntered | StepLeft | RoutingDecided)), too_many)
        )
        if not victims:
            calls = {change.call for change in changes[:too_many]}
            victims = [change for change in changes if change.call in calls]
        gone = {id(change) for change in victims}
        self._waiting = deque(item for item in self._waiting if id(item) not in gone)
        self.dropped += len(gone)
        log.error("the database is away and too much waits: %d changes of calls were dropped", len(gone))


def _is_outage(error: Exception) -> bool:
    """The database is away, full or busy: the same changes may go through later."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)
