"""The transfer key of an operator's own phone (SIP REFER) does what his key code does (SKZ-66 to SKZ-69)."""

from __future__ import annotations

import asyncio

import pytest

from controller.softphone import PhoneCall, PhoneError, SoftPhone
from controller.storage.calls import CallFilters, list_calls
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.transfers import Conversation, can_not_be_chosen, conversation, reaches, transfer_target, way

pytestmark = pytest.mark.asterisk
OUTSIDE = "74951234567"


@pytest.mark.covers("SKZ-66")
async def test_the_transfer_key_frees_the_operator_and_joins_the_caller_with_the_colleague(system: System) -> None:
    other, talking = await transfer_target(system), await conversation(system)
    await talking.line.transfer("2003")
    record = await reaches(talking, other)
    assert len(record.recordings) == 2


@pytest.mark.covers("SKZ-68")
@pytest.mark.parametrize("state", ["offline", "talking", "do_not_disturb"])
async def test_t40_the_transfer_key_does_not_reach_a_colleague_who_is_not_available_and_the_conversation_goes_on(
    system: System, state: str
) -> None:
    talking = await conversation(system)
    await can_not_be_chosen(system, state)
    with pytest.raises(PhoneError, match="404"):
        await talking.line.transfer("2003")
    await talk(talking.call, talking.line)
    await talking.line.listen(1.0)
    await talking.line.hangup()
    await talking.call.ended()
    record = await talking.record()
    assert way(record) == [("2001", "", True)]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")


@pytest.mark.covers("SKZ-69")
async def test_t39_a_target_of_the_transfer_key_who_does_not_answer_in_time_ends_the_call(system: System) -> None:
    system.settings = system.settings.model_copy(update={"transfer_seconds": 2})
    await system.restart()
    other, talking = await transfer_target(system), await conversation(system)
    await talking.line.transfer("2003")
    offered = await other.ringing()
    await talking.call.ended()
    await offered.ended()
    record = await talking.record()
    assert way(record) == [("2001", "", True), ("2003", "2001", False)]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "system")


@pytest.mark.covers("SKZ-67", "SKZ-66")
async def test_t41_without_access_to_the_team_the_transfer_key_reaches_numbers_outside_only(system: System) -> None:
    await system.has_trunk()
    outside = await system.phone_outside(OUTSIDE)
    await loses_his_team(system, "2001")
    other, talking = await transfer_target(system), await conversation(system)
    with pytest.raises(PhoneError):
        await talking.line.transfer("2003")
    await talk(talking.call, talking.line)
    await talking.line.transfer(OUTSIDE)
    rings = await outside.ringing()
    await rings.answer()
    await talk(talking.call, rings)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (OUTSIDE, "2001", True)]
    assert other is not None


async def loses_his_team(system: System, extension: str) -> None:
    """He does not see his colleagues any more, and the engine knows it."""
    await system.change_operator(extension, team=False)
    await eventually(lambda: system.engine.people.sees_team(extension), "the engine does not know it", until=False)


async def asks(talking: Conversation, other: SoftPhone) -> tuple[PhoneCall, PhoneCall]:
    """The operator calls 2003 on his second line, and both talk: his end and the colleague's."""
    second = await talking.phone.dial("2003")
    offered = await other.ringing()
    await offered.answer()
    await second.answered()
    await talk(second, offered)
    return second, offered


@pytest.mark.covers("SKZ-66")
async def test_a_phone_joins_its_two_lines_and_the_caller_talks_with_the_colleague(system: System) -> None:
    other, talking = await transfer_target(system), await conversation(system)
    second, offered = await asks(talking, other)
    await talking.line.transfer_to(second)
    await asyncio.gather(talking.line.ended(), second.ended())
    await talk(talking.call, offered)
    await system.operator_is("2001", "available")
    assert system.engine.distributor.engaged.keys() == {"2003"}
    await offered.listen(1.0)
    await offered.hangup()
    await talking.call.ended()
    record = await talking.record()
    assert way(record) == [("2001", "", True), ("2003", "2001", True)]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")
    assert len(record.recordings) == 2
    await system.at_rest()
    (asked,) = (await system.database.read(list_calls, CallFilters(caller="2001"), 5)).calls
    assert (asked.call.outcome, way(asked), len(asked.recordings)) == ("talked", [("2003", "", True)], 1)


async def test_a_caller_who_hangs_up_while_two_lines_are_joined_leaves_nobody_behind(system: System) -> None:
    other, talking = await transfer_target(system), await conversation(system)
    second, offered = await asks(talking, other)
    await talking.line.transfer_to(second)
    await talking.call.hangup()
    await asyncio.gather(talking.line.ended(), second.ended(), offered.ended())
    assert (await talking.record()).call.ended_by == "caller"


@pytest.mark.covers("SKZ-67")
async def test_t41_without_access_to_the_team_two_lines_can_not_be_joined(system: System) -> None:
    await loses_his_team(system, "2001")
    other, talking = await transfer_target(system), await conversation(system)
    second, offered = await asks(talking, other)
    await talking.line.transfer_to(second)
    await asyncio.gather(offered.ended(), talking.call.ended())
    record = await talking.record()
    assert (way(record), record.call.ended_by) == ([("2001", "", True)], "operator")
