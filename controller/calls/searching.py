"""The search for somebody who talks with the caller, and what the caller hears meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias, assert_never

from controller.calls import hold
from controller.calls.facts import CallFacts, CallTools
from controller.calls.holding import Heard, Hold
from controller.errors import AttendantError
from controller.routing import LineRequest, Person, RoutedOperator, SearchEnded, Target
from controller.storage.contacts import caller_facts
from controller.telephony.mailboxes import Mailbox
from ivr.commands import RouteToExtension, RouteToExternal, RouteToGroup, RouteToManager
from ivr.events import RoutingEnded, RoutingOutcome, VisitId

log = logging.getLogger(__name__)

SearchCommand: TypeAlias = RouteToGroup | RouteToExtension | RouteToManager | RouteToExternal

MANAGER_WITHIN: Final = 3.0
"""Seconds that the database has to say who the caller's manager is."""
_SPARE_SECONDS: Final = 30.0
"""What dialling may take beside the ringing, all of a person's numbers together."""


class PersonSearch:
    """The searches of one call, one at a time. Each ends with a `SearchEnded` or `RoutingEnded` in the mailbox. A group's that
    found nobody goes on by `forward` at the phones outside of the number's rule; the caller hears the same as before.

    `hold` is what the caller hears meanwhile; `heard` is told of its prompts.
    """

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, heard: Heard) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._looking_up: asyncio.Task[None] | None = None
        self.hold = Hold(facts, tools, mailbox, heard)
        self._met = facts.met
        self._in_group = False
        self._forwards: deque[Person] = deque()
        self._request: LineRequest | None = None
        self._waits: Callable[[], None] = lambda: None
        self.on = False

    def begin(self, command: SearchCommand, language: str, greeted: bool) -> None:
        """Search; what the caller hears meanwhile is in his language. `greeted`: he has heard something in this call."""
        people, line = self._tools.people, self._facts.line_prompts
        self._in_group = isinstance(command, RouteToGroup)
        self._forwards.clear()
        self._request = None
        if self._met is not None:
            met, self._met = self._met, None
            self._mailbox.put_nowait(self._meet(command.visit, met))
            return
        treatment, line_of = hold.for_person(line), None
        match command:
            case RouteToGroup(visit, group, max_wait, chosen):
                treatment, line_of = hold.in_line(line, chosen, greeted), group
                self._join_group(visit, group, max_wait)
            case RouteToExtension(visit, extension):
                if not self._join_person(visit, people.employee(extension), "unknown_number"):
                    return
            case RouteToExternal(visit, number, ring_seconds):
                if not self._join_person(visit, people.outside(number, ring_seconds), "no_operators"):
                    return
            case RouteToManager(visit):
                self.on = True
                self._looking_up = asyncio.create_task(self._find_manager(visit))
            case _:
                assert_never(command)
        self.hold.begin(command.visit, treatment, language, line_of)
        greeted_once = replace(treatment, arrival=())
        self._waits = partial(self.hold.begin, command.visit, greeted_once, language, line_of)

    def again(self, dropped: SearchEnded) -> bool:
        """Who was found so dropped the call at once: the caller goes back to his place in the line, or is forwarded to the next
        phone outside; False: there is nobody else.
        """
        request = self._request
        if request is None:
            return False
        if request.group is None:
            if not self.forward(dropped):
                return False
        else:
            self._in_group = self.on = True
            self._tools.distributor.join(replace(request, offered=dropped.missed))
        self._waits()
        return True

    def forward(self, ended: SearchEnded) -> bool:
        """Nobody was found: ring the next phone outside that the call is forwarded to, if there is one (SKZ-32)."""
        facts, tools = self._facts, self._tools
        if self._in_group:
            self._in_group = False
            self._forwards.extend(tools.people.forwarded_to(facts.forwarding, ended.missed, tools.clock.now()))
        if not self._forwards:
            return False
        self._ring(ended.visit, self._forwards.popleft())
        return True

    def _shows_called(self, phone: Person) -> bool:
        """Whether this phone outside is shown the number called, and not who calls. A number that may not be shown is none, for
        he would be lost; where his own is hidden, there is no other.
        """
        facts, called = self._facts, self._facts.called_number
        if facts.forwarding.shows != "called":
            return False
        return self._tools.lines.may_dial(phone.numbers[0].trunk, came_in_on=called, own=called)

    def transfer(self, visit: VisitId, person: Person, seconds: float, transferred_by: str, language: str) -> None:
        """Search somebody to whom the caller is transferred, for so long."""
        self._in_group = False
        self._forwards.clear()
        self._join(visit, person, seconds, transferred_by=transferred_by)
        self.hold.begin(visit, hold.for_person(self._facts.line_prompts), language)

    async def ended(self, found: bool) -> None:
        """The search is over; who was found is joined with the caller in a moment. Raises as the telephony port says."""
        self.on = False
        await self.hold.stop(joined=found)

    def leave(self) -> None:
        """The call is over."""
        self.hold.cancel()
        if self._looking_up is not None:
            self._looking_up.cancel()
        self._tools.distributor.leave(self._facts.call)

    def _join_group(self, visit: VisitId, group: str, max_wait: float) -> None:
        self.on = True
        if self._tools.distributor.asks_for_owner(group):
            self._looking_up = asyncio.create_task(self._join_with_owner(visit, group, max_wait))
        else:
            self._join(visit, group, max_wait)

    async def _join_with_owner(self, visit: VisitId, group: str, max_wait: float) -> None:
        manager = await self._manager()
        owner = None if manager is None else manager.operator
        employee = None if owner is None else self._tools.people.known(owner.extension)
        self._join(visit, group, max_wait, owner if employee is not None and employee.inbound else None)

    async def _find_manager(self, visit: VisitId) -> None:
        manager = await self._manager()
        if manager is None:
            self._mailbox.put_nowait(SearchEnded(visit, "unknown_number"))
        else:
            self._ring(visit, manager)

    async def _manager(self) -> Person | None:
        """The caller's manager; None when he has none, or when nobody can tell (UIS-39)."""
        facts, tools = self._facts, self._tools
        try:
            async with asyncio.timeout(MANAGER_WITHIN):
                found = await tools.database.read(caller_facts, facts.caller_number, tools.clock.now(), tools.region)
        except (AttendantError, TimeoutError) as error:
            log.error("call %s: the caller's manager is not known: %s", facts.call, str(error) or "no answer")
            return None
        except Exception:
            # Nobody waits for this task: an error that went unseen would leave the caller with the music for ever.
            log.exception("call %s: the caller's manager could not be looked up", facts.call)
            return None
        return None if found.owner is None else tools.people.employee(found.owner)

    def _join_person(self, visit: VisitId, person: Person | None, otherwise: RoutingOutcome) -> bool:
        if person is None:
            self._mailbox.put_nowait(RoutingEnded(visit, otherwise))
            return False
        self._ring(visit, person)
        return True

    def _ring(self, visit: VisitId, person: Person) -> None:
        self._join(visit, person, person.ring_seconds + _SPARE_SECONDS)

    def _meet(self, visit: VisitId, met: SearchEnded) -> SearchEnded:
        """Who asked for this call is found at once, if he is still there."""
        there = met.leg in self._tools.telephony.mailboxes.expected
        return replace(met, visit=visit) if there else SearchEnded(visit, "no_answer")

    def _join(
        self,
        visit: VisitId,
        target: Target,
        max_wait: float,
        owner: RoutedOperator | None = None,
        transferred_by: str = "",
    ) -> None:
        facts = self._facts
        self.on = True
        number, name = facts.shown
        if isinstance(target, Person) and target.forwarded and self._shows_called(target):
            number, name = facts.called_number, facts.line_name
        self._request = LineRequest(
            facts.call,
            facts.channel,
            self._mailbox,
            visit,
            target,
            max_wait,
            number,
            name,
            owner,
            transferred_by,
            facts.came_in_on,
            # A colleague to whom somebody transfers was chosen by a person, whatever the clock says.
            None if transferred_by else facts.working_time,
            self._tools.clock.now(),
        )
        self._tools.distributor.join(self._request)
