"""Forwarding to a number outside (SKZ-5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ivr.commands import RouteToExternal
from ivr.operations.base import Arrival, Operation, Reaching, Stay, Step

_Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,20}$")]


class ForwardToExternal(Operation):
    """Calls a number outside and connects the caller with it; he hears music meanwhile. Leaves by "failed" when it was busy,
    did not answer in time or could not be called; by "answered" after a conversation that the other side ended (not linked:
    the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})
    CONCLUDING_EXITS: ClassVar = frozenset({"answered"})
    ENDS_CALL: ClassVar = True

    type: Literal["forward_to_external"] = "forward_to_external"
    number: _Number = Field(description="digits, with or without a leading +")
    ring_seconds: float = Field(30.0, ge=5, le=300, description="how long it is rung, from dialling")

    def enter(self, arrival: Arrival) -> Step:
        return Stay(Reaching(arrival.visit), (RouteToExternal(arrival.visit, self.number, self.ring_seconds),))
