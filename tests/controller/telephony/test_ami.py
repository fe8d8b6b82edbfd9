"""Ami against a small server that speaks just enough AMI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.telephony import ami as ami_module
from controller.telephony.ami import Ami
from tests.fixtures.waiting import LIMIT, until

Action = dict[str, str]


class AmiServer:
    """Answers every action with `answers[name]`, success otherwise."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.answers: dict[str, str] = {}
        self.writers: list[asyncio.StreamWriter] = []
        self.mute = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in block.split("\r\n") if ": " in line)
                self.actions.append(action)
                if not self.mute:
                    answer = self.answers.get(action["Action"], "Response: Success\r\nMessage: Done")
                    writer.write(f"{answer}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    ami = AmiServer()
    listening = await asyncio.start_server(ami.serve, "127.0.0.1", 0)
    ami.port = listening.sockets[0].getsockname()[1]
    yield ami
    listening.close()
    for writer in ami.writers:
        writer.close()


@pytest.fixture
async def ami(server: AmiServer) -> AsyncIterator[Ami]:
    ami = Ami("127.0.0.1", server.port, "user", "secret")
    await ami.start()
    async with asyncio.timeout(LIMIT):
        await ami.wait_connected()
    yield ami
    await ami.stop()


async def test_it_logs_in_without_events(server: AmiServer, ami: Ami) -> None:
    assert ami.connected
    assert (server.actions[0]["Action"], server.actions[0]["Events"]) == ("Login", "off")


async def test_line_breaks_in_a_value_add_no_action(server: AmiServer, ami: Ami) -> None:
    await ami.db_put("family", "key", "value\r\n\r\nAction: Originate\r\nChannel: PJSIP/1\r\n")
    await ami.mix_monitor("channel\nCommand: rm", "/tmp/x.wav")
    assert server.names() == ["Login", "DBPut", "MixMonitor"]
    assert server.actions[1]["Val"] == "valueAction: OriginateChannel: PJSIP/1"
    assert "Command" not in server.actions[2]


async def test_refusals_become_our_errors(server: AmiServer, ami: Ami) -> None:
    server.answers["StopMixMonitor"] = "Response: Error\r\nMessage: No such channel"
    server.answers["Reload"] = "Response: Error\r\nMessage: No such module"
    with pytest.raises(ChannelGone):
        await ami.stop_mix_monitor("c1")
    with pytest.raises(TelephonyError, match="No such module"):
        await ami.reload("x.so")


async def test_an_action_under_way_fails_with_the_connection_and_is_not_repeated(server: AmiServer, ami: Ami) -> None:
    server.mute = True
    action = asyncio.create_task(ami.reload("x.so"))
    await until(lambda: "Reload" in server.names())
    server.mute = False
    server.writers[-1].close()
    with pytest.raises(TelephonyUnavailable):
        await action
    async with asyncio.timeout(LIMIT):
        await ami.wait_connected()
    await ami.db_put("a", "b", "c")
    assert server.names() == ["Login", "Reload", "Login", "DBPut"]


async def test_an_action_that_is_not_answered_ends(server: AmiServer, ami: Ami, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_module, "REQUEST_LIMIT", 0.02)
    server.mute = True
    with pytest.raises(TelephonyUnavailable, match="no answer"):
        await ami.reload("x.so")


async def test_a_wrong_password_is_tried_again(server: AmiServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers["Login"] = "Response: Error\r\nMessage: Authentication failed"
    ami = Ami("127.0.0.1", server.port, "user", "wrong")
    await ami.start()
    await until(lambda: "user or password is wrong" in caplog.text)
    assert not ami.connected
    del server.answers["Login"]
    async with asyncio.timeout(LIMIT):
        await ami.wait_connected()
    await ami.stop()


async def test_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    ami = Ami("127.0.0.1", 1, "user", "secret")
    await ami.start()
    await until(lambda: "can't reach AMI" in caplog.text)
    with pytest.raises(TelephonyUnavailable):
        await ami.reload("x.so")
    await ami.stop()
