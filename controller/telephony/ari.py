"""The door to a real Asterisk: ARI for calls, AMI for what ARI can't do.

One task keeps the event stream up. It never waits for a call: each event goes through `ari_channels` into the mailbox of its call
at once. After a gap the table of channels is compared with Asterisk's before `Connected` is reported, so no call
waits for an event that was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aioari.client import Client

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.ids import BridgeId, ChannelId
from controller.telephony import causes, sip_accounts, sip_trunks
from controller.telephony.ami import Ami
from controller.telephony.ari_channels import DIALLED, Channels, Frame, device_state
from controller.telephony.ari_operations import Operations
from controller.telephony.ari_transport import AriTransport, Reply
from controller.telephony.events import Connected, DeviceState, DeviceStateChanged, Disconnected, SystemEvent
from controller.telephony.mailboxes import Mailboxes
from controller.telephony.port import FALLBACK_DIAL, REQUEST_LIMIT, TRANSFERS_TO_ALL, ChannelInfo, SipAccount, SipTrunk
from ivr.commands import HangupCause

log = logging.getLogger(__name__)

FIRST_RETRY, LONGEST_RETRY = 0.1, 2.0
RETRY_AFTER_REPLACEMENT = 10.0
"""Seconds to leave the application to whoever took it from us."""

TRANSFERRED = "transferred,s,1"
"""Where the dialplan keeps what stands in for a phone that has transferred."""
PLAYABLE = "sound:"
ALREADY_THERE = "already exists"
"""What Asterisk says of a recording's name that is in use."""

_CONNECTION_EVENTS = ["RESTResponse", "ApplicationReplaced"]
"""Asterisk's filter withholds even these two unless they are named."""


class AriTelephony:
    """`Telephony` on a real Asterisk: `start`, use, `stop`."""

    def __init__(self, base_url: str, user: str, password: str, app: str, ami: Ami) -> None:
        self.mailboxes = Mailboxes()
        self._app = app
        self._ami = ami
        self._listeners: list[Callable[[SystemEvent], None]] = []
        self._transport = AriTransport(base_url, user, password)
        self._channels = Channels(app, self.mailboxes, self._report)
        self._call: Operations | None = None
        self._devices: set[str] = set()
        self._bridged: dict[BridgeId, tuple[ChannelId, ...]] = {}
        self._device_news: Counter[str] = Counter()
        self._up = asyncio.Event()
        self._replaced = False
        self._task: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    def listen(self, listener: Callable[[SystemEvent], None]) -> None:
        self._listeners.append(listener)

    @property
    def connected(self) -> bool:
        return self._up.is_set()

    async def wait_connected(self) -> None:
        """Return when events arrive and requests can be made; the caller sets the limit."""
        await self._up.wait()

    async def start(self) -> None:
        """Begin to connect, and stay connected from then on; `Connected` is reported when it is done."""
        self._task = asyncio.create_task(self._stay_connected(), name="ari")

    async def stop(self) -> None:
        """Disconnect; what is under way fails with TelephonyUnavailable."""
        tasks = [task for task in (self._task, *self._errands) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None
        await self._transport.close()

    # -- the connection

    async def _stay_connected(self) -> None:
        delay = FIRST_RETRY
        while True:
            was_connected = False
            try:
                await self._prepare()
                reason = await self._serve()
                was_connected = True
            except TelephonyError as error:
                reason = str(error)
            except Exception as error:
                log.exception("the connection to Asterisk failed in a way not foreseen")
                reason = f"unexpected: {error!r}"
            if was_connected:
                delay = FIRST_RETRY
            if self._replaced:
                delay = RETRY_AFTER_REPLACEMENT
            log.warning("%s; next try in %.1f s", reason, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY)

    async def _prepare(self) -> None:
        """Have aioari read the API documents, once."""
        if self._call is None:
            client = Client(self._transport.root.removesuffix("ari/"), self._transport)
            await client.init()
            self._call = Operations(client, self._transport.request)

    async def _serve(self) -> str:
        """One connection, from its opening to its end; returns why it ended."""
        self._replaced = False
        await self._transport.connect(self._app)
        reading = asyncio.create_task(self._transport.read(self._take), name="ari-reader")
        try:
            await self._settle()
            self._up.set()
            log.info("connected to Asterisk as %s", self._app)
            self._report(Connected())
            reason = await asyncio.shield(reading)
        except BaseException:
            await self._transport.disconnect()
            await asyncio.gather(reading, return_exceptions=True)
            raise
        finally:
            if self._up.is_set():
                self._up.clear()
                self._report(Disconnected(self._reason(reading)))
        return self._reason(reading) if self._replaced else reason

    def _reason(self, reading: asyncio.Task[str]) -> str:
        if self._replaced:
            return f"another controller has taken over the application {self._app!r}: only one may run"
        if not reading.done() or reading.cancelled():
            return "stopped"
        error = reading.exception()
        return repr(error) if error else reading.result()

    async def _settle(self) -> None:
        """Put a new connection in order: which events, which channels are still there, whose state we watch."""
        allowed = [{"type": kind} for kind in (*_CONNECTION_EVENTS, *self._channels.event_types)]
        # aioari's own applications.filter wraps the body once too often and sets nothing.
        url = f"{self._transport.root}applications/{self._app}/eventFilter"
        await self._transport.request("PUT", url, data=json.dumps({"allowed": allowed}))
        self._channels.compare(await self._list_channels())
        for channel, playback in self._channels.playbacks():
            if not await self.playing(playback):
                self._channels.playback_ended(channel, playback, failed=False)
        for channel, recording in self._channels.recordings():
            if not await self.recording_message(recording):
                self._channels.message_recorded(channel, recording)
        for device in sorted(self._devices):
            state = await self._subscribe(device)
            self._channels.take({"type": "DeviceStateChanged", "device_state": {"name": device, "state": state}})

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "ApplicationReplaced":
            self._replaced = True
            log.critical("another controller has taken over the application %r: only one may run", self._app)
            self._run_errand(self._transport.disconnect())
        else:
            self._channels.take(frame)

    def _report(self, event: SystemEvent) -> None:
        if isinstance(event, DeviceStateChanged):
            self._device_news[event.device] += 1
        for listener in self._listeners:
            listener(event)

    def _run_errand(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _request(self, operation: str, /, **arguments: object) -> Reply:
        if self._call is None:
            raise TelephonyUnavailable("not connected to Asterisk")
        return await self._call(operation, **arguments)

    # -- a channel

    async def answer(self, channel: ChannelId) -> None:
        await self._request("channels.answer", channelId=channel)

    async def play(self, channel: ChannelId, playback: str, media: Sequence[str], language: str) -> None:
        line = self._channels.line(channel)
        if line is None:
            raise ChannelGone(f"{channel} is not in our hands")
        playable = [one for one in media if one.startswith(PLAYABLE)]
        if len(playable) < len(media):
            log.warning("left out what is no sound: %s", [one for one in media if one not in playable])
        line.playbacks.add(playback)
        if not playable:
            # Asterisk would report the beginning of such a playback and never its end.
            self._channels.playback_ended(channel, playback, failed=True)
            return
        try:
            await self._request(
                "channels.playWithId", channelId=channel, playbackId=playback, media=",".join(playable), lang=language
            )
        except BaseException:
            line.playbacks.discard(playback)
            raise

    async def stop_playback(self, playback: str) -> None:
        with contextlib.suppress(ChannelGone):
            await self._request("playbacks.stop", playbackId=playback)

    async def playing(self, playback: str) -> bool:
        try:
            await self._request("playbacks.get", playbackId=playback)
        except ChannelGone:
            return False
        return True

    async def start_music(self, channel: ChannelId) -> None:
        await self._request("channels.startMoh", channelId=channel)
        line = self._channels.line(channel)
        if line is not None:
            line.music = True

    async def stop_music(self, channel: ChannelId) -> None:
        line = self._channels.line(channel)
        if line is not None:
            line.music = False
        await self._request("channels.stopMoh", channelId=channel)

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        await self._request("channels.setChannelVar", channelId=channel, variable=name, value=value)

    async def hangup(self, channel: ChannelId, cause: HangupCause | None = None, *, answered_elsewhere: bool = False) -> None:
        line = self._channels.line(channel)
        code = causes.of_hangup(cause, answered_elsewhere=answered_elsewhere)
        if line is not None and not line.by_us:
            line.by_us, line.cause = True, code
        with contextlib.suppress(ChannelGone):
            await self._request("channels.hangup", channelId=channel, reason_code=code)

    async def continue_in_dialplan(self, channel: ChannelId, context: str, extension: str = "s") -> None:
        line = self._channels.line(channel)
        if line is not None:
            line.by_us = True
            # Also one that we dialled is out of our hands when it leaves the application, not when it ends.
            line.dialled = False
        await self._request("channels.continueInDialplan", channelId=channel, context=context, extension=extension, priority=1)

    async def start_recording(self, channel: ChannelId, path: str) -> None:
        await self._ami.mix_monitor(channel, path)

    async def pause_recording(self, channel: ChannelId, paused: bool) -> None:
        await self._ami.mute_mix_monitor(channel, paused)

    async def stop_recording(self, channel: ChannelId) -> None:
        await self._ami.stop_mix_monitor(channel)

    async def record_message(self, channel: ChannelId, recording: str, *, max_seconds: float, max_silence: float) -> None:
        line = self._channels.line(channel)
        if line is None:
            raise ChannelGone(f"{channel} is not in our hands")
        line.recordings.add(recording)
        try:
            await self._request(
                "channels.record",
                channelId=channel,
                name=recording,
                format="wav",
                maxDurationSeconds=max(1, round(max_seconds)),
                maxSilenceSeconds=max(1, round(max_silence)),
                ifExists="fail",
                beep="false",
                terminateOn="none",
            )
        except BaseException as error:
            if not isinstance(error, ChannelGone) or ALREADY_THERE not in str(error):
                line.recordings.discard(recording)
                raise
            # It was asked for before, in a request whose answer was lost with the connection.
            if not await self.recording_message(recording):
                self._channels.message_recorded(channel, recording)

    async def stop_message(self, recording: str) -> None:
        with contextlib.suppress(ChannelGone):
            await self._request("recordings.stop", recordingName=recording)

    async def recording_message(self, recording: str) -> bool:
        try:
            await self._request("recordings.getLive", recordingName=recording)
        except ChannelGone:
            return False
        return True

    async def channels(self) -> list[ChannelInfo]:
        return [self._channels.info(one) for one in await self._list_channels()]

    async def _list_channels(self) -> list[Frame]:
        listed: list[Frame] = json.loads((await self._request("channels.list")).body)
        return listed

    # -- legs and bridges

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
        identity = {"CONNECTEDLINE(num)": caller_number, "CONNECTEDLINE(name)": caller_name}
        entered = self._channels.expect_dialled(channel)
        try:
            await self._create(channel, endpoint, originator, {**variables, **identity})
            if self._channels.line(channel) is None:
                return
            # Before its StasisStart the leg refuses to be dialled (409).
            async with asyncio.timeout(REQUEST_LIMIT):
                await entered
            await self._request("channels.dial", channelId=channel, timeout=max(1, round(ring_seconds)))
        except TimeoutError:
            self._run_errand(self._drop(channel))
            raise TelephonyUnavailable(f"Asterisk did not hand over the new leg {channel}") from None
        except ChannelGone:
            # It ended between its making and its dialling, and its Gone tells so; or the id was in use and nothing was made.
            if self._channels.line(channel) is not None and not entered.done():
                self._channels.forget(channel)
                raise
        except BaseException:
            # A leg that is made but not dialled would stay for ever.
            self._run_errand(self._drop(channel))
            raise

    async def _create(
        self, channel: ChannelId, endpoint: str, originator: ChannelId | None, variables: Mapping[str, str]
    ) -> None:
        arguments: dict[str, object] = {"originator": originator} if originator else {}
        try:
            await self._request(
                "channels.create",
                channelId=channel,
                endpoint=endpoint,
                app=self._app,
                appArgs=DIALLED,
                variables=variables,
                **arguments,
            )
        except TelephonyError as error:
            if "Allocation failed" not in str(error):
                raise
            self._channels.gone(channel, datetime.now(UTC), causes.ABSENT)

    async def _drop(self, channel: ChannelId) -> None:
        with contextlib.suppress(TelephonyError):
            await self.hangup(channel)

    async def bridge(self, bridge: BridgeId, channels: Sequence[ChannelId]) -> None:
        # dtmf_events keeps Asterisk from joining the media so closely that it no longer sees the keys.
        made = self._request("bridges.createWithId", bridgeId=bridge, type="mixing,dtmf_events")
        joined = self._request("bridges.addChannel", bridgeId=bridge, channel=",".join(channels))
        # Music goes on inside a bridge and drowns the other side.
        silenced = [self.stop_music(channel) for channel in channels if self._has_music(channel)]
        self._bridged[bridge] = tuple(channels)
        # Sent together: Asterisk serves the requests of one connection in turn.
        try:
            results = await asyncio.gather(*silenced, made, joined, return_exceptions=True)
            for failure in results:
                if isinstance(failure, BaseException):
                    raise failure
        except BaseException:
            self._run_errand(self._undo_bridge(bridge))
            raise

    def _has_music(self, channel: ChannelId) -> bool:
        line = self._channels.line(channel)
        return line is not None and line.music

    async def _undo_bridge(self, bridge: BridgeId) -> None:
        with contextlib.suppress(TelephonyError):
            await self.unbridge(bridge)

    async def unbridge(self, bridge: BridgeId) -> None:
        # Who is still leaving a dissolved bridge is played nothing, and no end of it is ever reported; a removal waits for him.
        there = [channel for channel in self._bridged.pop(bridge, ()) if self._channels.line(channel) is not None]
        parted = [self._part(bridge, channel) for channel in there]
        *_, ended = await asyncio.gather(*parted, self._request("bridges.destroy", bridgeId=bridge), return_exceptions=True)
        if isinstance(ended, BaseException) and not isinstance(ended, ChannelGone):
            raise ended

    async def _part(self, bridge: BridgeId, channel: ChannelId) -> None:
        with contextlib.suppress(TelephonyError):
            await self._request("bridges.removeChannel", bridgeId=bridge, channel=channel)

    # -- phones

    async def watch_device(self, device: str) -> DeviceState:
        self._devices.add(device)
        return device_state(await self._subscribe(device))

    async def _device_state(self, device: str) -> str:
        return str(json.loads((await self._request("deviceStates.get", deviceName=device)).body)["state"])

    async def _subscribe(self, device: str) -> str:
        """Its state, and every change from now on. Asked again when a change was reported while the answer was on its way: that
        answer would be older than what is known.
        """
        await self._request("applications.subscribe", applicationName=self._app, eventSource=f"deviceState:{device}")
        while True:
            before = self._device_news[device]
            state = await self._device_state(device)
            if self._device_news[device] == before:
                return state

    async def put_sip_account(self, account: SipAccount) -> None:
        # To put an unchanged endpoint again makes Asterisk forget that its phone is there until that registers from elsewhere.
        if await self._has_object("endpoint", account.name, sip_accounts.mark(account)):
            return
        for one in sip_accounts.objects(account):
            if one.kind == sip_accounts.REGISTRATIONS:
                # Changing it would make the phone's registration a fixed address, which no phone can ever take back.
                if await self._has_object(one.kind, one.name, one.fields):
                    continue
                await self._delete_object(one.kind, one.name)
            await self._put_object(one.kind, one.name, one.fields)

    async def remove_sip_account(self, name: str) -> None:
        for kind, one in sip_accounts.leftovers(name):
            await self._delete_object(kind, one)

    async def put_trunk(self, trunk: SipTrunk) -> None:
        if not await self._has_object("endpoint", trunk.name, sip_trunks.mark(trunk)):
            await self.remove_trunk(trunk.name)
            for kind, fields in sip_trunks.objects(trunk):
                await self._put_object(kind, trunk.name, fields)
            # Only then are new places asked whether they are there, within a while; calls and registrations stay.
            await self._request("asterisk.reloadModule", moduleName="res_pjsip.so")
            await self._ami.qualify(trunk.name)
        elif trunk.registers:
            # An Asterisk that was restarted knows of the registration and does nothing for it until it is put again.
            await self._put_object("registration", trunk.name, dict(sip_trunks.objects(trunk))["registration"])

    async def remove_trunk(self, name: str) -> None:
        for kind in reversed(sip_trunks.KINDS):
            await self._delete_object(kind, name)

    async def _put_object(self, kind: str, name: str, fields: Mapping[str, str]) -> None:
        given = [{"attribute": attribute, "value": value} for attribute, value in fields.items()]
        await self._request("asterisk.updateObject", configClass="res_pjsip", objectType=kind, id=name, fields=given)

    async def _delete_object(self, kind: str, name: str) -> None:
        with contextlib.suppress(ChannelGone):
            await self._request("asterisk.deleteObject", configClass="res_pjsip", objectType=kind, id=name)

    async def _has_object(self, kind: str, name: str, fields: Mapping[str, str]) -> bool:
        """Whether Asterisk has the object with these values already."""
        try:
            reply = await self._request("asterisk.getObject", configClass="res_pjsip", objectType=kind, id=name)
        except ChannelGone:
            return False
        present = {one["attribute"]: one["value"] for one in json.loads(reply.body)}
        return all(present.get(field) == value for field, value in fields.items())

    async def let_transfer_to(self, extension: str, allowed: bool) -> None:
        if allowed:
            await self._ami.put_extension(TRANSFERS_TO_ALL, extension, TRANSFERRED)
            return
        try:
            await self._ami.remove_extension(TRANSFERS_TO_ALL, extension)
        except TelephonyUnavailable:
            raise
        except TelephonyError as error:
            log.debug("%s was no target of transfers: %s", extension, error)

    async def set_fallback_dial(self, endpoints: Sequence[str]) -> None:
        await self._ami.db_put(*FALLBACK_DIAL, "&".join(endpoints))
