"""Forwarding to the personal manager (UIS-38, UIS-39)."""

from __future__ import annotations

from typing import ClassVar, Literal

from ivr.commands import RouteToManager
from ivr.operations.base import Arrival, Operation, Reaching, Stay, Step


class PersonalManager(Operation):
    """Connects the caller with the manager that the address book names for his number. Leaves by "failed" when there is none
    (an unknown caller, a withheld number, a contact without a manager) and when the manager can't be reached now; by
    "answered" after a conversation that the manager ended (not linked: the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})
    CONCLUDING_EXITS: ClassVar = frozenset({"answered"})
    ENDS_CALL: ClassVar = True

    type: Literal["personal_manager"] = "personal_manager"

    def enter(self, arrival: Arrival) -> Step:
        return Stay(Reaching(arrival.visit), (RouteToManager(arrival.visit),))
