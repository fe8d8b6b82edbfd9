"""Keeps the places of absent callers in the lines of their groups, and calls them when it is their turn.

The database is the truth; this looks at it at every notice, when a call is over, and every LOOK_EVERY seconds. Rules:
- Who waits takes his place in the line (`controller.routing.AbsentRequest`) when his call is over, he is due, and the number he
  had called is in its working time; he leaves it when one of these is so no more.
- His turn comes with an operator who is kept for him. He is claimed in the database before he is called, so that a crash can
  cost an attempt and never calls twice at once. However the attempt ends, the operator is free again.
- Who answers walks a scenario of his own (`coming_back`) as an ordinary call, whose search finds the operator who was kept.
- He has been called back when he has talked with somebody. Who hangs up before has changed his mind. Who does not answer, or
  whom nobody took, is called again later, as often as the rules say; then the callback has failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from controller.bus import CallbacksChanged
from controller.calls.arrivals import Arrivals
from controller.calls.campaigns import number_is_hidden
from controller.calls.client_lines import ClientLine
from controller.calls.facts import CallFacts, CallTools
from controller.calls.hours import goes_by_callers, state_now, stored_zones, working_time
from controller.calls.numbers import UNKNOWN, Route
from controller.calls.ringing import NotRung, Rung, ring
from controller.calls.session import CallSession
from controller.errors import AttendantError, NotFound, StorageError
from controller.ids import CallId, ChannelId, callback_channel_id, new_call_id, trunk_id_of
from controller.routing import AbsentRequest, AllInUse, Number, OperatorLineEnded, OutgoingOff, TurnCame, trunk_of
from controller.schedules import Schedule, WorkingTime, zone_of_caller
from controller.settings import Settings
from controller.storage import Session
from controller.storage.callbacks import (
    Callback,
    CallbackState,
    callbacks_cut_off,
    claim_callback,
    close_callback,
    defer_callback,
    get_callback,
    waiting_callbacks,
)
from controller.telephony.events import Answered, Gone
from controller.telephony.mailboxes import Mailbox, new_mailbox
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle
from ivr.operations import ForwardToGroup, HangUp, InfoMessage
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds between two looks at the database when nothing is heard."""
CLAIM_WITHIN: Final = 5.0
"""Seconds that the database has to let somebody be called; an operator is kept for him meanwhile."""
STORE_AGAIN: Final = 2.0
"""Seconds between two tries to store what came of an attempt while the database is away."""

_HOLD, _GROUP, _SORRY, _GOODBYE = (NodeId(name) for name in ("please_hold", "called_back", "sorry", "goodbye"))


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """How callers are called back: at most `attempts` times, `retry_seconds` apart, ringing for `ring_seconds`; who has waited
    for `hours` is called no more.
    """

    attempts: int = 3
    retry_seconds: float = 600
    ring_seconds: float = 30
    hours: float = 24

    @classmethod
    def of(cls, settings: Settings) -> CallbackRules:
        """The rules of the settings."""
        return cls(
            settings.callback_attempts,
            settings.callback_retry_seconds,
            settings.callback_ring_seconds,
            settings.callback_hours,
        )


@dataclass(frozen=True, slots=True)
class _Ending:
    """How an attempt ended: the callback is over in this state, or (None) he may be called again. One that does not count was
    none of his doing.
    """

    state: CallbackState | None
    detail: str = ""
    counts: bool = True


class CallbackKeeper:
    """Calls back: `resume`, have `run()` running, `close` before live calls are sent away, `settle` after that."""

    def __init__(self, tools: CallTools, arrivals: Arrivals, rules: CallbackRules) -> None:
        self._tools = tools
        self._arrivals = arrivals
        self._rules = rules
        self._inbox: asyncio.Queue[object] = asyncio.Queue()
        self._woken = False
        self._in_line: dict[CallId, Callback] = {}
        self._attempts: dict[CallId, asyncio.Task[None]] = {}
        self._answered: set[CallId] = set()
        self._held_by_calls = False
        self._closing = False
        arrivals.on_end(self._call_ended)

    async def resume(self) -> None:
        """Put in order what was cut off when the controller ended. Raises StorageError."""
        await self._tools.database.run(_resume, self._rules, self._tools.clock.now())

    def wake(self) -> None:
        """Look at the database now: something has changed."""
        if not self._woken:
            self._woken = True
            self._inbox.put_nowait(None)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken = False
            pause = LOOK_EVERY
            try:
                pause = await self._take_places()
            except AttendantError as error:
                log.warning("the callbacks could not be read: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    while isinstance(turn := await self._inbox.get(), TurnCame):
                        self._begin(turn)

    async def close(self) -> None:
        """Call nobody any more; calls that were not answered yet are ended."""
        self._closing = True
        unanswered = [task for call, task in self._attempts.items() if call not in self._answered]
        for task in unanswered:
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)

    async def settle(self, patience: float) -> None:
        """Wait, at most `patience` seconds, until what came of the last calls is stored."""
        tasks = list(self._attempts.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call_ended(self, _call: CallId) -> None:
        if self._held_by_calls:
            self.wake()

    async def _take_places(self) -> float:
        """Bring the line to what the database says; returns after how many seconds to look again."""
        now = self._tools.clock.now()
        waiting = await self._tools.database.read(waiting_callbacks)
        zones = await self._callers_zones(waiting)
        ready: dict[int, Callback] = {}
        for callback in waiting:
            if callback.opened_at + timedelta(hours=self._rules.hours) <= now:
                await self._expire(callback, now)
            elif self._is_ready(callback, now, zones.get(callback.id)):
                ready[callback.id] = callback
        for call, callback in list(self._in_line.items()):
            if callback.id not in ready and call not in self._attempts:
                del self._in_line[call]
                self._tools.distributor.leave(call)
        for id in ready.keys() - {callback.id for callback in self._in_line.values()}:
            self._take_place(ready[id])
        self._held_by_calls = any(self._arrivals.serves(CallId(callback.call_id)) for callback in waiting)
        due_in = ((callback.due_at - now).total_seconds() for callback in waiting if callback.due_at > now)
        return min([LOOK_EVERY, *due_in])

    async def _callers_zones(self, waiting: Iterable[Callback]) -> dict[int, tzinfo | None]:
        """In which zones those are whose own clocks decide, by their callbacks; None: it is not known."""
        asked = {one.id: one for one in waiting if goes_by_callers(self._schedule(one))}
        if not asked:
            return {}
        stored = await stored_zones([one.number for one in asked.values()], self._tools)
        return {id: zone_of_caller(stored.get(one.number), one.number) for id, one in asked.items()}

    def _is_ready(self, callback: Callback, now: datetime, zone: tzinfo | None) -> bool:
        if self._closing or callback.due_at > now or self._arrivals.serves(CallId(callback.call_id)):
            return False
        return state_now(self._schedule(callback), self._tools, {callback.group_name}, zone) == "open"

    def _route(self, callback: Callback) -> Route:
        """The number that he had called, as it is now."""
        return self._arrivals.routes.get(callback.called_number, UNKNOWN)

    def _schedule(self, callback: Callback) -> Schedule | None:
        hours = self._route(callback).hours
        return None if hours is None else hours.schedule

    def _working_time(self, callback: Callback) -> WorkingTime | None:
        schedule = self._schedule(callback)
        return None if schedule is None else working_time(schedule, self._tools)

    def _take_place(self, callback: Callback) -> None:
        call = new_call_id()
        self._in_line[call] = callback
        working = self._working_time(callback)
        self._tools.distributor.join(AbsentRequest(call, self._inbox, callback.group_name, callback.place_at, working))

    async def _expire(self, callback: Callback, now: datetime) -> None:
        detail = f"his turn did not come in {self._rules.hours:g} hours"
        if await self._tools.database.run(close_callback, callback.id, "expired", detail, now):
            log.info("callback %d: %s", callback.id, detail)
            self._tools.bus.send(CallbacksChanged())

    def _begin(self, turn: TurnCame) -> None:
        callback = self._in_line.get(turn.call)
        if callback is None or self._closing:
            self._tools.distributor.leave(turn.call)
            return
        task = asyncio.create_task(self._call_back(turn.call, callback))
        self._attempts[turn.call] = task
        task.add_done_callback(partial(self._attempt_over, turn.call))

    def _attempt_over(self, call: CallId, task: asyncio.Task[None]) -> None:
        callback = self._in_line.pop(call)
        del self._attempts[call]
        self._answered.discard(call)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback %d failed", callback.id, exc_info=error)
        self.wake()

    async def _call_back(self, call: CallId, callback: Callback) -> None:
        try:
            ending = await self._attempt(call, callback)
        finally:
            # Nobody may be kept for him any longer, whatever has happened.
            self._tools.distributor.leave(call)
        if ending is not None:
            await self._store(callback, ending)

    async def _attempt(self, call: CallId, callback: Callback) -> _Ending | None:
        """Call him once; None: he does not wait any more."""
        try:
            async with asyncio.timeout(CLAIM_WITHIN):
                claimed = await self._tools.database.run(claim_callback, callback.id, call, self._tools.clock.now())
        except (AttendantError, TimeoutError) as error:
            return _Ending(None, f"the database did not let him be called: {error or 'no answer'}", counts=False)
        if not claimed:
            return None
        self._tools.bus.send(CallbacksChanged())
        device = self._tools.outside_device(callback.caller_number)
        if device is None:
            return _Ending(None, "there is no way to call outside", counts=False)
        hidden = await number_is_hidden(callback.caller_number, self._tools)
        channel, mailbox = callback_channel_id(call), new_mailbox()
        line = ClientLine(call, channel, callback.caller_number, trunk_id_of(device), self._tools.clock.now())
        try:
            rung = await self._ring(call, callback, device, channel, mailbox)
            if not isinstance(rung, Answered):
                return _not_reached(rung)
            self._answered.add(call)
            return await self._serve(call, callback, replace(line, answered_at=rung.at), mailbox, hidden)
        except (AllInUse, OutgoingOff) as refused:
            return _Ending(None, str(refused), counts=False)
        finally:
            self._tools.lines.free(channel)

    async def _ring(self, call: CallId, callback: Callback, device: str, channel: ChannelId, mailbox: Mailbox) -> Rung:
        """Raises AllInUse, OutgoingOff."""
        called = callback.called_number
        shown = self._tools.lines.dials(channel, trunk_of(device), came_in_on=called, own=called)
        number = Number(device, self._rules.ring_seconds, callback.caller_number, outside=True)
        return await ring(self._tools.telephony, call, channel, number, mailbox, shows=shown, name=callback.line_name)

    async def _serve(self, call: CallId, callback: Callback, line: ClientLine, mailbox: Mailbox, hidden: bool) -> _Ending:
        route = self._route(callback)
        facts = CallFacts(
            call,
            line.channel,
            self._tools.clock.now(),
            callback.caller_number,
            callback.caller_name,
            callback.called_number,
            callback.line_name,
            callback.language,
            ScenarioBundle(coming_back(callback.group_name)),
            None,
            schedule=None if route.hours is None else route.hours.name,
            line_prompts=route.prompts,
            source=route.source,
            campaign=route.campaign,
            client_line=line,
            working_time=self._working_time(callback),
            number_hidden=hidden,
        )
        return _ending_of(await self._arrivals.serve(facts, mailbox))

    async def _store(self, callback: Callback, ending: _Ending) -> None:
        while True:
            try:
                await self._tools.database.run(_write, callback.id, ending, self._rules, self._tools.clock.now())
                break
            except NotFound:
                break
            except StorageError as error:
                log.warning("callback %d: %s is not stored yet: %s", callback.id, ending, error)
                await asyncio.sleep(STORE_AGAIN)
        log.info("callback %d: %s", callback.id, ending.detail or ending.state)
        self._tools.bus.send(CallbacksChanged())


def coming_back(group: str) -> Scenario:
    """What somebody walks who has answered his callback."""
    hold = InfoMessage(message=(PromptRef("please-hold"),))
    sorry = InfoMessage(message=(PromptRef("sorry-nobody-available"),))
    return Scenario(
        start=_HOLD,
        nodes={
            _HOLD: Node(operation=hold, links={"next": _GROUP}),
            _GROUP: Node(operation=ForwardToGroup(group=group), links={"failed": _SORRY}),
            _SORRY: Node(operation=sorry, links={"next": _GOODBYE}),
            _GOODBYE: Node(operation=HangUp()),
        },
    )


def _not_reached(rung: Gone | OperatorLineEnded | NotRung) -> _Ending:
    match rung:
        case Gone(cause=cause, sip_status=status):
            said = f"cause {cause}" if status is None else f"cause {cause}, SIP {status}"
            return _Ending(None, f"he did not answer ({said})")
        case NotRung(error) if error is not None:
            return _Ending(None, f"he could not be called: {error}", counts=False)
        case _:
            return _Ending(None, "nothing was heard of the call")


def _ending_of(session: CallSession) -> _Ending:
    outcome, ended_by = session.verdict
    if session.talked:
        return _Ending("done")
    if ended_by == "caller":
        return _Ending("failed", "he hung up before anybody had answered him")
    return _Ending(None, "nobody took the call" if ended_by == "scenario" else f"the call was {outcome.replace('_', ' ')}")


def _write(session: Session, id: int, ending: _Ending, rules: CallbackRules, at: datetime) -> None:
    if ending.state is not None:
        close_callback(session, id, ending.state, ending.detail, at)
    elif ending.counts and get_callback(session, id).attempts >= rules.attempts:
        close_callback(session, id, "failed", ending.detail, at)
    else:
        due = at + timedelta(seconds=rules.retry_seconds)
        defer_callback(session, id, due, ending.detail, attempted=ending.counts)


def _resume(session: Session, rules: CallbackRules, at: datetime) -> None:
    for cut_off in callbacks_cut_off(session):
        id = cut_off.callback.id
        if cut_off.talked:
            close_callback(session, id, "done", "", at)
        elif cut_off.answered:
            _write(session, id, _Ending(None, "the controller stopped before anybody had answered him"), rules, at)
        else:
            defer_callback(session, id, at, "the controller stopped before he had answered", attempted=False)
