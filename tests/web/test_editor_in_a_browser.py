"""The editor in a real Chromium: what the script adds to the pages, from an empty scenario to a published one."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from controller.actions.users import start_web_session
from controller.commands.running import web_server
from controller.storage.scenarios import find_scenario
from tests.fixtures.browser import BrowserPage, browser_page
from tests.fixtures.web import Site
from web.security import SESSION_LIFETIME

__all__ = ["browser_page"]


@pytest.fixture
async def address(site: Site) -> AsyncIterator[str]:
    """Where the site is served."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        async with web_server(site.app, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def log_in(site: Site, page: BrowserPage, address: str) -> None:
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    await page.ask("Network.setCookie", name=f"attendant_{site.settings.http_port}", value=token, url=address)


async def draft(site: Site, name: str) -> dict[str, dict[str, str]]:
    """The links of every node."""
    found = await site.database.read(find_scenario, name)
    assert found is not None
    return {node: dict(step.get("links", {})) for node, step in found.draft["nodes"].items()}


@pytest.mark.covers("UIS-2", "UIS-4", "UIS-23", "UIS-32", "SKZ-5", "SKZ-6")
async def test_a_voice_menu_is_built_and_published_in_a_browser(site: Site, address: str, browser_page: BrowserPage) -> None:
    site.install_demo()
    page = browser_page
    await log_in(site, page, address)
    await page.go(f"{address}/scenarios")
    await page.write("#name", "Reception")
    await page.press("Enter")
    await page.until("document.querySelector('h1')?.textContent === 'Reception'")

    await page.choose("#type", "menu")
    await page.click("form[data-opens-window] button")
    await page.until("document.querySelector('dialog').open")
    await page.choose("dialog #parameter-prompt", "demo-menu")
    await page.write("dialog #parameter-wait_seconds", "0")
    await page.value("document.querySelector('dialog form').noValidate = true")
    await page.click("dialog .primary")
    await page.until("document.querySelector('dialog .field-error')?.textContent.includes('greater than or equal')")
    await page.write("dialog #parameter-wait_seconds", "4")
    await page.click("dialog .primary")
    await page.until("document.querySelector('a[href$=\"/nodes/menu\"]') !== null && !document.querySelector('dialog').open")

    await page.click("a.card-link[href$='/nodes/menu']")
    await page.until("document.querySelector('dialog [data-for=user]')?.hidden === false")
    assert await page.value("document.querySelector('dialog #action option[value=menu]').disabled"), "there is one menu only"
    await page.choose("dialog #key", "1")
    await page.choose("dialog #action", "group")
    await page.until(
        "document.querySelector('dialog [data-for=user]').hidden && !document.querySelector('dialog [data-for=group]').hidden"
    )
    await page.choose("dialog #group", "Sales")
    await page.click("dialog form[data-actions] button")
    await page.until("document.querySelector('a[href$=\"/nodes/group\"]') !== null && !document.querySelector('dialog').open")

    await page.click("a.card-link[href$='/nodes/menu']")
    await page.until("document.querySelector('dialog').open")
    await page.choose("dialog #submenu-key", "2")
    await page.choose("dialog #submenu-prompt", "demo-menu")
    await page.click("dialog #submenu-prompt ~ button")
    await page.until("document.querySelector('a[href$=\"/nodes/menu-2\"]') !== null && !document.querySelector('dialog').open")

    await page.focus("a.card-link[href$='/nodes/menu']")
    await page.press("Enter")
    await page.until("document.querySelector('dialog').open")
    await page.click("dialog form.bare button")
    await page.until("document.querySelector('a[href$=\"/nodes/extension\"]') !== null && !document.querySelector('dialog').open")
    links = await draft(site, "Reception")
    assert links["menu"] == {"incorrect_input": "menu", "1": "group", "2": "menu-2", "extension_entry": "extension"}
    assert links["menu-2"]["#"] == "menu" and links["extension"] == {"wrong_number": "menu", "failed": "menu"}

    await page.write("#keys", "2#,1")
    await page.click("form[action$='/try'] button")
    await page.until("document.querySelector('#walk') !== null")
    tried = await page.value("[...document.querySelectorAll('#walk strong')].map(each => each.textContent)")
    assert tried[:2] == ["menu", "menu-2"]

    await page.click("form[action$='/undo'] button")
    await page.until(
        "document.querySelector('.graph') !== null && document.querySelector('a[href$=\"/nodes/extension\"]') === null"
    )
    await page.click("form[action$='/publish'] button")
    await page.until("document.body.innerText.includes('Version 1')")
    stored = await site.database.read(find_scenario, "Reception")
    assert stored is not None and stored.published_version_id is not None


async def test_who_is_slower_keeps_what_he_typed_in_the_window(site: Site, address: str, browser_page: BrowserPage) -> None:
    id, page = site.install_demo(), browser_page
    await log_in(site, page, address)
    await page.go(f"{address}/scenarios/{id}")
    await page.click("a.card-link[href$='/nodes/menu']")
    await page.until("document.querySelector('dialog').open")
    await page.write("dialog #title", "Mine")
    edits = [{"edit": "rename_node", "node": "goodbye", "name": "bye"}]
    answer = await site.program().post(f"/api/v1/scenarios/{id}/edits", json={"revision": 1, "edits": edits})
    assert answer.status_code == 200
    await page.click("dialog #settings > .primary")
    await page.until("document.querySelector('dialog .notice.bad')?.textContent.includes('somebody else')")
    assert await page.value("document.querySelector('dialog #title').value") == "Mine"
    await page.click("dialog #settings > .primary")
    await page.until("!document.querySelector('dialog').open && document.readyState === 'complete'")
    titles = (await site.program().get(f"/api/v1/scenarios/{id}")).json()["draft"]["nodes"]
    assert titles["menu"]["title"] == "Mine" and "bye" in titles
