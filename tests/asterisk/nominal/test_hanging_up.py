"""Callers who hang up, at every stage: nothing of the call may stay behind, and the record tells what happened."""

from __future__ import annotations

import asyncio

import pytest

from controller.storage.calls import CallDetail
from tests.fixtures.sounds import MENU, THANKS, WARNING, Tone
from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


def end_of(record: CallDetail) -> tuple[str, str, str | None, str | None]:
    """Outcome, who ended it, and the last step with its exit."""
    last = record.steps[-1]
    assert last.left_at is not None, "the last step is still open"
    return record.call.outcome, str(record.call.ended_by), last.node, last.exit


@pytest.mark.parametrize(
    ("line", "tone", "node"), [(Line.SINGLE, WARNING, "warning"), (Line.FULL, MENU, "menu")], ids=["message", "menu"]
)
async def test_a_caller_hangs_up_during_a_prompt(system: System, line: str, tone: Tone, node: str) -> None:
    caller, call = await system.call(line)
    await call.hears_tone(tone.frequency)
    await call.hangup()
    record = await system.call_record(caller)
    assert end_of(record) == ("ended", "caller", node, None)
    assert record.call.hangup_cause == 16


async def test_a_caller_hangs_up_while_the_menu_waits_for_a_key(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    await call.hears_silence()
    await call.hangup()
    assert end_of(await system.call_record(caller)) == ("ended", "caller", "menu", None)


async def test_a_caller_hangs_up_before_the_line_is_open(system: System) -> None:
    caller = await system.caller()
    call = await caller.phone.dial(Line.FULL)
    await call.hangup()
    await system.at_rest()


async def test_a_caller_hangs_up_while_phones_ring(system: System) -> None:
    phones = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(Line.SALES)
    offers = await asyncio.gather(*(phone.ringing() for phone in phones))
    await call.hangup()
    await asyncio.gather(*(offer.ended(limit=2) for offer in offers))
    assert all(offer.answered_at is None for offer in offers)
    await system.lines_have_ended(caller)
    record = await system.call_record(caller)
    assert end_of(record) == ("abandoned", "caller", "sales", None)


async def test_a_caller_hangs_up_while_nobody_is_free(system: System) -> None:
    operator = await system.operator("2001")
    _, first = await system.call(Line.SALES)
    offered = await operator.ringing()
    await offered.answer()
    caller, call = await system.call(Line.SALES)
    await system.comes_to(caller, "sales")
    await call.hangup()
    record = await system.call_record(caller)
    assert end_of(record) == ("abandoned", "caller", "sales", None)
    assert system.engine.distributor.waiting == ()
    await talk(first, offered)
    await first.hangup()


async def test_a_caller_hangs_up_at_the_very_moment_of_the_answer(system: System) -> None:
    operator = await system.operator("2001")
    for _ in range(8):
        caller, call = await system.call(Line.SALES)
        offered = await operator.ringing()
        await asyncio.gather(offered.answer(), call.hangup(), return_exceptions=True)
        await offered.ended(limit=2)
        record = await system.call_record(caller)
        assert end_of(record)[1:3] == ("caller", "sales")
        assert record.call.outcome in ("abandoned", "talked")
        await system.lines_have_ended(caller)
        await system.operator_is("2001", "available")


async def test_a_caller_hangs_up_just_when_the_operator_drops(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.0)
    await asyncio.gather(offered.hangup(), call.hangup())
    record = await system.call_record(caller)
    assert record.call.ended_at is not None
    assert record.call.outcome == "talked"


async def test_a_caller_hangs_up_while_the_message_after_the_conversation_plays(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await call.hears_tone(THANKS.frequency)
    await call.hangup()
    assert end_of(await system.call_record(caller)) == ("talked", "caller", "thanks", None)
