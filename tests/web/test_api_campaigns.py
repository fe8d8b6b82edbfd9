"""Campaigns and their leads in the API."""

from __future__ import annotations

from typing import Any

import pytest

from controller.bus.messages import DirectoryChanged
from tests.fixtures.web import Site

CAMPAIGNS = "/api/v1/campaigns"
PLAIN: dict[str, Any] = {
    "numbers": [],
    "operators": [],
    "groups": [],
    "unknown_callers": "lead_direct",
    "transfer_numbers": [],
    "strategy": "ring_all",
    "ring_seconds": 20,
    "wrap_up_seconds": 0,
    "longest_wait": None,
    "longest_talk": None,
    "priority": 0,
    "sticky_owner": False,
    "announce_every": None,
    "announce_place": True,
    "announce_wait": True,
    "hide_numbers": False,
    "recordings_days": None,
}
FULL: dict[str, Any] = {
    "name": "Autumn",
    "numbers": ["8000"],
    "operators": ["2002", "2001"],
    "groups": ["Sales"],
    "unknown_callers": "refuse",
    "transfer_numbers": ["+74951112233", "sip:queue@pbx.example.com"],
    "strategy": "linear",
    "ring_seconds": 15,
    "wrap_up_seconds": 5,
    "longest_wait": 60,
    "longest_talk": 600,
    "priority": 2,
    "sticky_owner": True,
    "hide_numbers": True,
    "recordings_days": 30,
    "announce_every": 60,
    "announce_place": True,
    "announce_wait": False,
}


async def with_surroundings(site: Site) -> None:
    """The demo's number, operators and groups, and a trunk."""
    site.install_demo()
    await site.program().post("/api/v1/trunks", json={"name": "PBX", "host": "pbx.example.com"})


@pytest.mark.covers("PRJ-1", "LNR-4", "LNR-5", "LNR-6", "LNR-12")
async def test_a_campaign_is_created_looked_at_replaced_and_removed(site: Site) -> None:
    await with_surroundings(site)
    program = site.program()
    async with site.bus.subscribe() as notices:
        created = await program.post(CAMPAIGNS, json={"name": "Spring"})
        assert isinstance(await anext(notices), DirectoryChanged)
    assert created.status_code == 201
    id = created.json()["id"]
    assert created.json() == {"name": "Spring", **PLAIN, "id": id, "version": 1, "leads": 0}
    address = f"{CAMPAIGNS}/{id}"
    replaced = (await program.put(address, json=FULL)).json()
    assert replaced == {**FULL, "id": id, "version": 2, "leads": 0}
    assert (await program.get(address)).json() == replaced
    assert (await program.get(CAMPAIGNS)).json() == {"campaigns": [replaced]}
    assert (await program.delete(address)).status_code == 204
    for answer in (await program.get(address), await program.delete(address), await program.put(address, json=FULL)):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": ""}),
        ("numbers.1", {"numbers": ["8000", "8099"]}),
        ("operators.0", {"operators": ["2099"]}),
        ("groups.0", {"groups": ["Nobody"]}),
        ("unknown_callers", {"unknown_callers": "ignore"}),
        ("transfer_numbers.0", {"transfer_numbers": ["sip:queue@elsewhere.example.com"]}),
        ("transfer_numbers", {"transfer_numbers": [f"+7495111{number:04}" for number in range(11)]}),
        ("ring_seconds", {"ring_seconds": 301}),
        ("recordings_days", {"recordings_days": 0}),
        ("version", {"version": 3}),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_stored(site: Site, field: str, changed: dict[str, Any]) -> None:
    await with_surroundings(site)
    answer = await site.program().post(CAMPAIGNS, json={**FULL, **changed})
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["error"]["fields"]] == [field]
    assert (await site.program().get(CAMPAIGNS)).json() == {"campaigns": []}


async def test_a_name_that_is_taken_is_a_conflict(site: Site) -> None:
    program = site.program()
    await program.post(CAMPAIGNS, json={"name": "Spring"})
    assert (await program.post(CAMPAIGNS, json={"name": "Spring"})).status_code == 409


@pytest.mark.covers("LNR-4")
async def test_leads_are_added_listed_by_pages_and_removed(site: Site) -> None:
    program = site.program()
    leads = f"{CAMPAIGNS}/{(await program.post(CAMPAIGNS, json={'name': 'Spring'})).json()['id']}/leads"
    await program.post("/api/v1/contacts", json={"name": "Anna", "numbers": ["+49 30 1234567"]})
    anna = await program.post(leads, json={"number": "+49 (30) 1234567", "type": "selection"})
    assert anna.status_code == 201
    id = anna.json()["id"]
    shown = {"number": "+49301234567", "contact": "Anna", "type": "selection", "call": None}
    assert {**anna.json(), **shown} == anna.json()
    other = (await program.post(leads, json={"number": "+7 495 111-22-33"})).json()
    assert (other["contact"], other["type"]) == (None, "direct")
    assert (await program.get(leads)).json() == {"leads": [anna.json(), other]}
    assert (await program.get(leads, params={"after": id})).json() == {"leads": [other]}
    assert (await program.post(leads, json={"number": "+49301234567"})).status_code == 409
    for body in ({"number": "nobody"}, {"number": "+49301234599", "type": "cold"}):
        assert (await program.post(leads, json=body)).status_code == 422
    assert (await program.delete(f"{leads}/{id}")).status_code == 204
    assert (await program.delete(f"{leads}/{id}")).status_code == 404
    for answer in (
        await program.get(f"{CAMPAIGNS}/99/leads"),
        await program.post(f"{CAMPAIGNS}/99/leads", json={"number": "+49301"}),
    ):
        assert answer.status_code == 404
