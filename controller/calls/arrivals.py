"""The newcomer handler: a call that arrives gets its number's scenario, a mailbox and a task of its own.

It also keeps the list of live calls: has them compared with Asterisk when events may have been lost, and sees them off when
the controller stops.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final, TypeVar

from controller.addresses import phone_number
from controller.calls.blocking import BlockList, asks_itself, blocking, count_hit
from controller.calls.campaigns import admitted, number_is_hidden
from controller.calls.dictation import Dictation, PromptStudio
from controller.calls.facts import CallFacts, CallTools
from controller.calls.features import FeatureDialogue
from controller.calls.hours import callers_zone, goes_by_callers, groups_of, state_now, working_time
from controller.calls.numbers import UNKNOWN, Route, refusing
from controller.calls.requests import CheckUp, ConclusionAsked, Dismiss, PauseRecording, TransferAsked
from controller.calls.scenarios import internal_call
from controller.calls.session import FALLBACK_CONTEXT, CallSession
from controller.errors import Refused, TelephonyError, TelephonyUnavailable
from controller.ids import (
    CallId,
    ChannelId,
    is_callback_channel,
    is_client_channel,
    is_confirmation_channel,
    is_operator_leg,
    new_call_id,
)
from controller.storage.contacts import BlockEntry
from controller.telephony.events import ChannelEntered, Connected, Disconnected, Gone, SystemEvent
from controller.telephony.mailboxes import Mailbox, new_mailbox
from ivr.graph import ScenarioBundle

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

INTERNAL: Final = "internal"
"""The first application argument of calls from operators' phones."""
EXTENSION: Final = r"[0-9]{1,8}"
ANSWER_SECONDS: Final = 8.0
"""Until a call must have done what was asked of it from outside."""
CHECK_UP_EVERY: Final = 60.0
"""Seconds between two comparisons with Asterisk."""
MISSING_FOR: Final = 10.0
"""Seconds until a channel that Asterisk did not name is looked for again."""


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A call that has come; whose it is, is not decided yet."""

    entered: ChannelEntered
    call: CallId
    arrived_at: datetime
    mailbox: Mailbox


class Arrivals:
    """All live calls of this process."""

    def __init__(self, tools: CallTools, language: str, studio: PromptStudio | None = None) -> None:
        self._tools = tools
        self._language = language
        self._studio = studio
        self._routes: Mapping[str, Route] = {}
        self._block_list = BlockList()
        self._live: dict[CallId, Mailbox] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._end_listeners: list[Callable[[CallId], None]] = []
        self._link_up = asyncio.Event()
        self._compare = asyncio.Event()
        self._missing: frozenset[ChannelId] = frozenset()
        self._closing = False
        tools.telephony.listen(self._on_system_event)
        tools.telephony.mailboxes.on_newcomer(self._on_newcomer)

    @property
    def live(self) -> int:
        """How many calls there are now."""
        return len(self._live)

    @property
    def language(self) -> str:
        """The installation's."""
        return self._language

    @property
    def routes(self) -> Mapping[str, Route]:
        """What numbers lead to, for calls that come now."""
        return self._routes

    @property
    def hides_numbers(self) -> bool:
        """A campaign with a number of ours hides its callers' numbers from operators."""
        return any(route.campaign is not None and route.campaign.hide_numbers for route in self._routes.values())

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """What numbers lead to, for calls that come from now on."""
        self._routes = routes

    @property
    def block_list(self) -> BlockList:
        """Whose calls are not taken now."""
        return self._block_list

    def set_block_list(self, block_list: BlockList) -> None:
        """Whose calls are not taken from now on."""
        self._block_list = block_list

    def serves(self, call: CallId) -> bool:
        """Whether the call is live."""
        return call in self._live

    def on_end(self, listener: Callable[[CallId], None]) -> None:
        """Have `listener` told of each call that is over; it must not wait."""
        self._end_listeners.append(listener)

    async def serve(self, facts: CallFacts, mailbox: Mailbox) -> CallSession:
        """Serve somebody whom we have called, and who has answered; returns when that call is over."""
        session = CallSession(facts, self._tools, mailbox, self._link_up)
        self._live[facts.call] = mailbox
        if self._closing:
            mailbox.put_nowait(Dismiss())
        # Who waits for it may be cancelled; the call is not.
        await asyncio.shield(self._start(self._serve(session)))
        return session

    async def run(self) -> None:
        """Compare with Asterisk after every connection and every CHECK_UP_EVERY seconds, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(MISSING_FOR if self._missing else CHECK_UP_EVERY):
                    await self._compare.wait()
            except TimeoutError:
                pass
            self._compare.clear()
            try:
                await self._compare_with_asterisk()
            except TelephonyError as error:
                log.warning("live calls could not be compared with Asterisk: %s", error)

    async def pause_recording(self, call: CallId, paused: bool) -> str:
        """Leave out of a live call's recording what is said from now on, or no longer; gives the recording's id.

        Raises Refused: the call is not in the hands of this process, or nothing is recorded; TelephonyError.
        """
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await self._ask(call, PauseRecording(paused, answer), answer, "its recording may go on as before")

    async def transfer(self, call: CallId, number: str, consulting: bool) -> None:
        """Have whoever talks in this call transfer his caller to an extension, a number outside, or (`codes.CALL_CENTER`) the
        call center of his campaign; with `consulting` he speaks with that person before.

        Raises Refused: the call is not live here, or it can't be transferred so; TelephonyUnavailable: it did not answer.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._ask(call, TransferAsked(number, consulting, answer), answer, "it may be transferred or not")

    async def conclude_transfer(self, call: CallId, completes: bool) -> None:
        """Have whoever consults before a transfer of this call joined with his caller again, or (`completes`) his caller with
        whom he consults; his line ends then. It has been ordered when this returns, and is done a moment later.

        Raises Refused: the call is not live here, or nobody consults; TelephonyUnavailable: it did not answer.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._ask(call, ConclusionAsked(completes, answer), answer, "the consultation may go on or not")

    async def _ask(self, call: CallId, request: object, answer: asyncio.Future[_Answer], otherwise: str) -> _Answer:
        mailbox = self._live.get(call)
        if mailbox is None:
            raise Refused(f"call {call} is not a live call of this controller")
        try:
            mailbox.put_nowait(request)
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except (TimeoutError, asyncio.QueueFull):
            raise TelephonyUnavailable(f"call {call} did not answer in time: {otherwise}") from None

    async def close(self, patience: float) -> None:
        """Take no more calls, send the live ones on in the dialplan, and wait at most `patience` seconds for that."""
        self._closing = True
        for mailbox in self._live.values():
            mailbox.put_nowait(Dismiss())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()

    def _on_newcomer(self, event: ChannelEntered) -> None:
        if self._closing or len(event.args) < 2:
            self._send_to_fallback(event.channel, event.answered)
            return
        number = event.args[1]
        if event.args[0] == INTERNAL and not self._dictates(event) and self._from_operator(event, number):
            return
        route = self._routes.get(number, UNKNOWN)
        newcomer = _Newcomer(event, new_call_id(), self._tools.clock.now(), new_mailbox())
        by_his_clock = route.hours is not None and goes_by_callers(route.hours.schedule)
        if by_his_clock and not self._is_blocked_at_any_hour(event, route):
            self._expect(newcomer.call, event.channel, newcomer.mailbox)
            self._start(self._arrive_by_his_clock(newcomer, route))
        else:
            self._start(self._arrive(newcomer, route))

    def _dictates(self, event: ChannelEntered) -> bool:
        return self._studio is not None and event.args[:2] == (INTERNAL, self._studio.code)

    async def _arrive_by_his_clock(self, newcomer: _Newcomer, route: Route) -> None:
        """What happens to the call meanwhile waits in its mailbox."""
        entered = newcomer.entered
        try:
            schedule = None if route.hours is None else route.hours.schedule
            serving = self._arrive(newcomer, route, await callers_zone(schedule, entered.caller_number, self._tools))
        except Exception:
            log.exception("call %s could not be begun; it is sent on", newcomer.call)
            self._forget(newcomer.call, entered.channel)
            self._send_to_fallback(entered.channel, entered.answered)
            return
        await serving

    def _arrive(self, newcomer: _Newcomer, route: Route, zone: tzinfo | None = None) -> Coroutine[None, None, None]:
        """Give the call to the number's route, that of off-hours where it is closed for a caller of this zone; what is left to
        do is to serve it.
        """
        event, number = newcomer.entered, newcomer.entered.args[1]
        hours, working = route.hours, None
        state = None if hours is None else state_now(hours.schedule, self._tools, groups_of(route.bundle), zone)
        if hours is not None and state == "open":
            working = working_time(hours.schedule, self._tools)
        elif route.off_hours is not None:
            route = route.off_hours
        blocked = self._block_of(event, route)
        if blocked is not None:
            log.info("a call of %s to %s is on the block list", event.caller_number, number)
            route = blocking(route, blocked.action)
            self._start(count_hit(blocked.id, self._tools))
        arrival = self._tools.lines.arrives(number, event.channel)
        if arrival != "welcome":
            log.info("a call of %s to %s is refused: %s", event.caller_number, number, arrival.replace("_", " "))
            route = refusing(route, arrival)
        facts = CallFacts(
            newcomer.call,
            event.channel,
            newcomer.arrived_at,
            event.caller_number,
            event.caller_name,
            number,
            route.line_name,
            route.language or self._language,
            route.bundle,
            route.scenario_version,
            route.inserted_versions,
            schedule=None if hours is None else hours.name,
            line_prompts=route.prompts,
            source=route.source,
            forwarding=route.forwarding,
            campaign=route.campaign,
            working_time=working,
            hours=state,
        )
        # Who calls from one of our own phones is no stranger to a campaign, and who is blocked is shown to nobody.
        asks = event.args[0] != INTERNAL and blocked is None
        return self._begin(facts, newcomer.mailbox, dictates=self._dictates(event), asks=asks)

    def _block_of(self, event: ChannelEntered, route: Route) -> BlockEntry | None:
        """The entry for who calls one of our numbers; None as well where its scenario asks the list itself."""
        if not self._block_list or not route.line_name or event.args[0] == INTERNAL or asks_itself(route.bundle):
            return None
        number = phone_number(event.caller_number, self._tools.region)
        return None if number is None else self._block_list.entry_of(number, self._tools.clock.now())

    def _is_blocked_at_any_hour(self, event: ChannelEntered, route: Route) -> bool:
        """Whether who calls is on the block list, and no scenario of the number asks it: it is all the same which one serves."""
        routes = [route] if route.off_hours is None else [route, route.off_hours]
        return all(self._block_of(event, one) is not None for one in routes)

    def _from_operator(self, event: ChannelEntered, number: str) -> bool:
        """An operator has dialled a feature code, or a colleague; one of our numbers he reaches like anybody."""
        people = self._tools.people
        operator = people.known(event.caller_number)
        if operator is None or number in self._routes:
            return False
        code = self._tools.desk.codes.read(number)
        if code is not None:
            mailbox = new_mailbox()
            self._tools.telephony.mailboxes.expect(event.channel, mailbox)
            dialogue = FeatureDialogue(self._tools, event.channel, mailbox, operator, self._language)
            self._start(dialogue.run(code))
            return True
        if re.fullmatch(EXTENSION, number) is None:
            return False
        facts = CallFacts(
            new_call_id(),
            event.channel,
            self._tools.clock.now(),
            operator.operator.extension,
            operator.operator.name,
            number,
            "",
            self._language,
            ScenarioBundle(internal_call(operator.operator.extension, number)),
            None,
            direction="internal",
        )
        self._start(self._begin(facts, new_mailbox()))
        return True

    def _expect(self, call: CallId, channel: ChannelId, mailbox: Mailbox) -> None:
        self._live[call] = mailbox
        self._tools.telephony.mailboxes.expect(channel, mailbox)

    def _forget(self, call: CallId, channel: ChannelId) -> None:
        del self._live[call]
        self._tools.telephony.mailboxes.forget(channel)
        self._tools.lines.free(channel)

    def _begin(
        self, facts: CallFacts, mailbox: Mailbox, *, dictates: bool = False, asks: bool = False
    ) -> Coroutine[None, None, None]:
        """Take the call; what is left to do is to serve it. `asks`: the number's campaign decides whether the caller is let in,
        and campaigns whether his number is shown.
        """
        self._expect(facts.call, facts.channel, mailbox)
        if self._studio is not None and dictates:
            return self._serve(Dictation(facts, self._tools, mailbox, self._studio))
        if asks and (facts.campaign is not None or self.hides_numbers):
            return self._serve_admitted(facts, mailbox)
        return self._serve(CallSession(facts, self._tools, mailbox, self._link_up))

    async def _serve_admitted(self, facts: CallFacts, mailbox: Mailbox) -> None:
        """What happens to the call meanwhile waits in its mailbox."""
        facts = await admitted(facts, self._tools)
        if self.hides_numbers and not facts.hides_number:
            facts = replace(facts, number_hidden=await number_is_hidden(facts.caller_number, self._tools))
        await self._serve(CallSession(facts, self._tools, mailbox, self._link_up))

    async def _serve(self, session: CallSession | Dictation) -> None:
        try:
            await session.run()
        finally:
            self._forget(session.facts.call, session.facts.channel)
            for listener in self._end_listeners:
                listener(session.facts.call)

    def _on_system_event(self, event: SystemEvent) -> None:
        if isinstance(event, Connected):
            self._link_up.set()
            self._compare.set()
        elif isinstance(event, Disconnected):
            self._link_up.clear()

    async def _compare_with_asterisk(self) -> None:
        """Calls whose channel is no more hear of it; channels in our hands that no call knows are sent on.

        A line that is being made at this moment is expected and not there: only one that was missing before as well is lost.
        """
        mailboxes = self._tools.telephony.mailboxes
        expected = mailboxes.expected
        existing = {info.channel: info for info in await self._tools.telephony.channels()}
        missing = expected - existing.keys()
        lost, self._missing = missing & self._missing, missing - self._missing
        for channel in lost:
            mailboxes.deliver(Gone(channel, self._tools.clock.now(), cause=0, lost=True))
        for mailbox in list(self._live.values()):
            mailbox.put_nowait(CheckUp())
        for channel, info in existing.items():
            if info.in_our_app and channel not in expected and channel not in mailboxes.expected:
                log.warning("channel %s belongs to no call; it is sent on", channel)
                self._send_to_fallback(channel, info.answered)

    def _send_to_fallback(self, channel: ChannelId, answered: bool) -> None:
        self._start(self._leave_to_dialplan(channel, answered))

    async def _leave_to_dialplan(self, channel: ChannelId, answered: bool) -> None:
        try:
            ours = is_operator_leg(channel) or is_confirmation_channel(channel)
            if ours or (not answered and (is_callback_channel(channel) or is_client_channel(channel))):
                await self._tools.telephony.hangup(channel)
            else:
                await self._tools.telephony.continue_in_dialplan(channel, FALLBACK_CONTEXT)
        except TelephonyError as error:
            log.warning("channel %s could not be sent on: %s", channel, error)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the task of a call failed", exc_info=error)
