"""Who has no access to the team is shown no list of employees (SKZ-67)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.operators import OperatorDraft, change_operator
from controller.actions.users import create_user
from controller.storage.operators import find_operator
from controller.storage.users import Role
from tests.fixtures.web import NOON, PASSWORD, Site

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


@pytest.mark.parametrize(
    ("role", "team"), [("operator", True), ("supervisor", False), ("administrator", False)], ids=["access", "supervisor", "admin"]
)
async def test_who_has_access_supervises_or_administers_sees_everybody(site: Site, role: Role, team: bool) -> None:
    client = await browser_of(site, role, team=team)
    for path in ("/team", "/desk", "/live", "/calls"):
        page = (await client.get(path)).text
        assert COLLEAGUE in page and 'href="/team"' in page, path
