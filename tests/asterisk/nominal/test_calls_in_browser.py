"""An operator whose telephone is his own page in a real browser: real calls, heard both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from controller.softphone import SoftPhone
from tests.fixtures.sounds import SORRY
from tests.fixtures.system import Line, System
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE
from tests.fixtures.telephone import BrowserPhone, desk_in_browser

pytestmark = [pytest.mark.asterisk, pytest.mark.browser, pytest.mark.timeout(120)]


async def talks_and_hangs_up(phone: BrowserPhone, colleague: SoftPhone) -> None:
    """The colleague's phone rings for the operator of the browser; they hear each other, and the operator hangs up."""
    ringing = await colleague.ringing()
    await ringing.answer()
    ringing.send_tone(CALLER_TONE)
    await ringing.hears_tone(OPERATOR_TONE)
    await phone.hears(CALLER_TONE)
    await phone.press("Hang up")
    await ringing.ended()
    await phone.call_is("none")


@pytest.mark.covers("SKZ-72", "SKZ-73")
async def test_a_call_rings_in_the_browser_is_answered_there_heard_both_ways_and_transferred_by_its_keys(
    system: System, tmp_path: Path
) -> None:
    colleague = await system.operator("2003")
    async with desk_in_browser(system, tmp_path) as phone:
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        outside.send_tone(CALLER_TONE)
        await phone.call_is("rings")
        await expect(phone.panel).to_contain_text(caller.number)
        await phone.press("Answer")
        await phone.call_is("talks")
        await outside.hears_tone(OPERATOR_TONE)
        await phone.hears(CALLER_TONE)
        for key in "*1200":
            await phone.press(key)
        for key in "3#":
            await phone.page.keyboard.press(key)
        ringing = await colleague.ringing()
        await phone.call_is("none")
        await phone.is_("ready")
        await ringing.answer()
        await ringing.hears_tone(CALLER_TONE)
        await outside.hangup()
        record = await system.call_record(caller)
    assert record.call.outcome == "talked"
    assert [leg.operator_extension for leg in record.legs if leg.talk_started_at is not None] == ["2001", "2003"]


@pytest.mark.covers("SKZ-72")
async def test_a_caller_hears_music_while_he_is_held_in_the_browser_and_nothing_while_it_is_muted(
    system: System, tmp_path: Path
) -> None:
    async with desk_in_browser(system, tmp_path) as phone:
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        outside.send_tone(CALLER_TONE)
        await phone.call_is("rings")
        await phone.press("Answer")
        await outside.hears_tone(OPERATOR_TONE)
        await phone.press("Mute")
        await outside.hears_silence()
        await phone.press("Hold")
        await outside.hears_sound()
        await phone.press("Hold")
        await outside.hears_silence()
        await phone.press("Mute")
        await outside.hears_tone(OPERATOR_TONE)
        await phone.hears(CALLER_TONE)
        await phone.press("Hang up")
        await outside.ended()
        await phone.call_is("none")
        record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")


@pytest.mark.covers("SKZ-72")
async def test_the_operator_calls_a_colleague_from_the_browser_and_refuses_a_caller(system: System, tmp_path: Path) -> None:
    colleague = await system.operator("2003")
    async with desk_in_browser(system, tmp_path) as phone:
        await phone.panel.get_by_label("Number").fill("2003")
        await phone.press("Call")
        await talks_and_hangs_up(phone, colleague)
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        await phone.call_is("rings")
        await phone.press("Reject")
        await phone.call_is("none")
        await outside.hangup()
        record = await system.call_record(caller)
    assert [(leg.operator_extension, leg.cause) for leg in record.legs] == [("2001", 17)]


@pytest.mark.covers("SKZ-64", "SKZ-72")
async def test_a_colleague_whose_name_is_typed_is_called_once_the_browser_has_answered(system: System, tmp_path: Path) -> None:
    colleague = await system.operator("2003")
    async with desk_in_browser(system, tmp_path) as phone:
        await phone.page.get_by_label("Name or extension").fill("2003")
        await phone.page.keyboard.press("Enter")
        await phone.call_is("rings")
        await phone.press("Answer")
        await talks_and_hangs_up(phone, colleague)


@pytest.mark.covers("SKZ-62")
async def test_an_operator_whose_page_is_closed_is_offline_and_is_not_rung(system: System, tmp_path: Path) -> None:
    async with desk_in_browser(system, tmp_path):
        assert system.engine.presence.states["2001"] == "available"
    await system.operator_is("2001", "offline")
    caller, outside = await system.call(Line.SALES)
    await outside.hears_tone(SORRY.frequency)
    await outside.ended()
    assert (await system.call_record(caller)).legs == ()
