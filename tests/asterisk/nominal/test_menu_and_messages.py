"""What a caller hears and presses."""

from __future__ import annotations

import asyncio

import pytest

from controller.softphone import PhoneCall
from controller.storage.calls import CallDetail
from tests.fixtures.sounds import EXPIRED, GREETING, INCORRECT, MENU, SORRY, WARNING, Tone, seconds_of
from tests.fixtures.system import MENU_WAIT, Line, System

pytestmark = pytest.mark.asterisk


async def hears(call: PhoneCall, tone: Tone) -> None:
    await call.hears_tone(tone.frequency)


def path(record: CallDetail) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in record.steps]


@pytest.mark.covers("UIS-13", "UIS-15")
async def test_a_greeting_is_heard_whole_before_the_menu(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await hears(call, MENU)
    assert seconds_of(GREETING, call.heard) == pytest.approx(GREETING.seconds, abs=0.1)
    await call.hangup()
    assert path(await system.call_record(caller)) == [("greeting", "next"), ("menu", None)]


@pytest.mark.covers("UIS-13")
async def test_a_key_does_not_skip_a_message(system: System) -> None:
    caller, call = await system.call(Line.SINGLE)
    await hears(call, WARNING)
    await call.press("1")
    await hears(call, SORRY)
    assert seconds_of(WARNING, call.heard) == pytest.approx(WARNING.seconds, abs=0.1)
    await call.ended()
    assert (await system.call_record(caller)).steps[0].digits == "1"


@pytest.mark.covers("UIS-15")
@pytest.mark.parametrize("dtmf", ["rtpevent", "info"])
async def test_a_key_during_the_menu_stops_it_at_once_and_goes_on(system: System, dtmf: str) -> None:
    caller = await system.caller(dtmf)  # type: ignore[arg-type]
    call = await caller.phone.dial(Line.FULL)
    await hears(call, MENU)
    pressed = asyncio.get_running_loop().time()
    await call.press("1")
    await hears(call, SORRY)
    took = asyncio.get_running_loop().time() - pressed
    assert took < 1.2, "the next prompt came late"
    assert seconds_of(MENU, call.heard) < MENU.seconds - 0.8, "the menu went on after the key"
    await call.ended()
    record = await system.call_record(caller)
    assert path(record) == [("greeting", "next"), ("menu", "1"), ("sales", "failed"), ("sorry", "next"), ("goodbye", None)]
    assert [step.digits for step in record.steps] == ["", "1", "", "", ""]


@pytest.mark.covers("UIS-15")
async def test_a_key_after_the_menu_still_counts(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await hears(call, MENU)
    await call.hears_silence()
    await call.press("*")
    await system.comes_to(caller, "menu", visits=2)
    await call.hangup()
    assert path(await system.call_record(caller)) == [("greeting", "next"), ("menu", "*"), ("menu", None)]


@pytest.mark.covers("UIS-16", "UIS-17", "UIS-41")
async def test_no_key_within_the_wait_leads_to_wait_expired(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await hears(call, EXPIRED)
    assert seconds_of(MENU, call.heard) == pytest.approx(MENU.seconds, abs=0.1)
    await call.ended()
    record = await system.call_record(caller)
    assert path(record) == [("greeting", "next"), ("menu", "wait_expired"), ("expired", "next"), ("goodbye", None)]
    assert [step.prompts for step in record.steps] == [["greeting"], ["menu"], ["expired"], []]
    menu = record.steps[1]
    assert menu.left_at is not None
    assert (menu.left_at - menu.entered_at).total_seconds() == pytest.approx(MENU.seconds + MENU_WAIT, abs=0.4)
    assert (record.call.outcome, record.call.ended_by) == ("ended", "scenario")


@pytest.mark.covers("UIS-18")
@pytest.mark.parametrize("key", ["7", "#"])
async def test_a_key_that_is_not_offered_leads_to_incorrect_input(system: System, key: str) -> None:
    caller, call = await system.call(Line.FULL)
    await hears(call, MENU)
    await call.press(key)
    await hears(call, INCORRECT)
    await system.comes_to(caller, "menu", visits=2)
    await call.hangup()
    record = await system.call_record(caller)
    assert path(record) == [("greeting", "next"), ("menu", "incorrect_input"), ("incorrect", "next"), ("menu", None)]
    assert record.steps[1].digits == key


async def test_keys_pressed_quickly_lead_through_two_menus(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await hears(call, MENU)
    await call.press("*1")
    await call.ended()
    assert path(await system.call_record(caller))[:4] == [
        ("greeting", "next"),
        ("menu", "*"),
        ("menu", "1"),
        ("sales", "failed"),
    ]


async def test_a_call_may_be_refused_unanswered(system: System) -> None:
    caller = await system.caller()
    call = await caller.phone.dial(Line.CLOSED)
    await call.ended()
    assert call.answered_at is None
    assert call.reason.startswith("486")
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.answered_at, record.call.ended_by) == ("refused", None, "scenario")
    assert record.call.hangup_cause == 17
