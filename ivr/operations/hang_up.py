"""Hang up."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import Hangup, HangupCause
from ivr.operations.base import Arrival, End, Operation, Step


class HangUp(Operation):
    """Ends the call, also from within an inserted scenario. As the first operation of a scenario it refuses the call,
    unanswered, with the cause.
    """

    ENDS_CALL: ClassVar = True

    type: Literal["hang_up"] = "hang_up"
    cause: HangupCause = Field("normal", description="what the caller's side is told")

    def enter(self, arrival: Arrival) -> Step:
        return End((Hangup(self.cause),))
