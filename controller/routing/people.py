"""Who is reached by which number: employees by their extension, the world outside through a trunk."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass

from controller.presence import TrunkTracker
from controller.routing.rules import Number, Person, RoutedOperator, phone_of

log = logging.getLogger(__name__)

_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FurtherNumber:
    """A number outside where an employee is rung after his own phone."""

    number: str
    ring_seconds: float


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody with an extension; his own phone is rung first, for `ring_seconds`. `team`: he sees his colleagues (SKZ-67)."""

    operator: RoutedOperator
    ring_seconds: float
    further: tuple[FurtherNumber, ...] = ()
    team: bool = True


class People:
    """Kept in memory and replaced as a whole, so that a call waits for no database. Calls outside go through the first trunk
    that is reachable; when none seems to be, the first is tried nevertheless: not every carrier answers when it is asked.
    """

    def __init__(self, trunks: TrunkTracker) -> None:
        self._employees: dict[str, Employee] = {}
        self._trunks: tuple[str, ...] = ()
        self._tracker = trunks

    def set(self, employees: Iterable[Employee], trunks: Iterable[str]) -> None:
        """Everybody as they are from now on; `trunks` are names, in the order they are taken."""
        self._employees = {employee.operator.extension: employee for employee in employees}
        self._trunks = tuple(trunks)

    def employee(self, extension: str) -> Person | None:
        """The employee with this extension; None when nobody has it."""
        employee = self._employees.get(extension)
        if employee is None:
            return None
        further = [self._outside(one.number, one.ring_seconds) for one in employee.further]
        numbers = (phone_of(extension, employee.ring_seconds), *(number for number in further if number is not None))
        return Person(employee.operator, numbers)

    def at_his_phone(self, extension: str, ring_seconds: float) -> Person | None:
        """The employee with this extension at his own phone alone; None when nobody has it."""
        employee = self._employees.get(extension)
        return None if employee is None else Person(employee.operator, (phone_of(extension, ring_seconds),))

    def at_his_mobile(self, extension: str) -> Person | None:
        """The employee with this extension at the first of his further numbers; None when that can't be dialled now."""
        employee = self._employees.get(extension)
        if employee is None or not employee.further:
            return None
        number = self._outside(employee.further[0].number, employee.further[0].ring_seconds)
        return None if number is None else Person(employee.operator, (number,))

    def known(self, extension: str) -> Employee | None:
        """Who has this extension."""
        return self._employees.get(extension)

    def sees_team(self, extension: str) -> bool:
        """Whether he may transfer to colleagues (SKZ-67)."""
        employee = self._employees.get(extension)
        return employee is None or employee.team

    def outside(self, number: str, ring_seconds: float) -> Person | None:
        """Whoever answers a number outside; None when it can't be dialled now."""
        found = self._outside(number, ring_seconds)
        return None if found is None else Person(None, (found,))

    def outside_device(self, number: str) -> str | None:
        """What Asterisk dials to reach a number outside; None when there is no trunk, or when it is no number."""
        if _NUMBER.fullmatch(number) is None:
            log.warning("%r can't be dialled: it is no phone number", number)
            return None
        if not self._trunks:
            log.warning("%s can't be dialled: there is no trunk, or none is enabled", number)
            return None
        reachable = self._tracker.reachable
        trunk = next((name for name in self._trunks if reachable.get(name, True)), self._trunks[0])
        return f"PJSIP/{number}@{trunk}"

    def _outside(self, number: str, ring_seconds: float) -> Number | None:
        device = self.outside_device(number)
        return None if device is None else Number(device, ring_seconds, number, outside=True)
