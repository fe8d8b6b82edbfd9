"""The editor in a real Chromium: what the script adds to the pages, from an empty scenario to a published one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from controller.actions.users import start_web_session
from controller.storage.scenarios import find_scenario
from tests.fixtures.browser import chromium, served
from tests.fixtures.web import Site
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]


@pytest.fixture
async def page(site: Site, chromium: Browser) -> AsyncIterator[Page]:
    """A page of the administrator; no script of it may fail."""
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(chromium, f"attendant_{site.settings.http_port}", token)
        opened = await context.new_page()
        failed: list[str] = []
        opened.on("pageerror", lambda error: failed.append(str(error)))
        yield opened
        assert failed == []


async def until(page: Page, expression: str) -> None:
    """Wait until it is true, also while another page comes."""
    await page.wait_for_function(f"() => {expression}")


async def draft(site: Site, name: str) -> dict[str, dict[str, str]]:
    """The links of every node."""
    found = await site.database.read(find_scenario, name)
    assert found is not None
    return {node: dict(step.get("links", {})) for node, step in found.draft["nodes"].items()}


@pytest.mark.covers("UIS-2", "UIS-4", "UIS-23", "UIS-32", "SKZ-5", "SKZ-6")
async def test_a_voice_menu_is_built_and_published_in_a_browser(site: Site, page: Page) -> None:
    site.install_demo()
    await page.goto("/scenarios")
    await page.fill("#name", "Reception")
    await page.keyboard.press("Enter")
    await until(page, "document.querySelector('h1')?.textContent === 'Reception'")

    await page.select_option("#type", "menu")
    await page.click("form[data-opens-window] button")
    await until(page, "document.querySelector('dialog').open")
    await page.select_option("dialog #parameter-prompt", "demo-menu")
    await page.fill("dialog #parameter-wait_seconds", "0")
    await page.evaluate("document.querySelector('dialog form').noValidate = true")
    await page.click("dialog .primary")
    await until(page, "document.querySelector('dialog .field-error')?.textContent.includes('greater than or equal')")
    await page.fill("dialog #parameter-wait_seconds", "4")
    await page.click("dialog .primary")
    await until(page, "document.querySelector('a[href$=\"/nodes/menu\"]') !== null && !document.querySelector('dialog').open")

    await page.click("a.card-link[href$='/nodes/menu']")
    await until(page, "document.querySelector('dialog [data-for=user]')?.hidden === false")
    assert await page.evaluate("document.querySelector('dialog #action option[value=menu]').disabled"), "there is one menu only"
    await page.select_option("dialog #key", "1")
    await page.select_option("dialog #action", "group")
    await until(
        page,
        "document.querySelector('dialog [data-for=user]').hidden && !document.querySelector('dialog [data-for=group]').hidden",
    )
    await page.select_option("dialog #group", "Sales")
    await page.click("dialog form[data-actions] button")
    await until(page, "document.querySelector('a[href$=\"/nodes/group\"]') !== null && !document.querySelector('dialog').open")

    await page.click("a.card-link[href$='/nodes/menu']")
    await until(page, "document.querySelector('dialog').open")
    await page.select_option("dialog #submenu-key", "2")
    await page.select_option("dialog #submenu-prompt", "demo-menu")
    await page.click("dialog #submenu-prompt ~ button")
    await until(page, "document.querySelector('a[href$=\"/nodes/menu-2\"]') !== null && !document.querySelector('dialog').open")

    await page.focus("a.card-link[href$='/nodes/menu']")
    await page.keyboard.press("Enter")
    await until(page, "document.querySelector('dialog').open")
    await page.click("dialog form.bare button")
    await until(
        page, "document.querySelector('a[href$=\"/nodes/extension\"]') !== null && !document.querySelector('dialog').open"
    )
    links = await draft(site, "Reception")
    assert links["menu"] == {"incorrect_input": "menu", "1": "group", "2": "menu-2", "extension_entry": "extension"}
    assert links["menu-2"]["#"] == "menu" and links["extension"] == {"wrong_number": "menu", "failed": "menu"}

    await page.fill("#keys", "2#,1")
    await page.click("form[action$='/try'] button")
    await until(page, "document.querySelector('#walk') !== null")
    tried = await page.evaluate("[...document.querySelectorAll('#walk strong')].map(each => each.textContent)")
    assert tried[:2] == ["menu", "menu-2"]

    await page.click("form[action$='/undo'] button")
    await until(
        page, "document.querySelector('.graph') !== null && document.querySelector('a[href$=\"/nodes/extension\"]') === null"
    )
    await page.click("form[action$='/publish'] button")
    await until(page, "document.body.innerText.includes('Version 1')")
    stored = await site.database.read(find_scenario, "Reception")
    assert stored is not None and stored.published_version_id is not None


async def test_who_is_slower_keeps_what_he_typed_in_the_window(site: Site, page: Page) -> None:
    id = site.install_demo()
    await page.goto(f"/scenarios/{id}")
    await page.click("a.card-link[href$='/nodes/menu']")
    await until(page, "document.querySelector('dialog').open")
    await page.fill("dialog #title", "Mine")
    edits = [{"edit": "rename_node", "node": "goodbye", "name": "bye"}]
    answer = await site.program().post(f"/api/v1/scenarios/{id}/edits", json={"revision": 1, "edits": edits})
    assert answer.status_code == 200
    await page.click("dialog #settings > .primary")
    await until(page, "document.querySelector('dialog .notice.bad')?.textContent.includes('somebody else')")
    assert await page.evaluate("document.querySelector('dialog #title').value") == "Mine"
    await page.click("dialog #settings > .primary")
    await until(page, "!document.querySelector('dialog').open && document.readyState === 'complete'")
    titles = (await site.program().get(f"/api/v1/scenarios/{id}")).json()["draft"]["nodes"]
    assert titles["menu"]["title"] == "Mine" and "bye" in titles
