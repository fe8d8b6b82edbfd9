"""Where a call may come from, and where it may go."""

from __future__ import annotations

import pytest

from controller.actions.numbers import attach_scenario
from controller.bus.messages import DirectoryChanged
from controller.clock import SystemClock
from controller.storage.calls import CallFilters, list_calls
from tests.fixtures.sounds import MENU, SORRY
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def test_a_number_that_is_not_ours_is_told_so(system: System) -> None:
    caller, call = await system.call(Line.NOT_OURS)
    await call.ended()
    record = await system.call_record(caller)
    assert [step.node for step in record.steps] == ["not_in_service", "goodbye"]
    assert (record.call.called_number, record.call.line_name) == (Line.NOT_OURS, "")


async def test_an_operator_dials_one_of_our_numbers(system: System) -> None:
    operator, colleague = await system.operator("2001"), await system.operator("2003")
    call = await operator.dial(Line.FULL)
    await call.answered()
    await call.hears_tone(MENU.frequency)
    await call.press("2")
    offered = await colleague.ringing(limit=4)
    assert "2001" in offered.peer
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()


async def test_an_operator_who_calls_his_own_group_is_not_rung_himself(system: System) -> None:
    operator = await system.operator("2003")
    call = await operator.dial(Line.SINGLE)
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    page = await system.database.read(list_calls, CallFilters(caller="2003"), 1)
    assert page.calls[0].legs == ()


@pytest.mark.covers("UIS-42")
async def test_a_number_changed_meanwhile_leads_elsewhere_at_once_and_live_calls_stay(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    with system.database.session() as session:
        attach_scenario(session, Line.FULL, None, acting_user="test", at=SystemClock().now())
    system.bus.send(DirectoryChanged())

    async def first_node_of_a_new_call() -> str:
        newcomer, new = await system.call(Line.FULL)
        await new.hangup()
        return (await system.call_record(newcomer)).steps[0].node

    await eventually(first_node_of_a_new_call, "new calls go the old way", until="not_in_service")
    await call.press("*")
    await system.comes_to(caller, "menu", visits=2)
    await call.hangup()
