"""Prompts that are spoken into an internal phone, and heard by callers."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from controller.softphone import PhoneCall
from controller.storage.calls import CallFilters, list_calls
from controller.storage.prompts import get_prompt, prompt_keys
from tests.fixtures.letters import says
from tests.fixtures.sounds import SORRY, seconds_of
from tests.fixtures.system import System, eventually
from tests.ivr.builders import hang_up, message, scenario

pytestmark = pytest.mark.asterisk
CODE = "*77"
FIRST, SECOND = 1750.0, 2150.0


async def studio(system: System) -> PhoneCall:
    """Operator 2001 dials the code."""
    phone = await system.operator("2001")
    call = await phone.dial(CODE)
    await call.answered()
    return call


async def takes(system: System) -> list[Path]:
    return sorted(system.recordings_dir.glob("dictation/**/*.wav"))


async def is_recorded(system: System, count: int = 1) -> None:
    """Wait until the n-th take of the only dictation is being made."""
    await eventually(lambda: _count(system), "nothing is recorded", until=count)


async def _count(system: System) -> int:
    return len(await takes(system))


async def dictate(system: System, call: PhoneCall, frequency: float, count: int = 1) -> None:
    """Speak after the beep, press "#" and hear it."""
    await is_recorded(system, count)
    await says(call, 1, frequency)
    call.forget_sound()
    await call.press("#")
    await call.hears_tone(frequency)


async def own_prompts(system: System) -> list[str]:
    return sorted(name for name, _ in await system.database.read(prompt_keys))


@pytest.mark.covers("UIS-47")
async def test_a_prompt_spoken_into_a_phone_is_heard_back_kept_and_played_to_callers(system: System) -> None:
    call = await studio(system)
    await dictate(system, call, FIRST)
    await call.press("1")
    await call.ended()
    (name,) = await own_prompts(system)
    assert re.fullmatch(r"recorded-2001-\d{8}-\d{6}", name)
    stored = await system.database.read(get_prompt, name, "en")
    assert stored.kind == "recorded" and stored.title.startswith("Recorded by 2001, ")
    assert 0.8 < stored.length_seconds < 2.5
    assert await takes(system) == []
    await eventually(lambda: (name, "en") in system.engine.prompts.known, "the engine does not know the prompt")

    await system.serve(("8130", scenario(start=message({"next": "end"}, f"{name}:en"), end=hang_up())))
    caller, call = await system.call("8130")
    await call.ended()
    assert seconds_of(FIRST, call.heard) == pytest.approx(1, abs=0.3)
    assert (await system.call_record(caller)).steps[0].prompts == [f"{name}:en"]


@pytest.mark.covers("UIS-47")
async def test_two_plays_it_again_and_three_records_again(system: System) -> None:
    call = await studio(system)
    await dictate(system, call, FIRST)
    await eventually(lambda: seconds_of(FIRST, call.heard[-3200:]), "it is played for ever", until=0)
    call.forget_sound()
    await call.press("2")
    await call.hears_tone(FIRST)
    await call.press("3")
    await dictate(system, call, SECOND, count=2)
    await call.press("1")
    await call.ended()
    (name,) = await own_prompts(system)
    await eventually(lambda: (name, "en") in system.engine.prompts.known, "the engine does not know the prompt")
    await system.serve(("8131", scenario(start=message({"next": "end"}, f"{name}:en"), end=hang_up())))
    _, call = await system.call("8131")
    await call.ended()
    assert seconds_of(SECOND, call.heard) > 0.7 and seconds_of(FIRST, call.heard) == 0


@pytest.mark.covers("UIS-47")
@pytest.mark.parametrize("moment", ["beep", "recording", "hearing it"])
async def test_who_hangs_up_before_he_keeps_it_has_recorded_nothing(system: System, moment: str) -> None:
    call = await studio(system)
    if moment != "beep":
        await is_recorded(system)
        await says(call, 0.5, FIRST)
    if moment == "hearing it":
        await call.press("#")
        await call.hears_tone(FIRST)
    await call.hangup()
    await eventually(lambda: system.engine.arrivals.live, "the call is still live", until=0)
    assert await own_prompts(system) == [] and await takes(system) == []
    await system.engine.journal.flush()
    (record,) = (await system.database.read(list_calls, CallFilters(), 10)).calls
    assert (record.call.line_name, record.call.called_number, record.call.ended_by) == ("Prompt recording", CODE, "caller")


async def test_a_prompt_that_cannot_be_kept_is_told_of_and_nothing_is_left(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    call = await studio(system)
    await dictate(system, call, FIRST)
    (take,) = await takes(system)
    await call.hears_silence()
    take.write_bytes(b"no sound")
    await call.press("1")
    await call.hears_sound()
    await call.ended()
    assert await own_prompts(system) == [] and await takes(system) == []
    assert "was not kept" in caplog.text
    caplog.clear()


async def test_the_controller_leaves_during_a_dictation(system: System) -> None:
    call = await studio(system)
    await is_recorded(system)
    call.send_tone(FIRST)
    await asyncio.gather(system.stop_engine(), call.ended())
    assert await takes(system) == []
    await system.start_engine()


async def test_the_code_is_no_number_for_callers_from_outside(system: System) -> None:
    await system.operator("2001")
    caller, call = await system.call(CODE)
    await call.hears_sound()
    await call.ended()
    assert await takes(system) == [] and seconds_of(SORRY, call.heard) == 0
    (record,) = (await system.database.read(list_calls, CallFilters(), 10)).calls
    assert record.call.line_name == "" and record.steps[0].node == "not_in_service"
    assert caller.number == record.call.caller_number
