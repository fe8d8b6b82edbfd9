"""Whether a number is open, and whose clocks decide who is offered its calls (SKZ-28, SKZ-29).

A schedule in the mode "operator" opens a line as soon as it is working time for one of those who could serve it: the operators of
the groups that the scenario names, or of any group where it names none. Then each of its calls is offered only to those for whom
it is working time. What comes while it is that for nobody is off-hours, and is offered to whomever the off-hours scenario names.

A schedule in the mode "contact" goes by the clock of who calls. The address book is asked for his zone when the call comes; what
it can't tell in time keeps nobody out: then his number alone says where he is, or nothing does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Final

from controller.addresses import phone_number
from controller.calls.facts import CallTools
from controller.errors import AttendantError
from controller.schedules import Schedule, State, WorkingTime, zone_of_caller
from controller.storage.contacts import zones_of_callers
from ivr.graph import ScenarioBundle

log = logging.getLogger(__name__)

KNOWN_WITHIN: Final = 2.0
"""Seconds that the database has to say in which time zone a caller is; he hears ringing, or nothing, meanwhile."""


def groups_of(bundle: ScenarioBundle) -> frozenset[str]:
    """The groups that a scenario, with those it inserts, may send a caller to."""
    return frozenset(group for node in bundle.nodes() for group in node.operation.groups())


def goes_by_callers(schedule: Schedule | None) -> bool:
    """Whether the clock of who calls decides."""
    return schedule is not None and schedule.zone_mode == "contact"


async def stored_zones(numbers: Collection[str], tools: CallTools, by: float | None = None) -> Mapping[str, str]:
    """The zones of those of these numbers that the address book knows one for. It has until the event loop's moment `by` to tell,
    None: KNOWN_WITHIN seconds; what it can't tell is not there.
    """
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + KNOWN_WITHIN if by is None else by):
            return await tools.database.read(zones_of_callers, numbers, tools.region)
    except (AttendantError, TimeoutError) as error:
        log.warning("whether %s is a contact with a time zone is not known: %s", ", ".join(numbers), str(error) or "no answer")
    except Exception:
        log.exception("whether %s is a contact with a time zone is not known", ", ".join(numbers))
    return {}


async def callers_zone(schedule: Schedule | None, number: str, tools: CallTools, by: float | None = None) -> tzinfo | None:
    """The zone of who calls, for `state_now`; None where it is not known, or not asked for. `number` is as Asterisk gives it,
    `by` as for `stored_zones`.
    """
    normal = phone_number(number, tools.region) if goes_by_callers(schedule) else None
    if normal is None:
        return None
    zone = zone_of_caller((await stored_zones([normal], tools, by)).get(normal), normal)
    log.info("working time goes for %s by %s", number, "the schedule's own clock" if zone is None else f"the clock of {zone}")
    return zone


def state_now(schedule: Schedule | None, tools: CallTools, groups: Collection[str], caller: tzinfo | None = None) -> State:
    """How a schedule stands for a line that these groups serve, and for a caller of this zone; no schedule is open."""
    if schedule is None:
        return "open"
    rules = tools.distributor.rules
    serving = [rules[name] for name in groups if name in rules] if groups else list(rules.values())
    zones = {operator.zone for rule in serving for operator in rule.operators}
    return WorkingTime(schedule, tools.zone).of_line(zones, tools.clock.now(), caller)


def working_time(schedule: Schedule, tools: CallTools) -> WorkingTime | None:
    """What decides who is offered the calls of a line that is open; None: no operator's clock."""
    return WorkingTime(schedule, tools.zone) if schedule.zone_mode == "operator" else None
