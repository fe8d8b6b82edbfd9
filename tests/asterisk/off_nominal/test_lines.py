"""Waiting callers when something is missing, somebody leaves, or the connection to Asterisk does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete

from controller.actions.groups import set_members
from controller.actions.prompts import PromptDetails, add_prompt
from controller.bus import PromptsChanged
from controller.bus.messages import DirectoryChanged
from controller.prompts.workshop import Workshop
from controller.storage import Session
from controller.storage.groups import Group
from ivr.lines import Slot
from ivr.prompts import PromptRef
from tests.fixtures.branching import add_schedule, way
from tests.fixtures.lines import BY, GROUP, NUMBER, TONE_PROMPTS, has_operator_busy, open_line
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.sounds import ALL_BUSY, ARRIVAL, NO_ANSWER, OFF_HOURS, WAITING, Tone, heard_in_order, seconds_of
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]
OWN: float = 1250.0


async def all_free(system: System) -> None:
    await system.operator("2001")


async def all_busy(system: System) -> None:
    await has_operator_busy(system)


async def nobody(system: System) -> None:
    pass


CASES: Mapping[Slot, tuple[Tone, Callable[[System], Awaitable[None]]]] = {
    "arrival": (ARRIVAL, all_free),
    "waiting": (WAITING, all_free),
    "all_busy": (ALL_BUSY, all_busy),
    "no_answer": (NO_ANSWER, nobody),
    "off_hours": (OFF_HOURS, nobody),
}


async def open_for(system: System, slot: Slot, **settings: Any) -> None:
    """A line on which the next caller comes to this prompt."""
    await open_line(system, **settings)
    await CASES[slot][1](system)
    if slot == "off_hours":
        await add_schedule(system, "Office", "closed")
        await open_line(system, "8079", schedule="Office", **settings)


def number_of(slot: Slot) -> str:
    return "8079" if slot == "off_hours" else NUMBER


async def upload(system: System, folder: Path) -> None:
    """A prompt "own-tone" of two seconds."""
    with tone_file(folder / "own", "wav", OWN, 2.0).open("rb") as file:
        async with Workshop(system.prompt_folder, 60).prepared(file) as sound:
            details = PromptDetails("Own tone", "en", "uploaded")
            await system.database.run(add_prompt, system.prompt_folder, sound, details, 20, **BY)
    system.bus.send(PromptsChanged())
    await eventually(lambda: ("own-tone", "en") in system.engine.prompts.known, "the engine does not know the prompt")


@pytest.mark.covers("SKZ-40")
@pytest.mark.parametrize("slot", CASES)
async def test_a_caller_who_hangs_up_in_any_of_the_prompts_leaves_nothing_behind(system: System, slot: Slot) -> None:
    await open_for(system, slot)
    caller, call = await system.call(number_of(slot))
    await call.hears_tone(CASES[slot][0].frequency)
    await call.hangup()
    record = await system.call_record(caller)
    assert record.call.ended_by == "caller"
    assert record.call.outcome == ("ended" if slot in ("no_answer", "off_hours") else "abandoned")


@pytest.mark.parametrize("slot", CASES)
async def test_where_the_file_of_a_prompt_has_disappeared_the_standard_one_stands_in(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture, slot: Slot
) -> None:
    await upload(system, tmp_path)
    await open_for(system, slot, prompts=replace(TONE_PROMPTS, **{slot: PromptRef("own-tone")}))  # type: ignore[arg-type]
    system.prompt_folder.remove("own-tone", "en")
    system.bus.send(PromptsChanged())
    await eventually(lambda: "own-tone" in played_by(system, slot), "the engine does not know of it", until=False)
    caller, call = await system.call(number_of(slot))
    if slot in ("no_answer", "off_hours"):
        await call.ended()
    else:
        await call.hears_sound()
        await call.hangup()
    assert seconds_of(OWN, call.heard) == 0
    record = await system.call_record(caller)
    assert "own-tone" not in [prompt for step in record.steps for prompt in step.prompts]
    caplog.clear()


def played_by(system: System, slot: Slot) -> list[str]:
    """The prompts of the number's line."""
    return [str(prompt) for prompt in system.engine.arrivals.routes[number_of(slot)].prompts.by_slot().values()]


@pytest.mark.parametrize("slot", ["arrival", "waiting", "all_busy"])
async def test_a_file_that_disappears_while_callers_wait_leaves_them_with_music(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture, slot: Slot
) -> None:
    await upload(system, tmp_path)
    await open_for(system, slot, prompts=replace(TONE_PROMPTS, **{slot: PromptRef("own-tone")}))  # type: ignore[arg-type]
    system.prompt_folder.remove("own-tone", "en")
    _, call = await system.call(NUMBER)
    if slot != "arrival":
        await call.listen(ARRIVAL.seconds + 0.5)
    call.forget_sound()
    await call.hears_sound()
    await call.listen(1.0)
    await call.hears_sound()
    assert heard_in_order(call.heard) == []
    await call.hangup()
    caplog.clear()


async def test_a_group_without_members_says_at_once_that_nobody_can_answer(system: System) -> None:
    await open_line(system)
    await system.database.run(set_members, GROUP, [], **BY)
    await system.restart()
    await says_nobody_can_answer(system)


async def test_a_number_whose_group_was_deleted_is_not_in_service_for_new_callers_and_waiting_ones_are_told(
    system: System,
) -> None:
    await open_line(system)
    await has_operator_busy(system)
    waiting, call = await system.call(NUMBER)
    await call.hears_tone(ALL_BUSY.frequency)
    await system.database.run(_delete_group)
    system.bus.send(DirectoryChanged())
    await call.hears_tone(NO_ANSWER.frequency)
    await call.ended()
    assert way(await system.call_record(waiting))[0] == ("group", "failed")
    newcomer, new = await system.call(NUMBER)
    await new.ended()
    assert way(await system.call_record(newcomer))[0] == ("not_in_service", "next")


async def test_a_number_with_hours_whose_group_was_deleted_says_that_nobody_can_answer(system: System) -> None:
    await add_schedule(system, "Office", "open")
    await open_line(system, schedule="Office")
    await system.database.run(_delete_group)
    await system.restart()
    await says_nobody_can_answer(system)


async def test_a_waiting_caller_hears_on_after_the_connection_was_lost(system: System) -> None:
    await open_line(system)
    operator = await system.operator("2001")
    _, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.hears_tone(WAITING.frequency)
    system.link.cut()
    await eventually(lambda: system.engine.telephony.connected, "the cut was not noticed", until=False)
    await call.hears_silence()
    system.link.mend()
    await call.hears_tone(WAITING.frequency)
    await call.listen(2 * WAITING.seconds)
    assert call.ended_at is None
    await offered.answer()
    await talk(call, offered)
    assert heard_in_order(await call.listen(1.0)) == []
    await call.hangup()


async def test_a_waiting_caller_is_handed_over_when_the_controller_stops(system: System) -> None:
    await open_line(system)
    operator = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.hears_tone(WAITING.frequency)
    await system.stop_engine()
    await offered.ended()
    record = await system.call_record(caller)
    assert record.call.outcome == "handed_over"
    call.forget_sound()
    await call.hears_sound()
    assert seconds_of(WAITING, call.heard) < WAITING.seconds
    await call.hangup()
    await system.start_engine()


async def says_nobody_can_answer(system: System) -> None:
    _, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == ["no-answer"]


def _delete_group(session: Session) -> None:
    session.exec(delete(Group).where(Group.name == GROUP))  # type: ignore[arg-type]
