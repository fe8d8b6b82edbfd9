"""Calls of campaigns: who is let in, who is rung, and where operators transfer to."""

from __future__ import annotations

import pytest

from controller.actions.campaigns import add_lead
from controller.actions.groups import set_members
from controller.calls.codes import CALL_CENTER
from controller.errors import Refused
from controller.softphone import PhoneCall
from controller.storage.campaigns import campaign_view
from tests.fixtures.campaigns import CAMPAIGN, change, has_campaign, known, leads
from tests.fixtures.carrier import carrier
from tests.fixtures.distributing import first_of
from tests.fixtures.lines import NUMBER, open_line
from tests.fixtures.sounds import ALL_BUSY, NOT_POSSIBLE
from tests.fixtures.system import System
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation, way

pytestmark = pytest.mark.asterisk
MAIN, SECOND = "74951234567", "74957654321"


async def answer_and_hang_up(call: PhoneCall, offered: PhoneCall) -> None:
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()


@pytest.mark.covers("LNR-4")
async def test_t45_an_unknown_caller_is_not_accepted_where_a_campaign_refuses_them_and_becomes_no_lead(system: System) -> None:
    operator = await system.operator("2001")
    campaign = await has_campaign(system, unknown_callers="refuse")
    caller = await system.caller()
    call = await caller.phone.dial(NUMBER)
    await call.ended()
    assert call.answered_at is None
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.answered_at, record.call.hangup_cause) == ("refused", None, 21)
    assert [(step.node, step.title) for step in record.steps] == [("unknown_caller", f"Not a lead of the campaign {CAMPAIGN}")]
    assert record.legs == () and await leads(system, campaign) == []

    await system.change(add_lead, campaign.id, f"+{caller.number}", "direct", None)
    again = await caller.phone.dial(NUMBER)
    await answer_and_hang_up(again, await operator.ringing())


@pytest.mark.covers("LNR-4")
@pytest.mark.parametrize(("policy", "type"), [("lead_direct", "direct"), ("lead_selection", "selection")])
async def test_t45_an_unknown_caller_is_a_lead_before_an_operator_answers_and_known_the_next_time(
    system: System, policy: str, type: str
) -> None:
    operator = await system.operator("2001")
    campaign = await has_campaign(system, unknown_callers=policy)
    caller, call = await system.call(NUMBER)
    offered = await operator.ringing()
    (lead,) = await leads(system, campaign)
    assert (lead.number, lead.type) == (f"+{caller.number}", type)
    await answer_and_hang_up(call, offered)
    assert lead.call_id == (await system.call_record(caller)).call.id

    await change(system, campaign, unknown_callers="refuse")
    again = await caller.phone.dial(NUMBER)
    await answer_and_hang_up(again, await operator.ringing())
    assert [one.id for one in await leads(system, campaign)] == [lead.id]


@pytest.mark.covers("LNR-4")
async def test_who_withholds_his_number_is_served_and_becomes_no_lead(system: System) -> None:
    operator = await system.operator("2001")
    campaign = await has_campaign(system)
    caller = await system.caller_without_number()
    call = await caller.phone.dial(NUMBER)
    await answer_and_hang_up(call, await operator.ringing())
    assert await leads(system, campaign) == []


async def test_an_operator_who_calls_a_campaigns_number_is_no_stranger_to_it(system: System) -> None:
    caller, operator = await system.operator("2003"), await system.operator("2001")
    campaign = await has_campaign(system, unknown_callers="refuse")
    call = await caller.dial(NUMBER)
    await answer_and_hang_up(call, await operator.ringing())
    assert await leads(system, campaign) == []


@pytest.mark.covers("PRJ-1", "LNR-12")
async def test_a_campaigns_call_rings_its_operators_and_the_members_of_its_groups_and_nobody_else(system: System) -> None:
    stranger, member, operator = [await system.operator(extension) for extension in ("2001", "2003", "2002")]
    await has_campaign(system, operators=["2002"], groups=["Single"], strategy="linear")
    caller, call = await system.call(NUMBER)
    first, offered = await first_of(stranger, member, operator)
    assert first is operator
    second, again = await first_of(stranger, member)
    assert second is member
    await offered.ended()
    await answer_and_hang_up(call, again)
    record = await system.call_record(caller)
    assert [leg.operator_extension for leg in record.legs] == ["2002", "2003"]


@pytest.mark.covers("PRJ-1", "LNR-12")
@pytest.mark.parametrize("way_in", ["himself", "by a group"])
async def test_an_employee_who_is_assigned_while_a_caller_waits_gets_the_next_offer(system: System, way_in: str) -> None:
    operator, newcomer = await system.operator("2001"), await system.operator("2002")
    campaign = await has_campaign(system, groups=["Single"])
    _, first = await system.call(NUMBER)
    offered = await operator.ringing()
    await offered.answer()
    await talk(first, offered)
    _, waiting = await system.call(NUMBER)
    await waiting.hears_tone(ALL_BUSY.frequency)
    if way_in == "himself":
        await change(system, campaign, operators=["2001", "2002"])
    else:
        await system.change(set_members, "Single", ["2003", "2002"])
        await known(system, await system.database.read(campaign_view, campaign.id))
    await answer_and_hang_up(waiting, await newcomer.ringing())
    await first.hangup()


@pytest.mark.covers("PRJ-1")
async def test_a_group_or_scenario_of_the_number_goes_before_the_campaigns_employees(system: System) -> None:
    operator, member = await system.operator("2001"), await system.operator("2003")
    await open_line(system, "8071", group="Single")
    await has_campaign(system, numbers=[NUMBER, "8071"])
    _, call = await system.call("8071")
    first, offered = await first_of(operator, member)
    assert first is member
    await answer_and_hang_up(call, offered)


@pytest.mark.covers("LNR-5")
async def test_an_operator_transfers_to_the_campaigns_call_center_by_its_number(system: System) -> None:
    center = await system.phone_outside(MAIN)
    await system.has_trunk()
    await has_campaign(system, transfer_numbers=[MAIN])
    talking = await conversation(system, NUMBER)
    await talking.line.press("*1#")
    offered = await center.ringing()
    await talking.line.ended()
    await offered.answer()
    await talk(talking.call, offered)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (MAIN, "2001", True)]


@pytest.mark.covers("LNR-5", "LNR-6")
@pytest.mark.parametrize("status", [486, 503, 180], ids=["busy", "out of reach", "not answered"])
async def test_t46_the_additional_numbers_are_tried_in_order_when_the_main_one_is_not_to_be_had(
    system: System, status: int
) -> None:
    system.settings = system.settings.model_copy(update={"transfer_seconds": 3})
    await system.restart()
    center = await system.phone_outside(SECOND)
    async with carrier(status) as busy:
        await system.has_trunk(busy.port, used=False, position=2)
        await system.has_trunk()
        main = f"sip:queue@127.0.0.1:{busy.port}"
        await has_campaign(system, transfer_numbers=[main, SECOND])
        talking = await conversation(system, NUMBER)
        await talking.transfer(CALL_CENTER)
        invite = await busy.gets("INVITE")
        assert invite.uri.startswith(main)
        offered = await center.ringing()
        await offered.answer()
        await talk(talking.call, offered)
        await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (main, "2001", False), (SECOND, "2001", True)]


@pytest.mark.covers("LNR-6")
async def test_t46_a_transfer_ends_the_call_when_every_number_of_the_call_center_is_busy(system: System) -> None:
    async with carrier(486) as busy:
        await system.has_trunk(busy.port)
        main = f"sip:queue@127.0.0.1:{busy.port}"
        await has_campaign(system, transfer_numbers=[main, MAIN])
        talking = await conversation(system, NUMBER)
        await talking.transfer(CALL_CENTER)
        await talking.call.ended()
        record = await talking.record()
    assert way(record) == [("2001", "", True), (main, "2001", False), (MAIN, "2001", False)]
    assert [leg.sip_status for leg in record.legs[1:]] == [486, 486]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "system")


@pytest.mark.covers("LNR-6")
async def test_who_consults_the_call_center_has_his_caller_again_when_all_its_numbers_are_busy(system: System) -> None:
    async with carrier(486) as busy:
        await system.has_trunk(busy.port)
        await has_campaign(system, transfer_numbers=[MAIN, SECOND])
        talking = await conversation(system, NUMBER)
        talking.line.forget_sound()
        await talking.line.press("*2#")
        await talking.line.hears_tone(NOT_POSSIBLE.frequency)
        await talk(talking.call, talking.line)
        await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (MAIN, "2001", False), (SECOND, "2001", False)]


@pytest.mark.parametrize(
    ("numbers", "why"), [([], "has no such number"), ([MAIN], "none of its numbers can be called now")], ids=["none", "no trunk"]
)
async def test_without_a_number_or_a_trunk_there_is_no_transfer_and_the_conversation_goes_on(
    system: System, numbers: list[str], why: str
) -> None:
    await has_campaign(system, transfer_numbers=numbers)
    talking = await conversation(system, NUMBER)
    with pytest.raises(Refused, match=why):
        await talking.transfer(CALL_CENTER)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
