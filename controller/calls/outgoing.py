"""Calls that an operator asks for: his own phone is called first, and whom he wants only when he has answered (SKZ-64, SKZ-75).

A number outside takes the caller's place in the call, so transfers, recordings and records are as in any other. A colleague is
called as if the operator had dialled his extension.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Final

from controller.calls.arrivals import Arrivals
from controller.calls.campaigns import number_is_hidden
from controller.calls.client_lines import ClientLine
from controller.calls.facts import CallFacts, CallTools
from controller.calls.ringing import SLACK, NotRung, Rung, ring
from controller.calls.scenarios import internal_call, outgoing_call
from controller.calls.trail import started
from controller.errors import Refused, TelephonyError
from controller.ids import CallId, ChannelId, client_channel_id, new_call_id, trunk_id_of
from controller.routing import KeepRequest, Kept, LineRequest, Number, OperatorLineEnded, Person, SearchEnded, trunk_of
from controller.storage.calls import EndedBy
from controller.storage.journal_changes import CallEnded
from controller.telephony.events import Answered, Gone, PlaybackEnded
from controller.telephony.mailboxes import new_mailbox
from ivr.events import VisitId
from ivr.graph import ScenarioBundle
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

CLIENT_RINGS: Final = 60.0
"""Seconds that a number outside is rung."""
TOLD_WITHIN: Final = 15.0
"""Seconds that the operator may be told that nobody answered."""
_BY_SYSTEM: Final[EndedBy] = "system"
_BY_OPERATOR: Final[EndedBy] = "operator"
_BY_CLIENT: Final[EndedBy] = "caller"
_NOBODY: Final = PromptRef("sorry-nobody-available")


class OutgoingCalls:
    """Places calls: `place` begins one, `close` ends those that nobody talks in yet."""

    def __init__(self, tools: CallTools, arrivals: Arrivals, language: str) -> None:
        self._tools = tools
        self._arrivals = arrivals
        self._language = language
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def place(self, extension: str, number: str, *, at_mobile: bool | None = None) -> CallId:
        """Call the operator at his phone, or at the first of his further numbers (None: as his call mode says), and then
        `number`, which may be a colleague's extension; the record tells the rest. A channel of the number that will be shown
        outside is kept for the call from now on.

        Raises Refused: it is known now that it can't be done.
        """
        operator = self._operator(extension, at_mobile)
        if self._tools.people.known(number) is not None:
            return self._place_internal(operator, extension, number)
        device = self._tools.outside_device(number)
        if self._closing or device is None:
            raise Refused(f"{number} can't be called now: it is no number, or there is no trunk")
        call = new_call_id()
        facts = CallFacts(
            call,
            client_channel_id(call),
            self._tools.clock.now(),
            number,
            "",
            extension,
            "",
            self._language,
            ScenarioBundle(outgoing_call(extension)),
            None,
            direction="outbound",
        )
        shown = self._tools.lines.dials(facts.channel, trunk_of(device), came_in_on="", own=extension)
        return self._begin(facts, _Outgoing(facts, self._tools, self._arrivals, device, shown).run(operator))

    def _place_internal(self, operator: Person, extension: str, colleague: str) -> CallId:
        people = self._tools.people
        why_not = "it is his own extension" if colleague == extension else self._tools.why_not_at_his_phone(colleague)
        if why_not is not None:
            raise Refused(f"operator {colleague} can't be called: {why_not}")
        if self._closing:
            raise Refused("no calls are placed any more: the controller is being stopped")
        known, call = people.known(extension), new_call_id()
        facts = CallFacts(
            call,
            client_channel_id(call),
            self._tools.clock.now(),
            extension,
            "" if known is None else known.operator.name,
            colleague,
            "",
            self._language,
            ScenarioBundle(internal_call(extension, colleague)),
            None,
            direction="internal",
        )
        return self._begin(facts, _Internal(facts, self._tools, self._arrivals).run(operator))

    def _begin(self, facts: CallFacts, work: Coroutine[None, None, None]) -> CallId:
        self._tools.journal.record(started(facts))
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._finished, facts.channel))
        return facts.call

    async def close(self) -> None:
        """Place no more, and end those in which nobody talks; the others are sent away by `Arrivals.close`."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _operator(self, extension: str, at_mobile: bool | None) -> Person:
        people, seconds = self._tools.people, self._tools.desk.transfer_seconds
        known = people.known(extension)
        if known is None:
            raise Refused(f"there is no operator {extension}")
        if known.at_mobile if at_mobile is None else at_mobile:
            mobile = people.at_his_mobile(extension)
            if mobile is None:
                raise Refused(f"operator {extension} has no further number, or it can't be called now")
            if extension in self._tools.distributor.engaged:
                raise Refused(f"operator {extension} can't be called: he talks, or another call is being put through to him")
            return mobile
        why_not, phone = self._tools.why_not_at_his_phone(extension), people.at_his_phone(extension, seconds)
        if why_not is not None or phone is None:
            raise Refused(f"operator {extension} can't be called: {why_not or 'nobody has this extension'}")
        return phone

    def _finished(self, client: ChannelId, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._tools.lines.free(client)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call that an operator asked for failed", exc_info=error)


class _Internal:
    """A call to a colleague. The operator is rung, and is then where he would be if he had dialled the extension himself."""

    def __init__(self, facts: CallFacts, tools: CallTools, arrivals: Arrivals) -> None:
        self._facts = facts
        self._tools = tools
        self._arrivals = arrivals
        self._mailbox = new_mailbox()

    async def run(self, operator: Person) -> None:
        """The whole call. Whatever happens, the record is closed."""
        facts, tools, own = self._facts, self._tools, operator.numbers[0]
        rung: Rung = NotRung()
        try:
            if await self._keeps_him():
                rung = await ring(tools.telephony, facts.call, facts.channel, own, self._mailbox, shows=facts.called_number)
        finally:
            if not isinstance(rung, Answered):
                tools.distributor.leave(facts.call)
                cause = rung.cause or None if isinstance(rung, Gone) else None
                tools.journal.record(CallEnded(facts.call, tools.clock.now(), _BY_OPERATOR, cause, "refused"))
        if isinstance(rung, Answered):
            await self._arrivals.serve(facts, self._mailbox)

    async def _keeps_him(self) -> bool:
        """Whether he is offered no other call from now on; not if one came a moment before."""
        self._tools.distributor.keep(KeepRequest(self._facts.call, self._mailbox, self._facts.caller_number))
        while True:
            message = await self._mailbox.get()
            if isinstance(message, Kept):
                return message.granted


class _Outgoing:
    """A call to a number outside."""

    def __init__(self, facts: CallFacts, tools: CallTools, arrivals: Arrivals, device: str, shown: str) -> None:
        self._facts = facts
        self._tools = tools
        self._arrivals = arrivals
        self._device = device
        self._shown = shown
        self._mailbox = new_mailbox()

    async def run(self, operator: Person) -> None:
        """The whole call. Whatever happens, nobody stays reserved and the record is closed."""
        ended_by: EndedBy = _BY_SYSTEM
        facts, cause, served = self._facts, 0, False
        try:
            facts = replace(facts, number_hidden=await number_is_hidden(facts.caller_number, self._tools))
            found = await self._reach(operator, self._shown if facts.hides_number else facts.caller_number)
            if found.leg is None:
                ended_by = _BY_OPERATOR
                return
            line = ClientLine(facts.call, facts.channel, facts.caller_number, trunk_id_of(self._device), self._tools.clock.now())
            match await self._call_client(found.leg, line):
                case Answered(at=at):
                    served = True
                    line = replace(line, answered_at=at)
                    await self._arrivals.serve(replace(facts, met=found, client_line=line), self._mailbox)
                case Gone(cause=cause):
                    ended_by = _BY_CLIENT
                    await self._tell_nobody(found.leg)
                case OperatorLineEnded():
                    ended_by = _BY_OPERATOR
        finally:
            if not served:
                self._tools.distributor.leave(facts.call)
                now = self._tools.clock.now()
                self._tools.journal.record(CallEnded(facts.call, now, ended_by, cause or None, "refused"))

    async def _reach(self, operator: Person, shown: str) -> SearchEnded:
        """Ring the operator, whose phone shows this number; the distribution keeps him for this call meanwhile."""
        facts, wait = self._facts, operator.ring_seconds + SLACK
        self._tools.distributor.join(LineRequest(facts.call, None, self._mailbox, VisitId(1), operator, wait, shown, ""))
        while True:
            message = await self._mailbox.get()
            if isinstance(message, SearchEnded):
                return message

    async def _call_client(self, leg: ChannelId, line: ClientLine) -> Rung:
        """Ring the number outside, for the operator on `leg`."""
        telephony, facts = self._tools.telephony, self._facts
        number = Number(self._device, CLIENT_RINGS, facts.caller_number, outside=True)
        rung: Rung = NotRung()
        try:
            await telephony.start_music(leg)
            rung = await ring(telephony, facts.call, facts.channel, number, self._mailbox, shows=self._shown, rung_for=leg)
        except TelephonyError as error:
            log.warning("call %s: %s is not called: %s", facts.call, facts.caller_number, error)
        finally:
            if not isinstance(rung, Answered):
                cause = rung.cause or None if isinstance(rung, Gone) else None
                for change in line.missed(self._tools.clock.now(), cause):
                    self._tools.journal.record(change)
        return rung

    async def _tell_nobody(self, leg: ChannelId) -> None:
        """The operator hears that nobody has answered; then his line ends."""
        media = self._tools.prompts.media((_NOBODY,), self._facts.language)
        await self._quietly(self._tools.telephony.stop_music(leg))
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                await self._tools.telephony.play(leg, f"{self._facts.call}-told", media, self._facts.language)
                while not isinstance(await self._mailbox.get(), PlaybackEnded | OperatorLineEnded):
                    pass
        except (TelephonyError, TimeoutError) as error:
            log.info("call %s: the operator was not told: %s", self._facts.call, error or "no end of the prompt")

    async def _quietly(self, request: Awaitable[None]) -> None:
        try:
            await request
        except TelephonyError as error:
            log.info("call %s: %s", self._facts.call, error)
