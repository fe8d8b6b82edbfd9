"""The search line of the desk: a colleague is called by his extension or by a part of his name (SKZ-64)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from controller.actions.desks import link_user
from controller.actions.operators import create_operator
from controller.actions.users import start_web_session
from controller.errors import Refused
from controller.storage.audit import list_audit
from tests.fixtures.browser import LIMIT, Desk, chromium, served
from tests.fixtures.web import NOON, Site
from web.colleagues import Colleague, fitting
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]
pytestmark = pytest.mark.covers("SKZ-64")
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
TEAM = {"2001": "Eve Adams", "2002": "Bob Stone", "2003": "Bob Stein", "2010": "Kim", "20101": "Kim Lee"}
STATES = {"2001": "available", "2002": "available", "2003": "talking", "2010": "available", "20101": "offline"}


@pytest.mark.parametrize(
    ("typed", "extensions"),
    [
        ("2002", ["2002"]),
        ("2010", ["2010"]),
        ("201", ["2010", "20101"]),
        ("bob", ["2002", "2003"]),
        ("BOB sto", ["2002"]),
        ("stone bob", ["2002"]),
        ("kim", ["2010"]),
        ("  Kim   Lee ", ["20101"]),
        ("2003 Bob", ["2003"]),
        ("tone", []),
        ("bob x", []),
        (" ", []),
    ],
)
def test_who_is_meant(typed: str, extensions: list[str]) -> None:
    team = [Colleague(extension, name, "available") for extension, name in TEAM.items()]
    assert [one.extension for one in fitting(team, typed)] == extensions


@pytest.fixture
async def placed(site: Site) -> list[tuple[str, str]]:
    """The calls that were placed; ann's phone is 2001, and who is not available is refused."""
    with site.database.session() as session:
        for extension, name in TEAM.items():
            create_operator(session, extension, name, **BY)
        link_user(session, "ann", "2001", **BY)
    site.states.update(STATES)  # type: ignore[arg-type]
    calls: list[tuple[str, str]] = []

    def place(operator: str, number: str, at_mobile: bool | None) -> str:
        if STATES[number] != "available":
            raise Refused(f"operator {number} can't be called: he is {STATES[number]}")
        calls.append((operator, number))
        return "01CALL"

    site.app.state.services = replace(site.app.state.services, place_call=place)
    return calls


def said(page: str) -> str | None:
    found = re.search(r'id="colleague-error">([^<]+)<', page)
    return None if found is None else found[1]


@pytest.mark.parametrize("typed", ["2002", "stone", " Bob  Sto"])
async def test_who_is_typed_is_called_and_the_page_says_what_happens(
    site: Site, placed: list[tuple[str, str]], typed: str
) -> None:
    client = await site.browser()
    answer = await client.post("/desk/call", data={"colleague": typed})
    assert placed == [("2001", "2002")]
    assert "Answer it, and Bob Stone is called" in (await client.get(answer.headers["location"])).text
    newest = (await site.database.read(list_audit))[0]
    assert (newest.actor, newest.action, newest.detail) == ("ann", "call.place", {"operator": "2001", "number": "2002"})


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("zoe", "Nobody in the team has this name or extension."),
        ("", "Nobody in the team has this name or extension."),
        ("2001", "Nobody in the team has this name or extension."),
        ("<b>", "Nobody in the team has this name or extension."),
        ("2003", "Operator 2003 can&#39;t be called: he is talking."),
        ("bob", "2 colleagues fit: choose one."),
    ],
)
async def test_who_can_not_be_called_is_said_so_at_the_line_and_what_was_typed_stays(
    site: Site, placed: list[tuple[str, str]], typed: str, error: str
) -> None:
    answer = await (await site.browser()).post("/desk/call", data={"colleague": typed})
    assert (answer.status_code, said(answer.text), placed) == (422, error, [])
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}" autofocus' in answer.text


async def test_of_several_who_fit_those_who_are_available_can_be_called(site: Site, placed: list[tuple[str, str]]) -> None:
    client = await site.browser()
    page = (await client.post("/desk/call", data={"colleague": "bob"})).text
    offered = page[page.index('class="fitting"') :].partition("</ul>")[0]
    assert re.findall(r"<strong[^>]*>([^<]+)<", offered) == ["Bob Stone", "Bob Stein"] and "Talking" in offered
    assert re.findall(r'name="colleague" value="(\d+)"', offered) == ["2002"]
    await client.post("/desk/call", data={"colleague": "2002"})
    assert placed == [("2001", "2002")]


async def test_what_the_desk_reads_again_at_every_change_is_without_the_team(site: Site, placed: list[tuple[str, str]]) -> None:
    client = await site.browser()
    whole = (await client.get("/desk")).text
    (address,) = set(re.findall(r'data-live="([^"]+)"', whole))
    again = (await client.get(address)).text
    assert "Bob Stone" in whole and "Bob Stone" not in again
    assert re.findall(r'id="([^"]+)" data-live', again) == re.findall(r'id="([^"]+)" data-live', whole) != []
    assert placed == []


async def test_without_a_phone_of_ones_own_or_without_colleagues_there_is_no_such_line(site: Site) -> None:
    client = await site.browser()
    assert (await client.post("/desk/call", data={"colleague": "2002"})).status_code == 404
    await site.database.run(create_operator, "2001", "Eve", **BY)
    await site.database.run(link_user, "ann", "2001", **BY)
    assert "Call a colleague" not in (await client.get("/desk")).text


@pytest.fixture
async def desk(site: Site, chromium: Browser, placed: list[tuple[str, str]]) -> AsyncIterator[Desk]:
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(chromium, f"attendant_{site.settings.http_port}", token)
        async with context, Desk.opened(context) as opened:
            yield opened


async def test_a_colleague_is_found_and_called_by_the_keyboard_alone(desk: Desk, placed: list[tuple[str, str]]) -> None:
    line = desk.page.get_by_label("Name or extension")
    await line.focus()
    await desk.page.keyboard.type("bob")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_text("2 colleagues fit")).to_be_visible(timeout=LIMIT)
    await expect(line).to_be_focused(timeout=LIMIT)
    await expect(line).to_have_value("bob", timeout=LIMIT)
    await expect(desk.page.locator("#link-state")).to_have_text("Updating live", timeout=LIMIT)
    call = desk.page.get_by_role("button", name="Call Bob Stone, 2002")
    await desk.page.keyboard.press("Tab")
    await desk.page.keyboard.press("Tab")
    await expect(call).to_be_focused(timeout=LIMIT)
    await desk.page.keyboard.press("Enter")
    await desk.shows("Your phone rings. Answer it, and Bob Stone is called.")
    assert placed == [("2001", "2002")]
