"""Working time by callers' own clocks: one number, one schedule, and callers of the same moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.schedules import create_schedule
from tests.fixtures.branching import BY, branch, keeps_hours, way
from tests.fixtures.clocks import EAST, EASTERN_NUMBER, MOBILE_NUMBER, WESTERN_NUMBER, open_in_the_east
from tests.fixtures.lines import NUMBER, open_line
from tests.fixtures.sounds import heard_in_order
from tests.fixtures.system import System
from tests.ivr.builders import hang_up, message, scenario

pytestmark = pytest.mark.asterisk

ASKS = "8060"


async def goes_by_callers_clocks(system: System) -> None:
    await system.database.run(create_schedule, "Day", open_in_the_east(datetime.now(UTC)), **BY)


async def is_in(system: System, number: str, zone: str) -> None:
    await system.database.run(create_contact, ContactDraft("Ann", [f"+{number}"], time_zone=zone), None, **BY)


async def hear(system: System, number: str, *callers: str) -> list[list[str]]:
    """What callers from these numbers hear who dial the number at once."""
    phones = [await system.caller(number=caller) for caller in callers]
    calls = await asyncio.gather(*(caller.phone.dial(number) for caller in phones))
    await asyncio.gather(*(call.ended() for call in calls))
    return [heard_in_order(call.heard) for call in calls]


async def says(system: System, number: str, prompt: str) -> str:
    """A scenario that says this; gives its name."""
    await system.serve((number, scenario("hello", hello=message({"next": "bye"}, prompt), bye=hang_up())))
    return f"Scenario {number}"


@pytest.mark.covers("PRJ-26", "UIS-42")
async def test_of_two_callers_at_once_each_is_served_as_the_clock_where_his_number_lies_says(system: System) -> None:
    await goes_by_callers_clocks(system)
    day, night = await says(system, "8071", "greeting"), await says(system, "8072", "thanks")
    await open_line(system, schedule="Day", scenario=day, off_hours_scenario=night)
    assert await hear(system, NUMBER, EASTERN_NUMBER, WESTERN_NUMBER) == [["greeting"], ["thanks"]]
    assert await hear(system, NUMBER, MOBILE_NUMBER, "anonymous") == [["thanks"], ["thanks"]]


@pytest.mark.covers("PRJ-26", "UIS-42")
async def test_a_contacts_own_zone_goes_before_that_of_the_number_he_calls_from(system: System) -> None:
    await goes_by_callers_clocks(system)
    day, night = await says(system, "8071", "greeting"), await says(system, "8072", "thanks")
    await open_line(system, schedule="Day", scenario=day, off_hours_scenario=night)
    await is_in(system, MOBILE_NUMBER, EAST)
    await is_in(system, EASTERN_NUMBER, "Europe/Moscow")
    assert await hear(system, NUMBER, MOBILE_NUMBER, EASTERN_NUMBER) == [["greeting"], ["thanks"]]


@pytest.mark.covers("SKZ-46")
async def test_where_it_is_night_for_the_caller_he_hears_so_and_no_phone_rings(system: System) -> None:
    await goes_by_callers_clocks(system)
    await open_line(system, schedule="Day")
    operator = await system.operator("2001")
    assert await hear(system, NUMBER, WESTERN_NUMBER) == [["off-hours"]]
    caller = await system.caller(number=EASTERN_NUMBER)
    call = await caller.phone.dial(NUMBER)
    await (await operator.ringing()).refuse()
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("hours", "open")


@pytest.mark.covers("PRJ-26")
@pytest.mark.parametrize("named", ["Day", None], ids=["named schedule", "the number's own"])
async def test_a_scenario_that_asks_goes_by_the_callers_clock_too(system: System, named: str | None) -> None:
    await goes_by_callers_clocks(system)
    asks: dict[str, Any] = branch({"type": "schedule", "schedule": named}, {"open": "greeting", "closed": "warning"})
    await system.serve((ASKS, scenario("asked", **asks)))
    if named is None:
        await keeps_hours(system, ASKS, "Day")
    await is_in(system, MOBILE_NUMBER, EAST)
    assert await hear(system, ASKS, MOBILE_NUMBER, WESTERN_NUMBER) == [["greeting"], ["warning"]]
