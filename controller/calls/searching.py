"""The search for somebody who talks with the caller, and what the caller hears meanwhile."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from controller.calls.facts import CallFacts, CallTools
from controller.routing import LineRequest
from controller.telephony.mailboxes import Mailbox
from ivr.commands import RouteToExtension, RouteToExternal, RouteToGroup, RouteToManager
from ivr.events import RoutingEnded

SearchCommand: TypeAlias = RouteToGroup | RouteToExtension | RouteToManager | RouteToExternal


class PersonSearch:
    """The searches of one call, one at a time. Each ends with a `SearchEnded` or `RoutingEnded` in the mailbox."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self.on = False

    async def begin(self, command: SearchCommand) -> None:
        """Search; the caller hears music. Raises as the telephony port says."""
        match command:
            case RouteToGroup():
                await self._join_line(command)
            case RouteToExtension(visit) | RouteToManager(visit) | RouteToExternal(visit):
                self._mailbox.put_nowait(RoutingEnded(visit, "no_operators"))
            case _:
                assert_never(command)

    async def ended(self, found: bool) -> None:
        """The search is over. Who was found is joined with the caller in a moment, which ends the music."""
        self.on = False
        if not found:
            await self._tools.telephony.stop_music(self._facts.channel)

    def leave(self) -> None:
        """The call is over."""
        self._tools.distributor.leave(self._facts.call)

    async def _join_line(self, command: RouteToGroup) -> None:
        facts = self._facts
        self.on = True
        self._tools.distributor.join(
            LineRequest(
                facts.call,
                facts.channel,
                self._mailbox,
                command.visit,
                command.group,
                command.max_wait,
                facts.caller_number,
                f"{facts.line_name} {facts.caller_name}".strip(),
            )
        )
        await self._tools.telephony.start_music(facts.channel)
