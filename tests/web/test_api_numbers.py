"""Numbers in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from controller.bus.messages import DirectoryChanged
from tests.fixtures.web import NOON, Site

NUMBERS = "/api/v1/numbers"
STANDARD = {
    "arrival": "line-arrival",
    "waiting": "line-waiting",
    "all_busy": "line-busy",
    "no_answer": "line-no-answer",
    "off_hours": "line-off-hours",
}
FORBIDDEN = {"mode": "forbidden", "number": None, "wait_seconds": 25, "attempts": 1, "shows": "caller"}
NEW: dict[str, Any] = {"number": "+74951234567", "line_name": "Main"}
LINE: dict[str, Any] = {"channels": None, "incoming": True, "outgoing": True, "source": "", "trunk": None}
FULL: dict[str, Any] = {
    "language": "ru",
    "schedule": "Office",
    "scenario": "Demo",
    "off_hours_scenario": "Demo",
    "group": "Sales",
    "longest_wait": 60,
    "responsible": "ann",
    "recordings_days": 30,
    "prompts": {**STANDARD, "arrival": None, "waiting": "demo-menu:ru"},
    "forwarding": {"mode": "own", "number": None, "wait_seconds": 40, "attempts": 2, "shows": "called"},
}


async def with_demo(site: Site) -> None:
    """The demo with its number 8000, and a schedule."""
    site.install_demo()
    await site.program().post("/api/v1/schedules", json={"name": "Office", "schedule": {}})


@pytest.mark.covers("LNR-3")
async def test_whether_callers_reach_a_number_is_told_as_on_its_page(site: Site) -> None:
    program = site.program()
    await with_demo(site)
    ((id, line),) = [(one["id"], one) for one in (await program.get(NUMBERS)).json()["numbers"]]
    address = f"{NUMBERS}/{id}/reachability"
    served = {"by": "scenario", "name": "Demo"}
    assert (await program.get(address)).json() == {"serving": served, "clock": None, "trunks": [], "last_call_at": None}
    site.add_talk("01CALL")
    for name in ("First", "Second"):
        await program.post("/api/v1/trunks", json={"name": name, "host": "sip.example.com", "enabled": name == "Second"})
    changes = {name: value for name, value in line.items() if name not in ("id", "confirmation")}
    await program.put(f"{NUMBERS}/{id}", json={**changes, "schedule": "Office"})
    assert (await program.get(address)).json() == {
        "serving": {"by": "off_hours_prompt", "name": ""},
        "clock": "fixed",
        "trunks": [{"id": 2, "name": "Second", "state": "unknown"}],
        "last_call_at": "2026-05-04T11:50:00Z",
    }
    await program.put(f"{NUMBERS}/{id}", json={**changes, "incoming": False})
    assert (await program.get(address)).json()["serving"] == {"by": "refused", "name": ""}
    assert (await program.get(f"{NUMBERS}/99/reachability")).status_code == 404
    assert (await site.stranger().get(address)).status_code == 401


@pytest.mark.covers("SKZ-19", "SKZ-26", "SKZ-28", "SKZ-40", "SKZ-41", "SKZ-47", "UIS-42")
async def test_a_number_is_added_looked_at_replaced_and_removed(site: Site) -> None:
    await with_demo(site)
    program = site.program()
    created = await program.post(NUMBERS, json=NEW)
    assert created.status_code == 201
    id = created.json().pop("id")
    nothing = {"language": None, "schedule": None, "scenario": None, "off_hours_scenario": None, "group": None}
    nothing |= {"responsible": None, "recordings_days": None}
    standard = {"longest_wait": 300, "prompts": STANDARD, "forwarding": FORBIDDEN}
    nobody = {"confirmation": {"state": "unconfirmed", "confirmed_at": None, "expires_at": None, "expires_soon": False}}
    assert created.json() == {**NEW, **LINE, **nothing, **standard, **nobody, "id": id}
    address = f"{NUMBERS}/{id}"
    replaced = (await program.put(address, json={**NEW, "line_name": "Sales line", **FULL})).json()
    assert replaced == {**NEW, **LINE, "line_name": "Sales line", **FULL, **nobody, "id": id}
    assert (await program.get(address)).json() == replaced
    assert [one["number"] for one in (await program.get(NUMBERS)).json()["numbers"]] == ["+74951234567", "8000"]
    assert (await program.delete(address)).status_code == 204
    for answer in (await program.get(address), await program.delete(address), await program.put(address, json=NEW)):
        assert answer.status_code == 404


@pytest.mark.covers("LNR-1", "LNR-2", "UIS-46")
async def test_a_number_is_entered_with_its_trunk_channels_directions_and_source(site: Site) -> None:
    program = site.program()
    await program.post("/api/v1/trunks", json={"name": "Carrier", "host": "sip.example.com"})
    line = {"channels": 2, "incoming": False, "outgoing": True, "source": "Radio", "trunk": "Carrier"}
    created = await program.post(NUMBERS, json={**NEW, **line})
    assert {name: created.json()[name] for name in line} == line
    address = f"{NUMBERS}/{created.json()['id']}"
    for wrong in ({"channels": 0}, {"trunk": "Nobody"}, {"source": "a\nb"}, {"source": "a" * 65}):
        refused = await program.put(address, json={**NEW, **line, **wrong})
        assert [one["field"] for one in refused.json()["error"]["fields"]] == list(wrong), wrong
    await program.delete("/api/v1/trunks/1")
    kept = (await program.get(address)).json()
    assert {name: kept[name] for name in line} == {**line, "trunk": None}


@pytest.mark.covers("SKZ-18", "SKZ-30")
async def test_the_calls_that_a_number_takes_are_its_own_also_when_all_numbers_get_the_same_settings(site: Site) -> None:
    await with_demo(site)
    program = site.program()
    id = (await program.post(NUMBERS, json={**NEW, "channels": 2, "source": "Radio"})).json()["id"]
    await program.put(f"{NUMBERS}/settings", json=FULL)
    found = (await program.get(f"{NUMBERS}/{id}")).json()
    assert (found["longest_wait"], found["channels"], found["source"]) == (60, 2, "Radio")


@pytest.mark.covers("SKZ-30", "SKZ-52")
async def test_t44_settings_are_given_to_all_numbers_at_once(site: Site) -> None:
    await with_demo(site)
    program = site.program()
    await program.post(NUMBERS, json=NEW)
    answer = (await program.put(f"{NUMBERS}/settings", json=FULL)).json()["numbers"]
    assert [(one["number"], one["line_name"]) for one in answer] == [("+74951234567", "Main"), ("8000", "Demo line")]
    assert all({name: one[name] for name in FULL} == FULL for one in answer)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": "12a"}, "number"),
        ({"number": "8\n"}, "number"),
        ({"line_name": " "}, "line_name"),
        ({"line_name": "a\nb"}, "line_name"),
        ({"scenario": "None"}, "scenario"),
        ({"off_hours_scenario": "Demo"}, "off_hours_scenario"),
        ({"schedule": "None"}, "schedule"),
        ({"group": "None"}, "group"),
        ({"language": "xx"}, "language"),
        ({"longest_wait": 0}, "longest_wait"),
        ({"recordings_days": 0}, "recordings_days"),
        ({"prompts": {"waiting": None}}, "prompts.waiting"),
        ({"prompts": {"waiting": "NO"}}, "prompts.waiting"),
        ({"prompts": {"waiting": "none"}}, "prompts.waiting"),
        ({"prompts": {"music": "none"}}, "prompts.music"),
        ({"colour": 3}, "colour"),
    ],
)
async def test_what_is_wrong_is_named_with_its_field_and_nothing_is_saved(site: Site, wrong: dict[str, Any], field: str) -> None:
    site.install_demo()
    program = site.program()
    before = (await program.get(NUMBERS)).json()
    for refused in (await program.post(NUMBERS, json={**NEW, **wrong}), await program.put(f"{NUMBERS}/1", json={**NEW, **wrong})):
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["error"]["fields"]] == [field]
    assert (await program.get(NUMBERS)).json() == before


async def test_a_number_is_there_once(site: Site) -> None:
    site.install_demo()
    refused = await site.program().post(NUMBERS, json={**NEW, "number": "8000"})
    assert refused.status_code == 409 and "8000 is there already" in refused.json()["error"]["message"]


async def test_calls_hear_of_every_change(site: Site) -> None:
    program = site.program()
    async with site.bus.subscribe() as notices:
        await program.post(NUMBERS, json=NEW)
        await program.put(f"{NUMBERS}/1", json=NEW)
        await program.put(f"{NUMBERS}/settings", json={})
        await program.delete(f"{NUMBERS}/1")
        for _ in range(4):
            assert isinstance(await anext(notices), DirectoryChanged)


@pytest.mark.covers("LNR-1")
async def test_a_number_without_a_line_name_is_named_by_the_template_and_keeps_its_name(site: Site) -> None:
    program = site.program()
    created = (await program.post(NUMBERS, json={"number": "+74951234567"})).json()
    assert created["line_name"] == f"Line {created['number']}"
    renamed = {"number": "8070", "line_name": "Main"}
    assert (await program.put(f"{NUMBERS}/{created['id']}", json=renamed)).json()["line_name"] == "Main"
    assert (await program.put(f"{NUMBERS}/{created['id']}", json={"number": "8071"})).json()["line_name"] == "Main"


@pytest.mark.covers("SKZ-10", "SKZ-11")
async def test_a_number_is_confirmed_by_a_code_or_as_one_of_the_own_trunk_and_another_number_is_not(site: Site) -> None:
    program = site.program()
    address = f"{NUMBERS}/{(await program.post(NUMBERS, json=NEW)).json()['id']}"
    assert (await program.post(f"{address}/call", json={"language": "ru"})).json() == {"id": "01CODE"}
    ((number, code, language),) = site.dictated
    assert (number, language) == (NEW["number"], "ru")
    wrong = await program.post(f"{address}/confirm", json={"code": "no"})
    assert wrong.status_code == 422 and wrong.json()["error"]["fields"][0]["field"] == "code"
    confirmed = (await program.post(f"{address}/confirm", json={"code": code})).json()["confirmation"]
    assert (confirmed["state"], confirmed["expires_at"], confirmed["expires_soon"]) == (
        "confirmed",
        "2026-08-04T12:00:00Z",
        False,
    )
    site.moment = NOON + timedelta(days=80)
    assert (await program.get(address)).json()["confirmation"]["expires_soon"]
    site.moment = NOON + timedelta(days=100)
    assert (await program.get(NUMBERS)).json()["numbers"][0]["confirmation"]["state"] == "expired"
    assert (await program.post(f"{address}/sms")).status_code == 409
    site.with_sms()
    program = site.program()
    assert (await program.post(f"{address}/sms")).status_code == 204 and site.messages[-1][0] == NEW["number"]
    for_good = (await program.post(f"{address}/confirm-for-good")).json()["confirmation"]
    assert (for_good["state"], for_good["expires_at"]) == ("confirmed", None)
    assert (await program.put(address, json={**NEW, "line_name": "Other"})).json()["confirmation"] == for_good
    assert (await program.put(address, json={**NEW, "number": "8099"})).json()["confirmation"]["state"] == "unconfirmed"


async def test_a_code_that_can_not_be_told_does_not_count_and_one_of_no_number_is_not_given(site: Site) -> None:
    program = site.program()
    address = f"{NUMBERS}/{(await program.post(NUMBERS, json=NEW)).json()['id']}"
    site.has_trunk = False
    assert (await program.post(f"{address}/call")).status_code == 409
    site.has_trunk = True
    assert (await program.post(f"{address}/call")).status_code == 202
    for action in ("call", "confirm-for-good"):
        assert (await program.post(f"{NUMBERS}/99/{action}")).status_code == 404
