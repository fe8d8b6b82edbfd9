"""An operator gives his caller to somebody else (SKZ-66 to SKZ-69)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controller.calls.codes import DeskRules
from controller.errors import Refused
from controller.settings import Settings
from controller.storage.audit import list_audit
from tests.fixtures.programs import api
from tests.fixtures.sounds import NOT_POSSIBLE, THANKS, read_wav
from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk
from tests.fixtures.transfers import can_not_be_chosen, conversation, reaches, way

pytestmark = pytest.mark.asterisk
OUTSIDE = "74951234567"


@pytest.mark.covers("SKZ-66", "SKZ-54")
async def test_a_blind_transfer_frees_the_operator_at_once_and_joins_the_caller_with_the_colleague(system: System) -> None:
    other = await system.operator("2003")
    talking = await conversation(system)
    await talking.transfer("2003")
    record = await reaches(talking, other)
    assert record.talk_leg is not None and record.talk_leg.operator_extension == "2003"
    assert len(record.recordings) == 2, "each conversation has a recording of its own"
    for recording in record.recordings:
        pcm, _ = read_wav(Path(system.recordings_dir / recording.path))
        assert pcm


@pytest.mark.covers("SKZ-66")
async def test_the_scenario_goes_on_after_the_conversation_with_the_colleague(system: System) -> None:
    talking = await conversation(system, Line.SUPPORT)
    other = await system.operator("2003")
    await talking.transfer("2003")
    offered = await other.ringing()
    await offered.answer()
    await talk(talking.call, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await talking.call.hears_tone(THANKS.frequency)
    await talking.call.ended()
    assert [step.exit for step in (await talking.record()).steps] == ["answered", "next", None]


@pytest.mark.covers("SKZ-66", "SKZ-67")
async def test_t41_an_operator_who_does_not_see_his_colleagues_can_transfer_to_numbers_outside_only(system: System) -> None:
    outside = await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    await system.change_operator("2001", team=False)
    talking, other = await conversation(system), await system.operator("2003")
    with pytest.raises(Refused, match="does not see his colleagues"):
        await talking.transfer("2003")
    await talk(talking.call, talking.line)
    await talking.transfer(OUTSIDE)
    offered = await outside.ringing()
    await offered.answer()
    await talk(talking.call, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await talking.call.ended()
    assert way(await talking.record()) == [("2001", "", True), (OUTSIDE, "2001", True)]
    assert other is not None


@pytest.mark.covers("SKZ-66")
async def test_who_has_got_the_caller_outside_transfers_him_to_another_number_outside(system: System) -> None:
    first, second = await system.phone_outside(OUTSIDE), await system.phone_outside("74957654321")
    await system.has_trunk()
    talking = await conversation(system)
    await talking.transfer(OUTSIDE)
    offered = await first.ringing()
    await offered.answer()
    await talk(talking.call, offered)
    await talking.transfer("74957654321")
    again = await second.ringing()
    await offered.ended()
    await again.answer()
    await talk(talking.call, again)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (OUTSIDE, "2001", True), ("74957654321", "", True)]


@pytest.mark.covers("SKZ-66")
async def test_an_operator_transfers_by_pressing_the_code_and_the_number(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.line.press("*12003#")
    offered = await other.ringing()
    await talking.line.ended()
    await offered.answer()
    await talk(talking.call, offered)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), ("2003", "2001", True)]


async def test_codes_that_the_installation_has_changed_are_pressed_and_the_usual_one_does_nothing(system: System) -> None:
    changed = {"code_transfer": "#5", "code_consult": "*76", "code_back": "*9"}
    system.settings = system.settings.model_copy(update=changed)
    await system.restart()
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.line.press("*12002##762003#*762003#")
    offered = await other.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await talking.line.press("*9")
    await offered.ended()
    await talk(talking.call, talking.line)
    await talking.line.press("#52003#")
    again = await other.ringing()
    await talking.line.ended()
    await again.answer()
    await talk(talking.call, again)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), ("2003", "2001", False), ("2003", "2001", True)]


@pytest.mark.covers("SKZ-66")
async def test_who_consults_before_speaks_with_the_colleague_alone_and_joins_the_two_by_hanging_up(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.line.press("*22003#")
    offered = await other.ringing()
    await offered.answer()
    talking.call.send_tone(0)
    await talk(talking.line, offered)
    offered.send_tone(0)
    talking.call.forget_sound()
    await talking.call.hears_sound()
    await talking.line.hangup()
    await talk(talking.call, offered)
    await system.operator_is("2001", "available")
    assert system.engine.distributor.engaged.keys() == {"2003"}
    await offered.listen(1.0)
    await talking.call.hangup()
    record = await talking.record()
    assert way(record) == [("2001", "", True), ("2003", "2001", True)]
    assert record.call.outcome == "talked"


@pytest.mark.covers("SKZ-66")
async def test_who_consults_and_presses_back_has_his_caller_again(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=True)
    offered = await other.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await talking.line.press("*3")
    await offered.ended()
    await talk(talking.call, talking.line)
    assert system.engine.distributor.engaged.keys() == {"2001"}
    await talking.call.hangup()
    record = await talking.record()
    assert way(record) == [("2001", "", True), ("2003", "2001", False)]
    assert len(record.recordings) == 2


@pytest.mark.covers("SKZ-66")
@pytest.mark.parametrize("completes", [False, True], ids=["back", "complete"])
async def test_a_consultation_that_a_program_has_begun_is_called_off_or_completed_by_it(system: System, completes: bool) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    async with await api(system) as client:
        order, way_out = f"/api/v1/calls/{talking.id}/transfer", "complete" if completes else "back"
        early = await client.post(f"{order}/{way_out}")
        assert early.status_code == 409 and "nobody consults" in early.text
        assert (await client.post(order, json={"to": "2003", "consulting": True})).status_code == 204
        offered = await other.ringing()
        await offered.answer()
        await talk(talking.line, offered)
        assert (await client.post(f"{order}/{way_out}")).status_code == 202
    left, stays = (talking.line, offered) if completes else (offered, talking.line)
    await left.ended()
    await talk(talking.call, stays)
    await stays.listen(1.0)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), ("2003", "2001", completes)]
    audit = [one.action for one in await system.database.read(list_audit) if one.actor == "token program"]
    assert audit == [f"call.transfer_{way_out}", "call.transfer"]


async def test_a_consulted_colleague_who_refuses_gives_the_operator_his_caller_again(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=True)
    offered = await other.ringing()
    await offered.refuse()
    talking.line.forget_sound()
    await talking.line.hears_tone(NOT_POSSIBLE.frequency)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), ("2003", "2001", False)]


async def test_who_does_not_wait_for_the_consulted_colleague_has_transferred_blindly(system: System) -> None:
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003", consulting=True)
    offered = await other.ringing()
    await talking.line.hangup()
    await offered.answer()
    await talk(talking.call, offered)
    await talking.call.hangup()


@pytest.mark.covers("SKZ-68")
@pytest.mark.parametrize("state", ["offline", "talking", "do_not_disturb"])
async def test_t40_a_colleague_who_is_not_available_can_not_be_chosen(system: System, state: str) -> None:
    talking = await conversation(system)
    await can_not_be_chosen(system, state)
    with pytest.raises(Refused, match=state.replace("_", " ")):
        await talking.transfer("2003")
    await talk(talking.call, talking.line)
    talking.line.forget_sound()
    await talking.line.press("*12003#")
    await talking.line.hears_tone(NOT_POSSIBLE.frequency)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True)]


@pytest.mark.covers("SKZ-69")
async def test_t39_a_target_who_does_not_answer_in_time_ends_the_call_which_does_not_return(system: System) -> None:
    system.settings = system.settings.model_copy(update={"transfer_seconds": 2})
    await system.restart()
    other, talking = await system.operator("2003"), await conversation(system)
    begin = asyncio.get_running_loop().time()
    await talking.transfer("2003")
    offered = await other.ringing()
    await talking.call.ended()
    assert asyncio.get_running_loop().time() - begin == pytest.approx(2.0, abs=0.8)
    await offered.ended()
    record = await talking.record()
    assert way(record) == [("2001", "", True), ("2003", "2001", False)]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "system")
    assert [step.exit for step in record.steps] == [None]


@pytest.mark.covers("SKZ-69")
async def test_a_transfer_returns_to_the_operator_where_the_installation_says_so(system: System) -> None:
    system.settings = system.settings.model_copy(update={"transfer_seconds": 2, "transfer_returns": True})
    await system.restart()
    other, talking = await system.operator("2003"), await conversation(system)
    await talking.transfer("2003")
    await other.ringing()
    again = await talking.phone.ringing()
    await again.answer()
    await talk(talking.call, again)
    await again.listen(1.0)
    await again.hangup()
    await talking.call.ended()
    assert way(await talking.record()) == [("2001", "", True), ("2003", "2001", False), ("2001", "2001", True)]


@pytest.mark.covers("SKZ-69")
def test_t39_the_target_of_a_transfer_has_thirty_seconds_unless_set_otherwise() -> None:
    settings = Settings.load({})
    desk = DeskRules.of(settings)
    assert settings.transfer_seconds == desk.transfer_seconds == 30
    assert desk.transfer_returns is False
