"""What an operator's telephone in the browser does when something else fails."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fixtures.browser import LIMIT
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE
from tests.fixtures.telephone import desk_in_browser

pytestmark = [pytest.mark.asterisk, pytest.mark.browser, pytest.mark.timeout(120)]


async def test_the_telephone_is_back_by_itself_after_asterisk_was_killed(system_of_its_own: System, tmp_path: Path) -> None:
    system = system_of_its_own
    async with desk_in_browser(system, tmp_path) as phone:
        process = system.asterisk.process
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        await process.exited.wait()
        await eventually(lambda: system.engine.ready, "the loss was not noticed", until=False)
        await eventually(lambda: system.engine.ready, "the controller did not come back", limit=20)
        await phone.is_("ready")
        await system.operator_is("2001", "available")
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        outside.send_tone(CALLER_TONE)
        await phone.call_is("rings")
        await phone.press("Answer")
        await outside.hears_tone(OPERATOR_TONE)
        await phone.hears(CALLER_TONE)
        await outside.hangup()
        await phone.call_is("none")
        await system.call_record(caller)


async def test_another_call_mode_ends_the_telephone_and_the_phone_is_back(system: System, tmp_path: Path) -> None:
    async with desk_in_browser(system, tmp_path) as phone:
        phone_of_before = await system.phone_of("2001")
        await phone.page.locator("input[value=sip_phone]").check()
        await phone.page.get_by_role("button", name="Save").first.click()
        await expect(phone.panel).to_have_count(0, timeout=LIMIT)
        await system.operator_is("2001", "offline")
        await phone_of_before.register()
        await system.operator_is("2001", "available")
        caller = await system.caller()
        outside = await caller.phone.dial(Line.SALES)
        await (await phone_of_before.ringing()).refuse()
        await outside.hangup()
        await system.call_record(caller)
        await phone_of_before.unregister()
