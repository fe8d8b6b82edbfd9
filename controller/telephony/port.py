"""What the rest of the house may ask of Asterisk.

`AriTelephony` (real) and `FakeTelephony` (in memory) keep the same contract: `tests/contracts/`.
Every method returns when Asterisk has taken the request, within `REQUEST_LIMIT` seconds; all ids are made by the caller.
Every method raises TelephonyUnavailable when Asterisk can't be reached or does not answer in time,
ChannelGone when the thing it is about does not exist, TelephonyError for any other refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from controller.ids import BridgeId, ChannelId
from controller.telephony.events import DeviceState, SystemEvent
from controller.telephony.mailboxes import Mailboxes
from ivr.commands import HangupCause

REQUEST_LIMIT = 5.0
"""Seconds that a request may take."""

CALL_VARIABLE = "ATTENDANT_CALL"
"""The channel variable that Asterisk lists with a channel (ari.conf, channelvars)."""

TRANSFER_CONTEXT: Final = "TRANSFER_CONTEXT"
"""The channel variable that says where the transfer key of the phone on it may lead."""
TRANSFERS_TO_ALL: Final = "transferring"
"""To colleagues (`Telephony.let_transfer_to`) and numbers outside."""
TRANSFERS_OUTSIDE: Final = "transferring-outside"

FALLBACK_DIAL = ("attendant", "fallback_dial")
"""Family and key of Asterisk's own database where the dialplan finds what `set_fallback_dial` set, joined with "&"."""


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel that exists now. `call` is the value of its variable ATTENDANT_CALL, "" when it has none."""

    channel: ChannelId
    call: str
    in_our_app: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class SipAccount:
    """A phone that may register. `name` is account, user and device name in one; `secret` is its password in clear.

    `remote`: it is on another machine, so it may be behind NAT, and its network may go away without a word. `browser`: it is a
    page that speaks WebRTC, which is told to send sound to `media_address` (None: the address that Asterisk finds).
    """

    name: str
    secret: str
    caller_name: str
    context: str
    remote: bool = True
    browser: bool = False
    media_address: str | None = None


@dataclass(frozen=True, slots=True)
class SipTrunk:
    """A carrier at `host`:`port`. "PJSIP/NUMBER@name" dials a number through it; if `inbound`, calls from its address are taken.

    `username` and `secret` (in clear) are what it asks for, empty when it asks for nothing; `registers`: it must be told where
    we are. `caller_id` is the number it knows us by, `domain` the one its users belong to; empty: `host`.
    """

    name: str
    host: str
    port: int
    transport: Literal["udp", "tcp"] = "udp"
    username: str = ""
    secret: str = ""
    registers: bool = False
    caller_id: str = ""
    domain: str = ""
    inbound: bool = True

    @property
    def shown(self) -> str:
        """What is shown outside when a call says nothing else; empty: nothing."""
        return self.caller_id or self.username


class Telephony(Protocol):
    """The door. One object per process."""

    mailboxes: Mailboxes

    def listen(self, listener: Callable[[SystemEvent], None]) -> None:
        """Have every SystemEvent given to `listener`, which must only enqueue."""
        ...

    @property
    def connected(self) -> bool:
        """True while events arrive and requests can be made."""
        ...

    async def answer(self, channel: ChannelId) -> None: ...

    async def play(self, channel: ChannelId, playback: str, media: Sequence[str], language: str) -> None:
        """Play media ("sound:hello", "sound:/absolute/path/without/extension") in order; one PlaybackEnded follows.

        It also follows (failed) when nothing of it can be played, and when the channel is hung up meanwhile.
        """
        ...

    async def stop_playback(self, playback: str) -> None:
        """Stop it now; no error when it has ended already. Its PlaybackEnded still follows."""
        ...

    async def start_music(self, channel: ChannelId) -> None:
        """Music on hold, until stopped, or until the channel is joined to a bridge."""
        ...

    async def stop_music(self, channel: ChannelId) -> None: ...

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
        """Call `endpoint` ("PJSIP/2001") as `channel`, whose mailbox is already expected.

        Ringing, Answered and Gone follow; Gone alone when it rang too long (cause 19), was refused, or can't be reached
        at once (then no TelephonyError is raised: a phone that is off is an outcome, not an error).
        Asterisk counts `ring_seconds` in whole seconds, at least 1. After an error or a cancellation nothing rings on.
        """
        ...

    async def bridge(self, bridge: BridgeId, channels: Sequence[ChannelId]) -> None:
        """Join answered channels so that they hear each other; keys pressed by them are still reported. The name must be new:
        that of a bridge just dissolved may be refused, with ChannelGone.
        """
        ...

    async def unbridge(self, bridge: BridgeId) -> None:
        """Dissolve the bridge; its channels stay. No error when it is gone."""
        ...

    async def hangup(self, channel: ChannelId, cause: HangupCause | None = None, *, answered_elsewhere: bool = False) -> None:
        """Hang up; no error when it is gone already. A channel never answered is refused with the cause."""
        ...

    async def continue_in_dialplan(self, channel: ChannelId, context: str, extension: str = "s") -> None:
        """Give the channel back to the dialplan; Gone (by_us) follows for us."""
        ...

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None: ...

    async def start_recording(self, channel: ChannelId, path: str) -> None:
        """Record what the channel says and hears to `path`, as Asterisk sees the folder, until it ends: mixed into a .wav, or
        into a .raw of two channels, left what it says and right what it hears (16 bits signed, little-endian, 8000 Hz).

        Asterisk makes missing folders, begins the file with the first sound (none, no file), and completes it a moment
        after the end.
        """
        ...

    async def pause_recording(self, channel: ChannelId, paused: bool) -> None:
        """Write silence instead of what is said and heard, until told otherwise."""
        ...

    async def stop_recording(self, channel: ChannelId) -> None: ...

    async def record_message(self, channel: ChannelId, recording: str, *, max_seconds: float, max_silence: float) -> None:
        """Record what the channel says, at most `max_seconds` or until it is silent for `max_silence` seconds (whole ones; up to
        a second more).

        `recording` is the file's path in the recordings folder without its ".wav", used once. One MessageRecorded follows, also
        when the file could not be written; none when the channel is hung up meanwhile, whose file is whole all the same.
        While it is recorded nothing can be played to the channel, and it can't be continued in the dialplan.
        """
        ...

    async def stop_message(self, recording: str) -> None:
        """Stop it and keep what there is; no error when it has ended already. Its MessageRecorded still follows."""
        ...

    async def recording_message(self, recording: str) -> bool:
        """True while that recording is being made."""
        ...

    async def channels(self) -> list[ChannelInfo]:
        """Every channel of this Asterisk."""
        ...

    async def playing(self, playback: str) -> bool:
        """True while that playback exists."""
        ...

    async def watch_device(self, device: str) -> DeviceState:
        """Report DeviceStateChanged of "PJSIP/2001" from now on, also after a reconnection; the state now is returned."""
        ...

    async def put_sip_account(self, account: SipAccount) -> None:
        """Make or change an account, valid at once; safe to repeat.

        To be repeated at every `Connected`: an Asterisk that was killed forgets what was put in its last second.
        """
        ...

    async def remove_sip_account(self, name: str) -> None:
        """No error when there is none."""
        ...

    async def put_trunk(self, trunk: SipTrunk) -> None:
        """Make or change a trunk, valid at once; safe to repeat, and to be repeated at every `Connected`."""
        ...

    async def remove_trunk(self, name: str) -> None:
        """No error when there is none."""
        ...

    async def let_transfer_to(self, extension: str, allowed: bool) -> None:
        """Whether phones' transfer keys lead to this extension, or are refused; to be repeated at every `Connected`."""
        ...

    async def set_fallback_dial(self, endpoints: Sequence[str]) -> None:
        """Whom the fallback dialplan rings while no controller answers ("PJSIP/2001", …); kept by Asterisk over restarts."""
        ...
