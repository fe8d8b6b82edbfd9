"""The desk in a real browser, without calls: devices, permission to play, what the browser can't do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, expect

from controller.actions.desks import link_user
from controller.actions.users import start_web_session
from controller.bus import OperatorChanged
from controller.presence import OperatorState
from tests.fixtures.browser import Desk, served
from tests.fixtures.web import NOON, Site
from web.security import SESSION_LIFETIME

pytestmark = pytest.mark.timeout(120)
NO_CHOICE = "delete HTMLMediaElement.prototype.setSinkId"
NO_DEVICES = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
NAMELESS = """
    const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    let allowed = false;
    navigator.mediaDevices.enumerateDevices = async () => allowed ? list() : [{ kind: "audiooutput", deviceId: "", label: "" }];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (what) => {
        if (window.name === "stubborn") throw new DOMException("no", "NotAllowedError");
        const stream = await ask(what);
        allowed = true;
        return stream;
    };
"""


@asynccontextmanager
async def desk(site: Site, browser: Browser, script: str = "", *, with_clock: bool = False) -> AsyncIterator[Desk]:
    """Ann's, whose phone is 2001; `script` changes the browser before the page is there."""
    site.install_demo()
    with site.database.session() as session:
        link_user(session, "ann", "2001", acting_user="test", at=NOON)
        token = start_web_session(session, 1, SESSION_LIFETIME, at=NOON)
    async with served(site.app) as pages:
        context = await pages.visitor(browser, f"attendant_{site.settings.http_port}", token)
        if script:
            await context.add_init_script(script)
        async with context, Desk.opened(context, with_clock=with_clock) as opened:
            yield opened


def phone_is(site: Site, state: OperatorState) -> None:
    site.states["2001"] = state
    site.bus.send(OperatorChanged("2001", state))


@pytest.mark.covers("SKZ-51")
async def test_the_choice_of_a_device_is_kept_in_the_browser(site: Site, chromium: Browser) -> None:
    async with desk(site, chromium) as page:
        await page.devices()
        chosen = await page.choose("Fake Audio Output 1")
        await page.page.reload()
        await page.devices()
        assert await page.page.get_by_label("Ring on").input_value() == chosen
        await page.page.get_by_role("button", name="Test").click()
        assert (await page.rings())["on"] == chosen


async def test_the_test_plays_for_three_seconds(site: Site, chromium: Browser) -> None:
    async with desk(site, chromium, with_clock=True) as page:
        await page.page.get_by_role("button", name="Test").click()
        await page.rings()
        await page.seconds_pass(3)
        await page.is_silent()


async def test_two_rings_in_a_moment_are_two_and_other_phones_are_not_mine(site: Site, chromium: Browser) -> None:
    async with desk(site, chromium, with_clock=True) as page:
        await page.is_("offline")
        phone_is(site, "ringing")
        await page.rings()
        await page.seconds_pass(30)
        await page.is_silent()
        site.bus.send(OperatorChanged("2002", "ringing"))
        for state in ("available", "ringing"):
            phone_is(site, state)
        await page.rings()
        phone_is(site, "talking")
        await page.is_silent()
        await page.is_("talking")


async def test_a_phone_that_rings_already_is_heard_as_soon_as_the_page_is_opened(site: Site, chromium: Browser) -> None:
    site.states["2001"] = "ringing"
    async with desk(site, chromium) as page:
        await page.rings()


async def test_a_page_that_may_not_play_yet_says_so_and_plays_after_a_press(site: Site, strict_chromium: Browser) -> None:
    async with desk(site, strict_chromium) as page:
        phone_is(site, "ringing")
        await expect(page.page.get_by_role("alert")).to_contain_text("holds back the sound")
        assert not (await page.sound())["playing"]
        await page.page.get_by_role("button", name="Allow sound").click()
        await page.rings()
        await expect(page.page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (NO_CHOICE, "This browser plays every sound on the standard device."),
        (NO_DEVICES, "choose devices only over https"),
        ("localStorage.setItem('attendant.ringtone.device', 'unplugged')", "The device that you chose is not there"),
    ],
    ids=["no choice", "not secure", "unplugged"],
)
@pytest.mark.covers("SKZ-48", "SKZ-51")
async def test_what_the_browser_cant_do_is_explained_and_it_rings_all_the_same(
    site: Site, chromium: Browser, script: str, said: str
) -> None:
    async with desk(site, chromium, script) as page:
        await expect(page.page.locator("#device-trouble")).to_contain_text(said)
        phone_is(site, "ringing")
        assert not (await page.rings()).get("on")


@pytest.mark.covers("SKZ-51")
async def test_devices_without_names_are_shown_once_the_microphone_is_allowed(site: Site, chromium: Browser) -> None:
    async with desk(site, chromium, NAMELESS) as page:
        trouble, permit = page.page.locator("#device-trouble"), page.page.get_by_role("button", name="Show all devices")
        await expect(trouble).to_contain_text("only after you have allowed the microphone once")
        await page.page.evaluate("window.name = 'stubborn'")
        await permit.click()
        await expect(trouble).to_contain_text("You did not allow it")
        await page.page.evaluate("window.name = ''")
        await permit.click()
        assert "Fake Audio Output 2" in await page.devices()
        await expect(permit).to_be_hidden()
        await expect(trouble).to_be_hidden()
