"""Rates and costs, as administrators see and change them, and in the API."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from controller.actions.users import create_user
from controller.storage.calls import CallLeg
from tests.fixtures.web import NOON, Site

RATES, COSTS = "/api/v1/rates", "/api/v1/costs"
NEW: dict[str, Any] = {"prefix": "7495", "per_minute": "1.25", "valid_from": "2026-01-01"}
FORM = {**NEW, "connection": "0", "first_seconds": "60", "next_seconds": "60", "name": "Moscow", "trunk": ""}
TRUNK = {"name": "Carrier", "host": "192.0.2.1"}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def has_trunk(site: Site) -> int:
    return int((await site.program().post("/api/v1/trunks", json=TRUNK)).json()["id"])


def charge(site: Site, leg: str, cost: int | None, **changed: Any) -> None:
    """The line of a call that has gone through a trunk."""
    with site.database.session() as session:
        row = session.get(CallLeg, leg)
        assert row is not None
        for name, value in {"trunk_id": 1, "cost": cost, **changed}.items():
            setattr(row, name, value)


@pytest.mark.covers("SKZ-38")
async def test_a_rate_is_added_looked_at_replaced_and_deleted(site: Site) -> None:
    program = site.program()
    await has_trunk(site)
    created = await program.post(RATES, json=NEW)
    assert created.status_code == 201
    rate = {**NEW, "connection": "0.00", "first_seconds": 60, "next_seconds": 60, "trunk": None, "name": "", "id": 1}
    assert created.json() == rate
    assert (await program.post(RATES, json=NEW)).status_code == 409
    other = {"prefix": "7", "per_minute": "0.000001", "valid_from": "2026-01-01", "trunk": "Carrier", "next_seconds": 1}
    assert (await program.put(f"{RATES}/1", json=other)).json() == {**rate, **other}
    await program.post(RATES, json=NEW)
    assert (await program.get(RATES, params={"limit": 1})).json()["next_offset"] == 1
    listed = (await program.get(RATES, params={"prefix": "74"})).json()
    assert (listed["currency"], [one["prefix"] for one in listed["rates"]], listed["next_offset"]) == ("EUR", ["7495"], None)
    assert (await program.delete(f"{RATES}/1")).status_code == 204
    assert (await program.get(f"{RATES}/1")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"per_minute": 1.25}, "per_minute"),
        ({"per_minute": "1,25"}, "per_minute"),
        ({"connection": "-1"}, "connection"),
        ({"prefix": "+7"}, "prefix"),
        ({"first_seconds": 0}, "first_seconds"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"trunk": "nobody"}, "trunk"),
        ({"price": "1"}, "price"),
    ],
)
async def test_a_wrong_rate_is_refused_at_its_field(site: Site, wrong: dict[str, Any], field: str) -> None:
    answer = await site.program().post(RATES, json={**NEW, **wrong})
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["error"]["fields"]] == [field]
    assert (await site.program().get(RATES)).json()["rates"] == []


@pytest.mark.covers("SKZ-15")
async def test_the_report_has_each_days_part_of_the_price_and_its_calls(site: Site) -> None:
    site.install_demo()
    program, trunk = site.program(), await has_trunk(site)
    prices = {"prices": [{"valid_from": "2026-05-01", "amount": "990"}]}
    stored = (await program.put(f"/api/v1/trunks/{trunk}/prices", json=prices)).json()
    assert stored == {"currency": "EUR", "prices": [{"valid_from": "2026-05-01", "amount": "990.00"}]}
    assert (await program.get(f"/api/v1/trunks/{trunk}/prices")).json() == stored
    site.add_talk("01TALK")
    charge(site, "01TALK-op1", 1_750_000)
    charge(site, "01TALK-op2", None)
    report = (await program.get(COSTS, params={"from": "2026-05-01", "to": "2026-05-31"})).json()
    assert (report["from"], report["to"], report["currency"], len(report["days"])) == ("2026-05-01", "2026-05-31", "EUR", 31)
    assert report["total"] == {"fixed": "990.00", "calls": "1.75", "total": "991.75", "unknown": 1}
    assert report["days"][3] == {
        "day": "2026-05-04",
        "trunk_id": trunk,
        "trunk": "Carrier",
        "fixed": "31.935484",
        "calls": "1.75",
        "total": "33.685484",
        "unknown": 1,
    }
    so_far = (await program.get(COSTS)).json()
    assert (so_far["from"], so_far["to"], len(so_far["days"])) == ("2026-05-01", "2026-05-04", 4)


async def test_days_in_the_wrong_order_or_too_many_are_refused(site: Site) -> None:
    for days in ({"from": "2026-05-02", "to": "2026-05-01"}, {"from": "2025-05-01", "to": "2026-05-02"}):
        answer = await site.program().get(COSTS, params=days)
        assert (answer.status_code, answer.json()["error"]["fields"][0]["field"]) == (422, "to")


@pytest.mark.covers("SKZ-70")
async def test_a_calls_cost_is_the_sum_of_its_lines_and_not_known_while_one_of_them_is_not(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    program, client = site.program(), await site.browser()
    assert "<dt>Cost</dt>" not in (await client.get("/calls/01TALK")).text
    charge(site, "01TALK-op1", 500_000)
    charge(site, "01TALK-op2", 1_750_000, of_client=True)
    call = (await program.get("/api/v1/calls/01TALK")).json()
    assert (call["cost"], call["legs"][0]["cost"], call["client_leg"]["cost"]) == ("2.25", "0.50", "1.75")
    page = words((await client.get("/calls/01TALK")).text)
    assert "Cost 2.25 EUR" in page and "Client called" in page and "1.75 EUR" in page
    assert "2.25 EUR" in words((await client.get("/calls")).text)
    charge(site, "01TALK-op1", None)
    assert (await program.get("/api/v1/calls")).json()["calls"][0]["cost"] is None
    for path in ("/calls", "/calls/01TALK"):
        assert "not known" in words((await client.get(path)).text)


async def test_rates_are_added_changed_and_deleted_on_their_page(site: Site) -> None:
    client = await site.browser()
    await has_trunk(site)
    assert "No rates yet" in (await client.get("/rates")).text
    assert (await client.post("/rates", data={**FORM, "prefix": "+7495"})).headers["location"] == "/rates"
    assert "7495 Moscow any trunk 2026-01-01 60/60 s 0.00 1.25" in words((await client.get("/rates")).text)
    form = (await client.get("/rates/1")).text
    assert 'name="per_minute" inputmode="decimal" maxlength="20" required value="1.25"' in form
    assert (await client.post("/rates/1", data={**FORM, "trunk": "Carrier", "per_minute": "2"})).status_code == 303
    rate = (await site.program().get(f"{RATES}/1")).json()
    assert (rate["trunk"], rate["per_minute"]) == ("Carrier", "2.00")
    assert (await client.post("/rates/1/delete")).headers["location"] == "/rates"
    assert "No rates yet" in (await client.get("/rates")).text


async def test_what_is_wrong_in_a_form_is_said_at_its_field_and_what_was_typed_stays(site: Site) -> None:
    client = await site.browser()
    answer = await client.post("/rates", data={**FORM, "per_minute": "much", "prefix": "seven", "valid_from": ""})
    assert answer.status_code == 422 and errors(answer.text).keys() == {"per_minute", "valid_from"}
    assert 'value="much"' in answer.text and 'value="seven"' in answer.text
    await client.post("/rates", data=FORM)
    answer = await client.post("/rates", data=FORM)
    assert answer.status_code == 409 and "Numbers that begin with 7495 already have a rate" in answer.text
    answer = await client.get("/costs?from=2026-05-02&to=2026-05-01")
    assert answer.status_code == 422 and errors(answer.text) == {"to": "The last day is before the first"}


async def test_a_trunks_monthly_price_is_set_on_the_page_and_one_of_the_same_day_gives_way(site: Site) -> None:
    client, trunk = await site.browser(), await has_trunk(site)
    for amount, day in (("31", "2026-05-01"), ("62", "2026-05-01"), ("93", "2026-06-01")):
        answer = await client.post("/costs/prices", data={"trunk": trunk, "amount": amount, "valid_from": day})
        assert answer.headers["location"] == "/costs"
    page = words((await client.get("/costs?from=2026-05-01&to=2026-05-31")).text)
    assert "2026-05-31 Carrier 2.00 0.00 2.00" in page and "All days 62.00 0.00 62.00" in page
    assert "Carrier 62.00 from 2026-06-01: 93.00" in page
    answer = await client.post("/costs/prices", data={"trunk": trunk, "amount": "x", "valid_from": ""})
    assert answer.status_code == 422 and errors(answer.text).keys() == {"amount", "valid_from"}
    missing = await client.post("/costs/prices", data={"trunk": 99, "amount": "1", "valid_from": "2026-05-01"})
    assert missing.status_code == 404


async def test_without_a_trunk_the_page_of_costs_leads_to_a_new_one(site: Site) -> None:
    page = (await (await site.browser()).get("/costs")).text
    assert '<a href="/trunks/new">' in page and 'name="amount"' not in page


async def test_costs_are_shown_to_administrators_alone(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    charge(site, "01TALK-op1", 500_000)
    with site.database.session() as session:
        id = create_user(session, "eve", "correct horse", role="operator", acting_user="test", at=NOON).id
    client = await site.browser(id)
    for path in ("/calls", "/calls/01TALK"):
        page = (await client.get(path)).text
        assert "0.50" not in page and "/rates" not in page
    for path in ("/costs", "/rates", "/rates/1"):
        assert (await client.get(path)).status_code == 403
    for path in ("/rates", "/rates/import", "/rates/1", "/rates/1/delete", "/costs/prices"):
        assert (await client.post(path, data=FORM)).status_code == 403


TABLE = 'prefix;per_minute;name;trunk;valid_from\n7495;1.25;Moscow;Carrier;2026-01-01\n7916; 1.75 ;"Moscow; mobile";;\n\n'


async def send(site: Site, table: str | bytes) -> httpx.Response:
    return await site.program().post(f"{RATES}/import", files={"file": ("rates.csv", table)})


async def test_a_table_of_rates_is_imported_and_replaces_what_it_names(site: Site) -> None:
    await has_trunk(site)
    assert (await send(site, "\ufeff" + TABLE)).json() == {"added": 2, "changed": 0}
    assert (await send(site, TABLE.replace("1.25", "1.30").replace("\n", "\r\n"))).json() == {"added": 0, "changed": 2}
    rates = (await site.program().get(RATES)).json()["rates"]
    assert [(one["prefix"], one["per_minute"], one["name"], one["trunk"], one["valid_from"]) for one in rates] == [
        ("7495", "1.30", "Moscow", "Carrier", "2026-01-01"),
        ("7916", "1.75", "Moscow; mobile", None, "2026-05-04"),
    ]
    assert (await send(site, "per_minute,prefix\n2,49")).json() == {"added": 1, "changed": 0}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("", "file"),
        ("prefix,per_minute\n", "file"),
        ("prefix,price\n7,1\n", "file"),
        ("prefix,per_minute,price\n7,1,1\n", "file"),
        ("prefix,prefix,per_minute\n7,7,1\n", "file"),
        (b"prefix,per_minute\n7,\xff\n", "file"),
        ("prefix,per_minute\n7,1\n8,1.2.3\n", "lines.3.per_minute"),
        ("prefix,per_minute\n7\n", "lines.2.per_minute"),
        ("prefix,per_minute\n7,1,2\n", "lines.2.beyond the columns"),
        ("prefix,per_minute\n7,1\nx,1\n", "lines.3.prefix"),
        ("prefix,per_minute\n7,1\n7,2\n", "lines.3.prefix"),
        ("prefix,per_minute,trunk\n7,1,nobody\n", "lines.2.trunk"),
        ("prefix,per_minute\n" + "7,1\n" * 20_001, "file"),
    ],
)
async def test_a_table_with_a_mistake_is_refused_as_a_whole(site: Site, table: str | bytes, field: str) -> None:
    answer = await send(site, table)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["error"]["fields"]] == [field]
    assert (await site.program().get(RATES)).json()["rates"] == []


async def test_the_page_says_what_is_wrong_in_a_table_line_by_line(site: Site) -> None:
    client = await site.browser()
    answer = await client.post("/rates/import", files={"file": ("rates.csv", "prefix,per_minute\n7,1\n<b>,1\n9,much\n")})
    page = words(answer.text)
    assert answer.status_code == 422 and "Nothing was imported." in page and "Line 4, per_minute: write an amount" in page
    answer = await client.post("/rates/import", files={"file": ("rates.csv", "prefix,per_minute\n7,1\n<b>,1\n")})
    assert "Line 3, prefix: write the first digits" in words(answer.text)
    assert (await client.post("/rates/import", files={"file": ("rates.csv", "prefix,per_minute\n7,1\n")})).status_code == 303
    assert "7 any trunk 2026-05-04 60/60 s 0.00 1.00" in words((await client.get("/rates")).text)
