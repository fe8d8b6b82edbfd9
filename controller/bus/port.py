"""The bus: notices from whoever changed something to whoever shows or uses it. Fast, but not certain: one may be lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from controller.bus.messages import Message


class Bus(Protocol):
    """Every subscriber gets every notice sent after it subscribed, those of its own process included, in order.

    A subscriber that does not keep up loses the oldest notices that wait for it, and only those.
    """

    async def start(self) -> None:
        """Begin to listen. Returns within some seconds even when the bus can't be reached yet; it goes on trying."""
        ...

    async def stop(self) -> None:
        """End all subscriptions."""
        ...

    def send(self, message: Message) -> None:
        """Tell everyone. Never waits and never raises."""
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """The notices from now on, until the bus stops or the block is left."""
        ...

    @property
    def connected(self) -> bool:
        """Whether other processes can be reached."""
        ...
