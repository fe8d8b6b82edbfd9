"""The database can't say what a call asks: the caller goes on as documented, and the log says why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from controller.actions.schedules import create_schedule
from controller.commands.phoning import Caller
from controller.storage import Session
from tests.fixtures.branching import BY, add_schedule, branch, way
from tests.fixtures.clocks import EASTERN_NUMBER, WESTERN_NUMBER, open_in_the_east
from tests.fixtures.sounds import GREETING
from tests.fixtures.system import System
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk

NUMBER = "8064"


def lose(session: Session, table: str) -> None:
    session.execute(text(f"DROP TABLE {table}"))


async def goes(system: System, exit: str, caller: Caller | None = None) -> None:
    caller = caller or await system.caller()
    call = await caller.phone.dial(NUMBER)
    await call.hears_tone(GREETING.frequency)
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("asked", exit)


async def test_a_schedule_that_cannot_be_read_counts_as_open(system: System, caplog: pytest.LogCaptureFixture) -> None:
    await add_schedule(system, "Office", "closed")
    nodes = branch({"type": "schedule", "schedule": "Office"}, {"open": "greeting", "closed": "sorry"})
    await system.serve((NUMBER, scenario("asked", **nodes)))
    await system.database.run(lose, "schedules")
    await goes(system, "open")
    assert "stays without an answer: no such table: schedules" in caplog.text


async def test_a_schedule_that_was_removed_counts_as_open(system: System, caplog: pytest.LogCaptureFixture) -> None:
    await add_schedule(system, "Office", "closed")
    nodes = branch({"type": "schedule", "schedule": "Office"}, {"open": "greeting", "closed": "sorry"})
    await system.serve((NUMBER, scenario("asked", **nodes)))
    await system.database.run(lambda session: session.execute(text("DELETE FROM schedules")))
    await goes(system, "open")
    assert "there is no schedule 'Office'" in caplog.text


async def test_where_contacts_cannot_be_read_the_callers_number_says_whose_clock_decides(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    await system.database.run(create_schedule, "Day", open_in_the_east(datetime.now(UTC)), **BY)
    nodes = branch({"type": "schedule", "schedule": "Day"}, {"open": "greeting", "closed": "greeting"})
    await system.serve((NUMBER, scenario("asked", **nodes)))
    await system.database.run(lose, "contact_numbers")
    for number, exit in ((EASTERN_NUMBER, "open"), (WESTERN_NUMBER, "closed")):
        await goes(system, exit, await system.caller(number=number))
    assert "is not known: no such table: contact_numbers" in caplog.text


async def test_a_caller_who_cannot_be_looked_for_is_unknown(system: System, caplog: pytest.LogCaptureFixture) -> None:
    nodes = branch({"type": "caller_list"}, {"blocked": "sorry", "known": "sorry", "unknown": "greeting"})
    await system.serve((NUMBER, scenario("asked", **nodes)))
    await system.database.run(lose, "blocked_numbers")
    await goes(system, "unknown")
    assert "stays without an answer: no such table: blocked_numbers" in caplog.text
