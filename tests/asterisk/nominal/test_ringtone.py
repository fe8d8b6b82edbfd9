"""An operator's desk in a real browser, which rings with his phone while real calls come in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.desks import link_user
from controller.actions.groups import create_group, set_members
from controller.actions.numbers import add_number
from controller.actions.scenarios import KnownPrompts, create_scenario, publish
from controller.actions.users import create_user, start_web_session
from controller.clock import SystemClock
from controller.storage import Session
from ivr.serialization import SCHEMA_VERSION
from tests.fixtures.browser import Desk, served
from tests.fixtures.programs import services_on
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.system import System
from tests.fixtures.web import PASSWORD
from web.app import create_app
from web.security import SESSION_LIFETIME

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(120)]
FIRST, SECOND = "8060", "8061"
RINGS_FOR = 25
STANDARD_SECONDS = 3.0
BY: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
KNOWN = KnownPrompts(frozenset(), frozenset({"en"}))


@asynccontextmanager
async def desk_of_2001(system: System, browser: Browser, *, with_clock: bool = False) -> AsyncIterator[Desk]:
    """The page of a user whose phone is 2001, on the web server of `run`; two numbers ring that phone."""

    token = await system.database.run(_furnish)
    await system.restart()
    async with served(create_app(services_on(system))) as site:
        context = await site.visitor(browser, f"attendant_{system.asterisk.settings.http_port}", token)
        async with context, Desk.opened(context, with_clock=with_clock) as desk:
            yield desk


def _furnish(session: Session) -> str:
    """What the tests need; returns the user's session."""
    user = create_user(session, "eve", PASSWORD, "operator", **BY)
    link_user(session, "eve", "2001", **BY)
    create_group(session, "Desk", "ring_all", RINGS_FOR, **BY)
    set_members(session, "Desk", ["2001"], **BY)
    operation = {"type": "forward_to_group", "group": "Desk", "max_wait_seconds": RINGS_FOR}
    nodes = {"ring": {"operation": operation, "links": {"failed": "bye"}}, "bye": {"operation": {"type": "hang_up"}}}
    for number in (FIRST, SECOND):
        document = {"schema_version": SCHEMA_VERSION, "start": "ring", "nodes": nodes}
        scenario = create_scenario(session, f"Desk {number}", document, **BY)
        publish(session, scenario.id, KNOWN, **BY)
        add_number(session, number, f"Desk {number}", scenario_id=scenario.id, **BY)
    return start_web_session(session, user.id, SESSION_LIFETIME, at=SystemClock().now())


@pytest.mark.covers("SKZ-48", "SKZ-51")
async def test_the_desk_rings_on_the_chosen_device_until_the_phone_is_answered_whatever_number_was_called(
    system: System, chromium: Browser
) -> None:
    async with desk_of_2001(system, chromium) as desk:
        phone = await system.operator("2001")
        await desk.is_("available")
        assert await desk.devices() == ["The computer’s standard device", "Fake Audio Output 1", "Fake Audio Output 2"]
        chosen = await desk.choose("Fake Audio Output 2")
        for number in (FIRST, SECOND):
            caller = await system.caller()
            outside = await caller.phone.dial(number)
            ringing = await phone.ringing()
            sound = await desk.rings()
            assert sound["on"] == chosen and sound["length"] == pytest.approx(STANDARD_SECONDS, abs=0.01)
            await desk.is_("ringing")
            await desk.shows(caller.number)
            await ringing.answer()
            await desk.is_silent()
            await desk.is_("talking")
            await outside.hangup()
            await desk.is_("available")
            await system.call_record(caller)


@pytest.mark.covers("SKZ-77")
async def test_the_desk_shows_who_calls_what_he_is_his_number_and_the_line(system: System, chromium: Browser) -> None:
    async with desk_of_2001(system, chromium) as desk:
        phone = await system.operator("2001")
        caller = await system.caller()
        known = ContactDraft("Jean Picard", [f"+{caller.number}"], position="Buyer, Acme")
        await system.database.run(create_contact, known, None, **BY)
        outside = await caller.phone.dial(FIRST)
        await phone.ringing()
        for seen in ("Jean Picard, Buyer, Acme", caller.number, f"Desk {FIRST}"):
            await desk.shows(seen)
        await outside.hangup()
        await system.call_record(caller)


@pytest.mark.covers("SKZ-48")
async def test_the_desk_is_silent_again_when_the_caller_gives_up(system: System, chromium: Browser) -> None:
    async with desk_of_2001(system, chromium) as desk:
        phone = await system.operator("2001")
        caller = await system.caller()
        outside = await caller.phone.dial(FIRST)
        await phone.ringing()
        await desk.rings()
        await outside.hangup()
        await desk.is_silent()
        await desk.is_("available")


@pytest.mark.covers("SKZ-49")
async def test_the_ringtone_ends_after_30_seconds_though_the_phone_rings_on(system: System, chromium: Browser) -> None:
    async with desk_of_2001(system, chromium, with_clock=True) as desk:
        phone = await system.operator("2001")
        caller = await system.caller()
        outside = await caller.phone.dial(FIRST)
        ringing = await phone.ringing()
        await desk.rings()
        await desk.seconds_pass(28)
        assert (await desk.sound())["playing"]
        await desk.seconds_pass(2)
        await desk.is_silent()
        await desk.is_("ringing")
        assert ringing.ended_at is None and ringing.answered_at is None
        await outside.hangup()
        await desk.is_("available")


@pytest.mark.covers("SKZ-50")
async def test_a_ringtone_of_ones_own_is_what_rings_until_the_standard_one_is_taken_back(
    system: System, chromium: Browser, tmp_path: Path
) -> None:
    async with desk_of_2001(system, chromium) as desk:
        phone = await system.operator("2001")
        await desk.upload(tone_file(tmp_path / "mine", "wav", 700.0, 1.25))
        for length in (1.25, STANDARD_SECONDS):
            caller = await system.caller()
            outside = await caller.phone.dial(FIRST)
            await phone.ringing()
            assert (await desk.rings())["length"] == pytest.approx(length, abs=0.06)
            await outside.hangup()
            await desk.is_silent()
            await desk.is_("available")
            if length != STANDARD_SECONDS:
                await desk.take_the_standard_ringtone()
