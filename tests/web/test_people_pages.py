"""The address book and the block list, as people see them."""

from __future__ import annotations

import re

import httpx
import pytest

from controller.actions.operators import create_operator
from controller.storage.contacts import count_block_hit
from tests.fixtures.web import NOON, Site

ATTACK = "<script>alert('x')</script>\"'"
ANNA = {
    "name": "Anna",
    "numbers": "+49 30 1234567\n+7 (495) 111-22-33",
    "tags": "vip, berlin,",
    "owner": "2001",
    "time_zone": "Asia/Tokyo",
}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    with site.database.session() as session:
        create_operator(session, "2001", "Eve", acting_user="test", at=NOON)
    return await site.browser()


@pytest.mark.covers("UIS-38")
async def test_a_contact_with_his_manager_is_typed_found_changed_and_deleted(site: Site, client: httpx.AsyncClient) -> None:
    assert (await client.post("/contacts/new", data=ANNA)).headers["location"] == "/contacts"
    await client.post("/contacts/new", data={"name": "Boris", "numbers": "", "tags": "", "owner": ""})
    for search, found in {"": ["1", "2"], "ann": ["1"], "30123": ["1"], "boris": ["2"], "nobody": []}.items():
        page = (await client.get("/contacts", params={"search": search})).text
        assert re.findall(r'href="/contacts/(\d+)"', page) == found, search
    assert "No contact fits" in page and 'value="nobody"' in page
    row = (await client.get("/contacts")).text
    for shown in ("+49301234567", "+74951112233", ">berlin<", ">vip<", "Eve"):
        assert shown in row, shown
    form = (await client.get("/contacts/1")).text
    assert "+49301234567\n+74951112233" in form and 'value="berlin, vip"' in form and '<option value="2001" selected>' in form
    assert 'value="Asia/Tokyo" aria-describedby="time_zone-hint"' in form and '<option value="Asia/Vladivostok">' in form
    assert (await client.post("/contacts/1", data={**ANNA, "name": "Anna K.", "owner": ""})).status_code == 303
    changed = (await site.program().get("/api/v1/contacts/1")).json()
    assert (changed["owner"], changed["time_zone"]) == (None, "Asia/Tokyo")
    assert (await client.post("/contacts/1/delete")).status_code == 303
    assert (await client.get("/contacts/1")).status_code == 404


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "x" * 65),
        ("name", "two\nlines"),
        ("name", "nul\x00"),
        ("numbers", "not a number"),
        ("numbers", "+49 30 1234567\n+49301234567"),
        ("numbers", "\n".join(f"+4930123{number:04}" for number in range(21))),
        ("tags", "x" * 65),
        ("tags", ",".join(f"tag{number}" for number in range(51))),
        ("owner", "2099"),
        ("time_zone", "Mars/Olympus"),
    ],
)
async def test_what_is_wrong_with_a_contact_is_said_beside_its_field_and_what_was_typed_stays(
    site: Site, client: httpx.AsyncClient, field: str, text: str
) -> None:
    answer = await client.post("/contacts/new", data={**ANNA, field: text})
    assert answer.status_code == 422 and list(errors(answer.text)) == [field]
    assert ANNA["tags" if field != "tags" else "name"] in answer.text
    assert (await site.program().get("/api/v1/contacts")).json() == {"contacts": []}


async def test_a_number_that_is_anothers_is_refused_and_named(client: httpx.AsyncClient) -> None:
    await client.post("/contacts/new", data=ANNA)
    answer = await client.post("/contacts/new", data={**ANNA, "name": "Second"})
    assert (
        answer.status_code == 409 and "belongs to the contact &#34;Anna&#34;" in answer.text and 'value="Second"' in answer.text
    )


async def test_contacts_are_paged_and_the_search_goes_along(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.post("/contacts/new", data={"name": f"Anna {number}"})
    first = (await client.get("/contacts?search=anna&limit=2")).text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert re.findall(r'href="/contacts/(\d+)"', first) == ["1", "2"] and following
    second = (await client.get(following[1].replace("&amp;", "&"))).text
    assert re.findall(r'href="/contacts/(\d+)"', second) == ["3"] and 'href="/contacts?search=anna">First' in second


@pytest.mark.parametrize("search", ["x" * 65, "\x00", "a\nb"])
async def test_a_search_for_nonsense_is_refused_at_its_field(client: httpx.AsyncClient, search: str) -> None:
    answer = await client.get("/contacts", params={"search": search})
    assert answer.status_code == 422 and "search" in errors(answer.text)


@pytest.mark.covers("UIS-43")
async def test_a_number_is_blocked_with_its_hits_changed_and_unblocked(site: Site, client: httpx.AsyncClient) -> None:
    given = {"number": "+49 30 1234567", "kind": "exact", "action": "reject", "comment": "spam", "expires_at": ""}
    assert (await client.post("/blocked-numbers", data=given)).status_code == 303
    beginning = {**given, "number": "+7495", "kind": "prefix", "action": "message", "expires_at": "2026-05-05T10:00"}
    await client.post("/blocked-numbers", data=beginning)
    await site.database.run(count_block_hit, 1)
    rows = re.findall(r"<tr>.*?</tr>", (await client.get("/blocked-numbers")).text, re.S)
    number, prefix = (re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows[1:])
    assert number == "+49301234567 Refuse the call spam for ever 1"
    assert prefix == "+7495 … All that begin so A message, then the end spam 2026-05-05 10:00:00 0"
    form = (await client.get("/blocked-numbers/2")).text
    assert 'value="2026-05-05T10:00"' in form and '<option value="prefix" selected>' in form
    assert (await client.post("/blocked-numbers/2", data={**beginning, "action": "busy"})).status_code == 303
    assert (await client.post("/blocked-numbers/1/delete")).status_code == 303
    (left,) = (await site.program().get("/api/v1/blocked-numbers")).json()["blocked"]
    assert (left["number"], left["action"]) == ("+7495", "busy")


@pytest.mark.covers("UIS-43")
async def test_the_end_of_a_block_is_typed_and_shown_on_the_installations_clock(site: Site, client: httpx.AsyncClient) -> None:
    client = await site.in_zone("Europe/Moscow").browser()
    await client.post("/blocked-numbers", data={"number": "+4930", "kind": "prefix", "expires_at": "2026-05-04T18:00"})
    (entry,) = (await site.program().get("/api/v1/blocked-numbers")).json()["blocked"]
    assert entry["expires_at"] == "2026-05-04T15:00:00Z"
    assert "2026-05-04 18:00:00</time>" in (await client.get("/blocked-numbers")).text
    assert 'value="2026-05-04T18:00"' in (await client.get("/blocked-numbers/1")).text
    site.moment = NOON.replace(hour=16)
    assert "expired" in (await client.get("/blocked-numbers")).text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("number", ""),
        ("number", "nobody"),
        ("number", "+" + "1" * 60),
        ("kind", "all"),
        ("action", "explode"),
        ("comment", "x" * 501),
        ("comment", "nul\x00"),
        ("expires_at", "soon"),
        ("expires_at", "2026-05-04T11:00"),
        ("expires_at", "9999-99-99T00:00"),
    ],
)
async def test_what_is_wrong_with_a_block_is_said_beside_its_field_and_what_was_typed_stays(
    site: Site, client: httpx.AsyncClient, field: str, text: str
) -> None:
    given = {"number": "+49301234567", "kind": "exact", "action": "busy", "comment": "spam", "expires_at": ""}
    answer = await client.post("/blocked-numbers", data={**given, field: text})
    assert answer.status_code == 422 and list(errors(answer.text)) == [field]
    assert 'value="spam"' in answer.text or field == "comment"
    assert (await site.program().get("/api/v1/blocked-numbers")).json() == {"blocked": []}


async def test_a_number_is_on_the_list_once(client: httpx.AsyncClient) -> None:
    for status in (303, 409):
        answer = await client.post("/blocked-numbers", data={"number": "+49301234567", "comment": "again"})
        assert answer.status_code == status
    assert "is on the block list already" in answer.text and 'value="again"' in answer.text


async def test_names_tags_and_comments_are_text(client: httpx.AsyncClient) -> None:
    await client.post("/contacts/new", data={"name": ATTACK, "tags": ATTACK})
    await client.post("/blocked-numbers", data={"number": "+49301234567", "comment": ATTACK})
    pages = [(await client.get(path)).text for path in ("/contacts", "/contacts/1", "/blocked-numbers", "/blocked-numbers/1")]
    pages.append((await client.post("/contacts/new", data={"name": ATTACK, "numbers": ATTACK})).text)
    pages.append((await client.post("/blocked-numbers", data={"number": ATTACK[:40]})).text)
    pages.append((await client.get("/contacts", params={"search": ATTACK})).text)
    for page in pages:
        assert "<script>alert" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("kind", ["contacts", "blocked-numbers"])
@pytest.mark.parametrize("id", ["7", "99999999999999999999"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, kind: str, id: str) -> None:
    for answer in (
        await client.get(f"/{kind}/{id}"),
        await client.post(f"/{kind}/{id}", data=ANNA),
        await client.post(f"/{kind}/{id}/delete"),
    ):
        assert answer.status_code == 404
