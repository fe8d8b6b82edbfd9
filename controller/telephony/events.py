"""What Asterisk reports, as frozen values.

A call's own keys and playbacks are reported as `ivr.events.DigitReceived` and `ivr.events.PlaybackFinished`
(wrapped in `KeyPressed` and `PlaybackEnded` with the channel they belong to); everything else is here.
`at` is Asterisk's own clock (aware, UTC), not the time of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from controller.ids import ChannelId
from ivr.events import Key


@dataclass(frozen=True, slots=True)
class ChannelEntered:
    """A channel came under our control (StasisStart)."""

    channel: ChannelId
    at: datetime
    args: tuple[str, ...]
    caller_number: str
    caller_name: str
    answered: bool


@dataclass(frozen=True, slots=True)
class KeyPressed:
    channel: ChannelId
    at: datetime
    key: Key


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """A playback is over; `playback` is the id given to `Telephony.play`."""

    channel: ChannelId
    playback: str
    failed: bool


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """A recording of one side alone is over; `recording` is the name given to `Telephony.record_message`. What there is lies in
    its file, which is whole: how long it is and whether anything was said, only the file knows.
    """

    channel: ChannelId
    recording: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far phone rings, or a carrier says that the call makes progress."""

    channel: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The far phone was picked up."""

    channel: ChannelId
    at: datetime


@dataclass(frozen=True, slots=True)
class TransferWanted:
    """The transfer key of a phone: who talks on `channel` wants the others in its bridge transferred to `number`, and was told
    that it is done. The channel has left the bridge, mostly to end at once; a silent `stand_in` is in its place, to be hung up.
    """

    channel: ChannelId
    at: datetime
    number: str
    stand_in: ChannelId


@dataclass(frozen=True, slots=True)
class LinesJoined:
    """The transfer key of a phone with two lines: who talks on `channel` wants the others there joined with `far`, whom he talks
    with on his second line (None: with nobody alone), and was told that it is done. Both lines have left their bridges; a
    `stand_in` leads from the one to the other, to be hung up. The second line's owner is told the same from his side.
    """

    channel: ChannelId
    at: datetime
    far: ChannelId | None
    stand_in: ChannelId


@dataclass(frozen=True, slots=True)
class Gone:
    """The channel is out of our hands for good: hung up, refused, or lost with Asterisk.

    `cause` is the Q.850 cause (0: unknown), `sip_status` the final SIP status of a leg we dialled (None: none seen).
    `by_us`: our own hang-up. `lost`: gone together with Asterisk or while nobody watched. Comes exactly once for a
    channel; nothing of the channel comes after it.
    """

    channel: ChannelId
    at: datetime
    cause: int
    sip_status: int | None = None
    by_us: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class DeviceStateChanged:
    """A phone's state, as Asterisk sees it."""

    device: str
    state: DeviceState


@dataclass(frozen=True, slots=True)
class Connected:
    """The event stream is up (again). What happened while it was down was not reported."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The event stream is down; calls go on in Asterisk unobserved."""

    reason: str


DeviceState: TypeAlias = Literal["unavailable", "not_in_use", "ringing", "in_use", "unknown"]
CallEvent: TypeAlias = (
    ChannelEntered | KeyPressed | PlaybackEnded | MessageRecorded | Ringing | Answered | TransferWanted | LinesJoined | Gone
)
"""Delivered to the mailbox that the channel belongs to."""
SystemEvent: TypeAlias = DeviceStateChanged | Connected | Disconnected
"""Delivered to whoever listens to the whole system."""
