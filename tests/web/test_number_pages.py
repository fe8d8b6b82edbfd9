"""Numbers, as people see and change them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.actions.users import create_user
from controller.softphone import tones
from controller.storage.numbers import InboundNumber
from tests.fixtures.soundfiles import wav_file
from tests.fixtures.web import NOON, PASSWORD, Site

ATTACK = "<script>alert('x')</script>\"'"
STANDARD = {
    "arrival": "line-arrival",
    "waiting": "line-waiting",
    "all_busy": "line-busy",
    "no_answer": "line-no-answer",
    "off_hours": "line-off-hours",
}
BOTH_WAYS = {"incoming": "on", "outgoing": "on"}
NEW = {"number": " 8070 ", "line_name": "Main", "group": "Sales", "longest_wait": "60", **BOTH_WAYS, **STANDARD}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


def chosen(page: str, name: str) -> str:
    """The value that is chosen in a field."""
    select = re.search(rf'<select id="{name}".*?</select>', page, re.S)
    assert select
    found = re.search(r'<option value="([^"]*)" selected', select[0])
    return found[1] if found else ""


async def stored(site: Site) -> dict[str, dict[str, Any]]:
    """Numbers as the API gives them."""
    return {one["number"]: one for one in (await site.program().get("/api/v1/numbers")).json()["numbers"]}


async def upload(client: httpx.AsyncClient, folder: Path) -> None:
    tone = wav_file(folder / "tone.wav", tones.sine(440, 8000, 8000)).read_bytes()
    await client.post("/prompts", files={"file": ("tone.wav", tone)}, data={"title": "Our melody", "language": "ru"})


@pytest.mark.covers("SKZ-40", "SKZ-41", "SKZ-47", "UIS-42")
async def test_a_number_is_added_changed_and_removed(site: Site, tmp_path: Path) -> None:
    client = await site.browser()
    assert "No numbers yet" in (await client.get("/numbers")).text
    site.install_demo()
    await upload(client, tmp_path)
    assert (await client.post("/numbers/new", data=NEW)).headers["location"] == "/numbers"
    page = (await client.get("/numbers")).text
    assert "8070" in page and "group Sales" in page and "Demo" in page
    number = (await stored(site))["8070"]
    assert (number["number"], number["group"], number["longest_wait"], number["prompts"]) == ("8070", "Sales", 60, STANDARD)

    address = f"/numbers/{number['id']}"
    form = (await client.get(address)).text
    assert chosen(form, "group") == "Sales" and chosen(form, "arrival") == "line-arrival"
    assert 'data-audio="/prompts/our-melody/ru/audio"' in form and "Standard: Waiting for an answer" in form
    changed = {**NEW, "number": "8070", "scenario": "Demo", "arrival": "", "waiting": "our-melody"}
    assert (await client.post(address, data=changed)).status_code == 303
    number = (await stored(site))["8070"]
    assert (number["scenario"], number["prompts"]["arrival"], number["prompts"]["waiting"]) == ("Demo", None, "our-melody")
    again = (await client.get(address)).text
    assert (chosen(again, "arrival"), chosen(again, "waiting"), chosen(again, "scenario")) == ("", "our-melody", "Demo")
    assert "2 of its own" in (await client.get("/numbers")).text
    assert "number 8070 (waiting)" in (await client.get("/prompts")).text
    assert (await client.post(f"{address}/delete")).headers["location"] == "/numbers"
    assert (await stored(site)).keys() == {"8000"}


@pytest.mark.covers("LNR-1", "LNR-2", "UIS-46")
async def test_the_calls_that_a_number_takes_are_set_on_its_page(site: Site) -> None:
    client = await site.browser()
    await site.program().post("/api/v1/trunks", json={"name": "Carrier", "host": "sip.example.com"})
    empty = (await client.get("/numbers/new")).text
    assert 'name="incoming" checked' in empty and 'name="outgoing" checked' in empty
    line = {"channels": "2", "trunk": "Carrier", "source": "Radio"}
    await client.post("/numbers/new", data={**NEW, "group": "", **line})
    number = (await stored(site))["8070"]
    assert (number["channels"], number["trunk"], number["source"]) == (2, "Carrier", "Radio")
    address = f"/numbers/{number['id']}"
    one_way = {name: value for name, value in NEW.items() if name != "outgoing"}
    await client.post(address, data={**one_way, "group": "", "channels": ""})
    number = (await stored(site))["8070"]
    assert (number["channels"], number["incoming"], number["outgoing"], number["trunk"]) == (None, True, False, None)
    page = (await client.get(address)).text
    assert 'name="incoming" checked' in page and 'name="outgoing">' in page
    assert "incoming only" in (await client.get("/numbers")).text
    refused = await client.post(address, data={**NEW, "group": "", "channels": "0", "source": "Radio"})
    assert errors(refused.text).keys() == {"channels"} and 'value="Radio"' in refused.text


@pytest.mark.covers("LNR-3")
async def test_the_page_of_a_number_says_whether_it_is_reached(site: Site) -> None:
    client, program = await site.browser(), site.program()
    site.install_demo()
    (number,) = (await stored(site)).values()
    address = f"/numbers/{number['id']}"

    async def check() -> str:
        page = (await client.get(address)).text
        found = re.search(r'id="check-title".*?</section>', page, re.S)
        assert found
        return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())

    assert "is served by the scenario Demo" in await check()
    assert "No trunk connect one ;" in await check() and "Last call never" in await check()
    site.add_talk("01CALL")
    for name in ("First", "Second"):
        await program.post("/api/v1/trunks", json={"name": name, "host": "sip.example.com"})
    said = await check()
    assert "First Not known Second Not known" in said and "Last call 2026-05-04 11:50:00" in said
    line = {"number": "8000", "line_name": "Demo line", "scenario": "Demo", "longest_wait": 60, "trunk": "Second"}
    await program.put(f"/api/v1/numbers/{number['id']}", json=line)
    assert "First" not in await check()
    await program.put(f"/api/v1/numbers/{number['id']}", json={**line, "scenario": None, "incoming": False})
    assert "Refused incoming calls are switched off" in await check()
    await program.put(f"/api/v1/numbers/{number['id']}", json={**line, "scenario": None})
    assert "Not in service" in await check()


@pytest.mark.parametrize(
    ("mode", "listed", "caller"),
    [
        ("operator", "by its operators’ clocks", "is served by the scenario Demo Comes"),
        ("contact", "by each caller’s clock", "is served by the scenario Demo while it is working time where he is Comes"),
    ],
)
async def test_whose_clock_decides_is_said_where_it_is_not_the_schedules_own(
    site: Site, mode: str, listed: str, caller: str
) -> None:
    client, program = await site.browser(), site.program()
    site.install_demo()
    (number,) = (await stored(site)).values()
    await program.post("/api/v1/schedules", json={"name": "Day", "schedule": {"zone_mode": mode}})
    line = {"number": "8000", "line_name": "Demo line", "scenario": "Demo", "longest_wait": 60, "schedule": "Day"}
    assert (await program.put(f"/api/v1/numbers/{number['id']}", json=line)).status_code == 200
    assert listed in (await client.get("/numbers")).text
    page = (await client.get(f"/numbers/{number['id']}")).text
    assert caller in " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.covers("SKZ-30")
async def test_t44_a_form_is_saved_for_this_number_or_for_all(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    await client.post("/numbers/new", data=NEW)
    id = (await stored(site))["8070"]["id"]
    await client.post(f"/numbers/{id}", data={**NEW, "longest_wait": "70", "do": "this"})
    assert [one["longest_wait"] for one in (await stored(site)).values()] == [300, 70]
    await client.post(f"/numbers/{id}", data={**NEW, "longest_wait": "80", "do": "all"})
    assert [one["longest_wait"] for one in (await stored(site)).values()] == [80, 80]
    assert {one["line_name"] for one in (await stored(site)).values()} == {"Main", "Demo line"}


@pytest.mark.covers("SKZ-52")
async def test_how_long_recordings_of_a_number_are_kept_is_typed_and_saved_for_all(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    await client.post("/numbers/new", data=NEW)
    id = (await stored(site))["8070"]["id"]
    assert "as long as its campaign says, or else for ever" in (await client.get(f"/numbers/{id}")).text
    await client.post(f"/numbers/{id}", data={**NEW, "recordings_days": "30", "do": "this"})
    assert [one["recordings_days"] for one in (await stored(site)).values()] == [None, 30]
    assert 'name="recordings_days" type="number" min="1" max="36500" value="30"' in (await client.get(f"/numbers/{id}")).text
    refused = await client.post(f"/numbers/{id}", data={**NEW, "recordings_days": "0", "do": "all"})
    assert errors(refused.text).keys() == {"recordings_days"}
    await client.post(f"/numbers/{id}", data={**NEW, "recordings_days": "7", "do": "all"})
    assert [one["recordings_days"] for one in (await stored(site)).values()] == [7, 7]
    await client.post(f"/numbers/{id}", data={**NEW, "recordings_days": "", "do": "this"})
    assert [one["recordings_days"] for one in (await stored(site)).values()] == [7, None]


async def test_every_wrong_field_is_marked_and_what_was_typed_stays(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    answer = await client.post(
        "/numbers/new",
        data={**NEW, "number": "12a", "line_name": "Main"},
    )
    assert answer.status_code == 422 and errors(answer.text).keys() == {"number"} and 'value="12a"' in answer.text
    wrong = {**NEW, "scenario": "None", "off_hours_scenario": "Demo", "waiting": "none", "group": ""}
    answer = await client.post("/numbers/new", data=wrong)
    assert errors(answer.text).keys() == {"scenario", "off_hours_scenario", "waiting"}
    assert "Without a schedule" in errors(answer.text)["off_hours_scenario"] and chosen(answer.text, "waiting") == "none"
    answer = await client.post("/numbers/new", data={**NEW, "longest_wait": ""})
    assert errors(answer.text).keys() == {"longest_wait"}
    taken = await client.post("/numbers/new", data={**NEW, "number": "8000"})
    assert taken.status_code == 409 and "8000 is there already" in taken.text
    assert (await stored(site)).keys() == {"8000"}


async def test_names_are_text(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    await client.post("/numbers/new", data={**NEW, "line_name": ATTACK})
    id = (await stored(site))["8070"]["id"]
    for address in ("/numbers", f"/numbers/{id}"):
        page = (await client.get(address)).text
        assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.covers("LNR-1")
async def test_a_new_number_without_a_line_name_is_named_by_the_template(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    assert "Empty: by the template “Line {number}”" in (await client.get("/numbers/new")).text
    assert (await client.post("/numbers/new", data={**NEW, "line_name": " "})).status_code == 303
    assert (await stored(site))["8070"]["line_name"] == "Line 8070"


async def test_a_number_that_nothing_serves_is_marked(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    await client.post("/numbers/new", data={**NEW, "group": ""})
    page = (await client.get("/numbers")).text
    assert "Callers hear that the number is not in service" in page


async def test_another_site_can_not_change_numbers(site: Site) -> None:
    client = await site.browser()
    answer = await client.post("/numbers/new", data=NEW, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and await stored(site) == {}


async def test_a_number_that_is_not_there_is_a_page_that_says_so(site: Site) -> None:
    client = await site.browser()
    answers = [await client.get("/numbers/9"), await client.post("/numbers/9", data=NEW), await client.post("/numbers/9/delete")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.mark.covers("SKZ-10", "SKZ-11")
async def test_an_administrator_confirms_a_number_on_its_page_and_the_list_says_until_when(site: Site) -> None:
    client = await site.browser()
    site.install_demo()
    await site.program().post("/api/v1/trunks", json={"name": "Carrier", "host": "sip.example.com"})
    await client.post("/numbers/new", data={**NEW, "trunk": "Carrier"})
    address = f"/numbers/{(await stored(site))['8070']['id']}"
    assert "its page confirms it" in (await client.get("/trunks/1")).text
    assert "Not confirmed" in (await client.get("/numbers")).text and "Not confirmed" in (await client.get(address)).text
    called = await client.post(f"{address}/call")
    assert "8070 is being called" in (await client.get(called.headers["location"])).text
    mistyped = await client.post(f"{address}/confirm", data={"code": "nothing"})
    assert mistyped.status_code == 422 and "not the code" in errors(mistyped.text)["code"]
    assert "Main" in mistyped.text, "the form is as it was"
    too_soon = await client.post(f"{address}/call")
    assert too_soon.status_code == 409 and "wait a minute" in too_soon.text
    await client.post(f"{address}/confirm", data={"code": site.dictated[0][1]})
    for page in (address, "/numbers"):
        assert "2026-08-04 12:00:00" in (await client.get(page)).text
    site.moment = NOON + timedelta(days=80)
    client = await site.browser()
    for page in (address, "/numbers"):
        assert "Expires soon" in (await client.get(page)).text
    assert (await client.post(f"{address}/confirm-for-good")).status_code == 303
    assert "without an end" in (await client.get(address)).text
    assert "its page confirms it" not in (await client.get("/trunks/1")).text


@pytest.mark.covers("SKZ-10")
async def test_only_administrators_confirm_numbers(site: Site) -> None:
    site.install_demo()
    with site.database.session() as session:
        session.add(InboundNumber(number="8001", line_name="New"))
        eve_id = create_user(session, "eve", PASSWORD, "supervisor", acting_user="test", at=NOON).id
    eve = await site.browser(eve_id)
    page = (await eve.get("/numbers/2")).text
    assert "Administrators confirm" in page and "/numbers/2/confirm" not in page
    for action in ("call", "sms", "confirm", "confirm-for-good"):
        assert (await eve.post(f"/numbers/2/{action}", data={"code": "1"})).status_code == 403
    assert "as an administrator has said" in (await eve.get("/numbers/1")).text
