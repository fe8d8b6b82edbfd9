"""What goes wrong while a caller is distributed: nobody stays engaged, and the caller is never left in silence."""

from __future__ import annotations

import asyncio

import pytest

from controller.storage.operators import find_operator
from tests.fixtures.distributing import NUMBER, desk, has_group
from tests.fixtures.raw_sip import raw_phone
from tests.fixtures.sounds import SORRY
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]


async def test_an_operator_who_drops_within_100_ms_has_no_wrap_up_and_the_caller_goes_on(system: System) -> None:
    await desk(system, "linear", ["2001"], wrap_up_seconds=30)
    phone = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await offered.hangup()
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    assert system.engine.distributor.wrapping_up == frozenset()
    record = await system.call_record(caller)
    assert [step.exit for step in record.steps] == ["failed", "next", None]


@pytest.mark.covers("UIS-33", "SKZ-23")
async def test_after_an_operator_who_drops_the_call_at_once_the_next_is_rung_and_the_caller_keeps_his_place(
    system: System,
) -> None:
    await desk(system, "linear", ["2001", "2002"])
    drops, other = await system.operator("2001"), await system.operator("2002")
    _, talking = await system.call(NUMBER)
    first = await drops.ringing()
    _, in_the_way = await system.call(NUMBER)
    second = await other.ringing()
    await second.answer()
    await talk(in_the_way, second)
    _, behind = await system.call(NUMBER)
    await behind.answered()
    await first.answer()
    await first.hangup()
    await (await drops.ringing()).refuse()
    await second.hangup()
    offered = await other.ringing()
    await offered.answer()
    await talk(talking, offered)
    await talking.hangup()
    last = await other.ringing()
    await last.answer()
    await talk(behind, last)
    await behind.hangup()
    await last.ended()


@pytest.mark.covers("UIS-33")
async def test_of_phones_that_ring_together_the_others_ring_again_when_who_answers_drops_the_call(system: System) -> None:
    await desk(system, "ring_all", ["2001", "2002"])
    drops, other = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(NUMBER)
    offered, beside = await drops.ringing(), await other.ringing()
    await offered.answer()
    await offered.hangup()
    await beside.ended()
    again = await other.ringing()
    await again.answer()
    await talk(call, again)
    await call.hangup()
    record = await system.call_record(caller)
    assert [leg.operator_extension for leg in record.legs].count("2001") == 1


async def test_a_phone_that_registered_elsewhere_and_is_dead_there_does_not_hold_the_caller(system: System) -> None:
    await desk(system, "linear", ["2001", "2002"], ring_seconds=15)
    alive = await system.operator("2001")
    other = await system.operator("2002")
    operator = await system.database.read(find_operator, "2001")
    assert operator is not None
    async with raw_phone(system.asterisk.sip[1], "2001", operator.sip_secret) as dead:
        assert (await dead.request("REGISTER", "", headers={"Expires": "60"})).status == 200
        dead.dead = True
        _, call = await system.call(NUMBER)
        offered = await other.ringing(8)
        await offered.answer()
        await talk(call, offered)
        await call.hangup()
        await eventually(lambda: dict(system.engine.distributor.engaged), "somebody stays engaged", until={})
    await alive.register()
    _, again = await system.call(NUMBER)
    rings = await alive.ringing()
    await rings.answer()
    await talk(again, rings)
    await again.hangup()


async def test_when_the_last_operator_turns_his_phone_off_the_waiting_callers_go_on(system: System) -> None:
    """Asterisk counts a phone as off once its conversation is over."""
    await desk(system, "linear", ["2001", "2002"])
    phone = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await talk(talking, offered)
    callers = await asyncio.gather(*(system.call(NUMBER) for _ in range(3)))
    await eventually(lambda: len(system.engine.distributor.waiting), "they do not wait", until=3)
    await phone.unregister()
    await talking.hangup()
    await asyncio.gather(*(call.hears_tone(SORRY.frequency) for _, call in callers))
    await asyncio.gather(*(call.ended() for _, call in callers))
    for caller, _ in callers:
        record = await system.call_record(caller)
        assert ([step.exit for step in record.steps], record.legs) == (["failed", "next", None], ())


async def test_a_group_that_loses_all_its_members_lets_its_callers_go_on(system: System) -> None:
    await desk(system, "linear", ["2001"])
    phone = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await talk(talking, offered)
    _, call = await system.call(NUMBER)
    await call.hears_sound()
    await has_group(system, "linear", [])
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    assert offered.ended_at is None
    await talking.hangup()


async def test_a_caller_who_hangs_up_while_three_phones_ring_stops_them_all(system: System) -> None:
    await desk(system, "ring_all", ["2001", "2002", "2003"], ring_seconds=20)
    phones = [await system.operator(extension) for extension in ("2001", "2002", "2003")]
    caller, call = await system.call(NUMBER)
    offers = await asyncio.gather(*(phone.ringing() for phone in phones))
    await call.hangup()
    await asyncio.gather(*(offer.ended() for offer in offers))
    record = await system.call_record(caller)
    assert (record.call.outcome, len(record.legs)) == ("abandoned", 3)
