"""Where a call may come from, and where it may go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.actions.numbers import NumberSettings, attach_scenario, change_number
from controller.actions.scenarios import KnownPrompts
from controller.bus.messages import DirectoryChanged
from controller.clock import SystemClock
from controller.prompts import LANGUAGES
from controller.storage.calls import CallFilters, list_calls
from controller.storage.forwarding import Forwarding
from controller.storage.numbers import find_number
from ivr.lines import LinePrompts
from ivr.prompts import PromptRef
from tests.fixtures.forwarding import has_common_phone
from tests.fixtures.lines import GROUP, TONE_PROMPTS, open_line
from tests.fixtures.sounds import MENU, NO_ANSWER, SORRY
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk
EDITED, OTHER, OFFICE = "8071", "8072", "74951234567"


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


async def save(system: System, settings: NumberSettings, *, for_all: bool) -> None:
    """Save the settings at the number EDITED, as soon as the engine has them there."""
    row = await system.database.read(find_number, EDITED)
    assert row is not None
    known = KnownPrompts(system.prompts.known, frozenset(LANGUAGES))
    await system.change(change_number, row.id, EDITED, "Edited line", settings, known, for_all=for_all)

    def known_settings() -> tuple[LinePrompts, Forwarding]:
        route = system.engine.arrivals.routes[EDITED]
        return route.prompts, route.forwarding

    await eventually(known_settings, "the engine does not know the settings", until=(settings.prompts, settings.forwarding))


@pytest.mark.covers("SKZ-30")
async def test_t44_what_is_saved_for_all_is_what_a_caller_of_another_number_gets_and_for_this_number_he_does_not(
    system: System,
) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE)
    for number in (EDITED, OTHER):
        await open_line(system, number)
    settings = NumberSettings(group=GROUP, prompts=replace(TONE_PROMPTS, no_answer=PromptRef("sorry")))

    await save(system, settings, for_all=False)
    for number, prompt in ((EDITED, SORRY), (OTHER, NO_ANSWER)):
        _, call = await system.call(number)
        await call.hears_tone(prompt.frequency)
        await call.ended()

    await save(system, replace(settings, forwarding=Forwarding("common", OFFICE)), for_all=True)
    caller, call = await system.call(OTHER)
    await (await office.ringing()).hangup()
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert [leg.number for leg in record.legs] == [OFFICE]
    assert record.call.line_name == "Main line", "each number keeps its name"
