from __future__ import annotations

from ivr.commands import Hangup
from ivr.events import VisitId
from ivr.operations import HangUp
from ivr.operations.base import Arrival, End


def test_the_call_ends_with_the_cause() -> None:
    assert HangUp(cause="busy").enter(Arrival(VisitId(1))) == End((Hangup("busy"),))
