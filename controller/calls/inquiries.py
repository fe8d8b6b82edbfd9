"""Questions that a call asks of the rest of the house. Each is a task whose answer comes to the mailbox."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from controller.calls.facts import CallFacts, CallTools
from controller.telephony.mailboxes import Mailbox
from ivr.commands import CheckCaller, CheckSchedule, LookUp, RequestCallback
from ivr.events import CallbackAnswered, CallerChecked, LookupAnswered, ScheduleChecked

Inquiry: TypeAlias = CheckSchedule | CheckCaller | LookUp | RequestCallback


class Inquiries:
    """The open questions of one call."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox

    def begin(self, inquiry: Inquiry) -> None:
        """Ask; exactly one answer follows in the mailbox."""
        match inquiry:
            case CheckSchedule(visit):
                self._mailbox.put_nowait(ScheduleChecked(visit, "open"))
            case CheckCaller(visit):
                self._mailbox.put_nowait(CallerChecked(visit))
            case LookUp(visit):
                self._mailbox.put_nowait(LookupAnswered(visit))
            case RequestCallback(visit):
                self._mailbox.put_nowait(CallbackAnswered(visit, "not_possible"))
            case _:
                assert_never(inquiry)

    def cancel(self) -> None:
        """The call is over: nobody waits for the answers."""
