"""Those in this process who want notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from controller.bus.messages import Message

MOST_WAITING = 1000
_Queue: TypeAlias = "asyncio.Queue[Message | None]"


class Subscribers:
    """Their queues; each holds at most MOST_WAITING notices."""

    def __init__(self) -> None:
        self._queues: set[_Queue] = set()

    def deliver(self, message: Message) -> None:
        """Give it to everyone. Who does not keep up loses what has waited longest."""
        for queue in self._queues:
            _put(queue, message)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Message]]:
        """The notices from now on, until `close` or the end of the block."""
        queue: _Queue = asyncio.Queue(MOST_WAITING)
        self._queues.add(queue)
        try:
            yield _until_closed(queue)
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End all subscriptions, after what already waits for them."""
        for queue in self._queues:
            _put(queue, None)
        self._queues.clear()


def _put(queue: _Queue, item: Message | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)


async def _until_closed(queue: _Queue) -> AsyncIterator[Message]:
    while (message := await queue.get()) is not None:
        yield message
