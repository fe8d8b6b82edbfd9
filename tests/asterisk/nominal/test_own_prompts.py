"""Uploaded files, as callers hear them on a real Asterisk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller.actions.numbers import add_number
from controller.actions.scenarios import KnownPrompts, create_scenario, publish
from controller.bus import PromptsChanged
from controller.clock import SystemClock
from controller.storage import Session
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.sounds import seconds_of
from tests.fixtures.system import System, eventually
from tests.fixtures.uploading import upload

pytestmark = pytest.mark.asterisk
NUMBER = "8050"
ENGLISH, RUSSIAN = 1500.0, 1800.0
BY: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}


async def play(system: System, *prompts: str) -> None:
    """Have the number play these, then hang up; a controller that starts knows it."""
    await system.database.run(_publish, prompts)
    await system.restart()


def _publish(session: Session, prompts: tuple[str, ...]) -> None:
    operation = {"type": "info_message", "message": list(prompts)}
    nodes = {"own": {"operation": operation, "links": {"next": "bye"}}, "bye": {"operation": {"type": "hang_up"}}}
    scenario = create_scenario(session, "Own", {"schema_version": 1, "start": "own", "nodes": nodes}, **BY)
    publish(session, scenario.id, KnownPrompts(frozenset({("second-of-silence", "en")}), frozenset({"en"})), **BY)
    add_number(session, NUMBER, "Own", scenario_id=scenario.id, **BY)


@pytest.mark.covers("UIS-47", "UIS-48", "UIS-49", "UIS-41", "SKZ-42")
@pytest.mark.parametrize("kind", ["mp3", "wma"])
async def test_an_uploaded_file_is_heard_in_its_language_with_a_second_of_silence_between(
    system: System, tmp_path: Path, kind: str
) -> None:
    await upload(system, tone_file(tmp_path / "en", kind, ENGLISH, 0.8), "en")
    await upload(system, tone_file(tmp_path / "ru", "wav", RUSSIAN, 0.6), "ru")
    await play(system, "own-tone", "second-of-silence:en", "own-tone:ru")
    caller, call = await system.call(NUMBER)
    await call.ended()
    assert seconds_of(ENGLISH, call.heard) == pytest.approx(0.8, abs=0.15)
    assert seconds_of(RUSSIAN, call.heard) == pytest.approx(0.6, abs=0.15)
    record = await system.call_record(caller)
    assert record.steps[0].prompts == ["own-tone", "second-of-silence:en", "own-tone:ru"]
    assert 2.2 < (record.steps[0].left_at - record.steps[0].entered_at).total_seconds() < 4  # type: ignore[operator]


@pytest.mark.covers("UIS-47")
async def test_a_file_that_disappeared_is_a_second_of_silence_and_the_call_goes_on(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await upload(system, tone_file(tmp_path / "en", "wav", ENGLISH, 0.5), "en")
    await play(system, "own-tone", "own-tone")
    system.prompt_folder.remove("own-tone", "en")
    _, call = await system.call(NUMBER)
    await call.ended()
    assert seconds_of(ENGLISH, call.heard) == 0
    system.bus.send(PromptsChanged())
    await eventually(lambda: ("own-tone", "en") in system.engine.prompts.known, "the file is still known", until=False)
    caller, call = await system.call(NUMBER)
    await call.ended()
    step = (await system.call_record(caller)).steps[0]
    assert step.exit == "next" and 1.8 < (step.left_at - step.entered_at).total_seconds() < 3.5  # type: ignore[operator]
    assert "the sound file of the prompt" in caplog.text
    caplog.clear()
