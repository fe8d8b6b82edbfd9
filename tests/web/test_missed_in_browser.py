"""Missed calls in a real browser: shown at once, without anybody loading the page again."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from controller.bus import MissedCallsChanged
from tests.fixtures.browser import LIMIT
from tests.fixtures.web import Site
from tests.web.test_desk_in_browser import desk
from tests.web.test_missed_calls import missed

pytestmark = pytest.mark.timeout(120)


@pytest.mark.covers("SKZ-27")
async def test_a_missed_call_appears_on_the_desk_in_the_list_and_in_the_menu_by_itself(site: Site, chromium: Browser) -> None:
    async with desk(site, chromium) as opened:
        page, counted = opened.page, opened.page.locator("#waiting .count")
        await expect(counted).to_have_count(0)
        await missed(site, "01A", owner_operator_id=1)
        site.bus.send(MissedCallsChanged())
        await opened.shows("My missed calls")
        await expect(counted).to_have_text("1", timeout=LIMIT)
        await page.goto("/missed-calls")
        done = page.locator("form[action='/missed-calls/01A/done'] button")
        await done.focus()
        await missed(site, "02B")
        site.bus.send(MissedCallsChanged())
        await expect(page.locator("tbody tr")).to_have_count(2, timeout=LIMIT)
        await expect(done).to_be_focused()
        await expect(page.locator("#waiting-missed-calls .count")).to_contain_text("2", timeout=LIMIT)
        await page.get_by_role("button", name="Done").first.click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="74951112233").click()
        await page.get_by_label("Owner").select_option("user:ann")
        await page.get_by_label("Note").fill("wants a price")
        await page.get_by_role("button", name="Save").click()
        await opened.shows("wants a price")
