"""Who may change how calls are served: administrators and supervisors; operators look at the lists (SKZ-58, SKZ-59)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.routing import Route

from controller.actions.schedules import create_schedule
from controller.actions.trunks import TrunkDraft, create_trunk
from controller.actions.users import create_user
from controller.schedules import Schedule
from controller.storage.users import Role
from tests.fixtures.web import NOON, PASSWORD, Site
from web.routes import make_routes

BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
LISTS = ("/groups", "/numbers", "/scenarios", "/schedules", "/trunks")
GUARDED = [
    pytest.param(method, route.path, id=f"{method} {route.path}")
    for route in make_routes()
    if isinstance(route, Route) and route.path.startswith(tuple(f"{address}/" for address in LISTS))
    for method in sorted((route.methods or set()) - {"HEAD"})
]
CONFIRMING = re.compile(r"/numbers/.+/(call|sms|confirm|confirm-for-good)")


def user_of(site: Site, role: Role) -> int:
    with site.database.session() as session:
        return create_user(session, "eve", PASSWORD, role, **BY).id


def address(path: str) -> str:
    """With ids of what is not there."""
    return re.sub(r"{\w+(:int)?}", "99", path)


@pytest.mark.covers("SKZ-58", "SKZ-59")
@pytest.mark.parametrize(("method", "path"), [*GUARDED, pytest.param("POST", "/scenarios", id="POST /scenarios")])
async def test_operators_are_told_that_they_may_not_change_how_calls_are_served(site: Site, method: str, path: str) -> None:
    eve = await site.browser(user_of(site, "operator"))
    refused = await eve.request(method, address(path))
    assert refused.status_code == 403
    assert "Only administrators and supervisors may change how calls are served." in refused.text


@pytest.mark.covers("SKZ-58")
@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_supervisors_change_all_of_it_but_the_confirmation_of_numbers(site: Site, method: str, path: str) -> None:
    eve = await site.browser(user_of(site, "supervisor"))
    answer = await eve.request(method, address(path))
    assert (answer.status_code == 403) == (CONFIRMING.fullmatch(path) is not None)
    assert answer.status_code < 500


@pytest.mark.covers("SKZ-59")
@pytest.mark.parametrize("path", LISTS)
async def test_lists_lead_operators_to_nothing_that_they_may_not_open(site: Site, path: str) -> None:
    eve = await site.browser(user_of(site, "operator"))
    links = re.compile(r'(?:href|action)="((?:/groups|/numbers|/scenarios|/schedules|/trunks)(?:/[^"]*)?)"')

    async def led_to() -> set[str]:
        page = await eve.get(path)
        assert page.status_code == 200
        return {link for link in links.findall(page.text) if link not in LISTS}

    assert await led_to() == set()
    scenario = site.install_demo()
    with site.database.session() as session:
        create_schedule(session, "Office", Schedule(), **BY)
        create_trunk(session, TrunkDraft("Carrier", "sip.example.com"), **BY)
    assert await led_to() == set() and 'method="post" action="/scenarios' not in (await eve.get(path)).text
    site.add_talk("01TALK")
    call = (await eve.get("/calls/01TALK")).text
    assert "Demo, version 1" in call and f'href="/scenarios/{scenario}' not in call
    assert f'href="/scenarios/{scenario}/versions/1"' in (await (await site.browser()).get("/calls/01TALK")).text


async def test_operators_change_nothing(site: Site) -> None:
    site.install_demo()
    program = site.program()

    async def stored() -> list[Any]:
        return [(await program.get(f"/api/v1{path}")).json() for path in LISTS]

    before = await stored()
    eve = await site.browser(user_of(site, "operator"))
    for path in LISTS:
        assert (await eve.post(f"{path}/1/delete")).status_code == 403
    assert (await eve.post("/groups/new", data={"name": "Mine", "strategy": "linear", "ring_seconds": "20"})).status_code == 403
    assert await stored() == before
