"""Many calls at once: none is lost."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from controller.softphone import PhoneError, SoftPhone
from tests.fixtures.sounds import MENU
from tests.fixtures.system import Line, System

pytestmark = pytest.mark.asterisk

CALLS, AT_ONCE = 20, 10


async def test_twenty_calls_ten_at_a_time_all_reach_an_operator(system: System) -> None:
    phones = [await system.operator(extension) for extension in ("2001", "2002", "2003")]
    at_work = [asyncio.create_task(_answer_all(phone)) for phone in phones]
    places = asyncio.Semaphore(AT_ONCE)
    outcomes = await asyncio.gather(*(_one_call(system, places) for _ in range(CALLS)))
    for task in at_work:
        task.cancel()
    await asyncio.gather(*at_work, return_exceptions=True)
    assert outcomes == ["talked"] * CALLS


async def _one_call(system: System, places: asyncio.Semaphore) -> str:
    async with places:
        caller, call = await system.call(Line.FULL)
        await call.hears_tone(MENU.frequency)
        await call.press("2")
        await system.recorded(caller, lambda one: one.talk_leg is not None, f"{caller.number} reached nobody")
        await call.hangup()
        return (await system.call_record(caller)).call.outcome


async def _answer_all(phone: SoftPhone) -> None:
    while True:
        offered = await phone.ringing(limit=60)
        with contextlib.suppress(PhoneError):
            await offered.answer()
