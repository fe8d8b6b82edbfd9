"""Transfers that go wrong: nobody stays reserved, no caller is left in silence (fixtures look after each test)."""

from __future__ import annotations

import asyncio

import pytest

from controller.errors import Refused
from controller.ids import new_call_id
from tests.fixtures.system import System
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation, way

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]


@pytest.mark.parametrize("number", ["2001", "2999", "74951234567", "", "*41", "x"])
async def test_who_can_not_be_a_target_is_refused_and_the_conversation_goes_on(system: System, number: str) -> None:
    talking = await conversation(system)
    with pytest.raises(Refused):
        await talking.transfer(number)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True)]


async def test_a_call_that_is_not_live_or_has_no_operator_can_not_be_transferred(system: System) -> None:
    with pytest.raises(Refused):
        await system.engine.arrivals.transfer(new_call_id(), "2003", False)
    phone = await system.operator("2001")
    talking = await conversation(system, extension="2002")
    await talking.line.hangup()
    await talking.call.ended()
    with pytest.raises(Refused):
        await talking.transfer("2001")
    assert phone is not None


@pytest.mark.covers("SKZ-69")
async def test_a_target_who_rejects_ends_the_call(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003")
    offered = await other.ringing()
    await offered.refuse()
    await talking.call.ended()
    assert (await talking.record()).call.ended_by == "system"


async def test_a_target_who_answers_and_drops_within_a_tenth_of_a_second_has_not_taken_the_call(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003")
    offered = await other.ringing()
    await offered.answer()
    await offered.hangup()
    await talking.call.ended()
    record = await talking.record()
    assert (record.call.outcome, record.call.ended_by) == ("talked", "system")


@pytest.mark.parametrize("consulting", [False, True], ids=["blind", "consulting"])
async def test_a_caller_who_hangs_up_during_a_transfer_stops_the_ringing(system: System, consulting: bool) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=consulting)
    offered = await other.ringing()
    await talking.call.hangup()
    await asyncio.gather(offered.ended(), talking.line.ended())
    assert (await talking.record()).call.ended_by == "caller"


async def test_a_caller_who_hangs_up_during_a_consultation_ends_it(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=True)
    offered = await other.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await talking.call.hangup()
    await asyncio.gather(offered.ended(), talking.line.ended())


async def test_both_who_consult_hang_up_at_once_and_the_call_ends(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=True)
    offered = await other.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await asyncio.gather(talking.line.hangup(), offered.hangup())
    await talking.call.ended()


async def test_an_operator_who_hangs_up_at_the_moment_of_his_transfer_loses_nobody(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    results = await asyncio.gather(talking.transfer("2003"), talking.line.hangup(), return_exceptions=True)
    if results[0] is None:
        offered = await other.ringing()
        await offered.answer()
        await talk(talking.call, offered)
        await talking.call.hangup()
    else:
        assert isinstance(results[0], Refused)
        await talking.call.ended()


async def test_a_target_whose_phone_is_called_away_is_not_rung_twice(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    second = await conversation(system, extension="2002")
    results = await asyncio.gather(talking.transfer("2003"), second.transfer("2003"), return_exceptions=True)
    offered = await other.ringing()
    await offered.answer()
    assert results[0] is None
    winner, loser = (talking, second) if talking.caller.number in offered.peer else (second, talking)
    await talk(winner.call, offered)
    await winner.call.hangup()
    await loser.call.hangup()


async def test_a_half_typed_code_is_forgotten_and_keys_for_nobody_change_nothing(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.line.press("5#**7*1#*13")
    await talking.call.press("*12003#")
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True)]
    assert other is not None
