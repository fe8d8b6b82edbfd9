"""Who is reached by which number: employees by their extension, the world outside through a trunk."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.addresses import sip_address
from controller.presence import TrunkTracker
from controller.routing.forwarding import OutsidePhones, forwarded
from controller.routing.rules import Number, Person, RoutedOperator, device_outside, phone_of
from controller.storage.forwarding import Forwarding

log = logging.getLogger(__name__)

_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FurtherNumber:
    """A number outside where an employee is rung after his own phone."""

    number: str
    ring_seconds: float


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody with an extension; his own phone is rung first, for `ring_seconds`. `inbound`: calls of groups may ring him
    (SKZ-63); `team`: he sees his colleagues (SKZ-67); `at_mobile`: calls that he asks for begin at the first of his further
    numbers (SKZ-72).
    """

    operator: RoutedOperator
    ring_seconds: float
    further: tuple[FurtherNumber, ...] = ()
    inbound: bool = True
    team: bool = True
    at_mobile: bool = False


class People:
    """Kept in memory and replaced as a whole, so that a call waits for no database. Calls outside go through the first trunk
    that is reachable; when none seems to be, the first is tried nevertheless: not every carrier answers when it is asked.
    """

    def __init__(self, trunks: TrunkTracker) -> None:
        self._employees: dict[str, Employee] = {}
        self._trunks: tuple[str, ...] = ()
        self._phones = OutsidePhones()
        self._places: Mapping[tuple[str, int], str] = {}
        self._tracker = trunks

    def set(
        self, employees: Iterable[Employee], trunks: Iterable[str], places: Mapping[tuple[str, int], str] | None = None
    ) -> None:
        """Everybody as they are from now on; `trunks` are names, in the order they are taken, `places` the names of those that
        lead to a host and port.
        """
        self._employees = {employee.operator.extension: employee for employee in employees}
        self._trunks = tuple(trunks)
        self._places = places or {}

    def set_phones(self, phones: OutsidePhones) -> None:
        """The phones that missed calls may be forwarded to, from now on."""
        self._phones = phones

    def forwarded_to(self, rule: Forwarding, missed: Sequence[str], at: datetime) -> list[Person]:
        """Who is rung one after another for a call that nobody of its group took; see `forwarding.forwarded`."""
        found: list[Person] = []
        for each in forwarded(rule, missed, self._phones, at):
            employee = None if each.extension is None else self._employees.get(each.extension)
            number = self._outside(each.number, rule.wait_seconds)
            if number is not None:
                operator = None if employee is None else employee.operator
                found.append(Person(operator, (number,) * rule.attempts, forwarded=True))
        return found

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

    def in_turn(self, numbers: Iterable[str], ring_seconds: float) -> Person | None:
        """Whoever answers at these phone numbers and SIP addresses, which are rung one after another, each for `ring_seconds`;
        None when none of them can be dialled now.
        """
        found = [(self._at_address if ":" in one else self._outside)(one, ring_seconds) for one in numbers]
        there = tuple(number for number in found if number is not None)
        return Person(None, there) if there else None

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
        return device_outside(number, trunk)

    def _outside(self, number: str, ring_seconds: float) -> Number | None:
        device = self.outside_device(number)
        return None if device is None else Number(device, ring_seconds, number, outside=True)

    def _at_address(self, text: str, ring_seconds: float) -> Number | None:
        """A SIP address on the host of a trunk: nothing else is ever dialled."""
        address = sip_address(text)
        if address is None:
            return None
        trunk = self._places.get((address.host, address.port))
        if trunk is None:
            log.warning("%s can't be dialled: no trunk that is enabled leads there", address)
            return None
        return Number(f"PJSIP/{address.user}@{trunk}", ring_seconds, str(address), outside=True)
