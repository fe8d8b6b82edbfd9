"""What happens when an operator dials a feature code: it is done, he hears that it is, and his line ends.

A call that he picks up is served by the session of its caller; his line belongs to the distribution from then on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, assert_never

from controller.calls.codes import Code, Disturb, DoNotDisturb, LogIn, LogOut, PickUp, WrongCode
from controller.calls.facts import CallTools
from controller.errors import AttendantError, ChannelGone, TelephonyError
from controller.ids import ChannelId
from controller.routing import Employee, PickedUp, PickUpRequest
from controller.storage.operator_states import Wish
from controller.telephony.events import Gone, PlaybackEnded
from controller.telephony.mailboxes import Mailbox
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

DONE_WITHIN: Final = 5.0
"""Seconds that a code may take to be carried out."""
HEARD_WITHIN: Final = 20.0
"""Seconds that the answer may take to be played."""
GONE_WITHIN: Final = 10.0

_REFUSED: Final = PromptRef("not-possible")


class FeatureDialogue:
    """One code, dialled by `operator` on `channel`."""

    def __init__(self, tools: CallTools, channel: ChannelId, mailbox: Mailbox, operator: Employee, language: str) -> None:
        self._tools = tools
        self._channel = channel
        self._mailbox = mailbox
        self._operator = operator
        self._language = language
        self._gone = False

    async def run(self, code: Code) -> None:
        """Serve it to its end. Never raises, except when cancelled; the line does not stay behind."""
        try:
            await self._tools.telephony.answer(self._channel)
            answer = await self._carry_out(code)
            if answer is None:
                return
            await self._say(answer)
        except ChannelGone:
            return
        except (TelephonyError, TimeoutError) as error:
            log.warning("operator %s dialled a code: %s", self._operator.operator.extension, error or "it took too long")
        await self._hang_up()

    async def _carry_out(self, code: Code) -> PromptRef | None:
        """What he is to hear; None when he is in a call now."""
        match code:
            case LogIn():
                return await self._choose("available", "", "operator-logged-in")
            case Disturb():
                return await self._choose("available", "", "do-not-disturb-off")
            case LogOut():
                return await self._choose("offline", "", "operator-logged-out")
            case DoNotDisturb(reason):
                return await self._choose("do_not_disturb", reason, "do-not-disturb-on")
            case PickUp(extension):
                return None if await self._pick_up(extension) else _REFUSED
            case WrongCode():
                return _REFUSED
            case _:
                assert_never(code)

    async def _choose(self, wish: Wish, reason: str, done: str) -> PromptRef:
        extension = self._operator.operator.extension
        try:
            async with asyncio.timeout(DONE_WITHIN):
                await self._tools.choose_state(extension, wish, reason)
        except (AttendantError, TimeoutError) as error:
            log.warning("operator %s can't be %s: %s", extension, wish, error or "the database does not answer")
            return _REFUSED
        return PromptRef(done)

    async def _pick_up(self, extension: str | None) -> bool:
        self._tools.distributor.pick_up(PickUpRequest(self._channel, self._mailbox, self._operator.operator, extension))
        async with asyncio.timeout(DONE_WITHIN):
            while True:
                match await self._mailbox.get():
                    case PickedUp(call):
                        return call is not None
                    case Gone():
                        self._gone = True

    async def _say(self, prompt: PromptRef) -> None:
        media = self._tools.prompts.media((prompt,), self._language)
        if not media or self._gone:
            return
        await self._tools.telephony.play(self._channel, f"{self._channel}-code", media, self._language)
        try:
            async with asyncio.timeout(HEARD_WITHIN):
                while not self._gone:
                    match await self._mailbox.get():
                        case PlaybackEnded():
                            return
                        case Gone():
                            self._gone = True
        except TimeoutError:
            log.warning("the end of a prompt was not reported on %s", self._channel)

    async def _hang_up(self) -> None:
        """End the line, and wait until it has ended."""
        if self._gone:
            return
        try:
            await self._tools.telephony.hangup(self._channel)
            async with asyncio.timeout(GONE_WITHIN):
                while not isinstance(await self._mailbox.get(), Gone):
                    pass
        except (TelephonyError, TimeoutError) as error:
            log.warning("the line %s of an operator may stay: %s", self._channel, error or "no end was reported")
