"""Telephony in memory: keeps the contract of `port.Telephony` without an Asterisk.

Callers and phones are scripted:

    fake = FakeTelephony()
    fake.phone("PJSIP/2001").answers()
    caller = fake.call("8000", caller="+74951112233")
    caller.press("1")
    assert caller.heard == ["sound:hello"]

A playback ends at once, or when told (`hold_playbacks`, `finish_playback`). A caller who is recorded says nothing, or speaks
(`caller.speaks`) until he is told not to. Time is the asyncio loop's, and every duration may be 0.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import wave
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.ids import BridgeId, ChannelId
from controller.telephony import causes
from controller.telephony.events import (
    Answered,
    CallEvent,
    ChannelEntered,
    Connected,
    DeviceState,
    DeviceStateChanged,
    Disconnected,
    Gone,
    KeyPressed,
    MessageRecorded,
    PlaybackEnded,
    Ringing,
    SystemEvent,
    TransferWanted,
)
from controller.telephony.fake_people import FakeCaller, FakePhone
from controller.telephony.mailboxes import Mailboxes
from controller.telephony.port import CALL_VARIABLE, ChannelInfo, SipAccount, SipTrunk
from ivr.commands import HangupCause
from ivr.events import Key


@dataclass(slots=True)
class FakeMessage:
    """A recording of what a caller says. `began` is of the loop's clock; `limit` ends it."""

    name: str
    max_seconds: float
    max_silence: float
    began: float
    limit: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class FakeChannel:
    """A line in memory."""

    id: ChannelId
    answered: bool = False
    ours: bool = True
    by_us: bool = False
    music: bool = False
    bridge: BridgeId | None = None
    recording: str | None = None
    paused: bool = False
    message: FakeMessage | None = None
    phone: FakePhone | None = None
    caller: FakeCaller | None = None
    playbacks: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    ring_timer: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was made of the fake: the method's name and its arguments."""

    method: str
    arguments: Mapping[str, Any]


class FakeTelephony:
    """`Telephony` in memory, with callers and phones that do as they are told."""

    def __init__(self, recordings: Path | None = None) -> None:
        self.mailboxes = Mailboxes()
        self.recordings = recordings or Path(os.devnull)
        """The folder of recorded messages; without one none can be written."""
        self.requests: list[Request] = []
        self.lines: dict[ChannelId, FakeChannel] = {}
        self.bridges: dict[BridgeId, set[ChannelId]] = {}
        self._dissolved: set[BridgeId] = set()
        self.accounts: dict[str, SipAccount] = {}
        self.trunks: dict[str, SipTrunk] = {}
        self.fallback_dial: tuple[str, ...] = ()
        self.transfer_targets: set[str] = set()
        self.missing: set[str] = set()
        """Media that can't be played."""
        self.hold_playbacks = False
        """True: a playback lasts until `finish_playback`."""
        self._phones: dict[str, FakePhone] = {}
        self._watched: set[str] = set()
        self._failures: dict[str, TelephonyError] = {}
        self._listeners: list[Callable[[SystemEvent], None]] = []
        self._connected = True
        self._unseen: list[FakeChannel] = []
        self._numbers = itertools.count(1)

    # -- the world outside

    def call(self, number: str, *, caller: str = "+74951112233", name: str = "", kind: str = "inbound") -> FakeCaller:
        """Somebody (`caller`, `name`) calls `number`; the channel enters at once."""
        channel = FakeChannel(ChannelId(f"fake-{next(self._numbers)}"))
        channel.caller = FakeCaller(self, channel.id)
        self.lines[channel.id] = channel
        self.deliver(ChannelEntered(channel.id, now(), (kind, number), caller, name, answered=False))
        return channel.caller

    def phone(self, device: str) -> FakePhone:
        """The phone "PJSIP/2001"; off until it is told what to do."""
        if device not in self._phones:
            self._phones[device] = FakePhone(self, device)
        return self._phones[device]

    def finish_playback(self, playback: str, *, failed: bool = False) -> None:
        """A held playback comes to its end."""
        channel = self._playing(playback)
        if channel is None:
            raise KeyError(playback)
        self._end_playback(channel, playback, failed=failed)

    def spoke_or_fell_silent(self, channel: ChannelId) -> None:
        """The caller began to speak, or ceased: what is recorded of him ends accordingly."""
        line = self.lines.get(channel)
        if line is not None and line.message is not None:
            self._limit_message(line, line.message)

    def fail_next(self, method: str, error: TelephonyError) -> None:
        """The next request of this name raises `error`."""
        self._failures[method] = error

    def disconnect(self, reason: str = "told to") -> None:
        """The event stream breaks; requests fail until `reconnect`."""
        self._connected = False
        self.report(Disconnected(reason))

    def reconnect(self, *, asterisk_was_restarted: bool = False) -> None:
        """The event stream is back; after a restart of Asterisk all channels are lost."""
        self._connected = True
        if asterisk_was_restarted:
            for channel in list(self.lines.values()):
                self.end(channel, causes.OUT_OF_ORDER, lost=True)
        unseen, self._unseen = self._unseen, []
        for channel in unseen:
            self.deliver(Gone(channel.id, now(), causes.OUT_OF_ORDER, None, channel.by_us, lost=True))
        self.report(Connected())
        for device in sorted(self._watched):
            self.report(DeviceStateChanged(device, self.phone(device).state))

    # -- what phones and callers do to the line

    def deliver(self, event: CallEvent) -> None:
        self.mailboxes.deliver(event)

    def report(self, event: SystemEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def key(self, channel: ChannelId, key: Key) -> None:
        if channel in self.lines:
            self.deliver(KeyPressed(channel, now(), key))

    def ring(self, channel: FakeChannel) -> None:
        self.deliver(Ringing(channel.id, now()))

    def pick_up(self, channel: FakeChannel) -> None:
        if channel.id in self.lines and not channel.answered:
            self._stop_ringing(channel)
            channel.answered = True
            self.deliver(Answered(channel.id, now()))

    def transfer(self, channel: FakeChannel, number: str) -> None:
        """A phone in a bridge presses its transfer key, and is told that it is done."""
        stand_in = FakeChannel(ChannelId(f"fake-{next(self._numbers)}"), answered=True, ours=False, bridge=channel.bridge)
        self.lines[stand_in.id] = stand_in
        for members in self.bridges.values():
            if channel.id in members:
                members.remove(channel.id)
                members.add(stand_in.id)
        channel.bridge = None
        self.deliver(TransferWanted(channel.id, now(), number, stand_in.id))

    def end(self, channel: FakeChannel, cause: int, sip_status: int | None = None, *, lost: bool = False) -> None:
        """The channel is over, whoever ended it."""
        if self.lines.pop(channel.id, None) is None:
            return
        self._stop_ringing(channel)
        for members in self.bridges.values():
            members.discard(channel.id)
        for playback in list(channel.playbacks):
            self._end_playback(channel, playback, failed=True)
        self._write_message(channel)
        if channel.caller is not None:
            channel.caller.line_ended(cause)
        if channel.phone is not None:
            channel.phone.line_ended()
        if channel.ours and not self._connected:
            self._unseen.append(channel)
        elif channel.ours:
            self.deliver(Gone(channel.id, now(), cause, sip_status, channel.by_us, lost))

    def device_changed(self, phone: FakePhone) -> None:
        if phone.device in self._watched and self._connected:
            self.report(DeviceStateChanged(phone.device, phone.state))

    # -- the port

    def listen(self, listener: Callable[[SystemEvent], None]) -> None:
        self._listeners.append(listener)

    @property
    def connected(self) -> bool:
        return self._connected

    async def answer(self, channel: ChannelId) -> None:
        line = self._request("answer", channel=channel)
        line.answered = True
        if line.caller is not None:
            line.caller.state = "answered"

    async def play(self, channel: ChannelId, playback: str, media: Sequence[str], language: str) -> None:
        line = self._request("play", channel=channel, playback=playback, media=tuple(media), language=language)
        audible = [one for one in media if one.startswith("sound:") and one not in self.missing]
        line.playbacks[playback] = audible
        if line.caller is not None:
            line.caller.heard += audible
        if not audible:
            self._end_playback(line, playback, failed=True)
        elif not self.hold_playbacks:
            asyncio.get_running_loop().call_soon(self._end_playback, line, playback)

    async def stop_playback(self, playback: str) -> None:
        self._note("stop_playback", playback=playback)
        line = self._playing(playback)
        if line is not None:
            self._end_playback(line, playback)

    async def playing(self, playback: str) -> bool:
        self._note("playing", playback=playback)
        return self._playing(playback) is not None

    async def start_music(self, channel: ChannelId) -> None:
        self._request("start_music", channel=channel).music = True

    async def stop_music(self, channel: ChannelId) -> None:
        self._request("stop_music", channel=channel).music = False

    async def dial(
        self,
        channel: ChannelId,
        endpoint: str,
        *,
        ring_seconds: float,
        originator: ChannelId | None,
        caller_number: str,
        caller_name: str,
        variables: Mapping[str, str],
    ) -> None:
        arguments = {"originator": originator, "caller_number": caller_number, "caller_name": caller_name}
        self._note("dial", channel=channel, endpoint=endpoint, ring_seconds=ring_seconds, variables=variables, **arguments)
        if channel in self.lines:
            raise ChannelGone(f"the id {channel} is in use")
        phone = self.phone(endpoint)
        line = self.lines[channel] = FakeChannel(channel, phone=phone, variables=dict(variables))
        if phone.is_off:
            self.end(line, causes.ABSENT)
            return
        line.ring_timer = asyncio.get_running_loop().call_later(ring_seconds, self.end, line, causes.NO_ANSWER)
        phone.line_rings(line)

    async def bridge(self, bridge: BridgeId, channels: Sequence[ChannelId]) -> None:
        self._note("bridge", bridge=bridge, channels=tuple(channels))
        if bridge in self._dissolved:
            raise ChannelGone(f"{bridge} already exists")
        for channel in channels:
            line = self._line(channel)
            line.bridge, line.music = bridge, False
        self.bridges[bridge] = set(channels)

    async def unbridge(self, bridge: BridgeId) -> None:
        self._note("unbridge", bridge=bridge)
        self._dissolved.add(bridge)
        for channel in self.bridges.pop(bridge, ()):
            self.lines[channel].bridge = None

    async def hangup(self, channel: ChannelId, cause: HangupCause | None = None, *, answered_elsewhere: bool = False) -> None:
        self._note("hangup", channel=channel, cause=cause, answered_elsewhere=answered_elsewhere)
        line = self.lines.get(channel)
        if line is not None:
            line.by_us = True
            self.end(line, causes.of_hangup(cause, answered_elsewhere=answered_elsewhere))

    async def continue_in_dialplan(self, channel: ChannelId, context: str, extension: str = "s") -> None:
        line = self._request("continue_in_dialplan", channel=channel, context=context, extension=extension)
        line.by_us = True
        for playback in list(line.playbacks):
            self._end_playback(line, playback, failed=True)
        if line.caller is not None:
            line.caller.continued_at = f"{context},{extension}"
        self.deliver(Gone(channel, now(), 0, None, by_us=True))
        line.ours = False

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        self._request("set_variable", channel=channel, name=name, value=value).variables[name] = value

    async def start_recording(self, channel: ChannelId, path: str) -> None:
        self._request("start_recording", channel=channel, path=path).recording = path
        _write_wave(Path(path), bytes(16))

    async def pause_recording(self, channel: ChannelId, paused: bool) -> None:
        self._request("pause_recording", channel=channel, paused=paused).paused = paused

    async def stop_recording(self, channel: ChannelId) -> None:
        self._request("stop_recording", channel=channel).recording = None

    async def record_message(self, channel: ChannelId, recording: str, *, max_seconds: float, max_silence: float) -> None:
        line = self._request("record_message", channel=channel, recording=recording)
        now = asyncio.get_running_loop().time()
        line.message = FakeMessage(recording, max_seconds, max_silence, now)
        self._limit_message(line, line.message)

    async def stop_message(self, recording: str) -> None:
        self._note("stop_message", recording=recording)
        line = self._recorded(recording)
        if line is not None:
            self._end_message(line)

    async def recording_message(self, recording: str) -> bool:
        self._note("recording_message", recording=recording)
        return self._recorded(recording) is not None

    async def channels(self) -> list[ChannelInfo]:
        self._note("channels")
        lines = self.lines.values()
        return [ChannelInfo(line.id, line.variables.get(CALL_VARIABLE, ""), line.ours, line.answered) for line in lines]

    async def watch_device(self, device: str) -> DeviceState:
        self._note("watch_device", device=device)
        self._watched.add(device)
        return self.phone(device).state

    async def put_sip_account(self, account: SipAccount) -> None:
        self._note("put_sip_account", account=account)
        self.accounts[account.name] = account

    async def remove_sip_account(self, name: str) -> None:
        self._note("remove_sip_account", name=name)
        self.accounts.pop(name, None)

    async def put_trunk(self, trunk: SipTrunk) -> None:
        self._note("put_trunk", trunk=trunk)
        self.trunks[trunk.name] = trunk

    async def remove_trunk(self, name: str) -> None:
        self._note("remove_trunk", name=name)
        self.trunks.pop(name, None)

    async def let_transfer_to(self, extension: str, allowed: bool) -> None:
        self._note("let_transfer_to", extension=extension, allowed=allowed)
        (self.transfer_targets.add if allowed else self.transfer_targets.discard)(extension)

    async def set_fallback_dial(self, endpoints: Sequence[str]) -> None:
        self._note("set_fallback_dial", endpoints=tuple(endpoints))
        self.fallback_dial = tuple(endpoints)

    # -- inside

    def _note(self, method: str, **arguments: object) -> None:
        self.requests.append(Request(method, arguments))
        if not self._connected:
            raise TelephonyUnavailable("not connected")
        failure = self._failures.pop(method, None)
        if failure is not None:
            raise failure

    def _request(self, method: str, *, channel: ChannelId, **arguments: object) -> FakeChannel:
        """Note a request about a channel of ours, and find it."""
        self._note(method, channel=channel, **arguments)
        return self._line(channel)

    def _line(self, channel: ChannelId) -> FakeChannel:
        line = self.lines.get(channel)
        if line is None or not line.ours:
            raise ChannelGone(f"{channel} is gone")
        return line

    def _playing(self, playback: str) -> FakeChannel | None:
        return next((line for line in self.lines.values() if playback in line.playbacks), None)

    def _end_playback(self, line: FakeChannel, playback: str, *, failed: bool = False) -> None:
        if line.playbacks.pop(playback, None) is not None:
            self.deliver(PlaybackEnded(line.id, playback, failed))

    def _recorded(self, recording: str) -> FakeChannel | None:
        return next((line for line in self.lines.values() if line.message and line.message.name == recording), None)

    def _limit_message(self, line: FakeChannel, message: FakeMessage) -> None:
        """It ends when it is too long, or when nobody has spoken for too long."""
        loop = asyncio.get_running_loop()
        if message.limit is not None:
            message.limit.cancel()
        longest = message.began + message.max_seconds
        speaks = line.caller is not None and line.caller.is_speaking
        at = longest if speaks else min(longest, loop.time() + message.max_silence)
        message.limit = loop.call_at(at, self._end_message, line)

    def _end_message(self, line: FakeChannel) -> None:
        name = self._write_message(line)
        if name is not None:
            self.deliver(MessageRecorded(line.id, name))

    def _write_message(self, line: FakeChannel) -> str | None:
        """End what is recorded, if anything is: its name."""
        message, line.message = line.message, None
        if message is None:
            return None
        if message.limit is not None:
            message.limit.cancel()
        spoken = line.caller.spoken_seconds(message.began) if line.caller is not None else 0.0
        length = asyncio.get_running_loop().time() - message.began
        with suppress(OSError):
            _write_wave(self.recordings / f"{message.name}.wav", _voice(spoken) + bytes(2 * round((length - spoken) * _RATE)))
        return message.name

    def _stop_ringing(self, line: FakeChannel) -> None:
        if line.ring_timer is not None:
            line.ring_timer.cancel()
            line.ring_timer = None


def now() -> datetime:
    return datetime.now(UTC)


_RATE = 8000


def _voice(seconds: float) -> bytes:
    """A square tone of 400 Hz, as loud as somebody who speaks."""
    period = array("h", [4000] * 10 + [-4000] * 10)
    return (period * (round(seconds * _RATE) // len(period))).tobytes()


def _write_wave(path: Path, pcm: bytes) -> None:
    """A recording, so that whoever looks for the file finds a WAV. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pcm)
