"""The telephone of the desk in a real browser, where it can't be one: what the page says, and which window it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from controller.actions.desks import link_user
from controller.actions.operators import change_call_mode
from controller.actions.users import start_web_session
from controller.errors import Refused
from controller.provisioning import browser_parts
from controller.storage.operators import find_operator
from tests.fixtures.browser import LIMIT, Desk, served
from tests.fixtures.web import NOON, Site
from tests.web.test_missed_calls import missed
from tests.web.test_transfer_dialog import CALL, consults, talks
from web.security import SESSION_LIFETIME

pytestmark = pytest.mark.timeout(120)
INSECURE = "Object.defineProperty(window, 'isSecureContext', { value: false })"
DENIED = "navigator.permissions.query = async () => Object.assign(new EventTarget(), { state: 'denied' })"
NOT_ASKED = """
    navigator.permissions.query = async () => Object.assign(new EventTarget(), { state: 'prompt' });
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", window.name); };
"""


@asynccontextmanager
async def visitor(site: Site, browser: Browser, script: str = "") -> AsyncIterator[BrowserContext]:
    """Ann, who telephones as 2001 with her browser; there is no Asterisk."""
    browser_parts.build(print)
    site.install_demo()
    with site.database.session() as session:
        link_user(session, "ann", "2001", acting_user="test", at=NOON)
        operator = find_operator(session, "2001")
        assert operator is not None
        change_call_mode(session, operator.id, "browser", acting_user="test", at=NOON)
        token = start_web_session(session, 1, SESSION_LIFETIME, at=NOON)
    async with served(site.app) as pages:
        context = await pages.visitor(browser, f"attendant_{site.settings.http_port}", token)
        if script:
            await context.add_init_script(script)
        async with context:
            yield context


async def says(page: Page, text: str) -> None:
    await expect(page.locator("#telephone-trouble")).to_contain_text(text, timeout=LIMIT)


async def is_(page: Page, state: str) -> None:
    await expect(page.locator(f"#telephone[data-state={state}]")).to_be_visible(timeout=LIMIT)


@pytest.mark.parametrize(
    ("script", "said"), [(INSECURE, "only over https"), (DENIED, "may not use the microphone")], ids=["not secure", "denied"]
)
@pytest.mark.covers("SKZ-73")
async def test_a_page_that_cant_hear_the_operator_says_what_to_do_and_takes_no_calls(
    site: Site, chromium: Browser, script: str, said: str
) -> None:
    async with visitor(site, chromium, script) as context, Desk.opened(context) as desk:
        await says(desk.page, said)
        await is_(desk.page, "off")


@pytest.mark.covers("SKZ-73")
async def test_the_microphone_is_asked_for_with_an_explanation(site: Site, chromium: Browser) -> None:
    async with visitor(site, chromium, NOT_ASKED) as context, Desk.opened(context) as desk:
        await says(desk.page, "allow it, so that callers hear you")
        for error, said in (("NotFoundError", "finds no microphone"), ("NotAllowedError", "may not use the microphone")):
            await desk.page.evaluate(f"window.name = '{error}'")
            await desk.page.locator("#telephone-mend").click()
            await says(desk.page, said)


async def test_without_asterisk_the_page_says_so_and_tries_again_and_stops_when_the_session_is_over(
    site: Site, chromium: Browser
) -> None:
    async with visitor(site, chromium) as context, Desk.opened(context) as desk:
        await is_(desk.page, "lost")
        await expect(desk.page.locator("#telephone-state")).to_contain_text("tried again")
        site.moment += SESSION_LIFETIME
        await says(desk.page, "Your log-in is over")
        await is_(desk.page, "off")


async def test_what_is_pressed_on_the_page_does_not_take_the_telephone_away(site: Site, chromium: Browser) -> None:
    placed: list[str] = []

    def place(_operator: str, number: str, _at_mobile: bool | None) -> str:
        if placed:
            raise Refused("he is talking")
        placed.append(number)
        return "01NEW"

    site.app.state.services = replace(site.app.state.services, place_call=place)
    async with visitor(site, chromium) as context:
        await missed(site, "01A", owner_operator_id=1)
        async with Desk.opened(context) as desk:
            page = desk.page
            await is_(page, "lost")
            await page.evaluate("window.same = true")
            for said in ("", "This call can’t be made now."):
                async with page.expect_response("**/missed-calls/01A/call-back"):
                    await page.get_by_role("button", name="Call back").click()
                await expect(page.locator("#telephone-ended")).to_have_text(said)
            await page.get_by_role("button", name="Do not disturb: lunch").click()
            await expect(page.locator("#desk-state")).to_contain_text("not to be disturbed (lunch)", timeout=LIMIT)
            async with context.expect_page() as beside:
                await page.get_by_role("link", name="74951112233").click()
            await (await beside.value).close()
            assert await page.evaluate("window.same")
            await is_(page, "lost")
    assert placed == ["74951112233"]


async def test_one_window_is_the_telephone_until_another_is_told_to_be(site: Site, chromium: Browser) -> None:
    async with visitor(site, chromium) as context, Desk.opened(context) as first:
        await is_(first.page, "lost")
        async with Desk.opened(context) as second:
            await says(second.page, "Another window of yours")
            await second.page.get_by_role("button", name="Telephone in this window").click()
            await is_(second.page, "lost")
            await says(first.page, "Another window of yours")
            await is_(first.page, "off")
            await second.page.close()


@pytest.mark.covers("SKZ-64")
async def test_a_colleague_is_called_from_the_page_without_taking_the_telephone_away(site: Site, chromium: Browser) -> None:
    placed: list[str] = []
    site.states.update({"2001": "available", "2002": "available"})

    def place(_operator: str, number: str, _at_mobile: bool | None) -> str:
        placed.append(number)
        return "01NEW"

    site.app.state.services = replace(site.app.state.services, place_call=place)
    async with visitor(site, chromium) as context, Desk.opened(context) as desk:
        page, line = desk.page, desk.page.get_by_label("Name or extension")
        await page.evaluate("window.same = true")
        for typed, said in (("zoe", "Nobody in the team has this name"), ("2002", "and Demo operator 2002 is called.")):
            await line.fill(typed)
            await line.press("Enter")
            await desk.shows(said)
        assert await page.evaluate("window.same")
        await expect(line).to_have_value("", timeout=LIMIT)
        await expect(page.locator("#telephone-ended")).to_have_text("")
    assert placed == ["2002"]


@pytest.mark.covers("SKZ-66")
async def test_a_consultation_is_ended_on_the_page_without_taking_the_telephone_away(site: Site, chromium: Browser) -> None:
    concluded: list[bool] = []

    async def conclude(_call: str, completes: bool) -> None:
        concluded.append(completes)

    site.app.state.services = replace(site.app.state.services, conclude_transfer=conclude)
    async with visitor(site, chromium) as context:
        talks(site, CALL)
        consults(site)
        async with Desk.opened(context) as desk:
            await desk.page.evaluate("window.same = true")
            for name in ("Back to the caller", "Join the two"):
                async with desk.page.expect_response("**/transfer/*"):
                    await desk.page.get_by_role("button", name=name).click()
            assert await desk.page.evaluate("window.same")
    assert concluded == [False, True]


@pytest.mark.covers("SKZ-66")
async def test_the_transfer_of_a_call_is_opened_by_the_mouse_beside_the_telephone(site: Site, chromium: Browser) -> None:
    async with visitor(site, chromium) as context:
        talks(site, CALL)
        async with Desk.opened(context) as desk:
            await is_(desk.page, "lost")
            async with context.expect_page() as beside:
                await desk.page.get_by_role("link", name="Transfer the call").click()
            dialog = await beside.value
            await expect(dialog.get_by_role("heading", level=1)).to_contain_text("Transfer", timeout=LIMIT)
            assert dialog.url.endswith(f"/desk/calls/{CALL}/transfer")
