"""Campaigns, as people see and change them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.fixtures.web import Site

ATTACK = "<script>alert('x')</script>\"'"
PLAIN = {"unknown_callers": "lead_direct", "strategy": "ring_all", "ring_seconds": "20", "wrap_up_seconds": "0", "priority": "0"}
NEW = {
    "name": "Spring",
    **PLAIN,
    "numbers:8000": "on",
    "operators:2002": "on",
    "groups:Sales": "on",
    "unknown_callers": "refuse",
    "transfer_number": "+7 495 111-22-33",
    "additional_numbers": "sip:queue@pbx.example.com\r\n\r\n+74957654321\r\n",
    "longest_wait": "60",
    "longest_talk": "",
    "recordings_days": "30",
}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


def ticked(page: str) -> set[str]:
    return set(re.findall(r'<input type="checkbox" name="([^"]+)" checked>', page))


async def stored(site: Site) -> dict[str, dict[str, Any]]:
    """Campaigns as the API gives them."""
    return {one["name"]: one for one in (await site.program().get("/api/v1/campaigns")).json()["campaigns"]}


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    site.install_demo()
    await site.program().post("/api/v1/trunks", json={"name": "PBX", "host": "pbx.example.com"})
    return await site.browser()


@pytest.mark.covers("PRJ-1", "LNR-4", "LNR-5", "LNR-6", "LNR-12")
async def test_a_campaign_is_typed_listed_changed_and_removed(site: Site, client: httpx.AsyncClient) -> None:
    assert "No campaigns yet" in (await client.get("/campaigns")).text
    assert (await client.post("/campaigns/new", data=NEW)).headers["location"] == "/campaigns"
    campaign = (await stored(site))["Spring"]
    assert campaign["transfer_numbers"] == ["+74951112233", "sip:queue@pbx.example.com", "+74957654321"]
    assert (campaign["numbers"], campaign["operators"], campaign["groups"]) == (["8000"], ["2002"], ["Sales"])
    assert (campaign["unknown_callers"], campaign["longest_wait"], campaign["longest_talk"]) == ("refuse", 60, None)
    assert campaign["recordings_days"] == 30
    row = (await client.get("/campaigns")).text
    for shown in ("Spring", "8000", "2002, Sales", "They are not accepted", "+74951112233", "and 2 more"):
        assert shown in row, shown

    address = f"/campaigns/{campaign['id']}"
    form = (await client.get(address)).text
    assert ticked(form) == {"numbers:8000", "operators:2002", "groups:Sales"}
    assert 'name="recordings_days" type="number" min="1" max="36500" value="30"' in form
    assert 'value="+74951112233"' in form and "sip:queue@pbx.example.com\n+74957654321" in form
    changed = {
        **NEW,
        "name": "Autumn",
        "operators:2001": "on",
        "sticky_owner": "on",
        "announce_every": "60",
        "announce_wait": "on",
        "transfer_number": "",
        "additional_numbers": "",
        "recordings_days": "",
    }
    del changed["groups:Sales"]
    assert (await client.post(address, data=changed)).status_code == 303
    campaign = (await stored(site))["Autumn"]
    assert (campaign["operators"], campaign["groups"], campaign["sticky_owner"]) == (["2002", "2001"], [], True)
    assert (campaign["announce_every"], campaign["announce_place"], campaign["announce_wait"]) == (60, False, True)
    assert (campaign["transfer_numbers"], campaign["recordings_days"]) == ([], None)
    assert 'name="sticky_owner" checked' in (await client.get(address)).text
    assert (await client.post(f"{address}/delete")).status_code == 303
    assert (await client.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": ""}),
        ("transfer_number", {"transfer_number": "sip:queue@elsewhere.example.com"}),
        ("transfer_number", {"transfer_number": ""}),
        ("additional_numbers", {"additional_numbers": "sip:queue@pbx.example.com\nnobody"}),
        ("additional_numbers", {"additional_numbers": "\n".join(["sip:queue@pbx.example.com", *map(str, range(100, 109))])}),
        ("numbers", {"numbers:8099": "on"}),
        ("operators", {"operators:2099": "on"}),
        ("groups", {"groups:Nobody": "on"}),
        ("ring_seconds", {"ring_seconds": "0"}),
        ("longest_wait", {"longest_wait": "x"}),
        ("recordings_days", {"recordings_days": "0"}),
        ("strategy", {"strategy": "best"}),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    site: Site, client: httpx.AsyncClient, field: str, changed: dict[str, str]
) -> None:
    answer = await client.post("/campaigns/new", data={**NEW, **changed})
    assert answer.status_code == 422
    assert errors(answer.text).keys() == {field}
    assert (
        ticked(answer.text) >= {"numbers:8000", "operators:2002", "groups:Sales"} and "sip:queue@pbx.example.com" in answer.text
    )
    assert await stored(site) == {}


async def test_a_number_of_another_campaign_is_marked_and_stays_there(site: Site, client: httpx.AsyncClient) -> None:
    await client.post("/campaigns/new", data=NEW)
    assert "of the campaign “Spring”" in (await client.get("/campaigns/new")).text
    answer = await client.post("/campaigns/new", data={**NEW, "name": "Autumn"})
    assert errors(answer.text) == {"numbers": "8000 belongs to the campaign &#34;Spring&#34; already"}
    assert (await client.post("/campaigns/new", data=NEW)).status_code == 409


async def test_the_page_of_numbers_tells_the_campaign_that_serves_one(site: Site, client: httpx.AsyncClient) -> None:
    bare = {"number": "8070", "line_name": "Main"}
    await site.program().post("/api/v1/numbers", json=bare)
    await client.post("/campaigns/new", data={**NEW, "numbers:8070": "on"})
    assert "campaign Spring" in (await client.get("/numbers")).text


@pytest.mark.covers("LNR-4")
async def test_leads_are_added_shown_and_removed(site: Site, client: httpx.AsyncClient) -> None:
    await client.post("/campaigns/new", data=NEW)
    await client.post("/contacts/new", data={"name": "Anna", "numbers": "+49 30 1234567"})
    leads = f"/campaigns/{(await stored(site))['Spring']['id']}/leads"
    assert "accepts calls of its leads alone" in (await client.get(leads)).text
    added = {"number": "+49 (30) 123 45 67", "type": "selection"}
    assert (await client.post(leads, data=added)).headers["location"] == leads
    page = (await client.get(leads)).text
    assert "+49301234567" in page and "Anna" in page and '<td data-label="Type">Selection' in page
    wrong = await client.post(leads, data={"number": ATTACK, "type": "direct"})
    assert (wrong.status_code, errors(wrong.text).keys()) == (422, {"number"}) and "<script>alert" not in wrong.text
    assert (await client.post(leads, data=added)).status_code == 409
    await client.post(leads, data={"number": "+74951112233", "type": "direct"})
    first = (await client.get(leads, params={"limit": 1})).text
    assert "+49301234567" in first and "+74951112233" not in first and f'href="{leads}?after=' in first
    found = re.search(rf'action="({leads}/\d+/delete)"', page)
    assert found and (await client.post(found[1])).status_code == 303
    assert "+49301234567" not in (await client.get(leads)).text


async def test_what_people_type_is_never_markup(site: Site, client: httpx.AsyncClient) -> None:
    wrong = await client.post(
        "/campaigns/new", data={**NEW, "name": ATTACK, "transfer_number": ATTACK, f"numbers:{ATTACK}": "on"}
    )
    assert wrong.status_code == 422 and "<script>alert" not in wrong.text
    await client.post("/campaigns/new", data={**NEW, "name": ATTACK})
    campaign = (await stored(site))[ATTACK]
    for address in (
        "/campaigns",
        "/campaigns/new",
        "/numbers",
        f"/campaigns/{campaign['id']}",
        f"/campaigns/{campaign['id']}/leads",
    ):
        assert "<script>alert" not in (await client.get(address)).text
