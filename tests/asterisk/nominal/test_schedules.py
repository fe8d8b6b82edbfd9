"""Working time: which way a caller goes, and whether he hears a menu."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.actions.schedules import change_schedule, create_schedule
from controller.schedules import Schedule
from controller.schedules.calendar import WEEKDAYS
from controller.storage.schedules import find_schedule
from tests.fixtures.branching import BY, add_schedule, branch, keeps_hours, schedule_that_is, way
from tests.fixtures.clocks import SetClock
from tests.fixtures.sounds import EXPIRED, GREETING, INCORRECT, MENU, TONES, WARNING
from tests.fixtures.system import System
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk

NUMBER = "8060"
WAYS = {"open": "greeting", "closed": "warning", "holiday": "incorrect"}
HEARD = {"open": GREETING, "closed": WARNING, "holiday": INCORRECT}


async def serve_schedule(system: System, name: str | None, *exits: str) -> None:
    operation = {"type": "schedule", "schedule": name}
    await system.serve((NUMBER, scenario("asked", **branch(operation, {exit: WAYS[exit] for exit in exits}))))


async def goes(system: System, exit: str) -> None:
    caller, call = await system.call(NUMBER)
    await call.hears_tone(HEARD[exit].frequency)
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("asked", exit)


@pytest.mark.covers("SKZ-28")
@pytest.mark.parametrize("state", ["open", "closed", "holiday"])
async def test_a_caller_goes_the_way_of_the_schedule(system: System, state: str) -> None:
    await add_schedule(system, "Office", state)
    await serve_schedule(system, "Office", "open", "closed", "holiday")
    await goes(system, state)


@pytest.mark.covers("SKZ-28")
@pytest.mark.parametrize("state", ["open", "closed", "holiday"])
async def test_without_a_name_it_is_the_schedule_of_the_called_number(system: System, state: str) -> None:
    await add_schedule(system, "Own", state)
    await serve_schedule(system, None, "open", "closed", "holiday")
    await keeps_hours(system, NUMBER, "Own")
    await goes(system, state)


async def test_a_holiday_that_is_not_linked_is_closed(system: System) -> None:
    await add_schedule(system, "Office", "holiday")
    await serve_schedule(system, "Office", "open", "closed")
    await goes(system, "closed")


async def test_a_changed_schedule_is_used_by_the_next_call(system: System) -> None:
    await add_schedule(system, "Office", "open")
    await serve_schedule(system, "Office", "open", "closed")
    await goes(system, "open")
    with system.database.session() as session:
        stored = find_schedule(session, "Office")
        assert stored is not None
        change_schedule(session, stored.id, "Office", schedule_that_is("closed"), **BY)
    await goes(system, "closed")


async def test_a_number_without_a_schedule_is_always_open(system: System) -> None:
    await serve_schedule(system, None, "open", "closed")
    await goes(system, "open")


def menu_played(period: str, schedule: str | None) -> dict[str, Any]:
    operation = {"type": "menu", "prompt": ["menu"], "wait_seconds": 0.5, "period": period, "schedule": schedule}
    ways = {"1": "thanks", "not_played": "warning", "wait_expired": "expired", "incorrect_input": "incorrect"}
    return branch(operation, ways)


@pytest.mark.covers("SKZ-3", "T-21")
@pytest.mark.parametrize("state", ["open", "closed", "holiday"])
async def test_t21_a_menu_for_any_time_plays_outside_working_time(system: System, state: str) -> None:
    await add_schedule(system, "Office", state)
    await system.serve((NUMBER, scenario("asked", **menu_played("at_any_time", None))))
    await keeps_hours(system, NUMBER, "Office")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.hears_tone(EXPIRED.frequency)
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("asked", "wait_expired")


@pytest.mark.covers("SKZ-3")
@pytest.mark.parametrize("named", [True, False], ids=["named schedule", "the number's own"])
@pytest.mark.parametrize(
    ("period", "state", "played"),
    [
        ("in_hours", "open", True),
        ("in_hours", "closed", False),
        ("in_hours", "holiday", False),
        ("off_hours", "open", False),
        ("off_hours", "closed", True),
        ("off_hours", "holiday", True),
        ("never", "open", False),
    ],
)
async def test_a_menu_is_played_in_its_activity_period_only(
    system: System, period: str, state: str, played: bool, named: bool
) -> None:
    await add_schedule(system, "Office", state)
    await system.serve((NUMBER, scenario("asked", **menu_played(period, "Office" if named else None))))
    if not named:
        await keeps_hours(system, NUMBER, "Office")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(TONES["menu" if played else "warning"].frequency)
    await call.ended()
    first = (await system.call_record(caller)).steps[0]
    assert (first.exit, first.prompts) == (("wait_expired", ["menu"]) if played else ("not_played", []))


@pytest.mark.covers("SKZ-28")
@pytest.mark.parametrize(("zone", "state"), [("Pacific/Kiritimati", "open"), ("Pacific/Pago_Pago", "closed")])
async def test_the_clock_of_the_installation_decides(system: System, zone: str, state: str) -> None:
    """These two zones are a day and an hour apart: the date is never the same."""
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    around = [{"day": day, "periods": [{"start": "00:00", "end": "24:00"}]} for day in (today, today + timedelta(days=1))]
    await system.database.run(create_schedule, "Day", Schedule.model_validate({"one_off_days": around}), **BY)
    system.settings = system.settings.model_copy(update={"time_zone": zone})
    await system.restart()
    await serve_schedule(system, "Day", "open", "closed")
    await goes(system, state)


async def works_in_berlin(system: System, *periods: tuple[str, str]) -> SetClock:
    """The called number is open in these hours of every day; the clock that the engine goes by."""
    day = [{"start": start, "end": end} for start, end in periods]
    week = Schedule.model_validate({"week": dict.fromkeys(WEEKDAYS, day)})
    await system.database.run(create_schedule, "Hours", week, **BY)
    system.settings = system.settings.model_copy(update={"time_zone": "Europe/Berlin"})
    clock = system.clock = SetClock()
    await system.restart()
    await serve_schedule(system, None, "open", "closed")
    await keeps_hours(system, NUMBER, "Hours")
    return clock


@pytest.mark.covers("SKZ-28")
async def test_in_the_hole_between_two_periods_of_a_day_it_is_closed(system: System) -> None:
    clock = await works_in_berlin(system, ("09:00", "13:00"), ("14:00", "18:00"))
    for hour, state in ((11, "open"), (12, "closed"), (13, "open")):
        clock.set(datetime(2026, 1, 14, hour, 30, tzinfo=UTC))
        await goes(system, state)


@pytest.mark.covers("SKZ-28")
async def test_a_caller_is_served_by_the_clock_as_summer_time_sets_it(system: System) -> None:
    """In Berlin the hour from two to three comes twice on October 25, from 0:00 to 2:00 UTC, and is left out on March 29."""
    clock = await works_in_berlin(system, ("02:00", "03:00"))
    for hour, state in ((0, "open"), (1, "open"), (2, "closed")):
        clock.set(datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
        await goes(system, state)
    for hour in (0, 1):
        clock.set(datetime(2026, 3, 29, hour, 30, tzinfo=UTC))
        await goes(system, "closed")
