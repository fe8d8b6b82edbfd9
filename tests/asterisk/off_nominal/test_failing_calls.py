"""Something goes wrong in one call: its caller is served by the fallback, and the others do not notice."""

from __future__ import annotations

import asyncio

import pytest

from controller.errors import TelephonyError
from controller.prompts import PromptLibrary
from tests.asterisk.off_nominal.test_controller_leaves import hears_the_fallback
from tests.fixtures.sounds import MENU, THANKS
from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


@pytest.mark.parametrize("error", [RuntimeError("a mistake of ours"), TelephonyError("refused")], ids=["mistake", "refusal"])
async def test_the_caller_of_a_failed_call_goes_to_the_fallback_and_no_other_does(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    healthy, other = await system.call(Line.FULL)
    await other.hears_tone(MENU.frequency)
    media = PromptLibrary.media

    def broken(library: PromptLibrary, prompts: tuple[tuple[str, str | None], ...], language: str) -> tuple[str, ...]:
        if any(name == "warning" for name, _ in prompts):
            raise error
        return media(library, prompts, language)  # type: ignore[arg-type]

    monkeypatch.setattr(PromptLibrary, "media", broken)
    caller = await system.caller()
    call = await caller.phone.dial(Line.SINGLE)
    await call.answered()
    await call.hears_sound()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("handed_over", "system")
    assert record.steps[-1].left_at is not None
    assert "goes to the fallback" in caplog.text
    caplog.clear()
    await other.press("*")
    await system.comes_to(healthy, "menu", visits=2)
    await asyncio.gather(call.hangup(), other.hangup())
    assert (await system.call_record(healthy)).call.outcome == "ended"


async def test_a_failure_after_the_conversation_frees_the_operator(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    operator = await system.operator("2003")
    _, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.0)

    def broken(*_: object) -> tuple[str, ...]:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(PromptLibrary, "media", broken)
    await offered.hangup()
    await hears_the_fallback(system, call)
    caplog.clear()
    await system.operator_is("2003", "available")
    await call.hangup()


async def test_a_prompt_whose_file_is_missing_is_passed_over(system: System) -> None:
    folder = system.asterisk.settings.data_dir / "test-prompts"
    (folder / "warning.wav").unlink()
    operator = await system.operator("2003")
    _, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await call.hears_tone(THANKS.frequency)
    await call.hangup()
