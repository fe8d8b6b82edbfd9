"""AriTelephony against a small server that breaks in every way an Asterisk can."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.ids import ChannelId
from controller.telephony import ari, ari_transport
from controller.telephony.events import (
    Answered,
    ChannelEntered,
    Connected,
    DeviceStateChanged,
    Disconnected,
    Gone,
    KeyPressed,
    PlaybackEnded,
)
from controller.telephony.mailboxes import Mailbox, new_mailbox
from tests.fixtures.waiting import until

AT = "2026-11-21T22:49:15.509+0000"


def frame(kind: str, channel: str = "c1", state: str = "Up", **more: Any) -> dict[str, Any]:
    caller = {"number": "+7495", "name": "Anna"}
    described = {
        "id": channel,
        "name": f"PJSIP/{channel}",
        "state": state,
        "caller": caller,
        "dialplan": {"app_name": "Stasis", "app_data": "app,inbound,8000"},
    }
    return {"type": kind, "timestamp": AT, "channel": described, **more}


def start(channel: str = "c1", *args: str) -> dict[str, Any]:
    return frame("StasisStart", channel, "Ring", args=list(args or ("inbound", "8000")))


def mailbox_of(watched: Any) -> Mailbox:
    mailbox = new_mailbox()

    def newcomer(event: ChannelEntered) -> None:
        watched.telephony.mailboxes.expect(event.channel, mailbox)
        mailbox.put_nowait(event)

    watched.telephony.mailboxes.on_newcomer(newcomer)
    return mailbox


async def next_of(mailbox: Mailbox, kind: type[Any]) -> Any:
    async with asyncio.timeout(5):
        while True:
            event = await mailbox.get()
            if isinstance(event, kind):
                return event


async def test_credentials_never_travel_in_an_address(server: Any, watched: Any) -> None:
    assert server.addresses and not any("pass-word" in address for address in server.addresses)


async def test_only_events_that_are_used_are_asked_for(server: Any, watched: Any) -> None:
    request = next(one for one in server.requests if one["uri"] == "applications/app/eventFilter")
    allowed = {one["type"] for one in json.loads(request["message_body"])["allowed"]}
    assert {"RESTResponse", "ApplicationReplaced", "StasisStart"} <= allowed
    assert not {"ChannelVarset", "ChannelDialplan", "PlaybackStarted"} & allowed


async def test_broken_frames_do_not_stop_the_good_ones(server: Any, watched: Any, caplog: pytest.LogCaptureFixture) -> None:
    mailbox = mailbox_of(watched)
    no_digit = frame("ChannelDtmfReceived")
    await server.send(
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"type": 5}',
        '{"type": ["list"]}',
        {"type": "StasisStart"},
        {"type": "RESTResponse"},
        {"type": "RESTResponse", "request_id": "999", "status_code": 200},
        {"type": "NeverHeardOf"},
        {"type": "PlaybackFinished", "timestamp": AT, "playback": {"id": "x", "target_uri": "bridge:b", "state": "done"}},
        frame("StasisStart", args="inbound", timestamp="yesterday"),
        no_digit,
        start(),
        frame("ChannelDtmfReceived", digit="A"),
        frame("ChannelDtmfReceived", digit="5"),
    )
    entered = await next_of(mailbox, ChannelEntered)
    assert (entered.args, entered.caller_name, entered.at.microsecond) == (("inbound", "8000"), "Anna", 509000)
    assert (await next_of(mailbox, KeyPressed)).key == "5"
    assert watched.telephony.connected


async def test_a_listener_that_fails_does_not_stop_the_reader(server: Any, watched: Any, caplog: Any) -> None:
    def newcomer(event: ChannelEntered) -> None:
        raise RuntimeError("a bug in a call")

    watched.telephony.mailboxes.on_newcomer(newcomer)
    await server.send(start("c1"))
    mailbox = mailbox_of(watched)
    await server.send(start("c2"))
    while (await next_of(mailbox, ChannelEntered)).channel != "c2":
        pass


async def test_a_cut_connection_comes_back_and_says_so(server: Any, watched: Any) -> None:
    await watched.next(Connected)
    await server.drop()
    assert "closed" in (await watched.next(Disconnected)).reason
    await watched.next(Connected)
    await watched.telephony.answer(ChannelId("c1"))
    assert len(server.sockets) == 2


async def test_a_request_under_way_fails_when_the_connection_closes(server: Any, watched: Any) -> None:
    server.mute = True
    request = asyncio.create_task(watched.telephony.answer(ChannelId("c1")))
    await until(lambda: any(one["uri"].endswith("/answer") for one in server.requests))
    server.mute = False
    await server.drop()
    with pytest.raises(TelephonyUnavailable, match="closed before it answered"):
        async with asyncio.timeout(1):
            await request


async def test_a_request_that_is_not_answered_ends(server: Any, watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ari_transport, "REQUEST_LIMIT", 0.02)
    server.mute = True
    with pytest.raises(TelephonyUnavailable, match="no answer"):
        await watched.telephony.answer(ChannelId("c1"))


async def test_requests_without_a_connection_fail_at_once(server: Any) -> None:
    telephony = ari.AriTelephony("http://127.0.0.1:1/", "u", "p", "app", ari.Ami("127.0.0.1", 1, "", ""))
    with pytest.raises(TelephonyUnavailable):
        await telephony.answer(ChannelId("c1"))
    with pytest.raises(TelephonyUnavailable):
        await telephony.start_recording(ChannelId("c1"), "/tmp/never.wav")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"message": "Channel not found"}, ChannelGone),
        (409, {"message": "Channel not in Stasis application"}, ChannelGone),
        (400, {"message": "Channel not found"}, ChannelGone),
        (400, {"message": "Invalid parameter"}, TelephonyError),
        (500, {"error": "Internal"}, TelephonyError),
        (500, "<html>", TelephonyError),
        (403, "", TelephonyError),
    ],
)
async def test_refusals_become_our_errors(server: Any, watched: Any, status: int, body: Any, error: type[Exception]) -> None:
    server.answers[("POST", "channels/c1/answer")] = (status, body)
    with pytest.raises(TelephonyError) as raised:
        await watched.telephony.answer(ChannelId("c1"))
    assert type(raised.value) is error


async def test_ids_are_quoted_in_addresses(server: Any, watched: Any) -> None:
    await watched.telephony.answer(ChannelId("a/../b c?d=ж"))
    assert server.requests[-1]["uri"] == "channels/a%2F..%2Fb%20c%3Fd%3D%D0%B6/answer"


async def test_another_controller_takes_over(server: Any, watched: Any, caplog: Any, monkeypatch: Any) -> None:
    await watched.next(Connected)
    monkeypatch.setattr(ari, "RETRY_AFTER_REPLACEMENT", 0.2)
    with caplog.at_level(logging.CRITICAL):
        await server.send({"type": "ApplicationReplaced", "application": "app"})
        disconnected = await watched.next(Disconnected)
    assert "only one may run" in disconnected.reason and "only one may run" in caplog.text
    began = asyncio.get_running_loop().time()
    await watched.next(Connected)
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_channels_lost_in_the_gap_are_gone_once(server: Any, watched: Any) -> None:
    mailbox = mailbox_of(watched)
    await server.send(start("stays"), start("goes"))
    for _ in range(2):
        await next_of(mailbox, ChannelEntered)
    await watched.telephony.play(ChannelId("goes"), "p1", ["sound:a"], "en")
    await watched.telephony.play(ChannelId("stays"), "p2", ["sound:a"], "en")
    await watched.telephony.play(ChannelId("stays"), "p3", ["sound:a"], "en")
    server.answers[("GET", "channels")] = (200, [frame("", "stays")["channel"]])
    server.answers[("GET", "playbacks/p2")] = (404, {"message": "Playback not found"})
    server.answers[("GET", "playbacks/p3")] = (200, {"id": "p3"})
    await server.drop()
    assert await next_of(mailbox, PlaybackEnded) == PlaybackEnded(ChannelId("goes"), "p1", failed=True)
    gone = await next_of(mailbox, Gone)
    assert (gone.channel, gone.lost) == ("goes", True)
    assert await next_of(mailbox, PlaybackEnded) == PlaybackEnded(ChannelId("stays"), "p2", failed=False)
    await server.send(frame("StasisEnd", "goes"), frame("ChannelDestroyed", "goes", cause=16), frame("StasisEnd", "stays"))
    assert (await next_of(mailbox, PlaybackEnded)).playback == "p3"
    assert (await next_of(mailbox, Gone)).channel == "stays"
    assert mailbox.empty()


async def test_an_answer_in_the_gap_is_told_afterwards(server: Any, watched: Any) -> None:
    mailbox, leg = new_mailbox(), ChannelId("leg")
    watched.telephony.mailboxes.expect(leg, mailbox)
    dialling = asyncio.create_task(
        watched.telephony.dial(leg, "PJSIP/1", ring_seconds=5, originator=None, caller_number="1", caller_name="", variables={})
    )
    await until(lambda: any(one["uri"] == "channels/create" for one in server.requests))
    await server.send(frame("StasisStart", "leg", "Down", args=["dialled"]))
    await dialling
    up = frame("", "leg")["channel"] | {"dialplan": {"app_name": "Stasis", "app_data": "app,dialled"}}
    server.answers[("GET", "channels")] = (200, [up])
    await server.drop()
    assert isinstance(await next_of(mailbox, Answered), Answered)
    await server.send(frame("StasisEnd", "leg"), frame("ChannelDestroyed", "leg", cause=17, tech_cause=486))
    gone = await next_of(mailbox, Gone)
    assert (gone.cause, gone.sip_status) == (17, 486)


async def test_a_dial_that_is_given_up_leaves_no_leg(server: Any, watched: Any) -> None:
    leg = ChannelId("leg")
    dialling = asyncio.create_task(
        watched.telephony.dial(leg, "PJSIP/1", ring_seconds=5, originator=None, caller_number="1", caller_name="", variables={})
    )
    await until(lambda: any(one["uri"] == "channels/create" for one in server.requests))
    dialling.cancel()
    await until(lambda: any((one["method"], one["uri"]) == ("DELETE", "channels/leg") for one in server.requests))


async def test_devices_are_watched_again_after_a_gap(server: Any, watched: Any) -> None:
    server.answers[("GET", "deviceStates/PJSIP%2F2001")] = (200, {"name": "PJSIP/2001", "state": "NOT_INUSE"})
    assert await watched.telephony.watch_device("PJSIP/2001") == "not_in_use"
    server.answers[("GET", "deviceStates/PJSIP%2F2001")] = (200, {"name": "PJSIP/2001", "state": "ONHOLD"})
    await server.drop()
    assert await watched.next(DeviceStateChanged) == DeviceStateChanged("PJSIP/2001", "in_use")
    assert sum(one["uri"] == "applications/app/subscription" for one in server.requests) == 2


async def test_a_wrong_password_is_told_and_tried_again(server: Any, watched: Any, caplog: Any) -> None:
    await watched.next(Connected)
    server.refuse_with = 401
    with caplog.at_level(logging.WARNING):
        await server.drop()
        await watched.next(Disconnected)
        await until(lambda: "password is wrong" in caplog.text)
    server.refuse_with = None
    await watched.next(Connected)
