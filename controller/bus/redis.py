"""The bus of several processes: one channel of a Redis or Valkey server.

Rules:
- A process hears its own notices at once, whether or not the server is there; what comes back of them is passed over.
- Two connections: one listens, one publishes. Each is made again when it fails, with growing pauses.
- While the server is away at most MOST_WAITING notices wait to be published; then the oldest are dropped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from controller.bus.messages import (
    CallbacksChanged,
    CallsChanged,
    DirectoryChanged,
    Message,
    OperatorChanged,
    OperatorsChanged,
    PromptsChanged,
    ScenarioPublished,
    WrapUpEnded,
)
from controller.bus.subscribers import MOST_WAITING, Subscribers
from controller.errors import SettingsError

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 15.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        ScenarioPublished,
        CallsChanged,
        DirectoryChanged,
        PromptsChanged,
        CallbacksChanged,
        OperatorChanged,
        OperatorsChanged,
        WrapUpEnded,
    )
}


class RedisBus:
    """`url` is redis://…, rediss://… or unix://…; processes with the same `channel` hear each other.

    Raises SettingsError for an address that can't be used.
    """

    def __init__(self, url: str, channel: str) -> None:
        try:
            self._redis = Redis.from_url(
                url,
                socket_connect_timeout=ANSWER_SECONDS,
                socket_timeout=ANSWER_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            # The address may hold a password: it is not repeated.
            raise SettingsError("the Redis address is not one: write redis://host:6379/0") from None
        self._channel = channel
        self._origin = secrets.token_hex(8)
        self._subscribers = Subscribers()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue(MOST_WAITING)
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen. Returns when connected, or after ANSWER_SECONDS; the bus goes on trying by itself."""
        self._tasks = [
            asyncio.create_task(_again_and_again("listening on", self._listen), name="bus listener"),
            asyncio.create_task(_again_and_again("sending to", self._publish), name="bus sender"),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.wait_connected()

    async def stop(self) -> None:
        for task in self._tasks:
            await _end(task)
        self._tasks = []
        self._subscribers.close()
        await self._redis.aclose()

    def send(self, message: Message) -> None:
        self._subscribers.deliver(message)
        if self._outgoing.full():
            self._outgoing.get_nowait()
        self._outgoing.put_nowait(message)

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        return self._subscribers.subscribe()

    @property
    def connected(self) -> bool:
        return self._listening.is_set()

    async def wait_connected(self) -> None:
        """Return when notices of other processes are heard."""
        await self._listening.wait()

    async def _publish(self, works: Callable[[], None]) -> None:
        while True:
            message = await self._outgoing.get()
            try:
                await self._redis.publish(self._channel, _encode(message, self._origin))
            except BaseException:
                # It was the oldest. When the queue has filled up meanwhile, it is the one to go.
                if not self._outgoing.full():
                    self._put_back(message)
                raise
            works()

    def _put_back(self, message: Message) -> None:
        later = [self._outgoing.get_nowait() for _ in range(self._outgoing.qsize())]
        for waiting in (message, *later):
            self._outgoing.put_nowait(waiting)

    async def _listen(self, works: Callable[[], None]) -> None:
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            while True:
                item = await _next_item(pubsub)
                if item["type"] == "subscribe":
                    self._listening.set()
                    works()
                elif item["type"] == "message":
                    self._hear(item["data"])
        finally:
            self._listening.clear()
            with suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    def _hear(self, data: bytes) -> None:
        try:
            origin, message = _decode(data)
        except (ValueError, KeyError, TypeError):
            log.warning("a notice on %s is not understood: %r", self._channel, data[:200])
            return
        if origin != self._origin:
            self._subscribers.deliver(message)


async def _next_item(pubsub: PubSub) -> dict[str, Any]:
    """What comes next on the channel. A server that keeps silent is asked for a sign of life."""
    item = await pubsub.get_message(timeout=_QUIET_SECONDS)
    if item is None:
        await pubsub.ping()
        item = await pubsub.get_message(timeout=ANSWER_SECONDS)
    if item is None:
        raise TimeoutError("no answer")
    return dict(item)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel until it is heard: redis-py can swallow a cancellation that meets it in the midst of an answer."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


async def _again_and_again(what: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Do `work` until it is cancelled; after a failure again, sooner if it has said in between that it works."""
    pause = _FIRST_PAUSE_SECONDS
    failing = False

    def works() -> None:
        nonlocal pause, failing
        if failing:
            log.warning("%s Redis works again", what)
        pause, failing = _FIRST_PAUSE_SECONDS, False

    while True:
        try:
            await work(works)
        except (RedisError, OSError, TimeoutError) as error:
            if not failing:
                log.error("%s Redis fails, trying on: %s", what, error)
            failing = True
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _encode(message: Message, origin: str) -> str:
    return json.dumps({"from": origin, "kind": type(message).__name__, "fields": asdict(message)})


def _decode(data: bytes) -> tuple[str, Message]:
    body = json.loads(data)
    return body["from"], _KINDS[body["kind"]](**body["fields"])
