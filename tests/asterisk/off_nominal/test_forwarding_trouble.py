"""What goes wrong while a call is forwarded, or while a code is told: the caller is never left in silence."""

from __future__ import annotations

import pytest

from controller.storage.calls import get_call
from controller.storage.forwarding import Forwarding
from tests.fixtures.carrier import carrier
from tests.fixtures.forwarding import has_common_phone
from tests.fixtures.lines import NUMBER, open_line
from tests.fixtures.sounds import NO_ANSWER
from tests.fixtures.system import System

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]
OFFICE = "74951234567"


async def test_a_controller_that_leaves_ends_the_call_that_tells_a_code(system: System) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    call = system.engine.confirmations.place(OFFICE, "123456", "en")
    told = await office.ringing()
    await told.answer()
    await told.hears_sound()
    await system.stop_engine()
    await told.ended()
    record = await system.database.read(get_call, call)
    assert (record.call.outcome, record.call.ended_by) == ("ended", "system")


async def test_who_answers_outside_and_drops_the_call_at_once_has_not_taken_it(system: System) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE)
    await open_line(system, forwarding=Forwarding("common", OFFICE))
    caller, call = await system.call(NUMBER)
    rings = await office.ringing()
    await rings.answer()
    await rings.hangup()
    await call.hears_tone(NO_ANSWER.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.steps[0].exit) == ("ended", "failed")


async def test_a_dead_carrier_costs_the_caller_its_patience_and_not_the_whole_ringing(system: System) -> None:
    async with carrier() as silent:
        await system.has_trunk(silent.port)
        await has_common_phone(system, OFFICE)
        await open_line(system, forwarding=Forwarding("common", OFFICE, wait_seconds=60))
        caller, call = await system.call(NUMBER)
        await silent.gets("INVITE")
        await call.hears_tone(NO_ANSWER.frequency, limit=30)
        await call.ended()
        assert (await system.call_record(caller)).steps[0].exit == "failed"
