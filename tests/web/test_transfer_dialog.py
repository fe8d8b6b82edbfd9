"""The dialog on the desk that gives a caller to a colleague, a number outside, or the call center of his campaign."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from controller.actions.campaigns import CampaignDraft, create_campaign
from controller.actions.desks import link_user
from controller.actions.operators import OperatorDraft, change_operator, create_operator
from controller.actions.users import create_user, start_web_session
from controller.bus import OperatorsChanged
from controller.errors import Refused
from controller.storage.audit import list_audit
from controller.storage.calls import Call, CallLeg
from controller.storage.operators import find_operator
from tests.fixtures.browser import LIMIT, chromium, served
from tests.fixtures.web import NOON, PASSWORD, Site
from web.security import SESSION_LIFETIME

__all__ = ["chromium"]
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
STATES = {"2001": "talking", "2002": "available", "2003": "do_not_disturb", "2004": "talking", "2005": "offline"}
CALL = "01MINE"
DIALOG = f"/desk/calls/{CALL}/transfer"


@dataclass
class Switchboard:
    """Takes transfers as the live engine would; `refusal` is what it says."""

    refusal: str = ""
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    concluded: list[tuple[str, bool]] = field(default_factory=list)

    async def transfer(self, call: str, to: str, consulting: bool) -> None:
        self.asked.append((call, to, consulting))
        if self.refusal:
            raise Refused(self.refusal)

    async def conclude(self, call: str, completes: bool) -> None:
        self.concluded.append((call, completes))
        if self.refusal:
            raise Refused(self.refusal)


@pytest.fixture
def switchboard(site: Site) -> Switchboard:
    """Ann talks at 2001 with the caller of CALL; 2002 is available, the others of the team are not."""
    site.install_demo()
    with site.database.session() as session:
        for extension in ("2004", "2005"):
            create_operator(session, extension, f"Demo operator {extension}", **BY)
        link_user(session, "ann", "2001", **BY)
    site.states.update(STATES)  # type: ignore[arg-type]
    talks(site, CALL)
    board = Switchboard()
    site.app.state.services = replace(site.app.state.services, transfer=board.transfer, conclude_transfer=board.conclude)
    return board


def talks(site: Site, id: str, extension: str = "2001") -> None:
    """The operator talks with the caller of a live call."""
    site.add_talk(id, ended_at=None, outcome="live", caller_number="+49301234567")
    with site.database.session() as session:
        leg = session.get(CallLeg, f"{id}-op1")
        assert leg is not None
        leg.operator_extension, leg.talk_ended_at, leg.ended_at = extension, None, None


def consults(site: Site) -> None:
    """Ann has the caller of CALL hear music and speaks with 2002, to whom she may transfer him."""
    with site.database.session() as session:
        leg = session.get(CallLeg, f"{CALL}-op2")
        assert leg is not None
        leg.operator_extension, leg.transferred_by, leg.answered_at, leg.ended_at = "2002", "2001", NOON, None


def ends(site: Site) -> None:
    with site.database.session() as session:
        leg, call = session.get(CallLeg, f"{CALL}-op1"), session.get(Call, CALL)
        assert leg is not None and call is not None
        leg.ended_at = call.ended_at = NOON


def has_call_center(site: Site, *numbers: str) -> None:
    """The call is one of a campaign with these transfer numbers."""
    with site.database.session() as session:
        campaign = create_campaign(session, CampaignDraft("Flats", transfer_numbers=list(numbers)), **BY)
        call = session.get(Call, CALL)
        assert call is not None
        call.campaign_id = campaign.id


def choices(page: str) -> dict[str, str]:
    """The targets of the dialog with how each can be chosen: "", "disabled" or "checked"."""
    return {value: how.strip() for value, how in re.findall(r'type="radio" name="to" id="[^"]+" value="(\w+)"([^>]*)>', page)}


def errors(page: str) -> dict[str, str]:
    found = re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)
    return {name: html.unescape(said) for name, said in found}


async def noted(site: Site) -> list[tuple[str, str, Any]]:
    return [(one.actor, one.subject, one.detail) for one in await site.database.read(list_audit) if one.action == "call.transfer"]


@pytest.mark.covers("SKZ-66", "SKZ-68")
async def test_t40_the_dialog_of_ones_call_offers_who_is_available_and_shows_how_the_others_are(
    site: Site, switchboard: Switchboard
) -> None:
    client = await site.browser()
    assert f'href="{DIALOG}"' in (await client.get("/desk")).text
    page = (await client.get(DIALOG)).text
    away = dict.fromkeys(("2003", "2004", "2005"), "disabled")
    assert choices(page) == {"2002": "", **away, "outside": ""} and "+49301234567" in page
    for state in ("Available", "Do not disturb", "Talking", "Offline"):
        assert state in page


@pytest.mark.covers("SKZ-66", "SKZ-68")
@pytest.mark.parametrize(
    ("sent", "asked", "said"),
    [
        ({"to": "2002"}, ("2002", False), "Demo operator 2002 is called for the caller. Your line is free."),
        ({"to": "2002", "consulting": "on"}, ("2002", True), "Demo operator 2002 is called, and the caller hears music."),
        ({"to": "outside", "number": "+7 (495) 123-45-67"}, ("+74951234567", False), "The number is called"),
        ({"to": "", "number": "74951234567"}, ("74951234567", False), "The number is called"),
        ({"to": "campaign"}, ("campaign", False), "The call center is called"),
    ],
    ids=["at once", "consulting", "outside", "number alone", "call center"],
)
async def test_the_caller_goes_where_it_was_chosen_and_the_audit_log_knows_who_wanted_it(
    site: Site, switchboard: Switchboard, sent: dict[str, str], asked: tuple[str, bool], said: str
) -> None:
    has_call_center(site, "74957654321")
    client = await site.browser()
    answer = await client.post(DIALOG, data=sent)
    assert (answer.status_code, switchboard.asked) == (303, [(CALL, *asked)])
    assert said in (await client.get(answer.headers["location"])).text
    assert await noted(site) == [("ann", f"call {CALL}", {"to": asked[0], "consulting": asked[1]})]


@pytest.mark.covers("SKZ-66", "SKZ-68")
@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({}, "to", "Choose a colleague, or enter a number."),
        ({"to": "2003"}, "to", "Demo operator 2003 can't be chosen: do not disturb."),
        ({"to": "2004"}, "to", "Demo operator 2004 can't be chosen: talking."),
        ({"to": "2005"}, "to", "Demo operator 2005 can't be chosen: offline."),
        ({"to": "2001"}, "to", "None of your colleagues is this one."),
        ({"to": "<b>"}, "to", "None of your colleagues is this one."),
        ({"to": "outside"}, "number", "Enter the number."),
        ({"to": "outside", "number": "campaign"}, "number", "Write at most 20 digits, with a + before them if you like."),
        ({"to": "outside", "number": "1" * 21}, "number", "Write at most 20 digits, with a + before them if you like."),
        ({"to": "2002", "number": "74951234567"}, "number", "Choose “Phone”, or leave the number empty."),
    ],
)
async def test_t40_what_can_not_be_chosen_is_said_at_its_field_and_nobody_is_called(
    site: Site, switchboard: Switchboard, sent: dict[str, str], field: str, said: str
) -> None:
    answer = await (await site.browser()).post(DIALOG, data={**sent, "consulting": "on"})
    assert (answer.status_code, errors(answer.text), switchboard.asked) == (422, {field: said}, [])
    assert 'name="consulting" checked' in answer.text and await noted(site) == []
    assert f'value="{sent.get("number", "")}"' in answer.text, "what was typed stays"


@pytest.mark.covers("SKZ-66")
@pytest.mark.parametrize(("sent", "field"), [({"to": "2002"}, "to"), ({"to": "outside", "number": "100200"}, "number")])
async def test_what_the_switchboard_refuses_is_said_at_the_field_too(
    site: Site, switchboard: Switchboard, sent: dict[str, str], field: str
) -> None:
    switchboard.refusal = "the call can't be transferred now"
    answer = await (await site.browser()).post(DIALOG, data=sent)
    assert (answer.status_code, errors(answer.text)) == (422, {field: "The call can't be transferred now."})
    assert await noted(site) == []


@pytest.mark.covers("SKZ-66")
@pytest.mark.parametrize(
    ("way", "button", "completes"), [("back", "Back to the caller", False), ("complete", "Join the two", True)]
)
async def test_who_consults_takes_his_caller_back_or_joins_the_two_on_his_desk(
    site: Site, switchboard: Switchboard, way: str, button: str, completes: bool
) -> None:
    client = await site.browser()
    assert f'action="{DIALOG}/{way}"' not in (await client.get("/desk")).text
    consults(site)
    page = (await client.get("/desk")).text
    assert f'action="{DIALOG}/{way}"><button type="submit">{button}<' in page and "Consulting" in page
    assert (await client.post(f"{DIALOG}/{way}")).headers["location"] == "/desk"
    assert switchboard.concluded == [(CALL, completes)]
    newest = (await site.database.read(list_audit))[0]
    assert (newest.actor, newest.action, newest.subject) == ("ann", f"call.transfer_{way}", f"call {CALL}")


async def test_whose_consultation_is_over_is_told_so_and_nobody_else_ends_it(site: Site, switchboard: Switchboard) -> None:
    consults(site)
    with site.database.session() as session:
        bob = create_user(session, "bob", PASSWORD, "operator", **BY)
        link_user(session, "bob", "2002", **BY)
    client, other = await site.browser(), await site.browser(bob.id)
    assert "/transfer" not in (await other.get("/desk")).text
    assert (await other.post(f"{DIALOG}/back")).headers["location"] == "/desk?transfer=over"
    assert switchboard.concluded == []
    switchboard.refusal = "nobody consults"
    answer = await client.post(f"{DIALOG}/back")
    assert "You do not consult in that call any more." in (await client.get(answer.headers["location"])).text
    ends(site)
    assert (await client.post(f"{DIALOG}/complete")).headers["location"] == "/desk?transfer=over"


async def test_a_call_center_is_offered_only_where_the_campaign_of_the_call_has_one(site: Site, switchboard: Switchboard) -> None:
    has_call_center(site)
    assert "campaign" not in choices((await (await site.browser()).get(DIALOG)).text)


@pytest.mark.covers("SKZ-67")
async def test_t41_without_access_to_the_team_only_a_number_outside_can_be_chosen(site: Site, switchboard: Switchboard) -> None:
    with site.database.session() as session:
        own = find_operator(session, "2001")
        assert own is not None
        change_operator(session, own.id, OperatorDraft(own.name, team=False), **BY)
    client = await site.browser()
    page = (await client.get(DIALOG)).text
    assert list(choices(page)) == ["outside"] and "no access to the team" in page and "Demo operator 2002" not in page
    assert (await client.post(DIALOG, data={"to": "2002"})).status_code == 422
    assert switchboard.asked == []
    assert (await client.post(DIALOG, data={"to": "outside", "number": "74951234567"})).status_code == 303


async def test_only_ones_own_calls_can_be_transferred(site: Site, switchboard: Switchboard) -> None:
    with site.database.session() as session:
        eve = create_user(session, "eve", PASSWORD, "operator", **BY)
        bob = create_user(session, "bob", PASSWORD, "administrator", **BY)
        link_user(session, "eve", "2004", **BY)
    for client in (await site.browser(eve.id), await site.browser(bob.id)):
        assert (await client.get(DIALOG)).status_code == 404
        assert (await client.post(DIALOG, data={"to": "2002"})).status_code == 404
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await (await site.browser()).post(DIALOG, data={"to": "2002"}, headers=foreign)).status_code == 403
    assert (await (await site.browser()).get("/desk/calls/01NONE/transfer")).status_code == 404
    assert switchboard.asked == []


async def test_a_call_that_only_rings_or_is_over_has_no_dialog(site: Site, switchboard: Switchboard) -> None:
    client = await site.browser()
    with site.database.session() as session:
        leg = session.get(CallLeg, f"{CALL}-op1")
        assert leg is not None
        leg.answered_at = leg.talk_started_at = None
    assert DIALOG not in (await client.get("/desk")).text
    ends(site)
    for answer in (await client.get(DIALOG), await client.post(DIALOG, data={"to": "2002"})):
        assert answer.headers["location"] == "/desk?transfer=over"
    assert "nothing to transfer" in (await client.get("/desk?transfer=over")).text and switchboard.asked == []


@asynccontextmanager
async def opened(site: Site, browser: Browser) -> AsyncIterator[Page]:
    """Ann's desk; no script of it may fail."""
    token = await site.database.run(start_web_session, 1, SESSION_LIFETIME, at=site.moment)
    async with served(site.app) as there:
        context = await there.visitor(browser, f"attendant_{site.settings.http_port}", token)
        async with context:
            page = await context.new_page()
            failed: list[str] = []
            page.on("pageerror", lambda error: failed.append(str(error)))
            await page.goto("/desk")
            yield page
            assert failed == []


@pytest.mark.timeout(120)
@pytest.mark.covers("SKZ-66", "SKZ-68")
async def test_t40_by_keyboard_while_states_change_and_a_colleague_who_is_not_available_any_more_can_not_be_chosen(
    site: Site, switchboard: Switchboard, chromium: Browser
) -> None:
    async with opened(site, chromium) as page:
        await page.get_by_role("link", name="Transfer the call from +49301234567").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#link-state")).to_have_text("Updating live", timeout=LIMIT)
        bob, kim = page.get_by_label("Demo operator 2002"), page.get_by_label("Demo operator 2003")
        await expect(kim).to_be_disabled()
        await bob.focus()
        await page.keyboard.press("Space")
        site.states["2003"] = "available"
        site.bus.send(OperatorsChanged())
        await expect(kim).to_be_enabled(timeout=LIMIT)
        await expect(bob).to_be_checked()
        await expect(bob).to_be_focused()
        site.states["2002"] = "talking"
        site.bus.send(OperatorsChanged())
        await expect(bob).to_be_disabled(timeout=LIMIT)
        await expect(bob).not_to_be_checked()
        await kim.focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Transfer").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("Demo operator 2003 is called for the caller", timeout=LIMIT)
    assert switchboard.asked == [(CALL, "2003", False)]
