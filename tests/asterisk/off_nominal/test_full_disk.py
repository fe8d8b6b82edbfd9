"""A full disk: nobody loses his conversation, whoever dictates is told, and the administrator learns of it.

As on a full disk, Asterisk creates files and can write nothing (more) into them: EFBIG instead of ENOSPC.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.recordings import writing
from controller.recordings.listening import HEADER
from controller.softphone import tones
from controller.storage.calls import CallFilters, list_calls
from controller.storage.prompts import prompt_keys
from tests.asterisk.nominal.test_recording_prompts_by_phone import FIRST, is_recorded, studio, takes
from tests.asterisk.nominal.test_recordings import channels_of, conversation, recorded, say
from tests.fixtures.letters import says
from tests.fixtures.programs import api
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE

pytestmark = pytest.mark.asterisk


@contextmanager
def full_disk(system: System, size: int = 0) -> Iterator[None]:
    """No file of Asterisk grows beyond so many bytes."""
    process = system.asterisk.process.pid
    assert process is not None
    _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.covers("SKZ-52")
@pytest.mark.parametrize("channels", ["mixed", "stereo"])
async def test_a_conversation_that_can_not_be_recorded_goes_on_and_its_call_says_so(
    system_of_its_own: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, channels: str
) -> None:
    monkeypatch.setattr(writing, "COMPLETED_SECONDS", 2.0)
    system = system_of_its_own
    system.settings = system.settings.model_copy(update={"recordings_channels": channels})
    await system.restart()
    phone = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    operator = await phone.ringing()
    with full_disk(system):
        await operator.answer()
        await say(call, operator, CALLER_TONE, OPERATOR_TONE)
        await call.hangup()
        await operator.ended()
        record = await system.recorded(
            caller, lambda one: any(recording.failed for recording in one.recordings), "the call does not say so"
        )
    assert record.call.outcome == "talked" and "nothing could be written into its recording" in caplog.text
    await eventually(lambda: _files(system), "something is left", until=[])
    program = await api(system, hears_recordings=True)
    (told,) = (await program.get(f"/api/v1/calls/{record.call.id}")).json()["recordings"]
    assert told["failed"]
    assert (await program.get(f"/api/v1/calls/{record.call.id}/recording")).status_code == 404


@pytest.mark.covers("SKZ-52")
async def test_a_call_says_that_it_could_not_be_recorded_also_when_the_controller_stops_at_once(
    system_of_its_own: System,
) -> None:
    system = system_of_its_own
    phone = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    operator = await phone.ringing()
    with full_disk(system):
        await operator.answer()
        await say(call, operator, CALLER_TONE, OPERATOR_TONE)
        await call.hangup()
        await operator.ended()
        await system.recorded(caller, lambda one: one.call.ended_at is not None, "the call is not over")
        await system.stop_engine()
    await system.start_engine()
    (recording,) = (await system.call_record(caller)).recordings
    assert recording.failed


@pytest.mark.covers("SKZ-52")
async def test_what_was_recorded_before_the_disk_was_full_is_kept_and_the_conversation_goes_on(system_of_its_own: System) -> None:
    system = system_of_its_own
    caller, call, operator = await conversation(system)
    await eventually(lambda: sum(file.stat().st_size for file in _files(system)) > 20_000, "nothing is written")
    with full_disk(system, 50_000):
        await eventually(lambda: [file.stat().st_size for file in _files(system)], "the disk is not full", until=[50_000])
        await say(call, operator, CALLER_TONE, OPERATOR_TONE)
        await call.hangup()
        await operator.ended()
        _, content = await recorded(system, caller)
    (mixed,) = channels_of(content)
    assert len(mixed) == 50_000 - HEADER
    assert all(tones.strength(mixed[-8000:], tone, 8000) > 0.2 for tone in (CALLER_TONE, OPERATOR_TONE)), "a side is missing"


@pytest.mark.covers("UIS-47")
async def test_who_dictates_a_prompt_is_told_that_it_was_not_kept(
    system_of_its_own: System, caplog: pytest.LogCaptureFixture
) -> None:
    system = system_of_its_own
    with full_disk(system):
        call = await studio(system)
        await is_recorded(system)
        await says(call, 1, FIRST)
        call.forget_sound()
        await call.press("#")
        await call.hears_sound()
        await call.ended()
    assert "of what 2001 said could be written" in caplog.text
    assert await system.database.read(prompt_keys) == frozenset() and await takes(system) == []
    await system.engine.journal.flush()
    (record,) = (await system.database.read(list_calls, CallFilters(), 10)).calls
    assert (record.call.line_name, record.call.ended_by) == ("Prompt recording", "scenario")


def _files(system: System) -> list[Path]:
    return [file for file in system.recordings_dir.rglob("*") if file.is_file()]
