"""The bus of a single process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from controller.bus.messages import Message
from controller.bus.subscribers import Subscribers


class MemoryBus:
    """Notices go to the subscribers of this process, at once."""

    def __init__(self) -> None:
        self._subscribers = Subscribers()

    async def start(self) -> None:
        """Nothing has to be opened."""

    async def stop(self) -> None:
        self._subscribers.close()

    def send(self, message: Message) -> None:
        self._subscribers.deliver(message)

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        return self._subscribers.subscribe()

    @property
    def connected(self) -> bool:
        return True
