"""Team and groups in a real Chromium: what changes by itself, what is asked before, and what the keyboard does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Dialog, Page, expect

from controller.actions.groups import create_group, set_members
from controller.actions.operators import create_operator
from controller.actions.users import start_web_session
from controller.bus import OperatorsChanged
from controller.storage.groups import find_group
from controller.storage.operator_states import NewState, add_states
from controller.storage.operators import find_operator
from tests.fixtures.browser import LIMIT, chromium, served
from tests.fixtures.web import NOON, Site
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}


@pytest.fixture
async def page(site: Site, chromium: Browser) -> AsyncIterator[Page]:
    """A page of the administrator; no script of it may fail."""
    with site.database.session() as session:
        for extension, name in (("2001", "Eve"), ("2002", "Bob"), ("2003", "Kim")):
            create_operator(session, extension, name, **BY)
        create_group(session, "Sales", "linear", **BY)
        set_members(session, "Sales", ["2001", "2002"], **BY)
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(chromium, f"attendant_{site.settings.http_port}", token)
        opened = await context.new_page()
        failed: list[str] = []
        opened.on("pageerror", lambda error: failed.append(str(error)))
        yield opened
        assert failed == []


async def becomes(site: Site, extension: str, state: str) -> None:
    await site.database.run(add_states, [NewState(extension, NOON, state, "", "phone")])
    site.bus.send(OperatorsChanged())


@pytest.mark.covers("SKZ-60", "SKZ-61")
async def test_states_change_while_one_looks_and_a_deletion_is_still_asked_for(site: Site, page: Page) -> None:
    await page.goto("/team")
    kim = page.locator("#team tr", has_text="Kim")
    await expect(kim.locator(".badge")).to_have_text("Offline", timeout=LIMIT)
    await expect(page.locator("#link-state")).to_have_text("Updating live", timeout=LIMIT)
    delete = kim.get_by_role("button", name="Delete Kim")
    await delete.focus()
    for state, shown in (("available", "Available"), ("talking", "Talking"), ("do_not_disturb", "Do not disturb")):
        await becomes(site, "2003", state)
        await expect(kim.locator(".badge")).to_have_text(shown, timeout=LIMIT)
        await expect(delete).to_be_focused(timeout=LIMIT)

    asked: list[str] = []

    async def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    page.once("dialog", no)
    await delete.click()
    assert len(asked) == 1 and "Kim" in asked[0]
    assert await site.database.read(find_operator, "2003") is not None
    page.once("dialog", lambda dialog: dialog.accept())
    await delete.click()
    await expect(kim).to_have_count(0, timeout=LIMIT)
    assert await site.database.read(find_operator, "2003") is None


@pytest.mark.covers("SKZ-23")
async def test_members_are_ordered_by_keyboard_and_the_enter_key_saves(site: Site, page: Page) -> None:
    await page.goto("/groups/1")
    await page.get_by_role("button", name="Move Bob up").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("not saved yet", timeout=LIMIT)
    names = page.locator(".members tbody tr td:nth-child(2)")
    await expect(names).to_have_text(["Bob 2002", "Eve 2001"], timeout=LIMIT)
    await page.locator("#ring_seconds").fill("33")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/groups")
    group = await site.database.read(find_group, "Sales")
    assert group is not None
    assert ([member.extension for member in group.members], group.ring_seconds) == (["2002", "2001"], 33)
