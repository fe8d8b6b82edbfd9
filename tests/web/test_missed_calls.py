"""Missed calls: in the API, on their pages, on the desk, and where their notices go."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.users import create_user
from controller.bus import MissedCallsChanged
from controller.notices.missed_calls import store_missed_call
from controller.storage.audit import list_audit
from controller.storage.missed_calls import close_as_called_back
from controller.storage.outbox import list_letters, mark_sent
from tests.fixtures.missed import missed_call
from tests.fixtures.streams import listening
from tests.fixtures.web import NOON, PASSWORD, Site
from tests.web.test_api_states import Switchboard, served_by

ATTACK = "<script>alert('x')</script>\"'"
MISSED = "/api/v1/missed-calls"
EARLIER = NOON - timedelta(minutes=5)


async def missed(site: Site, id: str = "01MISSED", at: timedelta = timedelta(), **values: Any) -> str:
    """A call was missed; its letter, if it has a recipient, waits."""
    row = missed_call(EARLIER + at, id, **values)
    how: dict[str, Any] = {"offered": "", "name": "", "language": "en", "zone": NOON.tzinfo, "at": NOON}
    await site.database.run(store_missed_call, row, **how)
    return id


def rows(page: str) -> dict[str, str]:
    """What stands in each row of the list, without markup."""
    found = re.findall(r'<tr id="(\w+)">(.*?)</tr>', page, re.S)
    return {id: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for id, row in found}


async def linked(site: Site) -> httpx.AsyncClient:
    """Ann's browser, whose phone is 2001."""
    site.install_demo()
    await site.database.run(link_user, "ann", "2001", acting_user="test", at=NOON)
    return await site.browser()


@pytest.mark.covers("UIS-44", "SKZ-27")
async def test_missed_calls_are_listed_by_status_and_owner_those_that_arrived_last_first(site: Site) -> None:
    site.install_demo()
    for id in ("01A", "02B", "03C"):
        await missed(site, id, recipient="boss@example.com" if id == "03C" else "")
    program = site.program()
    listed = (await program.get(MISSED)).json()["missed_calls"]
    assert [one["id"] for one in listed] == ["03C", "02B", "01A"]
    assert listed[0] == {
        "id": "03C",
        "caller_number": "74951112233",
        "caller_name": "Ivan",
        "contact": None,
        "called_number": "8000",
        "line_name": "Main line",
        "arrived_at": "2026-05-04T11:55:00Z",
        "ended_at": "2026-05-04T11:55:40Z",
        "kind": "working_time",
        "offered_to": None,
        "owner": None,
        "status": "open",
        "note": "",
        "notified": "boss@example.com",
        "letter": "waiting",
        "closed_at": None,
        "closed_by": None,
        "closed_by_call": None,
    }
    await program.patch(f"{MISSED}/01A", json={"owner": {"operator": "2001"}})
    await program.patch(f"{MISSED}/02B", json={"owner": {"user": "ann"}, "status": "done"})
    for query, ids in (
        ({"status": "open"}, ["03C", "01A"]),
        ({"status": "done"}, ["02B"]),
        ({"owner_operator": "2001"}, ["01A"]),
        ({"owner_user": "ann"}, ["02B"]),
        ({"owner_user": "eve"}, []),
        ({"limit": "1", "before": "03C"}, ["02B"]),
    ):
        found = (await program.get(MISSED, params=query)).json()["missed_calls"]  # type: ignore[arg-type]
        assert [one["id"] for one in found] == ids, query
    assert (await program.get(MISSED, params={"owner_user": "ann", "owner_operator": "2001"})).status_code == 422


@pytest.mark.covers("UIS-44")
async def test_owner_status_and_note_are_changed_alone_or_together_and_pages_hear_of_it(site: Site) -> None:
    site.install_demo()
    id, program = await missed(site), site.program()
    address = f"{MISSED}/{id}"
    async with site.bus.subscribe() as notices:
        changed = (await program.patch(address, json={"owner": {"operator": "2001"}, "note": "calls at 5"})).json()
        assert await anext(notices) == MissedCallsChanged()
    assert (changed["owner"], changed["note"], changed["status"]) == ({"user": None, "operator": "2001"}, "calls at 5", "open")
    changed = (await program.patch(address, json={"status": "done"})).json()
    assert (changed["status"], changed["closed_by"], changed["closed_at"]) == ("done", "token reports", "2026-05-04T12:00:00Z")
    assert changed["note"] == "calls at 5"
    changed = (await program.patch(address, json={"owner": None, "status": "open"})).json()
    assert (changed["owner"], changed["closed_by"], changed["closed_at"]) == (None, None, None)
    assert (await program.get(address)).json() == changed
    audited = [entry.action for entry in await site.database.read(list_audit) if entry.action.startswith("missed_call")]
    assert sorted(audited) == [*["missed_call.note"], *["missed_call.owner"] * 2, *["missed_call.status"] * 2]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"owner": {"user": "eve"}}, "owner"),
        ({"owner": {"operator": "2999"}}, "owner"),
        ({"owner": {}}, "owner"),
        ({"owner": {"user": "ann", "operator": "2001"}}, "owner"),
        ({"status": "lost"}, "status"),
        ({"status": None}, "status"),
        ({"note": "a" * 1001}, "note"),
        ({"more": 1}, "more"),
    ],
)
async def test_what_can_not_be_is_named_with_its_field_and_nothing_is_changed(site: Site, wrong: Any, field: str) -> None:
    site.install_demo()
    id, program = await missed(site), site.program()
    before = (await program.get(f"{MISSED}/{id}")).json()
    answer = await program.patch(f"{MISSED}/{id}", json={"status": "done", "note": "x", **wrong})
    assert answer.status_code == 422 and [one["field"] for one in answer.json()["error"]["fields"]] == [field]
    assert (await program.get(f"{MISSED}/{id}")).json() == before


async def test_what_is_not_there_is_not_found(site: Site) -> None:
    program, client = site.program(), await site.browser()
    answers = [await program.get(f"{MISSED}/none"), await program.patch(f"{MISSED}/none", json={})]
    answers += [await client.get("/missed-calls/none"), await client.post("/missed-calls/none/call-back")]
    answers += [await client.post(f"/missed-calls/none{what}", data={"status": "done"}) for what in ("", "/done", "/open")]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.covers("SKZ-27", "UIS-44")
async def test_the_page_shows_caller_line_reason_owner_state_and_the_letter(site: Site) -> None:
    client = await linked(site)
    assert "appears here at once" in (await client.get("/missed-calls")).text
    await missed(site, "01A", recipient="boss@example.com", kind="off_hours", owner_user_id=1, line_name="Shop")
    await missed(site, "02B", caller_number="", number="", caller_name="", offered_to="2001")
    page = (await client.get("/missed-calls")).text
    found = rows(page)
    assert list(found) == ["02B", "01A"] and "data-live" in page
    for said in (
        "74951112233",
        "Ivan",
        "8000",
        "Shop",
        "2026-05-04 11:55:00",
        "40 s",
        "Off-hours",
        "ann",
        "Open",
        "Letter waiting",
    ):
        assert said in found["01A"], said
    assert "unknown" in found["02B"] and "nobody" in found["02B"] and "No letter: no address" in found["02B"]
    assert "Call back" in found["01A"] and "Call back" not in found["02B"]
    assert "letters about missed calls wait" in page
    await site.database.run(mark_sent, (await site.database.read(list_letters))[0].id, NOON)
    assert "Letter sent" in rows((await client.get("/missed-calls")).text)["01A"]


@pytest.mark.covers("UIS-44")
async def test_open_ones_ones_own_and_those_that_are_done_are_shown_apart_and_counted(site: Site) -> None:
    client = await linked(site)
    await missed(site, "01A", owner_user_id=1)
    await missed(site, "02B", owner_operator_id=1)
    await missed(site, "03C")
    assert 'class="count">3<span class="hidden"> open' in (await client.get("/calls")).text
    assert list(rows((await client.get("/missed-calls?show=mine")).text)) == ["02B", "01A"]
    answer = await client.post("/missed-calls/02B/done?show=mine")
    assert answer.headers["location"] == "/missed-calls?show=mine"
    assert list(rows((await client.get("/missed-calls?show=mine")).text)) == ["01A"]
    await site.database.run(close_as_called_back, "+74951112233", NOON, "09CALL", NOON)
    assert "Everybody was dealt with" in (await client.get("/missed-calls")).text
    assert "Nothing is waiting for you" in (await client.get("/missed-calls?show=mine")).text
    done = rows((await client.get("/missed-calls?show=done")).text)
    assert list(done) == ["03C", "02B", "01A"] and "Called back" in done["01A"] and "Done" in done["02B"]
    assert 'href="/calls/09CALL"' in (await client.get("/missed-calls/01A")).text
    await client.post("/missed-calls/01A/open?show=done")
    assert list(rows((await client.get("/missed-calls")).text)) == ["01A"]
    older = re.search(r'rel="next" href="([^"]+)"', (await client.get("/missed-calls?show=done&limit=1")).text)
    assert older and list(rows((await client.get(older[1].replace("&amp;", "&"))).text)) == ["02B"]


@pytest.mark.covers("UIS-44")
async def test_owner_state_and_note_are_set_by_a_form_whose_mistakes_are_marked(site: Site) -> None:
    client = await linked(site)
    address = f"/missed-calls/{await missed(site)}"
    form = {"owner": "operator:2001", "status": "open", "note": "wants\r\na price"}
    assert (await client.post(address, data=form)).headers["location"] == "/missed-calls"
    page = (await client.get(address)).text
    assert 'value="operator:2001" selected' in page and "wants\na price</textarea>" in page
    wrong = await client.post(address, data={**form, "owner": "user:eve", "status": "done", "note": "kept"})
    assert wrong.status_code == 422 and "There is no user &#34;eve&#34;" in wrong.text and "kept</textarea>" in wrong.text
    assert (await client.post(address, data={"owner": "", "status": "lost", "note": ""})).status_code == 422
    await client.post(address, data={"owner": "user:ann", "status": "done", "note": ""})
    found = (await site.program().get(f"{MISSED}/01MISSED")).json()
    assert (found["owner"]["user"], found["status"], found["note"], found["closed_by"]) == ("ann", "done", "", "ann")


@pytest.mark.covers("SKZ-27")
async def test_call_back_calls_the_users_own_phone_and_leads_to_his_desk(site: Site) -> None:
    id, switchboard = await missed(site), Switchboard()
    client = await linked(served_by(site, switchboard))
    answer = await client.post(f"/missed-calls/{id}/call-back")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert switchboard.asked == [("2001", "74951112233", None)]
    switchboard.refusal = "operator 2001 can't be called: he is talking"
    refused = await client.post(f"/missed-calls/{id}/call-back")
    assert refused.status_code == 409 and "he is talking" in refused.text and list(rows(refused.text)) == [id]
    newest = (await site.database.read(list_audit))[0]
    assert (newest.action, newest.actor) == ("call.place", "ann")


async def test_a_user_without_a_phone_can_not_call_back_and_is_told_so(site: Site) -> None:
    id, client = await missed(site), await site.browser()
    for page in ("/missed-calls", f"/missed-calls/{id}"):
        assert "Call back" not in (await client.get(page)).text
    refused = await client.post(f"/missed-calls/{id}/call-back")
    assert refused.status_code == 409 and "No operator&#39;s phone is yours" in refused.text


@pytest.mark.covers("SKZ-27")
async def test_the_desk_shows_an_operator_the_calls_that_he_has_missed(site: Site) -> None:
    client = await linked(site)
    assert "My missed calls" not in (await client.get("/desk")).text
    await missed(site, "01MINE", owner_operator_id=1)
    await missed(site, "02OTHER", owner_operator_id=2)
    page = (await client.get("/desk")).text
    assert 'href="/missed-calls/01MINE"' in page and "02OTHER" not in page
    assert 'action="/missed-calls/01MINE/call-back"' in page.partition('id="desk-calls" data-live')[2]


@pytest.mark.covers("SKZ-27")
async def test_pages_look_again_at_once_when_a_call_is_missed(site: Site) -> None:
    async with listening(site) as sent:
        site.bus.send(MissedCallsChanged())
        assert (await sent.get())["body"] == b"event: calls\ndata:\n\n"


async def test_what_callers_send_and_people_write_is_text(site: Site) -> None:
    client = await linked(site)
    await missed(site, caller_number=ATTACK, caller_name=ATTACK, line_name=ATTACK, note=ATTACK, owner_operator_id=1)
    for path in ("/missed-calls", "/missed-calls/01MISSED", "/desk"):
        page = (await client.get(path)).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("what", ["", "/done", "/open", "/call-back"])
async def test_another_site_can_change_nothing(site: Site, what: str) -> None:
    id, client = await missed(site), await site.browser()
    for path in (f"/missed-calls/{id}{what}", "/account/emails"):
        assert (await client.post(path, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403


@pytest.mark.covers("SKZ-26")
async def test_a_user_says_where_his_notices_go_and_an_administrator_says_it_of_others(site: Site) -> None:
    with site.database.session() as session:
        create_user(session, "eve", PASSWORD, "operator", acting_user="test", at=NOON)
    ann, eve = await site.browser(), await site.browser(2)
    assert (await eve.post("/account/emails", data={"email": "eve@example.com"})).headers["location"] == "/account"
    assert 'value="eve@example.com"' in (await eve.get("/account")).text
    wrong = await eve.post("/account/emails", data={"email": "nobody"})
    assert wrong.status_code == 422 and 'id="email-error">Write one address' in wrong.text
    assert (await eve.post("/account/emails", data={"login": "ann", "email": "x@example.com"})).status_code == 403
    assert (await ann.post("/account/emails", data={"login": "eve", "email": ""})).headers["location"] == "/account#people"
    assert "eve@example.com" not in (await ann.get("/account")).text
    wrong = await ann.post("/account/emails", data={"login": "eve", "email": "nobody"})
    assert wrong.status_code == 422 and "eve: Write one address" in wrong.text
    assert (await ann.post("/account/emails", data={"login": "bob", "email": ""})).status_code == 404


@pytest.mark.covers("SKZ-26")
async def test_a_number_has_a_responsible_for_its_missed_calls(site: Site) -> None:
    site.install_demo()
    client, program = await site.browser(), site.program()
    (number,) = (await program.get("/api/v1/numbers")).json()["numbers"]
    assert number["responsible"] is None
    page = (await client.get(f"/numbers/{number['id']}")).text
    assert "ann (no e-mail address)" in page
    answer = await program.put("/api/v1/numbers/settings", json={"scenario": "Demo", "responsible": "ann"})
    assert [one["responsible"] for one in answer.json()["numbers"]] == ["ann"]
    form = {"number": "8000", "line_name": "Demo", "longest_wait": "60", "scenario": "Demo"}
    wrong = await client.post(f"/numbers/{number['id']}", data={**form, "responsible": "eve"})
    assert wrong.status_code == 422 and 'id="responsible-error"' in wrong.text
    await client.post(f"/numbers/{number['id']}", data={**form, "responsible": "ann"})
    assert '<option value="ann" selected>' in (await client.get(f"/numbers/{number['id']}")).text
    await client.post(f"/numbers/{number['id']}", data={**form, "responsible": ""})
    assert (await program.get(f"/api/v1/numbers/{number['id']}")).json()["responsible"] is None
