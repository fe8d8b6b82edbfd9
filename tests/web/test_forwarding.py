"""Phones to forward to, on pages and in the API."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.users import create_user
from tests.fixtures.web import NOON, PASSWORD, Site
from tests.web.test_number_pages import NEW, chosen, errors, stored

PHONES, PAGE = "/api/v1/forwarding-phones", "/forwarding-phones"
OFFICE, MOBILE = "+74951234567", "79161234567"
OPERATOR = 2
"""The id of the user "eve"."""


def add_eve(site: Site) -> None:
    """An operator who logs in as "eve" and whose phone is 2001."""
    site.install_demo()
    with site.database.session() as session:
        create_user(session, "eve", PASSWORD, "operator", acting_user="test", at=NOON)
        link_user(session, "eve", "2001", acting_user="test", at=NOON)


async def add(program: httpx.AsyncClient, number: str = OFFICE, **more: Any) -> str:
    """A new phone's address in the API."""
    answer = await program.post(PHONES, json={"number": number, **more})
    assert answer.status_code == 201, answer.text
    return f"{PHONES}/{answer.json()['id']}"


async def confirm(site: Site, program: httpx.AsyncClient, phone: str) -> dict[str, Any]:
    assert (await program.post(f"{phone}/call")).status_code == 202
    answer = await program.post(f"{phone}/confirm", json={"code": site.dictated[-1][1]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.covers("SKZ-10", "SKZ-11", "SKZ-33")
async def test_a_program_adds_a_common_phone_and_confirms_it(site: Site) -> None:
    program = site.program()
    phone = await add(program, "+7 (495) 123-45-67")
    fresh = (await program.get(phone)).json()
    assert (fresh["number"], fresh["state"], fresh["used"], fresh["approval"]) == (OFFICE, "unconfirmed", False, None)
    called = await program.post(f"{phone}/call", json={"language": "ru"})
    assert (called.status_code, called.json()) == (202, {"id": "01CODE"})
    ((number, code, language),) = site.dictated
    assert (number, language) == (OFFICE, "ru") and code not in called.text + (await program.get(phone)).text
    wrong = await program.post(f"{phone}/confirm", json={"code": "no"})
    assert wrong.status_code == 422 and wrong.json()["error"]["fields"][0]["field"] == "code"
    confirmed = (await program.post(f"{phone}/confirm", json={"code": code})).json()
    assert (confirmed["state"], confirmed["used"], confirmed["expires_at"]) == ("confirmed", True, "2026-08-04T12:00:00Z")
    site.moment = NOON + timedelta(days=80)
    assert (await program.get(PHONES)).json()["phones"][0]["expires_soon"]
    assert (await program.post(f"{phone}/confirm-for-good")).json()["expires_at"] is None
    assert (await program.delete(phone)).status_code == 204
    assert (await program.get(phone)).status_code == 404


@pytest.mark.covers("SKZ-34")
async def test_t37_a_program_sees_an_own_number_unused_until_it_is_approved(site: Site) -> None:
    site.install_demo()
    program = site.program()
    phone = await add(program, MOBILE, operator="2001")
    assert (await program.post(f"{phone}/approve")).status_code == 409
    asked = await confirm(site, program, phone)
    assert (asked["operator"], asked["approval"], asked["used"]) == ("2001", "requested", False)
    assert (await program.post(f"{phone}/approve")).json()["used"] is True
    refused = (await program.post(f"{phone}/refuse")).json()
    assert (refused["approval"], refused["used"]) == ("refused", False)


async def test_a_call_that_can_not_be_placed_is_refused_and_does_not_count(site: Site) -> None:
    program = site.program()
    phone = await add(program)
    site.has_trunk = False
    assert (await program.post(f"{phone}/call")).status_code == 409
    site.has_trunk = True
    assert (await program.post(f"{phone}/call")).status_code == 202
    too_soon = await program.post(f"{phone}/call")
    assert too_soon.status_code == 409 and "wait a minute" in too_soon.text
    assert len(site.dictated) == 1


@pytest.mark.covers("SKZ-10", "SKZ-33", "SKZ-34")
async def test_where_a_gateway_is_set_the_code_comes_by_sms(site: Site) -> None:
    add_eve(site)
    program = site.program()
    phone = await add(program)
    assert (await program.post(f"{phone}/sms")).status_code == 409
    assert "by SMS" not in (await (await site.browser()).get(PAGE)).text
    site.with_sms()
    assert (await site.program().post(f"{phone}/sms", json={"language": "ru"})).status_code == 204
    ((number, code, language),) = site.messages
    assert (number, language) == (OFFICE, "ru")
    assert (await site.program().post(f"{phone}/confirm", json={"code": code})).json()["used"] is True
    desk = await site.browser(OPERATOR)
    await desk.post("/desk/phone", data={"number": MOBILE})
    assert "Send it by SMS" in (await desk.get("/desk")).text
    sent = await desk.post("/desk/phone/sms")
    assert f"{MOBILE} was sent a message" in (await desk.get(sent.headers["location"])).text
    assert site.messages[-1][0] == MOBILE and site.dictated == []
    office = await site.browser()
    too_soon = await office.post(f"{PAGE}/1/sms")
    assert too_soon.status_code == 409 and "wait a minute" in too_soon.text


async def test_what_is_wrong_is_named_with_its_field(site: Site) -> None:
    program = site.program()
    for body, field in (({"number": "call me"}, "number"), ({"number": MOBILE, "operator": "2009"}, "operator"), ({}, "number")):
        answer = await program.post(PHONES, json=body)
        assert answer.status_code == 422 and answer.json()["error"]["fields"][0]["field"] == field
    assert (await program.get(PHONES)).json() == {"phones": []}


@pytest.mark.covers("SKZ-33")
async def test_an_administrator_adds_and_confirms_a_common_phone_on_the_page(site: Site) -> None:
    client = await site.browser()
    assert "No phones yet" in (await client.get(PAGE)).text
    wrong = await client.post(PAGE, data={"number": "<b>call me"})
    assert (
        wrong.status_code == 422 and "Write a phone number" in errors(wrong.text)["number"] and "&lt;b&gt;call me" in wrong.text
    )
    assert (await client.post(PAGE, data={"number": OFFICE})).status_code == 303
    assert "Not confirmed" in (await client.get(PAGE)).text
    called = await client.post(f"{PAGE}/1/call")
    assert f"{OFFICE} is being called" in (await client.get(called.headers["location"])).text
    mistyped = await client.post(f"{PAGE}/1/confirm", data={"code": "nothing"})
    assert mistyped.status_code == 422 and "not the code" in errors(mistyped.text)["code"]
    await client.post(f"{PAGE}/1/confirm", data={"code": site.dictated[0][1]})
    page = (await client.get(PAGE)).text
    assert "Confirmed" in page and "2026-08-04 12:00:00" in page and "Expires soon" not in page
    site.moment = NOON + timedelta(days=80)
    client = await site.browser()
    assert "Expires soon" in (await client.get(PAGE)).text
    await client.post(f"{PAGE}/1/confirm-for-good")
    assert "without an end" in (await client.get(PAGE)).text
    await client.post(f"{PAGE}/1/delete")
    assert "No phones yet" in (await client.get(PAGE)).text


@pytest.mark.covers("SKZ-11", "SKZ-34")
async def test_an_operator_enters_and_confirms_his_number_at_his_desk_and_an_administrator_approves_it(site: Site) -> None:
    add_eve(site)
    desk, office = await site.browser(OPERATOR), await site.browser()
    assert "Number of your other phone" in (await desk.get("/desk")).text
    assert (await desk.post("/desk/phone/call")).status_code == 404
    wrong = await desk.post("/desk/phone", data={"number": "x"})
    assert wrong.status_code == 422 and "number" in errors(wrong.text)
    await desk.post("/desk/phone", data={"number": MOBILE})
    called = await desk.post("/desk/phone/call")
    assert f"{MOBILE} is being called" in (await desk.get(called.headers["location"])).text
    assert (await desk.post("/desk/phone/call")).status_code == 409
    mistyped = await desk.post("/desk/phone/confirm", data={"code": "1"})
    assert mistyped.status_code == 422 and "not the code" in errors(mistyped.text)["code"]
    await desk.post("/desk/phone/confirm", data={"code": site.dictated[0][1]})
    page = (await desk.get("/desk")).text
    assert "Waits for approval" in page and "2026-08-04 12:00:00" in page and "is being called" not in page
    assert "Waits for approval" in (await office.get(PAGE)).text
    await office.post(f"{PAGE}/1/approve")
    assert "Approved" in (await desk.get("/desk")).text
    await desk.post("/desk/phone", data={"number": "79160000000"})
    page = (await desk.get("/desk")).text
    assert "Not confirmed" in page and "No request yet" in page, "another number needs both steps again"
    await desk.post("/desk/phone/delete")
    assert "Number of your other phone" in (await desk.get("/desk")).text


async def test_only_administrators_decide(site: Site) -> None:
    add_eve(site)
    eve, program = await site.browser(OPERATOR), site.program()
    phone = await add(program, MOBILE, operator="2001")
    await confirm(site, program, phone)
    page = (await eve.get(PAGE)).text
    assert MOBILE in page and "approve" not in page.replace("approve those", "")
    for action in ("approve", "refuse", "call", "confirm", "confirm-for-good", "delete"):
        assert (await eve.post(f"{PAGE}/1/{action}", data={"code": "1"})).status_code == 403
    assert (await eve.post(PAGE, data={"number": OFFICE})).status_code == 403
    assert (await program.get(phone)).json()["approval"] == "requested"
    assert (await (await site.browser()).post("/desk/phone", data={"number": MOBILE})).status_code == 404


@pytest.mark.covers("SKZ-31", "SKZ-35", "SKZ-36")
async def test_the_form_of_a_number_says_where_missed_calls_go(site: Site) -> None:
    site.install_demo()
    client, program = await site.browser(), site.program()
    fresh = (await client.get("/numbers/new")).text
    assert chosen(fresh, "forwarding_mode") == "forbidden" and chosen(fresh, "forwarding_shows") == "caller"
    assert re.findall(r'name="forwarding_(\w+)" type="number"[^>]* value="(\d+)"', fresh) == [
        ("wait_seconds", "25"),
        ("attempts", "1"),
    ]
    rule = {"mode": "common", "number": OFFICE, "wait_seconds": "40", "attempts": "2", "shows": "called"}
    form = {**NEW, **{f"forwarding_{name}": value for name, value in rule.items()}}
    refused = await client.post("/numbers/new", data=form)
    assert refused.status_code == 422 and "no common phone" in errors(refused.text)["forwarding_number"]
    await confirm(site, program, await add(program))
    assert (await client.post("/numbers/new", data=form)).status_code == 303
    number = (await stored(site))["8070"]
    assert number["forwarding"] == {**rule, "wait_seconds": 40, "attempts": 2}
    page = (await client.get(f"/numbers/{number['id']}")).text
    assert (chosen(page, "forwarding_mode"), chosen(page, "forwarding_number")) == ("common", OFFICE)
    used = await program.delete(f"{PHONES}/1")
    assert used.status_code == 409 and "8070" in used.text
    wrong = await client.post(f"/numbers/{number['id']}", data={**form, "forwarding_wait_seconds": "1"})
    assert wrong.status_code == 422 and "forwarding_wait_seconds" in errors(wrong.text)
    own = {**form, "forwarding_mode": "own", "do": "all"}
    assert (await client.post(f"/numbers/{number['id']}", data=own)).status_code == 303
    for each in (await stored(site)).values():
        assert (each["forwarding"]["mode"], each["forwarding"]["number"]) == ("own", None)
