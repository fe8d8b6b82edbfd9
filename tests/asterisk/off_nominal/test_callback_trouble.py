"""Callbacks that go wrong: nobody stays reserved, and nobody behind has to wait for longer than the ringing."""

from __future__ import annotations

import pytest

from tests.asterisk.nominal.test_callbacks import (
    NUMBER,
    PATIENT,
    accepts,
    becomes,
    kept,
    offers,
    patient_line,
    quickly_retried,
    stands_in_line,
)
from tests.fixtures.sounds import HOLD
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def test_who_does_not_answer_frees_the_operator_is_called_again_and_then_no_more(system: System) -> None:
    await quickly_retried(system, attempts=2)
    await system.has_trunk()
    await offers(system)
    await patient_line(system)
    caller = await accepts(system)
    operator = await system.operator("2003")
    first = await caller.phone.ringing()
    behind, call = await system.call(PATIENT)
    await system.comes_to(behind, "line")
    assert system.engine.distributor.waiting != ()
    await first.refuse()
    offered = await operator.ringing()
    assert behind.number in offered.peer
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await (await caller.phone.ringing()).refuse()
    failed = await becomes(system, "failed")
    assert (failed.attempts, failed.detail) == (2, "he did not answer (cause 17, SIP 486)")


async def test_a_phone_that_only_rings_is_given_up(system: System) -> None:
    await quickly_retried(system, attempts=1)
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    await system.operator("2003")
    ringing = await caller.phone.ringing()
    await ringing.ended(limit=7)
    assert (await becomes(system, "failed")).detail.startswith("he did not answer (cause")


async def test_who_hangs_up_while_the_operator_rings_is_called_no_more(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    operator = await system.operator("2003")
    back = await caller.phone.ringing()
    await back.answer()
    offered = await operator.ringing()
    await back.hangup()
    await offered.ended()
    assert (await becomes(system, "failed")).detail == "he hung up before anybody had answered him"


async def test_who_hangs_up_while_he_is_told_to_hold_frees_the_operator(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    operator = await system.operator("2003")
    back = await caller.phone.ringing()
    await back.answer()
    await back.hears_tone(HOLD.frequency)
    await back.hangup()
    await becomes(system, "failed")
    behind, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    assert behind.number in offered.peer
    await call.hangup()


async def test_an_operator_who_uses_his_phone_meanwhile_is_not_rung_and_a_colleague_is(system: System) -> None:
    await system.has_trunk()
    await offers(system, "Support")
    caller = await accepts(system)
    kept_one, colleague = await system.operator("2001"), await system.operator("2002")
    back = await caller.phone.ringing()
    reserved = next(iter(system.engine.distributor.engaged))
    busy, free = (kept_one, colleague) if reserved == "2001" else (colleague, kept_one)
    own = await busy.dial(Line.FULL)
    await own.answered()
    await system.operator_is(reserved, "talking")
    await back.answer()
    offered = await free.ringing()
    await offered.answer()
    await talk(back, offered)
    await back.listen(1.0)
    await back.hangup()
    await own.hangup()
    await becomes(system, "done")


async def test_a_controller_that_stops_while_the_phone_rings_calls_again_when_it_is_back(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    await system.operator("2003")
    ringing = await caller.phone.ringing()
    await system.stop_engine()
    await ringing.ended(limit=2)
    assert (await kept(system)).state == "calling"
    await system.start_engine()
    again = await caller.phone.ringing()
    assert (await becomes(system, "calling")).attempts == 1
    await again.answer()
    await again.hangup()
    await becomes(system, "failed")


async def test_a_controller_that_stops_while_he_holds_sends_him_to_the_fallback(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    await system.operator("2003")
    back = await caller.phone.ringing()
    await back.answer()
    await back.hears_tone(HOLD.frequency)
    await system.stop_engine()
    await eventually(lambda: in_the_fallback(system), "he did not come to the fallback")
    back.forget_sound()
    await back.hears_sound()
    await back.hangup()
    left = await kept(system)
    assert (left.state, left.detail) == ("waiting", "the call was handed over")
    await system.start_engine()


async def in_the_fallback(system: System) -> bool:
    listed = await system.ask_asterisk("channels")
    return [one["dialplan"]["context"] for one in listed] == ["fallback"]


async def test_a_number_waits_once_however_often_it_asks(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    call = await caller.phone.dial(NUMBER)
    await call.press("1")
    await call.ended()
    assert (await kept(system)).call_id != ""
    await stands_in_line(system)
