"""Operators, groups and trunks in the API."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from controller.actions.groups import create_group, set_members
from controller.actions.trunks import TrunkDraft, create_trunk
from controller.bus import DirectoryChanged, WrapUpEnded
from controller.storage.groups import find_group
from controller.storage.operators import find_operator
from controller.storage.trunks import TrunkState, find_trunk
from tests.fixtures.web import NOON, Site

ANNA = {"extension": "2045", "name": "Anna", "numbers": [{"number": "+7 495 111-22-33", "ring_seconds": 15}]}


async def test_an_operator_is_created_with_an_account_that_is_shown_only_where_it_is_asked_for(site: Site) -> None:
    program = site.program()
    created = await program.post("/api/v1/operators", json=ANNA)
    assert created.status_code == 201
    body = created.json()
    account = body.pop("sip_account")
    assert body == {
        "id": 1,
        "extension": "2045",
        "name": "Anna",
        "ring_seconds": 20,
        "numbers": [{"number": "+74951112233", "ring_seconds": 15}],
        "inbound": True,
        "team": True,
        "time_zone": None,
        "call_mode": "sip_phone",
    }
    assert (account["host"], account["port"], account["user"]) == ("127.0.0.1", 5060, "2045")
    assert (await program.get("/api/v1/operators/1")).json() == body
    listed = await program.get("/api/v1/operators")
    assert listed.json() == {"operators": [body]} and account["password"] not in listed.text
    assert (await program.get("/api/v1/operators/1/sip-account")).json() == account
    assert (await site.stranger().get("/api/v1/operators/1/sip-account")).status_code == 401


@pytest.mark.covers("UIS-36")
@pytest.mark.parametrize("extension", ["1234", "200", "234567", "2a34"])
async def test_t14_an_extension_that_breaks_the_rule_is_refused_at_its_field(site: Site, extension: str) -> None:
    refused = await site.program().post("/api/v1/operators", json={**ANNA, "extension": extension})
    assert refused.status_code == 422
    assert [field["field"] for field in refused.json()["error"]["fields"]] == ["extension"]
    assert (await site.program().get("/api/v1/operators")).json() == {"operators": []}


@pytest.mark.covers("UIS-36")
async def test_the_installations_own_rule_of_extensions_holds(site: Site) -> None:
    site.app.state.services = replace(
        site.app.state.services, settings=site.settings.model_copy(update={"extension_pattern": "^7[0-9]{2}$"})
    )
    assert (await site.program().post("/api/v1/operators", json={**ANNA, "extension": "701"})).status_code == 201
    assert (await site.program().post("/api/v1/operators", json=ANNA)).status_code == 422


async def test_an_operator_is_changed_and_removed_when_nothing_uses_him(site: Site) -> None:
    program = site.program()
    await program.post("/api/v1/operators", json=ANNA)
    changed = await program.put("/api/v1/operators/1", json={"name": "Anne", "ring_seconds": 12})
    assert (changed.json()["name"], changed.json()["ring_seconds"], changed.json()["numbers"]) == ("Anne", 12, [])
    bad = await program.put("/api/v1/operators/1", json={"name": "Anne", "numbers": [{"number": "100@evil"}]})
    assert bad.json()["error"]["fields"][0]["field"] == "numbers.0.number"
    with site.database.session() as session:
        create_group(session, "Sales", acting_user="test", at=NOON)
        set_members(session, "Sales", ["2045"], acting_user="test", at=NOON)
    assert (await program.delete("/api/v1/operators/1")).status_code == 409
    await program.put("/api/v1/groups/1", json={"name": "Sales"})
    assert (await program.delete("/api/v1/operators/1")).status_code == 204
    assert (await program.get("/api/v1/operators/1")).status_code == 404
    assert await site.database.read(find_operator, "2045") is None


@pytest.mark.covers("SKZ-29")
async def test_an_operators_time_zone_is_one_of_the_iana_list(site: Site) -> None:
    program = site.program()
    created = await program.post("/api/v1/operators", json={**ANNA, "time_zone": "Asia/Vladivostok"})
    assert created.json()["time_zone"] == "Asia/Vladivostok"
    bad = await program.put("/api/v1/operators/1", json={"name": "Anna", "time_zone": "Mars/Olympus"})
    assert bad.status_code == 422
    assert [field["field"] for field in bad.json()["error"]["fields"]] == ["time_zone"]
    assert (await program.get("/api/v1/operators/1")).json()["time_zone"] == "Asia/Vladivostok"


@pytest.mark.covers("SKZ-72")
async def test_an_operators_call_mode_is_set_and_own_number_needs_one(site: Site) -> None:
    program = site.program()
    created = await program.post("/api/v1/operators", json={**ANNA, "call_mode": "own_number"})
    assert created.json()["call_mode"] == "own_number"
    bad = await program.put("/api/v1/operators/1", json={"name": "Anna", "call_mode": "own_number"})
    assert bad.status_code == 422
    assert [field["field"] for field in bad.json()["error"]["fields"]] == ["call_mode"]
    changed = await program.put("/api/v1/operators/1", json={"name": "Anna", "call_mode": "browser"})
    assert changed.json()["call_mode"] == "browser"


async def test_a_group_is_created_with_its_members_replaced_and_removed(site: Site) -> None:
    program = site.program()
    for extension in ("2001", "2002"):
        await program.post("/api/v1/operators", json={"extension": extension, "name": f"Operator {extension}"})
    created = await program.post("/api/v1/groups", json={"name": "Sales", "members": ["2002", "2001"]})
    assert created.status_code == 201
    assert created.json() == {
        "id": 1,
        "name": "Sales",
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
        "version": 3,
        "members": [member("2002"), member("2001")],
    }
    unknown = await program.post("/api/v1/groups", json={"name": "Night", "members": ["2009"]})
    assert unknown.json()["error"]["fields"][0]["field"] == "members"
    assert await site.database.read(find_group, "Night") is None, "nothing is half-saved"
    changed = {"name": "Shop", "strategy": "linear", "ring_seconds": 5, "members": ["2001"]}
    assert (await program.put("/api/v1/groups/1", json=changed)).json()["members"] == [member("2001")]
    assert [one["name"] for one in (await program.get("/api/v1/groups")).json()["groups"]] == ["Shop"]
    assert (await program.delete("/api/v1/groups/1")).status_code == 204
    assert (await program.get("/api/v1/groups/1")).status_code == 404


def member(extension: str, weight: int = 1, level: int = 1) -> dict[str, object]:
    return {"extension": extension, "name": f"Operator {extension}", "weight": weight, "level": level}


async def test_a_groups_terms_weights_and_levels_are_kept_and_a_bad_one_is_named(site: Site) -> None:
    program = site.program()
    for extension in ("2001", "2002"):
        await program.post("/api/v1/operators", json={"extension": extension, "name": f"Operator {extension}"})
    terms = {"wrap_up_seconds": 15, "longest_wait": 120, "longest_talk": 600, "priority": 3, "sticky_owner": True}
    body = {
        "name": "Sales",
        "strategy": "weighted_random",
        "members": ["2002", {"extension": "2001", "weight": 5, "level": 2}],
        **terms,
    }
    created = (await program.post("/api/v1/groups", json=body)).json()
    assert {name: created[name] for name in terms} == terms
    assert created["members"] == [member("2002"), member("2001", 5, 2)]
    again = (await program.put("/api/v1/groups/1", json=body)).json()
    assert again["version"] > created["version"]
    for field, value in (("wrap_up_seconds", -1), ("longest_talk", 0), ("priority", 101), ("strategy", "loudest")):
        refused = await program.put("/api/v1/groups/1", json={**body, field: value})
        assert (refused.status_code, refused.json()["error"]["fields"][0]["field"]) == (422, field)
    refused = await program.put("/api/v1/groups/1", json={**body, "members": [{"extension": "2001", "weight": 0}]})
    assert refused.json()["error"]["fields"][0]["field"] == "members.0.weight"
    assert (await program.get("/api/v1/groups/1")).json() == again


async def test_the_end_of_a_wrap_up_reaches_the_engine(site: Site) -> None:
    program = site.program()
    await program.post("/api/v1/operators", json=ANNA)
    async with site.bus.subscribe() as notices:
        assert (await program.post("/api/v1/operators/1/end-wrap-up")).status_code == 202
        async for notice in notices:
            if isinstance(notice, WrapUpEnded):
                assert notice == WrapUpEnded("2045")
                break
    assert (await program.post("/api/v1/operators/9/end-wrap-up")).status_code == 404


async def test_a_group_that_a_scenario_uses_stays(site: Site) -> None:
    site.install_demo()
    program = site.program()
    sales = next(one for one in (await program.get("/api/v1/groups")).json()["groups"] if one["name"] == "Sales")
    refused = await program.delete(f"/api/v1/groups/{sales['id']}")
    assert refused.status_code == 409 and '"Demo"' in refused.json()["error"]["message"]


async def test_a_trunk_is_created_changed_and_removed_and_its_secret_never_shown(site: Site) -> None:
    program = site.program()
    body = {"name": "Carrier", "host": "sip.example.com", "username": "office", "secret": "s3cret-word", "registers": True}
    created = await program.post("/api/v1/trunks", json=body)
    assert created.status_code == 201
    assert created.json() == {
        "id": 1,
        "name": "Carrier",
        "host": "sip.example.com",
        "port": 5060,
        "transport": "udp",
        "username": "office",
        "has_secret": True,
        "registers": True,
        "caller_id": "",
        "clip_no_screening": False,
        "position": 1,
        "enabled": True,
        "domain": "",
        "inbound": True,
        "state": "unknown",
    }
    without = {key: value for key, value in body.items() if key != "secret"}
    changed = await program.put("/api/v1/trunks/1", json={**without, "enabled": False})
    assert (changed.json()["state"], changed.json()["has_secret"]) == ("disabled", True)
    stored = await site.database.read(find_trunk, "Carrier")
    assert stored is not None and stored.secret == "s3cret-word"
    assert "s3cret-word" not in (await program.get("/api/v1/trunks")).text + (await program.get("/api/v1/trunks/1")).text
    bad = await program.post("/api/v1/trunks", json={**body, "name": "Other", "host": "a\nb"})
    assert bad.json()["error"]["fields"][0]["field"] == "host"
    assert (await program.delete("/api/v1/trunks/1")).status_code == 204
    assert (await program.get("/api/v1/trunks")).json() == {"trunks": []}


async def test_a_trunks_state_is_what_the_engine_knows(site: Site) -> None:
    program = site.program()
    for name in ("First", "Second"):
        await program.post("/api/v1/trunks", json={"name": name, "host": "192.0.2.1"})

    async def states() -> dict[int, TrunkState]:
        return {1: "absent"}

    site.app.state.services = replace(site.app.state.services, trunk_states=states)
    assert [one["state"] for one in (await program.get("/api/v1/trunks")).json()["trunks"]] == ["absent", "unknown"]
    assert (await program.get("/api/v1/trunks/1")).json()["state"] == "absent"
    waiting = TrunkDraft("Third", "192.0.2.1", username="office")
    await site.database.run(create_trunk, waiting, secret_later=True, acting_user="test", at=NOON)
    assert (await program.get("/api/v1/trunks/3")).json()["state"] == "no_secret"


@pytest.mark.parametrize(
    ("place", "body"), [("operators", ANNA), ("groups", {"name": "Sales"}), ("campaigns", {"name": "Spring"})]
)
async def test_a_change_is_answered_when_the_calls_of_this_process_go_by_it(
    site: Site, place: str, body: dict[str, object]
) -> None:
    taken_in = asyncio.Event()

    async def engine_takes_it_in() -> None:
        await taken_in.wait()

    site.app.state.services = replace(site.app.state.services, directory_taken_in=engine_takes_it_in)
    async with site.bus.subscribe() as notices:
        answer = asyncio.create_task(site.program().post(f"/api/v1/{place}", json=body))
        assert isinstance(await anext(notices), DirectoryChanged)
        assert not answer.done()
        taken_in.set()
        assert (await answer).status_code == 201
