"""A trunk's page in a real Chromium: it follows the registration by itself."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from controller.actions.users import start_web_session
from tests.fixtures.browser import LIMIT, chromium, served
from tests.fixtures.web import Site
from tests.web.test_trunk_pages import is_now
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]


@pytest.mark.covers("SKZ-14")
async def test_who_saves_a_trunk_sees_its_registration_succeed_and_what_he_types_meanwhile_stays(
    site: Site, chromium: Browser
) -> None:
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(chromium, f"attendant_{site.settings.http_port}", token)
        page = await context.new_page()
        is_now(site, "not_registered")
        await page.goto("/trunks/new")
        await page.click("text=Own PBX")
        for field, value in (("name", "Our PBX"), ("host", "pbx.example.com:1122"), ("username", "001122"), ("secret", "s3cret")):
            await page.fill(f"#{field}", value)
        await page.keyboard.press("Enter")
        status = page.get_by_role("status")
        await expect(status).to_have_text("Saved. Connecting to pbx.example.com:1122 …", timeout=LIMIT)
        await page.fill("#caller_id", "74950001122")
        is_now(site, "ready")
        await expect(status).to_contain_text("The registration was successful", timeout=LIMIT)
        await expect(page.locator("#caller_id")).to_have_value("74950001122")
