"""Rings somebody whom we call ourselves, on a line of its own, until he answers, does not, or it is given up.

Whom the distribution offers a call is rung by `controller.routing`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, TypeAlias

from controller.errors import TelephonyError
from controller.ids import CallId, ChannelId
from controller.routing import Number, OperatorLineEnded
from controller.telephony.events import Answered, Gone
from controller.telephony.mailboxes import Mailbox
from controller.telephony.port import CALL_VARIABLE, Telephony

log = logging.getLogger(__name__)

SLACK: Final = 10.0
"""Seconds beyond the ringing after which a line that Asterisk says nothing of is given up."""


@dataclass(frozen=True, slots=True)
class NotRung:
    """He could not be called (`error`), or nothing was heard of his line in time (None)."""

    error: TelephonyError | None = None


Rung: TypeAlias = Answered | Gone | OperatorLineEnded | NotRung
"""What came of ringing: he has answered, he has not, the operator for whom he was rung is gone, or our side failed."""


async def ring(
    telephony: Telephony,
    call: CallId,
    channel: ChannelId,
    number: Number,
    mailbox: Mailbox,
    *,
    shows: str,
    name: str = "",
    rung_for: ChannelId | None = None,
) -> Rung:
    """Ring the number on a new line; its phone shows this number and name. What the line reports comes to `mailbox`, and all that
    comes there until he answers is used up.

    `rung_for` is the line of the operator who waits for him; its end is the end of the ringing. Unless he has answered, nothing
    is left of the new line, also after a cancellation.
    """
    rung: Rung = NotRung()
    telephony.mailboxes.expect(channel, mailbox)
    try:
        async with asyncio.timeout(number.ring_seconds + SLACK):
            await telephony.dial(
                channel,
                number.device,
                ring_seconds=number.ring_seconds,
                originator=rung_for,
                caller_number=shows,
                caller_name=name,
                variables={CALL_VARIABLE: call},
            )
            rung = await _outcome(channel, mailbox, rung_for)
    except TimeoutError:
        rung = NotRung()
        log.warning("call %s: nothing was heard of the line to %s", call, number.shown)
    except TelephonyError as error:
        rung = NotRung(error)
        log.warning("call %s: %s can't be called: %s", call, number.shown, error)
    finally:
        if not isinstance(rung, Answered):
            telephony.mailboxes.forget(channel)
            await hang_up(telephony, channel)
    return rung


async def hang_up(telephony: Telephony, channel: ChannelId) -> None:
    """End a line that we have opened; no error when it is gone, or can't be reached."""
    try:
        await telephony.hangup(channel)
    except TelephonyError as error:
        log.warning("the line %s could not be hung up: %s", channel, error)


async def _outcome(channel: ChannelId, mailbox: Mailbox, rung_for: ChannelId | None) -> Rung:
    while True:
        message = await mailbox.get()
        match message:
            case Answered(of) | Gone(of) if of == channel:
                return message
            case OperatorLineEnded(of) if of == rung_for:
                return message
