"""An operator's own state on his desk: logged in or out, not to be disturbed, ready for the next call (SKZ-62, SKZ-63)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from controller.actions.desks import link_user
from controller.actions.operators import OperatorDraft, change_operator
from controller.actions.users import start_web_session
from controller.bus import OperatorsChanged, WrapUpEnded
from controller.storage.audit import list_audit
from controller.storage.operator_states import OperatorSwitches, switches_by_extension
from controller.storage.operators import find_operator
from tests.fixtures.browser import LIMIT, chromium, served
from tests.fixtures.web import NOON, Site
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
REASONS = ["break", "lunch", "meeting", "training", "other"]


@pytest.fixture
async def desk(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Ann's browser; her phone is 2001, which is free."""
    site.install_demo()
    with site.database.session() as session:
        link_user(session, "ann", "2001", **BY)
    site.states["2001"] = "available"
    async with await site.browser() as client:
        yield client


def offered(page: str) -> dict[str, tuple[str, str]]:
    """The buttons of one's own state: what they are called, and the state and reason that they set."""
    found = re.findall(r'name="state" value="(\w+)"><button[^>]*name="reason" value="([^"]*)" aria-label="([^"]+)">', page)
    return {title: (state, reason) for state, reason, title in found}


async def switches(site: Site) -> dict[str, tuple[bool, bool, str, str]]:
    stored = await site.database.read(switches_by_extension)
    return {extension: (one.logged_in, one.do_not_disturb, one.reason, one.changed_by) for extension, one in stored.items()}


@pytest.mark.covers("SKZ-62", "SKZ-63")
async def test_every_button_does_what_it_says_for_ones_own_phone_alone(site: Site, desk: httpx.AsyncClient) -> None:
    told: list[tuple[str, OperatorSwitches]] = []
    site.app.state.services = replace(site.app.state.services, state_chosen=lambda *chosen: told.append(chosen))
    for title, stored, said in (
        ("Do not disturb", (True, True, ""), "You are not to be disturbed: no calls come to you"),
        ("Take calls again", (True, False, ""), "You are logged in: calls come to you."),
        ("Do not disturb: lunch", (True, True, "lunch"), "You are not to be disturbed (lunch)"),
        ("Log out of calls", (False, False, ""), "You are logged out: no calls come to you."),
        ("Log in", (True, False, ""), "You are logged in: calls come to you."),
    ):
        state, reason = offered((await desk.get("/desk")).text)[title]
        answer = await desk.post("/desk/state", data={"state": state, "reason": reason, "operator": "2002"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
        assert await switches(site) == {"2001": (*stored, "ann")} and said in (await desk.get("/desk")).text
    assert [(extension, chosen.logged_in, chosen.do_not_disturb) for extension, chosen in told[-2:]] == [
        ("2001", False, False),
        ("2001", True, False),
    ]
    audit = [one for one in await site.database.read(list_audit) if one.action == "operator.state"]
    assert {(one.actor, one.subject) for one in audit} == {("ann", "operator 2001")} and len(audit) == 5


@pytest.mark.covers("SKZ-63")
async def test_the_reasons_are_those_of_the_installation(site: Site, desk: httpx.AsyncClient) -> None:
    page = (await desk.get("/desk")).text
    assert [reason for state, reason in offered(page).values() if state == "do_not_disturb"] == ["", *REASONS]


@pytest.mark.covers("SKZ-63")
async def test_t42_an_operator_without_inbound_calls_has_no_do_not_disturb_on_his_desk(
    site: Site, desk: httpx.AsyncClient
) -> None:
    with site.database.session() as session:
        own = find_operator(session, "2001")
        assert own is not None
        change_operator(session, own.id, OperatorDraft(own.name, inbound=False), **BY)
    assert list(offered((await desk.get("/desk")).text)) == ["Log out of calls"]
    answer = await desk.post("/desk/state", data={"state": "do_not_disturb"})
    assert answer.status_code == 422 and 'id="state-error">Operator 2001 takes no inbound calls' in answer.text
    assert await switches(site) == {}


@pytest.mark.parametrize(
    "sent",
    [{}, {"state": "talking"}, {"state": "offline", "reason": "lunch"}, {"state": "do_not_disturb", "reason": "x" * 65}],
    ids=["nothing", "no wish", "a reason for nothing", "too long"],
)
async def test_what_is_no_state_is_refused_at_the_buttons(site: Site, desk: httpx.AsyncClient, sent: dict[str, str]) -> None:
    answer = await desk.post("/desk/state", data=sent)
    assert answer.status_code == 422 and 'id="state-error">' in answer.text and await switches(site) == {}


async def test_who_is_logged_in_with_a_phone_that_is_off_is_told_so(site: Site, desk: httpx.AsyncClient) -> None:
    site.states["2001"] = "offline"
    assert "but your phone is not on" in (await desk.get("/desk")).text


async def test_wrap_up_is_ended_where_there_is_one(site: Site, desk: httpx.AsyncClient) -> None:
    assert "/desk/end-wrap-up" not in (await desk.get("/desk")).text
    site.states["2001"] = "wrap_up"
    assert 'action="/desk/end-wrap-up"' in (await desk.get("/desk")).text
    async with site.bus.subscribe() as notices:
        assert (await desk.post("/desk/end-wrap-up")).headers["location"] == "/desk"
        assert await anext(notices) == WrapUpEnded("2001")


async def test_nobody_sets_a_state_without_a_phone_of_his_own_or_from_another_site(site: Site, desk: httpx.AsyncClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/desk/state", "/desk/end-wrap-up"):
        assert (await desk.post(path, data={"state": "offline"}, headers=foreign)).status_code == 403
    with site.database.session() as session:
        link_user(session, "ann", None, **BY)
    for path in ("/desk/state", "/desk/end-wrap-up"):
        assert (await desk.post(path, data={"state": "offline"})).status_code == 404
    assert await switches(site) == {}


@pytest.mark.timeout(120)
@pytest.mark.covers("SKZ-61", "SKZ-63")
async def test_by_keyboard_and_with_the_state_as_it_changes(site: Site, desk: httpx.AsyncClient, chromium: Browser) -> None:
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(chromium, f"attendant_{site.settings.http_port}", token)
        async with context:
            page = await context.new_page()
            failed: list[str] = []
            page.on("pageerror", lambda error: failed.append(str(error)))
            await page.goto("/desk")
            panel = page.locator("#desk-state")
            await expect(page.locator("#link-state")).to_have_text("Updating live", timeout=LIMIT)
            await page.get_by_role("button", name="Do not disturb: lunch").focus()
            site.states["2001"] = "wrap_up"
            site.bus.send(OperatorsChanged())
            await expect(panel.get_by_role("button", name="End wrap-up")).to_be_visible(timeout=LIMIT)
            await expect(page.get_by_role("button", name="Do not disturb: lunch")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(panel).to_contain_text("You are not to be disturbed (lunch)", timeout=LIMIT)
            assert failed == []
    assert (await switches(site))["2001"] == (True, True, "lunch", "ann")
