"""An operator whose telephone is his own page in a real browser: real calls, heard both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from controller.actions.desks import link_user
from controller.actions.operators import change_call_mode
from controller.actions.users import create_user, start_web_session
from controller.bus import DirectoryChanged
from controller.clock import SystemClock
from controller.provisioning import browser_parts
from controller.storage import Session
from controller.storage.operators import find_operator
from controller.telephony.sip_socket import open_sip_socket
from tests.fixtures.browser import LIMIT, Desk, chromium_that_says, served
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.system import Line, System
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE
from tests.fixtures.web import PASSWORD, healthy
from web.app import create_app
from web.security import SESSION_LIFETIME
from web.services import Health, WebServices

pytestmark = [pytest.mark.asterisk, pytest.mark.browser, pytest.mark.timeout(120)]
BY: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
AS_IT_IS = """
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = () => ask({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
"""
"""A steady tone is taken for noise otherwise, and taken out."""
HEARS = """async (frequency) => {
    const stream = document.getElementById("telephone-sound").srcObject;
    if (!stream) return false;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 4096 });
    context.createMediaStreamSource(stream).connect(analyser);
    await new Promise((done) => setTimeout(done, 300));
    const heights = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(heights);
    await context.close();
    const top = heights.indexOf(Math.max(...heights));
    return Math.abs((top * context.sampleRate) / analyser.fftSize - frequency) < 40 && heights[top] > -60;
}"""


class BrowserPhone:
    """The telephone of a desk, used as its operator does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel: Locator = page.locator("#telephone")

    async def is_(self, state: str) -> None:
        await expect(self.page.locator(f"#telephone[data-state={state}]")).to_be_visible(timeout=LIMIT)

    async def call_is(self, state: str) -> None:
        await expect(self.page.locator(f"#telephone[data-call={state}]")).to_be_visible(timeout=LIMIT)

    async def press(self, button: str) -> None:
        await self.panel.get_by_role("button", name=button, exact=True).click()

    async def hears(self, frequency: float) -> None:
        await self.page.wait_for_function(HEARS, arg=frequency)


@asynccontextmanager
async def desk_in_browser(system: System, folder: Path) -> AsyncIterator[BrowserPhone]:
    """The page of a user whose phone is 2001 and who telephones with it; his microphone plays OPERATOR_TONE."""

    async def health() -> Health:
        return healthy()

    browser_parts.build(print)
    token = await system.database.run(_furnish)
    system.bus.send(DirectoryChanged())
    given = WebServices(
        system.asterisk.settings,
        system.database,
        system.bus,
        SystemClock(),
        health,
        lambda: None,  # type: ignore[arg-type,return-value]
        operator_states=lambda: system.engine.presence.states,
        open_sip_socket=lambda: open_sip_socket(system.asterisk.process.ports.ari_url),
    )
    microphone = tone_file(folder / "microphone.wav", "wav", OPERATOR_TONE, 4.0)
    async with served(create_app(given)) as site, chromium_that_says(microphone) as browser:
        context = await site.visitor(browser, f"attendant_{system.asterisk.settings.http_port}", token)
        await context.add_init_script(AS_IT_IS)
        async with context, Desk.opened(context) as desk:
            phone = BrowserPhone(desk.page)
            await phone.is_("ready")
            await system.operator_is("2001", "available")
            yield phone
    await system.operator_is("2001", "offline")


def _furnish(session: Session) -> str:
    operator = find_operator(session, "2001")
    assert operator is not None
    user = create_user(session, "eve", PASSWORD, "operator", **BY)
    link_user(session, "eve", "2001", **BY)
    change_call_mode(session, operator.id, "browser", **BY)
    return start_web_session(session, user.id, SESSION_LIFETIME, at=SystemClock().now())


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
        for key in "*12003#":
            await phone.press(key)
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
        ringing = await colleague.ringing()
        await phone.call_is("calls")
        await ringing.answer()
        ringing.send_tone(CALLER_TONE)
        await ringing.hears_tone(OPERATOR_TONE)
        await phone.hears(CALLER_TONE)
        await phone.press("Hang up")
        await ringing.ended()
        await phone.call_is("none")
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        await phone.call_is("rings")
        await phone.press("Reject")
        await phone.call_is("none")
        await outside.hangup()
        record = await system.call_record(caller)
    assert [(leg.operator_extension, leg.cause) for leg in record.legs] == [("2001", 17)]
