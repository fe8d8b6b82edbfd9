"""The channels that are in our hands, and what each frame of Asterisk's event stream means for them.

Rules kept here: a channel's `Gone` is delivered exactly once and last; a playback's `PlaybackEnded` exactly once; nothing
here waits. Asterisk tells of an end in different ways:

- a caller's channel ends with StasisEnd; its cause came before, with ChannelHangupRequest;
- a leg that we dialled ends with ChannelDestroyed, which has the cause and the SIP status;
- a channel whose phone has transferred ends with StasisEnd, whoever dialled it;
- some playbacks never report their end; the end of the channel ends them;
- a recording reports its end also when the channel is hung up: then the Gone says it all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controller.ids import ChannelId
from controller.telephony import causes
from controller.telephony.events import (
    Answered,
    ChannelEntered,
    DeviceState,
    DeviceStateChanged,
    Gone,
    KeyPressed,
    LinesJoined,
    MessageRecorded,
    PlaybackEnded,
    Ringing,
    SystemEvent,
    TransferWanted,
)
from controller.telephony.mailboxes import Mailboxes
from controller.telephony.port import CALL_VARIABLE, ChannelInfo
from ivr.events import KEYS

log = logging.getLogger(__name__)

Frame = dict[str, Any]

DIALLED = "dialled"
"""The application argument of a leg that we dial."""

_STAND_IN = "Local/"
"""How the names of channels begin that Asterisk puts into bridges when a phone transfers."""
_KEYS = frozenset(KEYS)
_DEVICE_STATES: Mapping[str, DeviceState] = {
    "NOT_INUSE": "not_in_use",
    "INUSE": "in_use",
    "BUSY": "in_use",
    "ONHOLD": "in_use",
    "RINGINUSE": "in_use",
    "RINGING": "ringing",
    "UNAVAILABLE": "unavailable",
    "INVALID": "unavailable",
}


def device_state(asterisk_says: str) -> DeviceState:
    return _DEVICE_STATES.get(asterisk_says, "unknown")


@dataclass(slots=True)
class Line:
    """What we remember of a channel in our hands."""

    dialled: bool = False
    answered: bool = False
    ringing: bool = False
    music: bool = False
    by_us: bool = False
    leaving: bool = False
    transfers: bool = False
    transferred: bool = False
    left: bool = False
    cause: int = 0
    entered: asyncio.Future[None] | None = None
    playbacks: set[str] = field(default_factory=set)
    recordings: set[str] = field(default_factory=set)


class Channels:
    """The table of lines; `take` is the only reader of Asterisk's events."""

    def __init__(self, app: str, mailboxes: Mailboxes, report: Callable[[SystemEvent], None]) -> None:
        self._app = app
        self._deliver = mailboxes.deliver
        self._report = report
        self._lines: dict[ChannelId, Line] = {}
        self._readers: dict[str, Callable[[Frame], None]] = {
            "StasisStart": self._entered,
            "BridgeBlindTransfer": self._transfer_wanted,
            "BridgeAttendedTransfer": self._lines_joined,
            "ChannelStateChange": self._state_changed,
            "Dial": self._dial_moved,
            "ChannelDtmfReceived": self._key,
            "PlaybackFinished": self._playback_finished,
            "RecordingFinished": self._recording_finished,
            "RecordingFailed": self._recording_finished,
            "ChannelHangupRequest": self._hangup_requested,
            "StasisEnd": self._left,
            "ChannelDestroyed": self._destroyed,
            "DeviceStateChanged": self._device_changed,
        }

    @property
    def event_types(self) -> list[str]:
        """The events that Asterisk must send."""
        return list(self._readers)

    def take(self, frame: Frame) -> None:
        """One event of Asterisk."""
        reader = self._readers.get(frame["type"])
        if reader is not None:
            reader(frame)

    def line(self, channel: ChannelId) -> Line | None:
        return self._lines.get(channel)

    def expect_dialled(self, channel: ChannelId) -> asyncio.Future[None]:
        """A leg is about to be made; the future is done when it is in our hands."""
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines[channel] = Line(dialled=True, entered=entered)
        return entered

    def forget(self, channel: ChannelId) -> None:
        """The leg was never made."""
        self._lines.pop(channel, None)

    def gone(self, channel: ChannelId, at: datetime, cause: int, sip_status: int | None = None, *, lost: bool = False) -> None:
        """The channel is out of our hands; nothing happens when that is known already."""
        line = self._lines.pop(channel, None)
        if line is None:
            return
        if line.entered is not None and not line.entered.done():
            line.entered.set_result(None)
        for playback in line.playbacks:
            self._deliver(PlaybackEnded(channel, playback, failed=True))
        self._deliver(Gone(channel, at, cause, sip_status, line.by_us, lost))

    def playback_ended(self, channel: ChannelId, playback: str, *, failed: bool) -> None:
        """Report the end of a playback, once. Of a channel that is being hung up, `gone` does: right before its Gone."""
        line = self._lines.get(channel)
        if line is not None and playback in line.playbacks and not line.leaving:
            line.playbacks.discard(playback)
            self._deliver(PlaybackEnded(channel, playback, failed))

    def playbacks(self) -> list[tuple[ChannelId, str]]:
        """Those whose end has not been reported."""
        return [(channel, playback) for channel, line in self._lines.items() for playback in line.playbacks]

    def message_recorded(self, channel: ChannelId, recording: str) -> None:
        """Report the end of a recording, once; never of a channel that is being hung up."""
        line = self._lines.get(channel)
        if line is not None and recording in line.recordings and not line.leaving:
            line.recordings.discard(recording)
            self._deliver(MessageRecorded(channel, recording))

    def recordings(self) -> list[tuple[ChannelId, str]]:
        """Those whose end has not been reported."""
        return [(channel, recording) for channel, line in self._lines.items() for recording in line.recordings]

    def compare(self, listed: list[Frame]) -> None:
        """Hold the table against Asterisk's list of channels, after a time without events. A leg that is just being made is not
        in that list, and who makes it waits for it.
        """
        now = datetime.now(UTC)
        ours = {ChannelId(one["id"]): one for one in listed if self.is_ours(one)}
        made = [channel for channel, line in self._lines.items() if line.entered is None or line.entered.done()]
        for channel in made:
            if channel not in ours:
                self.gone(channel, now, causes.OUT_OF_ORDER, lost=True)
        for channel, one in ours.items():
            line = self._lines.get(channel)
            answered = one["state"] == "Up"
            if line is None:
                args = one["dialplan"]["app_data"].split(",")[1:]
                self._lines[channel] = Line(dialled=args[:1] == [DIALLED], answered=answered)
                continue
            if line.entered is not None and not line.entered.done():
                line.entered.set_result(None)
            if line.dialled and answered and not line.answered:
                line.answered = True
                self._deliver(Answered(channel, now))

    def is_ours(self, channel: Frame) -> bool:
        dialplan = channel["dialplan"]
        if channel["name"].startswith(_STAND_IN):
            return False
        return bool(dialplan.get("app_name") == "Stasis" and dialplan.get("app_data", "").split(",")[0] == self._app)

    def info(self, channel: Frame) -> ChannelInfo:
        call = (channel.get("channelvars") or {}).get(CALL_VARIABLE, "")
        return ChannelInfo(ChannelId(channel["id"]), call, self.is_ours(channel), channel["state"] == "Up")

    def _entered(self, frame: Frame) -> None:
        channel = frame["channel"]
        identity = ChannelId(channel["id"])
        args = tuple(frame["args"])
        if "replace_channel" in frame:
            self._replaced(ChannelId(frame["replace_channel"]["id"]))
            return
        line = self._lines.get(identity)
        if line is not None and line.dialled:
            if line.entered is not None and not line.entered.done():
                line.entered.set_result(None)
            return
        if args[:1] == (DIALLED,):
            log.warning("a leg that nobody waits for was made: %s", identity)
            return
        answered = channel["state"] == "Up"
        self._lines[identity] = Line(answered=answered)
        caller = channel["caller"]
        self._deliver(ChannelEntered(identity, _at(frame), args, caller["number"], caller["name"], answered))

    def _replaced(self, channel: ChannelId) -> None:
        """Its phone transfers: its end is reported like a caller's from now on, and not before the transfer. Asterisk tells
        of the three in any order.
        """
        line = self._lines.get(channel)
        if line is not None:
            line.dialled, line.transfers = False, not line.transferred

    def _transfer_wanted(self, frame: Frame) -> None:
        stand_in, channel = frame.get("replace_channel"), ChannelId(frame["channel"]["id"])
        if stand_in is not None:
            self._deliver(TransferWanted(channel, _at(frame), frame["exten"], ChannelId(stand_in["id"])))
        self._has_transferred(channel, _at(frame))

    def _lines_joined(self, frame: Frame) -> None:
        stand_in = frame.get("destination_link_first_leg") or frame.get("replace_channel")
        for leg, far in (("first", "transfer_target"), ("second", "transferee")):
            channel = ChannelId(frame[f"transferer_{leg}_leg"]["id"])
            if stand_in is not None:
                other = ChannelId(frame[far]["id"]) if frame.get(far) else None
                self._deliver(LinesJoined(channel, _at(frame), other, ChannelId(stand_in["id"])))
            self._has_transferred(channel, _at(frame))

    def _has_transferred(self, channel: ChannelId, at: datetime) -> None:
        line = self._lines.get(channel)
        if line is not None:
            line.dialled, line.transfers, line.transferred = False, False, True
            if line.left:
                self.gone(channel, at, line.cause)

    def _state_changed(self, frame: Frame) -> None:
        channel = ChannelId(frame["channel"]["id"])
        line = self._lines.get(channel)
        if line is None:
            return
        state = frame["channel"]["state"]
        if state == "Up" and not line.answered:
            line.answered = True
            if line.dialled:
                self._deliver(Answered(channel, _at(frame)))
        elif state == "Ringing":
            self._rings(channel, line, _at(frame))

    def _dial_moved(self, frame: Frame) -> None:
        """A carrier often says nothing but "progress" (183) while a phone rings."""
        channel = ChannelId(frame["peer"]["id"])
        line = self._lines.get(channel)
        if line is not None and frame["dialstatus"] == "PROGRESS":
            self._rings(channel, line, _at(frame))

    def _rings(self, channel: ChannelId, line: Line, at: datetime) -> None:
        if line.dialled and not line.ringing:
            line.ringing = True
            self._deliver(Ringing(channel, at))

    def _key(self, frame: Frame) -> None:
        if frame["digit"] in _KEYS:
            self._deliver(KeyPressed(ChannelId(frame["channel"]["id"]), _at(frame), frame["digit"]))

    def _playback_finished(self, frame: Frame) -> None:
        playback = frame["playback"]
        kind, _, channel = playback["target_uri"].partition(":")
        if kind == "channel":
            self.playback_ended(ChannelId(channel), playback["id"], failed=playback["state"] == "failed")

    def _recording_finished(self, frame: Frame) -> None:
        recording = frame["recording"]
        kind, _, channel = recording["target_uri"].partition(":")
        if kind == "channel":
            self.message_recorded(ChannelId(channel), recording["name"])

    def _hangup_requested(self, frame: Frame) -> None:
        line = self._lines.get(ChannelId(frame["channel"]["id"]))
        if line is None:
            return
        line.leaving = True
        if not line.by_us:
            line.cause = int(frame.get("cause") or causes.NORMAL_CLEARING)

    def _left(self, frame: Frame) -> None:
        channel = ChannelId(frame["channel"]["id"])
        line = self._lines.get(channel)
        if line is None:
            return
        line.left = True
        if not line.dialled and not line.transfers:
            self.gone(channel, _at(frame), line.cause)

    def _destroyed(self, frame: Frame) -> None:
        channel = ChannelId(frame["channel"]["id"])
        line = self._lines.get(channel)
        if line is not None:
            cause = int(frame.get("cause") or 0) or line.cause
            status = int(frame.get("tech_cause") or 0) or None
            self.gone(channel, _at(frame), cause, status)

    def _device_changed(self, frame: Frame) -> None:
        device = frame["device_state"]
        self._report(DeviceStateChanged(device["name"], device_state(device["state"])))


def _at(frame: Frame) -> datetime:
    return datetime.fromisoformat(frame["timestamp"])
