"""Groups, as people see and change them."""

from __future__ import annotations

import re
from typing import Any, get_args

import httpx
import pytest

from controller.actions.operators import create_operator
from controller.storage.groups import Strategy
from tests.fixtures.web import NOON, Site

ATTACK = "<script>alert('x')</script>\"'"
NEW = {
    "name": "Sales",
    "strategy": "linear",
    "ring_seconds": "15",
    "wrap_up_seconds": "5",
    "priority": "2",
    "sticky_owner": "on",
    "announce_every": "30",
    "announce_wait": "on",
}
MEMBERS = {"member": ["2002", "2001"], "weight.2002": "3", "level.2002": "1", "weight.2001": "1", "level.2001": "2"}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


def members(page: str) -> list[str]:
    return re.findall(r'name="member" value="(\d+)"', page)


async def stored(site: Site) -> dict[str, Any]:
    """The only group, as the API gives it."""
    (group,) = (await site.program().get("/api/v1/groups")).json()["groups"]
    return dict(group)


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    with site.database.session() as session:
        for extension, name in (("2001", "Eve"), ("2002", "Bob"), ("2003", "Kim")):
            create_operator(session, extension, name, acting_user="test", at=NOON)
    return await site.browser()


@pytest.mark.covers("UIS-50", "SKZ-20", "SKZ-21", "SKZ-22", "SKZ-23", "SKZ-25")
async def test_a_group_is_made_changed_and_deleted(site: Site, client: httpx.AsyncClient) -> None:
    assert (await client.post("/groups/new", data={**NEW, **MEMBERS})).headers["location"] == "/groups"
    group = await stored(site)
    assert (group["name"], group["strategy"], group["ring_seconds"], group["wrap_up_seconds"]) == ("Sales", "linear", 15, 5)
    assert (group["priority"], group["sticky_owner"], group["longest_wait"], group["longest_talk"]) == (2, True, None, None)
    assert [(one["extension"], one["weight"], one["level"]) for one in group["members"]] == [("2002", 3, 1), ("2001", 1, 2)]
    assert (group["announce_every"], group["announce_place"], group["announce_wait"]) == (30, False, True)
    listed = (await client.get("/groups")).text
    assert "In order" in listed and listed.index("Bob") < listed.index("Eve")
    form = (await client.get("/groups/1")).text
    assert members(form) == ["2002", "2001"] and 'value="linear" checked' in form and 'name="sticky_owner" checked' in form
    changed = {**NEW, "name": "Sales 2", "strategy": "random", "longest_wait": "60", "longest_talk": "900", "member": ["2003"]}
    del changed["sticky_owner"]
    await client.post("/groups/1", data={**changed, "weight.2003": "1", "level.2003": "1"})
    group = await stored(site)
    assert (group["name"], group["strategy"], group["longest_wait"], group["longest_talk"]) == ("Sales 2", "random", 60, 900)
    assert group["sticky_owner"] is False and [one["extension"] for one in group["members"]] == ["2003"]
    assert (await client.post("/groups/1/delete")).headers["location"] == "/groups"
    assert (await site.program().get("/api/v1/groups")).json() == {"groups": []}


@pytest.mark.covers("SKZ-23")
@pytest.mark.parametrize(
    ("button", "order"),
    [
        ("up.2001", ["2001", "2002"]),
        ("down.2002", ["2001", "2002"]),
        ("up.2002", ["2002", "2001"]),
        ("down.2001", ["2002", "2001"]),
        ("remove.2002", ["2001"]),
        ("add", ["2002", "2001", "2003"]),
        ("up.2003", ["2002", "2001"]),
        ("nonsense", ["2002", "2001"]),
    ],
)
async def test_buttons_order_the_members_without_a_script_and_save_nothing(
    site: Site, client: httpx.AsyncClient, button: str, order: list[str]
) -> None:
    page = (await client.post("/groups/new", data={**NEW, **MEMBERS, "new_member": "2003", "do": button})).text
    assert members(page) == order and "not saved yet" in page
    assert 'value="Sales"' in page and 'value="linear" checked' in page and 'name="sticky_owner" checked' in page
    if "2002" in order:
        assert 'name="weight.2002" type="number" min="1" max="100" required value="3"' in page
    assert (await site.program().get("/api/v1/groups")).json() == {"groups": []}


async def test_every_strategy_can_be_chosen_and_is_explained(client: httpx.AsyncClient) -> None:
    page = (await client.get("/groups/new")).text
    for strategy in get_args(Strategy):
        assert re.search(rf'name="strategy" value="{strategy}".*?<span class="quiet block">[^<]{{20,}}</span>', page), strategy


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"name": " "}, "name", ""),
        ({"name": "two\nlines"}, "name", ""),
        ({"strategy": "by_luck"}, "strategy", ""),
        ({"ring_seconds": "0"}, "ring_seconds", ""),
        ({"wrap_up_seconds": "x"}, "wrap_up_seconds", ""),
        ({"longest_wait": "3601"}, "longest_wait", ""),
        ({"priority": "-1"}, "priority", ""),
        ({"announce_every": "5"}, "announce_every", ""),
        ({"weight.2001": "101"}, "members", "Weight of 2001"),
        ({"level.2002": ""}, "members", "Level of 2002"),
        ({"member": ["2099"], "weight.2099": "1", "level.2099": "1"}, "members", "There is no operator 2099"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    site: Site, client: httpx.AsyncClient, wrong: dict[str, Any], field: str, said: str
) -> None:
    answer = await client.post("/groups/new", data={**NEW, **MEMBERS, "longest_talk": "777", **wrong})
    assert answer.status_code == 422
    assert list(errors(answer.text)) == [field] and errors(answer.text)[field].startswith(said)
    assert 'value="777"' in answer.text and members(answer.text) == wrong.get("member", ["2002", "2001"])
    assert (await site.program().get("/api/v1/groups")).json() == {"groups": []}


async def test_a_name_that_is_taken_is_refused(client: httpx.AsyncClient) -> None:
    await client.post("/groups/new", data=NEW)
    answer = await client.post("/groups/new", data=NEW)
    assert answer.status_code == 409 and "there is already a group" in answer.text.lower()


async def test_a_group_that_is_used_is_not_deleted_and_every_place_is_named(site: Site, client: httpx.AsyncClient) -> None:
    site.install_demo()
    group = next(one for one in (await site.program().get("/api/v1/groups")).json()["groups"] if one["name"] == "Sales")
    number = {"number": "8070", "line_name": "Main", "group": group["name"]}
    assert (await site.program().post("/api/v1/numbers", json=number)).status_code == 201
    form = (await client.get(f"/groups/{group['id']}")).text
    answer = await client.post(f"/groups/{group['id']}/delete")
    assert answer.status_code == 409
    for page in (form, answer.text):
        assert "the scenario &#34;Demo&#34;, the number 8070" in page
    assert (await client.get("/groups")).text.count("the number 8070") == 1


async def test_a_large_group_is_saved_whole(site: Site, client: httpx.AsyncClient) -> None:
    extensions = [str(2100 + number) for number in range(300)]
    with site.database.session() as session:
        for extension in extensions:
            create_operator(session, extension, f"Operator {extension}", acting_user="test", at=NOON)
    shares = {f"{part}.{extension}": "1" for extension in extensions for part in ("weight", "level")}
    await client.post("/groups/new", data={**NEW, "member": extensions, **shares})
    assert [one["extension"] for one in (await stored(site))["members"]] == extensions


async def test_what_people_type_never_becomes_markup(client: httpx.AsyncClient) -> None:
    await client.post("/groups/new", data={**NEW, "name": ATTACK})
    for path in ("/groups", "/groups/1"):
        page = (await client.get(path)).text
        assert ATTACK not in page and "&lt;script&gt;" in page


async def test_strangers_and_unknown_groups(site: Site, client: httpx.AsyncClient) -> None:
    assert (await client.get("/groups/9")).status_code == 404
    assert (await client.post("/groups/9/delete")).status_code == 404
    assert (await site.stranger().get("/groups")).status_code in (303, 401)
