"""Transfers: whoever talks with the caller gives him to somebody else (SKZ-66 to SKZ-69).

Blind:      the operator is free at once; the caller hears music while the target is rung.
Consulting: the operator speaks with the target while the caller hears music. He hangs up: caller and target are joined. The
            target hangs up, is not reached, or the operator presses "back": he has his caller again. Either can be ordered
            for him from outside.

A target who is one of us must be available, a number outside is reached by a trunk. The call center of the call's campaign
(LNR-5, LNR-6) may have several numbers: the next one is rung when one is busy, out of reach, or not answered. A target who does
not answer in time, or drops the call within a second, has not taken it: after a blind transfer the call is ended, or returns to
who transferred it, as the rules say. What a transfer changes is seen by its call alone: the scenario goes on after the last
conversation.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from controller.calls.codes import CALL_CENTER, KeysOfOperator, Return, Transfer
from controller.calls.executor import Executor
from controller.calls.facts import CallFacts, CallTools
from controller.errors import Refused, TelephonyError
from controller.ids import BridgeId, ChannelId
from controller.routing import HandedOver, Person, SearchEnded
from controller.telephony.mailboxes import Mailbox
from ivr.events import VisitId
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

KEY_PAUSE: Final = 5.0
"""Seconds between two keys of a code, at most."""
SHORTEST_OUTSIDE: Final = 5
"""Digits of a number that is nobody's extension, and so can only be one outside."""
_NOT_POSSIBLE: Final = PromptRef("not-possible")

_Stage: TypeAlias = Literal["idle", "ringing", "consult_ringing", "consult_talking", "returning", "taken"]
After: TypeAlias = Literal["goes_on", "talks", "is_over"]
"""What an event means for the call: as before · the caller talks with the executor's operator · nobody took the caller."""


@dataclass(frozen=True, slots=True)
class KeysPaused:
    """The operator has pressed no key for a while."""

    count: int


class Transfers:
    """The transfers of one call."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, executor: Executor) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._executor = executor
        self._keys = KeysOfOperator(tools.desk.codes)
        self._key_count = 0
        self._pause: asyncio.TimerHandle | None = None
        self._stage: _Stage = "idle"
        self._visit = VisitId(0)
        self._operator = ""
        self._by = ""
        self._found = ""
        self._may_return = False
        self._first: ChannelId | None = None
        self._target: ChannelId | None = None
        self._consultation: BridgeId | None = None
        self._called_off = False
        self._said = 0

    @property
    def searching(self) -> bool:
        """Somebody is rung, and his answer is ours."""
        return self._stage in ("ringing", "consult_ringing", "returning")

    @property
    def waits(self) -> bool:
        """A short conversation with who was found ends the transfer, not the scenario's search."""
        return self._stage == "taken"

    def concerns(self, leg: ChannelId) -> bool:
        """Whether the end of this line is ours to judge."""
        return self._consulting and leg in (self._first, self._target)

    @property
    def _consulting(self) -> bool:
        return self._stage in ("consult_ringing", "consult_talking")

    def check(self, number: str) -> Person:
        """Who is wanted by a transfer now. Raises Refused."""
        tools, operator = self._tools, self._executor.operator
        if self._executor.operator_leg is None or operator is None or self._consulting:
            raise Refused("nobody talks with the caller now")
        if number == CALL_CENTER:
            return self._call_center()
        if number == operator:
            raise Refused("a call can't be transferred to who has it")
        if tools.people.known(number) is None:
            outside = re.fullmatch(rf"\+?[0-9]{{{SHORTEST_OUTSIDE},20}}", number) is not None
            person = tools.people.outside(number, tools.desk.transfer_seconds) if outside else None
            if person is None:
                reason = "it can't be called outside now" if outside else "nobody has this extension"
                raise Refused(f"the call can't be transferred to {number}: {reason}")
            facts = self._facts
            tools.lines.check(person.numbers[0].trunk, came_in_on=facts.came_in_on, own=facts.shown[0])
            return person
        own = tools.people.known(operator)
        if own is not None and not own.team:
            raise Refused(f"operator {operator} does not see his colleagues: he can transfer to numbers outside only")
        why_not = tools.why_not_at_his_phone(number)
        person = tools.people.at_his_phone(number, tools.desk.transfer_seconds)
        if why_not is not None or person is None:
            raise Refused(f"the call can't be transferred to {number}: {why_not or 'nobody has this extension'}")
        return person

    def _call_center(self) -> Person:
        campaign, tools = self._facts.campaign, self._tools
        if campaign is None or not campaign.transfer_numbers:
            why = (
                "its number belongs to no campaign" if campaign is None else f'the campaign "{campaign.name}" has no such number'
            )
            raise Refused(f"the call can't be transferred to the call center: {why}")
        person = tools.people.in_turn(campaign.transfer_numbers, tools.desk.transfer_seconds)
        if person is None:
            raise Refused("the call can't be transferred to the call center: none of its numbers can be called now")
        return person

    async def begin(self, number: str, consulting: bool, visit: VisitId) -> None:
        """Transfer the caller. Raises Refused, and then nothing has changed."""
        person = self.check(number)
        self._operator, self._first, self._visit = self._executor.operator or "", self._executor.operator_leg, visit
        assert self._first is not None
        self._by = self._operator if self._tools.people.known(self._operator) is not None else ""
        self._may_return = self._tools.desk.transfer_returns
        log.info("call %s: %s transfers it to %s", self._facts.call, self._operator, number)
        await self._quietly(self._executor.part())
        if consulting:
            self._stage, self._called_off = "consult_ringing", False
            await self._quietly(self._tools.telephony.start_music(self._first))
        else:
            self._stage = "ringing"
            self._tools.distributor.drop(self._first)
        self._search(person)

    async def take_over(self, handed: HandedOver, visit: VisitId) -> bool:
        """The operator's phone has joined the caller with a colleague; False when it was not the operator who did."""
        if handed.first != self._executor.operator_leg:
            return False
        log.info("call %s: %s has joined it with %s", self._facts.call, self._executor.operator, handed.operator)
        await self._quietly(self._executor.part())
        self._tools.distributor.drop(handed.first)
        self._stage = "idle"
        await self._quietly(self._executor.rejoin(handed.leg, handed.operator, visit, handed.record))
        return True

    async def search_ended(self, message: SearchEnded) -> After:
        """Somebody was found, or nobody."""
        stage, leg = self._stage, message.leg
        if stage == "consult_ringing":
            if leg is None:
                await self._quietly(self._executor.search_ended(None, None))
                return await self._resume(refused=not self._called_off)
            self._target, self._found, self._stage = leg, message.operator or "", "consult_talking"
            if self._called_off:  # in the moment in which he answered
                self._call_off()
                return "goes_on"
            self._consultation = self._executor.next_bridge()
            assert self._first is not None
            await self._quietly(self._tools.telephony.bridge(self._consultation, (self._first, leg)))
            return "goes_on"
        await self._quietly(self._executor.search_ended(leg, message.operator))
        if leg is not None:
            self._stage = "taken"
            await self._quietly(self._executor.join(self._visit))
            return "talks"
        return self._nobody()

    def dropped_at_once(self) -> After:
        """Who was found has put down within a second."""
        return self._nobody()

    def over(self) -> None:
        """The conversation has ended."""
        self._stage = "idle"

    async def line_ended(self, leg: ChannelId) -> After:
        """One of the two who consult is gone."""
        if leg == self._first:
            if self._stage == "consult_ringing":
                # He did not want to wait: what is left is a blind transfer.
                self._stage = "ringing"
                return "goes_on"
            return await self._complete()
        await self._end_consultation()
        return await self._resume(refused=False)

    @property
    def first(self) -> ChannelId | None:
        """The line of who transfers."""
        return self._first

    @property
    def consults(self) -> bool:
        """He speaks with the target."""
        return self._stage == "consult_talking"

    def key(self, leg: ChannelId, key: str) -> Transfer | None:
        """A key of somebody who talks; gives a transfer that he has ordered by it."""
        if leg not in (self._executor.operator_leg, self._first):
            return None
        order = self._keys.press(key)
        self._key_count += 1
        if self._pause is not None:
            self._pause.cancel()
        if self._keys.typing:
            paused = KeysPaused(self._key_count)
            self._pause = asyncio.get_running_loop().call_later(KEY_PAUSE, self._mailbox.put_nowait, paused)
        if isinstance(order, Return):
            self._call_off()
            return None
        return order

    def paused(self, message: KeysPaused) -> None:
        """He has forgotten the rest of his code."""
        if message.count == self._key_count:
            self._keys.forget()

    async def conclude(self, *, completes: bool) -> None:
        """End the consultation as the operator can: by his key code, or (`completes`) by hanging up, which before the target has
        answered leaves a blind transfer. Raises Refused: nobody consults.
        """
        if not self._consulting or self._first is None:
            raise Refused("nobody consults before a transfer of this call now")
        if completes:
            self._tools.distributor.drop(self._first)
        else:
            self._call_off()

    async def refuse(self) -> None:
        """Let the operator hear that it is not possible; the caller does not."""
        leg = self._executor.operator_leg
        media = self._tools.prompts.media((_NOT_POSSIBLE,), self._facts.language)
        if leg is not None and media:
            self._said += 1
            name = f"{self._facts.call}-told.{self._said}"
            await self._quietly(self._tools.telephony.play(leg, name, media, self._facts.language))

    async def tidy_up(self) -> None:
        """The call is over. Those who consult are hung up by the distribution."""
        if self._pause is not None:
            self._pause.cancel()
        await self._end_consultation()

    def _search(self, person: Person) -> None:
        self._executor.search_person(self._visit, person, person.ring_seconds, self._by)

    def _nobody(self) -> After:
        back = self._tools.people.at_his_phone(self._by, self._tools.desk.transfer_seconds)
        may_return, self._may_return = self._may_return, False
        if back is None or not may_return:
            self._stage = "idle"
            return "is_over"
        log.info("call %s returns to %s", self._facts.call, self._by)
        self._stage = "returning"
        self._search(back)
        return "goes_on"

    def _call_off(self) -> None:
        """He wants his caller back."""
        if self._stage == "consult_ringing":
            self._called_off = True
            self._tools.distributor.give_up(self._facts.call)
        elif self._stage == "consult_talking" and self._target is not None:
            self._tools.distributor.drop(self._target)

    async def _resume(self, *, refused: bool) -> After:
        """The operator has his caller again."""
        leg, self._first, self._target = self._first, None, None
        self._stage = "idle"
        await self._quietly(self._executor.hold.stop(joined=True))
        await self._quietly(self._executor.rejoin(leg, self._operator, None))
        if refused:
            await self.refuse()
        return "talks"

    async def _complete(self) -> After:
        """Caller and target are joined; the operator is gone."""
        leg = self._target
        await self._end_consultation()
        self._first = self._target = None
        self._stage = "taken"
        await self._quietly(self._executor.hold.stop(joined=True))
        await self._quietly(self._executor.rejoin(leg, self._found, self._visit))
        return "talks"

    async def _end_consultation(self) -> None:
        bridge, self._consultation = self._consultation, None
        if bridge is not None:
            await self._quietly(self._tools.telephony.unbridge(bridge))

    async def _quietly(self, request: Awaitable[None]) -> None:
        try:
            await request
        except TelephonyError as error:
            log.info("call %s: %s", self._facts.call, error)
