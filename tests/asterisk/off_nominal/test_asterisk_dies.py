"""Asterisk is killed: it is started again, the records of its calls are closed, and new calls work within five seconds."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from controller.clock import SystemClock
from controller.commands.running import health_check
from controller.notices import open_sender
from tests.fixtures.sounds import GREETING, MENU
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def test_a_killed_asterisk_comes_back_and_calls_work_within_five_seconds(system_of_its_own: System) -> None:
    system = system_of_its_own
    process = system.asterisk.process
    sender = open_sender(system.asterisk.settings, system.database, SystemClock())
    health = health_check(system.asterisk.settings, system.database, system.bus, system.engine, sender, None)
    operator = await system.operator("2003")
    (in_menu, _), (talking, call) = await system.call(Line.FULL), await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await system.comes_to(in_menu, "menu")

    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.exited.wait()
    await eventually(lambda: system.engine.telephony.connected, "the loss was not noticed", until=False)
    state = await health()
    assert (state.ari.state, state.ami.state, state.database.state) == ("down", "down", "ok")

    async with asyncio.timeout(10):
        await process.running.wait()
    async with asyncio.timeout(5):
        await eventually(lambda: system.engine.telephony.connected, "the controller did not come back")
        _, again = await system.call(Line.FULL)
        await again.hears_tone(GREETING.frequency)
    for caller in (in_menu, talking):
        record = await system.call_record(caller)
        assert (record.call.outcome, record.call.ended_by) == ("lost", "system")
        assert all(leg.ended_at is not None for leg in record.legs)
    await eventually(lambda: system.engine.ami.connected, "AMI did not come back")
    await eventually(lambda: system.engine.ready, "the accounts were not brought up to date")
    state = await health()
    assert (state.ari.state, state.ami.state) == ("ok", "ok")
    assert process.restarts == 1
    await again.hangup()

    # An operator registers again, and calls with recording work as before.
    await operator.register()
    await system.operator_is("2003", "available")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    record = await system.call_record(caller)
    assert (record.call.outcome, len(record.recordings)) == ("talked", 1)


async def test_calls_that_come_while_asterisk_starts_are_not_stuck(system_of_its_own: System) -> None:
    system = system_of_its_own
    process = system.asterisk.process
    caller = await system.caller()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    call = await caller.phone.dial(Line.FULL)
    await call.answered(limit=20)
    await call.hears_sound()
    await call.hangup()
    await eventually(lambda: system.engine.telephony.connected, "the controller did not come back")
    _, again = await system.call(Line.FULL)
    await again.hears_tone(MENU.frequency)
    await again.hangup()
