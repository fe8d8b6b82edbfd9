"""Who has no access to the team is shown no list of employees (SKZ-67)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from controller.actions.campaigns import CampaignDraft, create_campaign
from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.desks import link_user
from controller.actions.forwarding import set_own_phone
from controller.actions.operators import OperatorDraft, change_operator
from controller.actions.users import create_user
from controller.storage.operators import find_operator
from controller.storage.users import Role
from tests.fixtures.web import NOON, PASSWORD, Site
from tests.web.test_missed_calls import missed

pytestmark = pytest.mark.covers("SKZ-67")
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
COLLEAGUE = "Demo operator 2002"


async def browser_of(site: Site, role: Role = "operator", *, team: bool = False) -> httpx.AsyncClient:
    """The browser of a user whose phone is 2001, with or without access to the team."""
    site.install_demo()
    with site.database.session() as session:
        user = create_user(session, "eve", PASSWORD, role, **BY)
        link_user(session, "eve", "2001", **BY)
        own = find_operator(session, "2001")
        assert own is not None
        change_operator(session, own.id, OperatorDraft(own.name, team=team), **BY)
    return await site.browser(user.id)


async def test_the_team_and_the_groups_are_refused_and_not_in_the_menu(site: Site) -> None:
    client = await browser_of(site)
    for path in ("/team", "/team/2", "/groups"):
        answer = await client.get(path)
        assert answer.status_code == 403 and "no access to the team" in answer.text and COLLEAGUE not in answer.text, path
    for path in ("/groups/1", "/groups/new"):
        answer = await client.get(path)
        assert answer.status_code == 403 and COLLEAGUE not in answer.text, path
    for path in ("/team/2/call", "/groups/1/delete"):
        assert (await client.post(path)).status_code == 403
    page = (await client.get("/contacts")).text
    assert not re.search(r'href="/(team|groups)"', page)
    assert '<a href="/contacts" aria-current="true">People' in page, "the group leads to the first page that he may see"


async def test_the_desk_names_no_colleague_and_says_why(site: Site) -> None:
    client = await browser_of(site)
    page = (await client.get("/desk")).text
    assert "You have no access to the team" in page and COLLEAGUE not in page and '<datalist id="colleagues"' not in page
    answer = await client.post("/desk/call", data={"colleague": "2002"})
    assert answer.status_code == 422 and 'id="colleague-error">You have no access' in answer.text
    assert COLLEAGUE not in (await client.post("/desk/call", data={"colleague": "demo"})).text


async def test_the_live_page_and_the_history_list_himself_alone(site: Site) -> None:
    client = await browser_of(site)
    for path in ("/live", "/calls"):
        page = (await client.get(path)).text
        assert "Demo operator 2001" in page and COLLEAGUE not in page, path


async def furnish_forms(site: Site) -> None:
    """A contact, a missed call, a campaign and a forwarding phone of his colleague 2002."""
    with site.database.session() as session:
        set_own_phone(session, "2002", "+74951112233", **BY)
        create_campaign(session, CampaignDraft("Spring"), **BY)
        create_contact(session, ContactDraft("Maria", numbers=["+49301234567"]), None, **BY)
    await missed(site, "01MISSED")


FORMS = ("/contacts/1", "/contacts/new", "/missed-calls/01MISSED", "/campaigns/1", "/campaigns/new", "/forwarding-phones")


async def test_no_form_lists_his_colleagues(site: Site) -> None:
    client = await browser_of(site)
    await furnish_forms(site)
    for path in FORMS:
        page = (await client.get(path)).text
        assert COLLEAGUE not in page and ">ann<" not in page, path
        assert "Demo operator 2001" in page or path == "/forwarding-phones", path


async def test_a_colleague_who_is_chosen_already_stays_chosen(site: Site) -> None:
    client = await browser_of(site)
    await furnish_forms(site)
    program = site.program()
    await program.put("/api/v1/contacts/1", json={"name": "Maria", "numbers": ["+49301234567"], "owner": "2002"})
    await program.patch("/api/v1/missed-calls/01MISSED", json={"owner": {"operator": "2002"}})
    await program.put("/api/v1/campaigns/1", json={"name": "Spring", "operators": ["2002"]})
    for path, chosen in (("contacts/1", "selected"), ("missed-calls/01MISSED", "selected"), ("campaigns/1", "checked")):
        page = (await client.get(f"/{path}")).text
        assert re.search(rf"{chosen}[^>]*>[^<]*{COLLEAGUE}", page), path


@pytest.mark.parametrize(
    ("role", "team"), [("operator", True), ("supervisor", False), ("administrator", False)], ids=["access", "supervisor", "admin"]
)
async def test_who_has_access_supervises_or_administers_sees_everybody(site: Site, role: Role, team: bool) -> None:
    client = await browser_of(site, role, team=team)
    for path in ("/team", "/desk", "/live", "/calls"):
        page = (await client.get(path)).text
        assert COLLEAGUE in page and 'href="/team"' in page, path


async def test_who_has_access_finds_everybody_in_the_forms(site: Site) -> None:
    client = await browser_of(site, team=True)
    await furnish_forms(site)
    for path in FORMS:
        assert COLLEAGUE in (await client.get(path)).text, path
