"""Working time by operators' own clocks: two operators whose clocks never show the same date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.actions.schedules import create_schedule
from controller.schedules import Schedule
from tests.fixtures.branching import BY, keeps_hours, way
from tests.fixtures.distributing import GROUP, NUMBER, decided, desk
from tests.fixtures.lines import open_line
from tests.fixtures.sounds import heard_in_order
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk

AHEAD, BEHIND = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""A day and an hour apart."""
LINE = "8112"


async def lives_in(system: System, extension: str, zone: str) -> None:
    await system.change_operator(extension, time_zone=zone)
    await eventually(
        lambda: {str(one.zone) for rule in rules(system) for one in rule.operators if one.extension == extension},
        f"the engine does not know where {extension} lives",
        until={zone},
    )


def rules(system: System) -> Any:
    return system.engine.distributor.rules.values()


async def works_where_it_is_later(system: System, name: str) -> None:
    """A schedule that is open for operators in AHEAD and closed for those in BEHIND, at any hour and over midnight."""
    today = datetime.now(ZoneInfo(AHEAD)).date()
    days = [{"day": day, "periods": [{"start": "00:00", "end": "24:00"}]} for day in (today, today + timedelta(days=1))]
    document = {"one_off_days": days, "zone_mode": "operator"}
    await system.database.run(create_schedule, name, Schedule.model_validate(document), **BY)


@pytest.mark.covers("SKZ-29")
async def test_only_the_operator_whose_own_clock_shows_working_time_is_rung(system: System) -> None:
    await desk(system, "ring_all", ["2001", "2002"])
    await works_where_it_is_later(system, "Day")
    await keeps_hours(system, NUMBER, "Day")
    await lives_in(system, "2001", BEHIND)
    await lives_in(system, "2002", AHEAD)
    await system.operator("2001")
    awake = await system.operator("2002")
    caller, call = await system.call(NUMBER)
    offered = await awake.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()
    record = await decided(system, await system.call_record(caller))
    assert [leg.operator_extension for leg in record.legs] == ["2002"]
    (decision,) = record.decisions
    assert (decision.target, decision.offered, decision.left_out) == (
        GROUP,
        ["2002"],
        [["2001", "outside_his_working_time", None]],
    )


@pytest.mark.covers("SKZ-29", "SKZ-46")
async def test_where_it_is_working_time_for_nobody_of_the_group_the_line_is_closed(system: System) -> None:
    await works_where_it_is_later(system, "Day")
    await open_line(system, LINE, schedule="Day")
    await lives_in(system, "2001", BEHIND)
    await lives_in(system, "2002", AHEAD)
    asleep = await system.operator("2001")
    caller, call = await system.call(LINE)
    await call.ended()
    assert heard_in_order(call.heard) == ["off-hours"]
    record = await system.call_record(caller)
    assert way(record)[0] == ("hours", "closed") and record.legs == ()

    await lives_in(system, "2001", AHEAD)
    caller, call = await system.call(LINE)
    await (await asleep.ringing()).refuse()
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("hours", "open")
