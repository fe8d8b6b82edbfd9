"""Questions that a call asks of the rest of the house. Each is a task whose one answer comes to the mailbox, in time or not.

What could not be found out is answered so that the caller goes on: a schedule counts as open, a caller as not known and not
blocked, a lookup as failed, a callback as not possible. The log says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from controller.addresses import phone_number
from controller.bus import CallbacksChanged
from controller.calls.blocking import count_hit
from controller.calls.facts import CallFacts, CallTools
from controller.calls.hours import callers_zone, groups_of, state_now
from controller.errors import AttendantError
from controller.routing import trunk_of
from controller.schedules import Schedule, State
from controller.storage import Session
from controller.storage.callbacks import Callback, add_callback
from controller.storage.contacts import caller_facts
from controller.storage.groups import find_group
from controller.storage.schedules import find_schedule
from controller.telephony.mailboxes import Mailbox
from ivr.commands import CheckCallback, CheckCaller, CheckSchedule, LookUp, RequestCallback
from ivr.events import CallbackAnswered, CallerChecked, LookupAnswered, ScheduleChecked

log = logging.getLogger(__name__)

Inquiry: TypeAlias = CheckSchedule | CheckCaller | LookUp | CheckCallback | RequestCallback
Answer: TypeAlias = ScheduleChecked | CallerChecked | LookupAnswered | CallbackAnswered

DATABASE_PATIENCE: Final = 2.0
"""Seconds that a caller waits for an answer out of the database; he hears nothing meanwhile."""


class Inquiries:
    """The open questions of one call."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._tasks: set[asyncio.Task[None]] = set()
        self._joined: dict[str, datetime] = {}
        self.language = facts.language
        """The caller's, as it is now."""

    def begin(self, inquiry: Inquiry) -> None:
        """Ask; exactly one answer follows in the mailbox, unless the call ends first."""
        task = asyncio.create_task(self._ask(inquiry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def joined(self, group: str) -> None:
        """The caller takes a place in a group's line; if he wants to be called back, it is this one that is kept."""
        self._joined.setdefault(group, self._tools.clock.now())

    def cancel(self) -> None:
        """The call is over: nobody waits for the answers."""
        for task in self._tasks:
            task.cancel()

    async def _ask(self, inquiry: Inquiry) -> None:
        try:
            answer = await self._answer(inquiry)
        except (AttendantError, TimeoutError) as error:
            log.warning("call %s: %r stays without an answer: %s", self._facts.call, inquiry, error or "it took too long")
            answer = _without_answer(inquiry)
        except Exception:
            log.exception("call %s: %r failed", self._facts.call, inquiry)
            answer = _without_answer(inquiry)
        self._mailbox.put_nowait(answer)

    async def _answer(self, inquiry: Inquiry) -> Answer:
        match inquiry:
            case CheckSchedule():
                return await self._check_schedule(inquiry)
            case CheckCaller():
                return await self._check_caller(inquiry)
            case LookUp():
                return await self._look_up(inquiry)
            case CheckCallback(visit, group):
                number = await self._callback_number(group)
                return CallbackAnswered(visit, "not_possible" if number is None else "possible")
            case RequestCallback(visit, group):
                number = await self._callback_number(group)
                if number is None:
                    return CallbackAnswered(visit, "not_possible")
                await self._keep_place(number, group)
                return CallbackAnswered(visit, "accepted")
            case _:
                assert_never(inquiry)

    async def _check_schedule(self, question: CheckSchedule) -> ScheduleChecked:
        name = self._facts.schedule if question.schedule is None else question.schedule
        if name is None:
            return ScheduleChecked(question.visit, "open")
        by = _patience_ends()
        async with asyncio.timeout_at(by):
            schedule = await self._tools.database.read(_schedule, name)
        if schedule is None:
            log.warning("call %s: there is no schedule %r: it counts as open", self._facts.call, name)
        return ScheduleChecked(question.visit, await self._state(schedule, groups_of(self._facts.bundle), by))

    async def _state(self, schedule: Schedule | None, groups: Collection[str], by: float) -> State:
        zone = await callers_zone(schedule, self._facts.caller_number, self._tools, by)
        return state_now(schedule, self._tools, groups, zone)

    async def _check_caller(self, question: CheckCaller) -> CallerChecked:
        tools, by = self._tools, _patience_ends()
        async with asyncio.timeout_at(by):
            found = await tools.database.read(caller_facts, self._facts.caller_number, tools.clock.now(), tools.region)
        # There is one block list, the installation's own.
        blocked = found.blocked if question.block_list is None and question.with_blocked else None
        if blocked is not None:
            await count_hit(blocked.id, tools, by)
        return CallerChecked(question.visit, blocked is not None, found.known, found.tags.intersection(question.tags))

    async def _look_up(self, question: LookUp) -> LookupAnswered:
        facts = self._facts
        found = await self._tools.lookups.look_up(
            question.url, caller=facts.caller_number, called=facts.called_number, call=facts.call, limit=question.seconds
        )
        return LookupAnswered(question.visit, found.exit, found.operator)

    async def _callback_number(self, group: str) -> str | None:
        """His number (E.164); None when he can't be called back. The house's own short numbers are none."""
        number = phone_number(self._facts.caller_number, self._tools.region)
        if number is None or not number.startswith("+") or not self._can_be_called():
            return None
        by = _patience_ends()
        async with asyncio.timeout_at(by):
            staffed, schedule = await self._tools.database.read(_callback_conditions, group, self._facts.schedule)
        return number if staffed and await self._state(schedule, {group}, by) == "open" else None

    def _can_be_called(self) -> bool:
        """There is a way outside, and a number that may be shown to him."""
        device, called = self._tools.outside_device(self._facts.caller_number), self._facts.called_number
        return device is not None and self._tools.lines.may_dial(trunk_of(device), came_in_on=called, own=called)

    async def _keep_place(self, number: str, group: str) -> None:
        facts, now = self._facts, self._tools.clock.now()
        callback = Callback(
            number=number,
            caller_number=facts.caller_number,
            caller_name=facts.caller_name,
            called_number=facts.called_number,
            line_name=facts.line_name,
            language=self.language,
            group_name=group,
            call_id=facts.call,
            place_at=self._joined.get(group, now),
            asked_at=now,
            opened_at=now,
            due_at=now,
        )
        async with asyncio.timeout(DATABASE_PATIENCE):
            kept = await self._tools.database.run(add_callback, callback)
        log.info("call %s: callback %d keeps his place in the line of %s", facts.call, kept.id, group)
        self._tools.bus.send(CallbacksChanged())


def _patience_ends() -> float:
    """Until when, by the event loop, the database has to answer what is asked now, in one read or several."""
    return asyncio.get_running_loop().time() + DATABASE_PATIENCE


def _schedule(session: Session, name: str | None) -> Schedule | None:
    """The schedule of this name; None when there is none."""
    stored = None if name is None else find_schedule(session, name)
    return None if stored is None else Schedule.model_validate(stored.document)


def _callback_conditions(session: Session, group: str, schedule: str | None) -> tuple[bool, Schedule | None]:
    found = find_group(session, group)
    return found is not None and len(found.members) > 0, _schedule(session, schedule)


def _without_answer(inquiry: Inquiry) -> Answer:
    match inquiry:
        case CheckSchedule(visit):
            return ScheduleChecked(visit, "open")
        case CheckCaller(visit):
            return CallerChecked(visit)
        case LookUp(visit):
            return LookupAnswered(visit)
        case CheckCallback(visit) | RequestCallback(visit):
            return CallbackAnswered(visit, "not_possible")
        case _:
            assert_never(inquiry)
