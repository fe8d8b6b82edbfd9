"""The browser's way to Asterisk, with a stand-in for Asterisk at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from controller.actions.desks import link_user
from controller.actions.operators import change_call_mode, renew_secret
from controller.actions.users import end_web_session, start_web_session
from controller.errors import TelephonyUnavailable
from controller.storage.operators import find_operator
from controller.telephony.sip_socket import LARGEST_FRAME, open_sip_socket
from tests.fixtures.browser import Served, served
from tests.fixtures.web import NOON, Site
from tests.web.test_sip_messages import message
from web.security import SESSION_LIFETIME
from web.views import telephone
from web.views.telephone import Close, Telephones

OWN = message()
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
LIMIT = 10.0


class Asterisk:
    """What the pages are given for Asterisk: what they sent to it, and what it says."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.says: asyncio.Queue[str | None] = asyncio.Queue()
        self.opened = 0
        self.left = asyncio.Event()
        self.is_there = True

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Asterisk]:
        if not self.is_there:
            raise TelephonyUnavailable("no connection")
        self.opened += 1
        try:
            yield self
        finally:
            self.left.set()

    async def send(self, message: str) -> None:
        self.heard.put_nowait(message)

    async def receive(self) -> str:
        said = await self.says.get()
        if said is None:
            raise TelephonyUnavailable("closed")
        return said


class Pages:
    """The pages of Ann, whose phone is 2001, and windows of hers."""

    def __init__(self, site: Site, asterisk: Asterisk, at: Served, stack: AsyncExitStack) -> None:
        self.site, self.asterisk, self.token = site, asterisk, ""
        self._url, self._stack = at.url, stack

    async def window(self, protocol: str = "sip", **headers: str) -> aiohttp.ClientWebSocketResponse:
        """A window that opens the telephone; `headers` replace a browser's own."""
        cookie = f"attendant_{self.site.settings.http_port}={self.token}"
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        sent = {"Cookie": cookie, "Origin": self._url, **headers}
        connecting = session.ws_connect(f"{self._url}/desk/telephone", protocols=(protocol,), headers=sent)
        return await self._stack.enter_async_context(await connecting)

    async def change(self, mode: Any) -> None:
        operator = await self.site.database.read(find_operator, "2001")
        assert operator is not None
        await self.site.database.run(change_call_mode, operator.id, mode, **BY)


@pytest.fixture
async def pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pages]:
    monkeypatch.setattr(telephone, "LOOKED_AT_EVERY", 0.05)
    site.install_demo()
    asterisk = Asterisk()
    site.app.state.services = replace(site.app.state.services, open_sip_socket=asterisk.socket)
    async with served(site.app) as at, AsyncExitStack() as stack:
        opened = Pages(site, asterisk, at, stack)
        opened.token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=NOON)
        await site.database.run(link_user, "ann", "2001", **BY)
        await opened.change("browser")
        yield opened


async def closed_with(window: aiohttp.ClientWebSocketResponse) -> int | None:
    """Wait until the server closes it."""
    async with asyncio.timeout(LIMIT):
        while not window.closed:
            await window.receive()
    return window.close_code


async def test_messages_pass_both_ways_and_asterisks_socket_ends_with_the_browsers(pages: Pages) -> None:
    window = await pages.window()
    assert window.protocol == "sip"
    await window.send_str(OWN)
    async with asyncio.timeout(LIMIT):
        assert await pages.asterisk.heard.get() == OWN
        pages.asterisk.says.put_nowait("OPTIONS sip:2001@browser SIP/2.0\r\n\r\n")
        assert (await window.receive_str()).startswith("OPTIONS")
        await window.close()
        await pages.asterisk.left.wait()


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": ""},
        {"Cookie": "attendant_8080=stolen"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"protocol": "chat"},
    ],
    ids=["no session", "another session", "another site", "no site", "another port", "not SIP"],
)
async def test_who_may_not_is_refused_before_a_socket_is_opened(pages: Pages, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await pages.window(**headers)
    assert pages.asterisk.opened == 0


@pytest.mark.parametrize("mode", ["sip_phone", None], ids=["another call mode", "no phone of his own"])
async def test_only_an_operator_who_telephones_with_the_browser_may(pages: Pages, mode: str | None) -> None:
    if mode is None:
        await pages.site.database.run(link_user, "ann", None, **BY)
    else:
        await pages.change(mode)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await pages.window()


@pytest.mark.parametrize(
    "sent", [message(sender="From: <sip:2002@browser>;tag=1"), OWN + OWN, "nonsense"], ids=["foreign", "two at once", "nonsense"]
)
async def test_what_is_not_the_operators_own_message_ends_the_telephone(pages: Pages, sent: str) -> None:
    window = await pages.window()
    await window.send_str(sent)
    assert await closed_with(window) == Close.REFUSED
    assert pages.asterisk.heard.empty()


async def test_binary_and_huge_messages_end_it_too(pages: Pages) -> None:
    window = await pages.window()
    await window.send_bytes(OWN.encode())
    assert await closed_with(window) == Close.REFUSED
    window = await pages.window()
    await window.send_str(message(body="x" * LARGEST_FRAME))
    assert await closed_with(window) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert pages.asterisk.heard.empty()


async def test_the_window_that_came_last_is_the_telephone(pages: Pages) -> None:
    first = await pages.window()
    second = await pages.window()
    assert await closed_with(first) == Close.ELSEWHERE
    await second.send_str(OWN)
    async with asyncio.timeout(LIMIT):
        assert await pages.asterisk.heard.get() == OWN


def test_a_window_that_leaves_late_takes_nobodys_place_away() -> None:
    windows = Telephones()
    with windows.only("2001") as first:
        with windows.only("2001"):
            assert first.is_set()
    with windows.only("2001") as last, windows.only("2002"):
        assert not last.is_set()


async def _log_out(pages: Pages) -> None:
    await pages.site.database.run(end_web_session, pages.token)


async def _session_runs_out(pages: Pages) -> None:
    pages.site.moment += SESSION_LIFETIME


async def _another_mode(pages: Pages) -> None:
    await pages.change("sip_phone")


async def _new_secret(pages: Pages) -> None:
    operator = await pages.site.database.read(find_operator, "2001")
    assert operator is not None
    await pages.site.database.run(renew_secret, operator.id, **BY)


@pytest.mark.parametrize("happens", [_log_out, _session_runs_out, _another_mode, _new_secret])
async def test_it_ends_when_the_page_may_not_speak_any_more(pages: Pages, happens: Any) -> None:
    window = await pages.window()
    await happens(pages)
    assert await closed_with(window) == Close.CHANGED


async def test_without_asterisk_the_page_is_told_so_and_may_come_again(pages: Pages) -> None:
    pages.asterisk.is_there = False
    assert await closed_with(await pages.window()) == Close.NO_ASTERISK
    pages.asterisk.is_there = True
    window = await pages.window()
    pages.asterisk.says.put_nowait(None)
    assert await closed_with(window) == Close.NO_ASTERISK


async def test_an_asterisk_that_is_not_there_is_named() -> None:
    with pytest.raises(TelephonyUnavailable, match=r"can't reach Asterisk at http://127.0.0.1:1/ws"):
        async with open_sip_socket("http://127.0.0.1:1/"):
            pass


async def test_the_page_gets_its_account_and_not_the_phones_password(pages: Pages) -> None:
    operator = await pages.site.database.read(find_operator, "2001")
    assert operator is not None
    async with await pages.site.browser() as browser:
        answer = await browser.get("/desk/telephone.json")
        assert answer.json() == {"user": "2001", "password": operator.account_secret, "domain": "browser"}
        assert answer.headers["cache-control"] == "no-store"
        assert operator.account_secret != operator.sip_secret
        assert operator.account_secret not in (await browser.get("/desk")).text


@pytest.mark.parametrize(
    ("change", "said"), [("link", "not linked"), ("mode", "something else"), ("parts", "npm is not reachable")], ids=str
)
async def test_a_page_that_is_no_telephone_is_told_why(pages: Pages, change: str, said: str) -> None:
    if change == "link":
        await pages.site.database.run(link_user, "ann", None, **BY)
    elif change == "mode":
        await pages.change("sip_phone")
    else:
        pages.site.app.state.services = replace(pages.site.app.state.services, no_telephone="npm is not reachable")
    async with await pages.site.browser() as browser:
        answer = await browser.get("/desk/telephone.json")
        assert answer.status_code == 409 and said in answer.json()["message"]
        desk = (await browser.get("/desk")).text
        assert "/static/softphone.js" not in desk
        assert (said in desk) == (change == "parts")
    async with pages.site.stranger() as stranger:
        assert (await stranger.get("/desk/telephone.json")).status_code == 401


@pytest.mark.covers("SKZ-72")
async def test_an_operator_chooses_what_he_telephones_with(pages: Pages) -> None:
    async with await pages.site.browser() as browser:
        assert 'value="browser" checked' in (await browser.get("/desk")).text
        assert (await browser.post("/desk/call-mode", data={"call_mode": "sip_phone"})).status_code == 303
        desk = (await browser.get("/desk")).text
        assert 'value="sip_phone" checked' in desk and 'id="telephone"' not in desk
        for mode, said in (("own_number", "it needs a further number"), ("flash", "use one of")):
            refused = await browser.post("/desk/call-mode", data={"call_mode": mode})
            assert refused.status_code == 422 and said in refused.text.lower()
    operator = await pages.site.database.read(find_operator, "2001")
    assert operator is not None and operator.call_mode == "sip_phone"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that happens here is an error of ours."""
    yield
    assert [one.getMessage() for one in caplog.get_records("call") if one.levelname in ("ERROR", "CRITICAL")] == []
