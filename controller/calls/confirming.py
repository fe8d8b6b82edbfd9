"""Calls that confirm a number: whoever answers is told a code, digit by digit (SKZ-10).

They are on record like other calls, but without what was said: who reads records must not learn the code.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from controller.calls.arrivals import Arrivals
from controller.calls.facts import CallTools
from controller.calls.ringing import NotRung, Rung, hang_up, ring
from controller.errors import Refused, TelephonyError
from controller.ids import CallId, ChannelId, confirmation_channel_id, new_call_id
from controller.routing import Number, trunk_of
from controller.storage.calls import EndedBy
from controller.storage.journal_changes import CallAnswered, CallEnded, CallStarted
from controller.telephony.events import Answered, Gone, PlaybackEnded
from controller.telephony.mailboxes import Mailbox, new_mailbox
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

RINGS: Final = 30.0
"""Seconds that the number is rung."""
TOLD_WITHIN: Final = 90.0
"""Seconds that dictating may take."""
TIMES: Final = 3
"""How often the code is said."""
MOST_CALLS: Final = 5
"""At the same time, so that nobody fills the trunks with them."""
_SILENCE: Final = PromptRef("second-of-silence")
_INTRODUCTION: Final = PromptRef("confirmation-code")


class ConfirmationCalls:
    """Places such calls; `close` ends those that go on."""

    def __init__(self, tools: CallTools, arrivals: Arrivals) -> None:
        self._tools = tools
        self._arrivals = arrivals
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def place(self, number: str, code: str, language: str | None) -> CallId:
        """Call the number and tell it the code; None: in the installation's language. It sees what is shown through its trunk.

        Raises Refused: it is known now that it can't be done.
        """
        device = self._tools.outside_device(number)
        if self._closing or device is None:
            raise Refused(f"{number} can't be called now: it is no number, or there is no trunk")
        if len(self._tasks) >= MOST_CALLS:
            raise Refused("other numbers are being called just now: try again in a minute")
        call = new_call_id()
        channel, own = confirmation_channel_id(call), min(self._arrivals.routes, default="")
        shown = self._tools.lines.dials(channel, trunk_of(device), came_in_on="", own=own, confirms=True)
        told = _Confirmation(call, number, device, shown, language or self._arrivals.language, self._tools)
        task = asyncio.create_task(told.run(code))
        self._tasks.add(task)
        task.add_done_callback(partial(self._finished, channel))
        return call

    async def close(self) -> None:
        """Place no more, and end those that go on."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, channel: ChannelId, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._tools.lines.free(channel)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call to confirm a number failed", exc_info=error)


def dictated(code: str) -> tuple[PromptRef, ...]:
    """What is said: the code TIMES times, with a pause before each."""
    digits = tuple(PromptRef(f"digit-{digit}") for digit in code)
    return (_SILENCE, _INTRODUCTION, *((_SILENCE, *digits) * TIMES))


class _Confirmation:
    """One such call."""

    def __init__(self, call: CallId, number: str, device: str, shown: str, language: str, tools: CallTools) -> None:
        self._call = call
        self._channel = confirmation_channel_id(call)
        self._number = number
        self._device = device
        self._shown = shown
        self._language = language
        self._tools = tools
        self._mailbox: Mailbox = new_mailbox()

    async def run(self, code: str) -> None:
        """The whole call. Whatever happens, its line ends and its record is closed."""
        tools, now = self._tools, self._tools.clock.now
        started = CallStarted(self._call, now(), self._number, "", self._shown, "", self._language, None, direction="outbound")
        tools.journal.record(started)
        number = Number(self._device, RINGS, self._number, outside=True)
        rung: Rung = NotRung()
        gone: Gone | None = None
        try:
            rung = await ring(tools.telephony, self._call, self._channel, number, self._mailbox, shows=self._shown)
            if isinstance(rung, Answered):
                tools.journal.record(CallAnswered(self._call, now()))
                gone = await self._tell(code)
        finally:
            answered = isinstance(rung, Answered)
            gone = rung if isinstance(rung, Gone) else gone
            by: EndedBy = "system" if gone is None else "caller"
            cause = None if gone is None else gone.cause
            tools.journal.record(CallEnded(self._call, now(), by, cause, "ended" if answered else "refused"))
            if answered and gone is None:
                tools.telephony.mailboxes.forget(self._channel)
                await hang_up(tools.telephony, self._channel)

    async def _tell(self, code: str) -> Gone | None:
        """Tell him the code; the end of his line when he did not hear it out."""
        media = self._tools.prompts.media(dictated(code), self._language)
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                await self._tools.telephony.play(self._channel, f"{self._call}-code", media, self._language)
                while True:
                    event = await self._mailbox.get()
                    if isinstance(event, Gone):
                        return event
                    if isinstance(event, PlaybackEnded):
                        return None
        except TimeoutError:
            log.warning("call %s: nothing more was heard of the line to %s", self._call, self._number)
        except TelephonyError as error:
            log.warning("call %s: %s can't be told its code: %s", self._call, self._number, error)
        return None
