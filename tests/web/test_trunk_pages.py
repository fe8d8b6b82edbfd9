"""Trunks, as people connect, change and disconnect them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.storage.trunks import TrunkState, find_trunk
from tests.fixtures.web import Site
from web.views.trunks import CONNECTS_WITHIN, TEMPLATES

PBX = {
    "template": "pbx",
    "name": "Our PBX",
    "caller_id": "74950001122",
    "host": "pbx.example.com:1122",
    "username": "001122",
    "domain": "example.com",
    "secret": "s3cret-word",
}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


def connection(page: str) -> tuple[str, bool]:
    """What is said of the trunk's state, and whether the page goes on asking."""
    found = re.search(r'<div id="connection" role="status"( data-follow)?>(.*?)</div>', page, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]+>", "", found[2]).split()), bool(found[1])


def is_now(site: Site, state: TrunkState) -> None:
    """What Asterisk says of the first trunk."""

    async def states() -> dict[int, TrunkState]:
        return {1: state}

    site.app.state.services = replace(site.app.state.services, trunk_states=states)


async def trunks(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.program().get("/api/v1/trunks")).json()["trunks"]
    return found


@pytest.mark.covers("SKZ-13")
async def test_an_own_pbx_is_connected_with_the_fields_that_it_has(site: Site) -> None:
    client = await site.browser()
    assert "Own PBX" in (await client.get("/trunks/new")).text
    form = (await client.get("/trunks/new?template=pbx")).text
    fields = ["template", "name", "caller_id", "host", "username", "domain", "secret"]
    assert re.findall(r'<(?:input|select)[^>]* name="(\w+)"', form) == fields
    assert (await client.post("/trunks/new", data=PBX)).headers["location"].startswith("/trunks/1?changed=")
    (trunk,) = await trunks(site)
    assert (trunk["host"], trunk["port"], trunk["username"], trunk["domain"]) == (
        "pbx.example.com",
        1122,
        "001122",
        "example.com",
    )
    assert (trunk["registers"], trunk["inbound"], trunk["caller_id"], trunk["has_secret"]) == (True, True, "74950001122", True)


@pytest.mark.covers("SKZ-16")
@pytest.mark.parametrize(("kind", "registers", "inbound"), [("registration", 1, 1), ("address", 0, 1), ("outbound", 0, 0)])
async def test_carriers_have_templates_of_their_own(site: Site, kind: str, registers: int, inbound: int) -> None:
    client = await site.browser()
    asked = {name: PBX[name] for name in TEMPLATES[kind].fields if name in PBX}
    await client.post("/trunks/new", data={"template": kind, "name": "Carrier", **asked})
    (trunk,) = await trunks(site)
    assert (trunk["registers"], trunk["inbound"]) == (registers, inbound)
    assert ("outgoing only" in (await client.get("/trunks")).text) is not bool(inbound)


@pytest.mark.covers("SKZ-14")
async def test_after_saving_the_page_follows_the_registration_to_its_success_or_to_its_time_limit(site: Site) -> None:
    client = await site.browser()
    address = (await client.post("/trunks/new", data=PBX)).headers["location"]
    for state in ("unknown", "not_registered", "absent"):
        is_now(site, state)
        assert connection((await client.get(address)).text) == ("Saved. Connecting to pbx.example.com:1122 …", True)
    is_now(site, "ready")
    said, follows = connection((await client.get(address)).text)
    assert said.startswith("Registered. The registration was successful") and not follows
    site.moment += timedelta(seconds=CONNECTS_WITHIN)
    is_now(site, "not_registered")
    said, follows = connection((await client.get(address)).text)
    assert said.startswith("Not registered.") and "Check login, password and domain" in said and not follows
    is_now(site, "absent")
    assert "Nothing responds at pbx.example.com, port 1122 (UDP)" in connection((await client.get("/trunks/1")).text)[0]
    assert "No response" in (await client.get("/trunks")).text


@pytest.mark.parametrize("changed", ["", "x", "9" * 30, "-1", "१२"])
async def test_an_address_that_nobody_made_follows_nothing(site: Site, changed: str) -> None:
    client = await site.browser()
    await client.post("/trunks/new", data=PBX)
    page = await client.get("/trunks/1", params={"changed": changed})
    assert page.status_code == 200 and not connection(page.text)[1]


@pytest.mark.covers("SKZ-14")
async def test_a_trunk_is_edited_disconnected_connected_again_and_removed(site: Site) -> None:
    client = await site.browser()
    await client.post("/trunks/new", data=PBX)
    page = (await client.get("/trunks/1")).text
    assert 'value="pbx.example.com"' in page and "s3cret-word" not in page
    edited = {**PBX, "host": "pbx2.example.com", "port": "5070", "transport": "tcp", "position": "2", "secret": ""}
    assert (await client.post("/trunks/1", data={**edited, "registers": "on", "clip_no_screening": "on"})).status_code == 303
    (trunk,) = await trunks(site)
    assert (
        trunk["clip_no_screening"]
        and 'name="clip_no_screening" aria-describedby="clip-hint" checked' in (await client.get("/trunks/1")).text
    )
    assert (trunk["host"], trunk["port"], trunk["transport"], trunk["inbound"]) == ("pbx2.example.com", 5070, "tcp", False)
    stored = await site.database.read(find_trunk, "Our PBX")
    assert stored is not None and stored.secret == "s3cret-word"

    address = (await client.post("/trunks/1/disconnect")).headers["location"]
    said, follows = connection((await client.get(address)).text)
    assert said.startswith("Disconnected. No calls go through it") and not follows
    await client.post("/trunks/1", data={**edited, "registers": "on"})
    assert (await trunks(site))[0]["state"] == "disabled", "editing does not connect it"
    await client.post("/trunks/1/connect")
    assert (await trunks(site))[0]["state"] == "unknown"
    assert (await client.post("/trunks/1/delete")).headers["location"] == "/trunks"
    assert "No trunks yet" in (await client.get("/trunks")).text
    assert [(await client.get("/trunks/1")).status_code, (await client.post("/trunks/1/connect")).status_code] == [404, 404]


async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(site: Site) -> None:
    client = await site.browser()
    for field, wrong in (
        ("host", "a b"),
        ("host", "pbx.example.com:99999"),
        ("domain", "a_b"),
        ("caller_id", "x"),
        ("secret", ""),
        ("username", ""),
    ):
        answer = await client.post("/trunks/new", data={**PBX, field: wrong})
        assert answer.status_code == 422 and errors(answer.text).keys() == {field}, field
        assert 'value="Our PBX"' in answer.text and "s3cret-word" not in answer.text
    await client.post("/trunks/new", data=PBX)
    taken = await client.post("/trunks/new", data=PBX)
    assert taken.status_code == 409 and "already a trunk" in taken.text
    assert "What is to be connected?" in (await client.post("/trunks/new", data={**PBX, "template": "none"})).text
    assert len(await trunks(site)) == 1


async def test_a_trunk_names_its_numbers_and_all_it_says_is_text(site: Site) -> None:
    client = await site.browser()
    attack = "<script>alert('x')</script>"
    await client.post("/trunks/new", data={**PBX, "name": attack})
    await site.program().post("/api/v1/numbers", json={"number": "8070", "line_name": "Main", "trunk": attack, "outgoing": False})
    page = (await client.get("/trunks/1")).text
    assert "8070</a> Main" in page and "not for outgoing calls" in page
    for address in ("/trunks", "/trunks/1", "/numbers/1"):
        assert "<script>alert" not in (await client.get(address)).text
