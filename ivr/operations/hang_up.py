"""Hang up."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import Hangup, HangupCause
from ivr.events import VisitId
from ivr.operations.base import End, Operation, Step


class HangUp(Operation):
    """Ends the call. As the first operation of a scenario it refuses the call, unanswered, with the cause."""

    ENDS_CALL: ClassVar = True

    type: Literal["hang_up"] = "hang_up"
    cause: HangupCause = Field("normal", description="what the caller's side is told")

    def enter(self, visit: VisitId, linked: frozenset[str]) -> Step:
        return End((Hangup(self.cause),))
