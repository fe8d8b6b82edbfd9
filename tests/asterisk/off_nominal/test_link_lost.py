"""The controller's connection to Asterisk is cut: calls go on, and what happened meanwhile is made good."""

from __future__ import annotations

import pytest

from tests.fixtures.sounds import EXPIRED, MENU, SORRY, WARNING
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def cut(system: System) -> None:
    """Cut the connection; nothing gets through until `system.link.mend`."""
    system.link.cut()
    await eventually(lambda: system.engine.telephony.connected, "the cut was not noticed", until=False)


async def mend(system: System) -> None:
    system.link.mend()
    await eventually(lambda: system.engine.telephony.connected, "the connection did not come back", limit=5)


async def test_a_prompt_goes_on_and_a_key_after_it_is_taken(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    await cut(system)
    await mend(system)
    await call.press("1")
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    assert [step.exit for step in (await system.call_record(caller)).steps] == ["next", "1", "failed", "next", None]


async def test_a_prompt_that_ends_meanwhile_leads_on_after_the_reconnection(system: System) -> None:
    caller, call = await system.call(Line.SINGLE)
    await call.hears_tone(WARNING.frequency)
    await cut(system)
    await call.hears_silence()
    await mend(system)
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    assert [step.exit for step in (await system.call_record(caller)).steps] == ["next", "failed", "next", None]


async def test_a_command_waits_for_the_connection(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    await call.hears_silence()
    await cut(system)
    await system.comes_to(caller, "expired")
    await mend(system)
    await call.hears_tone(EXPIRED.frequency)
    await call.ended()
    assert (await system.call_record(caller)).call.outcome == "ended"


async def test_an_operator_who_answers_meanwhile_gets_the_caller(system: System) -> None:
    operator = await system.operator("2001")
    caller, call = await system.call(Line.SALES)
    offered = await operator.ringing()
    await cut(system)
    await offered.answer()
    await mend(system)
    await talk(call, offered)
    await call.hangup()
    assert (await system.call_record(caller)).call.outcome == "talked"


async def test_a_caller_who_hangs_up_meanwhile_is_cleaned_up(system: System) -> None:
    operator = await system.operator("2001")
    caller, call = await system.call(Line.SALES)
    offered = await operator.ringing()
    await cut(system)
    await call.hangup()
    await call.ended()
    await mend(system)
    await offered.ended()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("lost", "system")
    await system.operator_is("2001", "available")


async def test_a_conversation_goes_on_and_its_end_meanwhile_is_noticed(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await cut(system)
    heard = await call.listen(1.0)
    assert heard
    await talk(call, offered)
    await offered.hangup()
    await mend(system)
    await call.ended()
    record = await system.call_record(caller)
    assert record.talk_leg is not None and record.talk_leg.talk_ended_at is not None
    assert record.call.outcome == "talked"


async def test_a_new_call_meanwhile_goes_to_the_fallback(system: System) -> None:
    operator = await system.operator("2001")
    await cut(system)
    caller = await system.caller()
    call = await caller.phone.dial(Line.FULL)
    await call.answered()
    await call.hears_sound()
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()
    await mend(system)


async def test_short_cuts_while_a_phone_rings_lose_nothing(system: System) -> None:
    operator = await system.operator("2001")
    caller, call = await system.call(Line.SALES)
    offered = await operator.ringing()
    for _ in range(3):
        system.link.cut()
        system.link.mend()
        await eventually(lambda: system.engine.telephony.connected, "the connection did not come back", limit=5)
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    assert (await system.call_record(caller)).call.outcome == "talked"
