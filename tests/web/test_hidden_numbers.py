"""Numbers of a campaign that hides them: nowhere for who is no administrator, whatever he opens (LNR-11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlmodel import Session, select
from starlette.routing import Route

from controller.actions.campaigns import CampaignDraft, add_lead, create_campaign
from controller.actions.contacts import BlockDraft, ContactDraft, block_number, create_contact
from controller.actions.desks import link_user
from controller.actions.users import create_user
from controller.hiding import MARK
from controller.notices.missed_calls import store_missed_call
from controller.storage.callbacks import Callback
from controller.storage.calls import CallLeg
from controller.storage.contacts import contact_view
from controller.storage.missed_calls import MissedCall
from controller.storage.outbox import OutboxLetter
from tests.fixtures.web import NOON, PASSWORD, Site, left_voicemail

NUMBER: Final = "+74951112233"
REFUSED: Final = "+74957654321"
_HOW: Final[dict[str, Any]] = {"acting_user": "test", "at": NOON}
_ENDLESS: Final = ("/live/events", "/desk/events")


@dataclass(frozen=True, slots=True)
class People:
    """The browsers of an administrator, an operator and a supervisor."""

    administrator: httpx.AsyncClient
    others: tuple[httpx.AsyncClient, ...]


def digits_in(text: str) -> list[str]:
    """The writings of the numbers, as far as their last seven digits, that are in the text."""
    together = re.sub(r"[\s().\-\u00a0\u2010-\u2015]|%20|&nbsp;", "", text)
    return [number for number in (NUMBER, REFUSED) if number[-7:] in together]


def furnish(session: Session) -> None:
    """Whatever can hold a number holds one."""
    draft = CampaignDraft("Spring", operators=["2001"], hide_numbers=True)
    campaign = create_campaign(session, draft, **_HOW)
    add_lead(session, campaign.id, NUMBER, "direct", None, **_HOW)
    contact = ContactDraft("Maria", [NUMBER, "+4930999888"], ["8 (495) 111-22-33"], None)
    create_contact(session, contact, region="RU", **_HOW)
    block_number(session, BlockDraft(NUMBER, comment="+7 495 111-22-33 again"), region="RU", **_HOW)
    for id, number in (("01HIDDEN", NUMBER), ("02REFUSED", REFUSED)):
        session.add(
            MissedCall(
                call_id=id,
                number=number,
                caller_number=number,
                caller_name=number.removeprefix("+"),
                called_number="8000",
                line_name="Demo line",
                arrived_at=NOON,
                ended_at=NOON,
                kind="working_time",
                offered_to="2001",
                note=f"He said: call {number}.",
            )
        )
    session.add(
        Callback(
            number=NUMBER,
            caller_number=NUMBER,
            caller_name="",
            group_name="Sales",
            called_number="8000",
            line_name="Demo line",
            language="en",
            call_id="01HIDDEN",
            asked_at=NOON,
            opened_at=NOON,
            place_at=NOON,
            due_at=NOON,
        )
    )
    session.add(
        CallLeg(
            id="client",
            call_id="03LIVE",
            operator_name="",
            operator_extension=NUMBER,
            number=NUMBER,
            of_client=True,
            started_at=NOON,
        )
    )
    ringing = CallLeg(
        id="ringing", call_id="03LIVE", operator_name="Eve", operator_extension="2001", number="2001", started_at=NOON
    )
    session.add(ringing)


@pytest.fixture
async def people(site: Site) -> People:
    """Those who look at an installation whose campaign hides numbers, and which is full of them."""
    site.settings = site.settings.model_copy(update={"phone_region": "RU"})
    site.app = site._app()
    site.install_demo()
    # Before the campaign hides anything: the letter has the number.
    await left_voicemail(site, caller_number=NUMBER, arrived_at=NOON)
    site.add_talk("01HIDDEN", caller_number=NUMBER, caller_name="7 495 111 22 33", campaign_id=1)
    site.add_recording("01HIDDEN", "a.wav")
    site.add_talk("02REFUSED", caller_number=REFUSED, outcome="refused", campaign_id=1)
    site.add_arriving("03LIVE", caller_number="84951112233", direction="outbound")
    ids = []
    with site.database.session() as session:
        furnish(session)
        for login, role in (("olga", "operator"), ("sue", "supervisor")):
            ids.append(create_user(session, login, PASSWORD, role, acting_user="test", at=NOON).id)
        link_user(session, "olga", "2001", acting_user="test", at=NOON)
    return People(await site.browser(), (await site.browser(ids[0]), await site.browser(ids[1])))


def addresses(site: Site) -> list[str]:
    """Every address that is opened, with each of the things that there are."""
    places = {
        "id:int": ["1"],
        "id": ["01HIDDEN", "02REFUSED", "03LIVE", "01VOICE"],
        "lead:int": ["1"],
        "recording": ["01HIDDEN-r1"],
    }
    found: list[str] = []
    for route in site.app.routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()) or route.path in _ENDLESS:
            continue
        paths = [route.path]
        for name, values in places.items():
            paths = [
                path.replace(f"{{{name}}}", value) for path in paths for value in (values if f"{{{name}}}" in path else [""])
            ]
        found += [re.sub(r"\{[^}]+\}", "1", path) for path in paths]
    queries = ["/calls?called=8000", "/calls?caller=495111", "/missed-calls?show=mine", "/contacts?search=Maria"]
    return [*found, *queries, "/contacts/new?number=%2B7%20495%20111-22-33"]


@pytest.mark.covers("LNR-11")
async def test_t47_no_page_and_no_address_of_the_api_shows_a_hidden_number_to_who_is_no_administrator(
    site: Site, people: People
) -> None:
    shown = set()
    for address in addresses(site):
        seen = await people.administrator.get(address)
        if digits_in(seen.text):
            shown.add(re.sub(r"\?.*", "", address))
        for person in people.others:
            answer = await person.get(address)
            heads = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
            assert digits_in(answer.text) == [] and digits_in(heads) == [], address
            if "content-length" in answer.headers:
                assert int(answer.headers["content-length"]) == len(answer.content), address
    pages = {"/calls", "/calls/01HIDDEN", "/calls/02REFUSED", "/live", "/missed-calls", "/missed-calls/01HIDDEN", "/voicemails"}
    assert shown >= {
        *pages,
        "/outbox",
        "/contacts",
        "/contacts/1",
        "/campaigns/1/leads",
        "/blocked-numbers",
        "/blocked-numbers/1",
    }


@pytest.mark.covers("LNR-11")
async def test_a_program_with_a_token_is_the_administrators_and_is_shown_all_numbers(site: Site, people: People) -> None:
    async with site.program() as program:
        for address in ("calls", "missed-calls", "voicemails", "callbacks", "contacts", "campaigns/1/leads", "blocked-numbers"):
            assert NUMBER[1:] in (await program.get(f"/api/v1/{address}")).text, address


async def test_a_set_up_with_a_hidden_number_is_for_administrators_alone(site: Site, people: People) -> None:
    assert (await people.administrator.get("/setup/files")).status_code == 200
    for person in people.others:
        refused = await person.get("/setup/files")
        assert refused.status_code == 403 and "holds numbers that are hidden from you" in refused.text
    assert (await site.program().delete("/api/v1/blocked-numbers/1")).status_code == 204
    for person in people.others:
        assert (await person.get("/setup/files")).headers["content-type"] == "application/zip"


async def test_a_refusal_shows_no_hidden_number_either(people: People) -> None:
    operator = people.others[0]
    answer = await operator.post("/missed-calls/01HIDDEN/call-back")
    assert answer.status_code == 409 and digits_in(answer.text) == []
    answer = await operator.post("/campaigns/1/leads", data={"number": "8 495 111-22-33", "type": "direct"})
    assert answer.status_code == 409 and digits_in(answer.text) == [] and MARK in answer.text


async def test_who_searches_for_the_digits_of_a_hidden_number_finds_nothing(people: People) -> None:
    operator = people.others[0]
    assert "/calls/01HIDDEN" in (await people.administrator.get("/calls?caller=495111")).text
    assert "/calls/01HIDDEN" not in (await operator.get("/calls?caller=495111")).text
    assert "Maria" in (await people.administrator.get("/contacts?search=495111")).text
    assert "Maria" not in (await operator.get("/contacts?search=495111")).text
    assert (
        "Maria" in (await operator.get("/contacts?search=30999")).text
        and "Maria" in (await operator.get("/contacts?search=mari")).text
    )


async def test_who_saves_a_form_with_a_hidden_number_in_it_does_not_lose_the_number(site: Site, people: People) -> None:
    operator = people.others[0]
    form = {"name": "Maria Ivanova", "numbers": f"{MARK}\n+4930999888", "tags": MARK, "owner": ""}
    assert (await operator.post("/contacts/1", data=form)).status_code == 303
    contact = await site.database.read(contact_view, 1)
    assert (contact.name, contact.numbers) == ("Maria Ivanova", (NUMBER, "+4930999888"))
    note = {"owner": "", "status": "open", "note": f"He said: call {MARK}. I did."}
    assert (await operator.post("/missed-calls/01HIDDEN", data=note)).status_code == 303
    assert f"He said: call {NUMBER}. I did." in (await people.administrator.get("/missed-calls/01HIDDEN")).text


async def test_only_administrators_can_make_such_a_campaign_show_its_numbers(site: Site, people: People) -> None:
    operator = people.others[0]
    form = {"name": "Spring", "unknown_callers": "lead_direct", "strategy": "ring_all", "ring_seconds": "20"}
    for address, data in (("/campaigns/1", form), ("/campaigns/1/delete", {}), ("/campaigns/1/leads/1/delete", {})):
        assert (await operator.post(address, data=data)).status_code == 403, address
    assert 'name="hide_numbers" checked' in (await people.administrator.get("/campaigns/1")).text
    assert (await people.administrator.post("/campaigns/1", data=form)).status_code == 303
    assert 'name="hide_numbers">' not in (await operator.get("/campaigns/1")).text
    assert NUMBER in (await operator.get("/calls/01HIDDEN")).text


async def test_a_letter_about_a_missed_call_of_a_hidden_number_is_without_it(site: Site, people: People) -> None:
    missed = MissedCall(
        call_id="05NEW",
        number=NUMBER,
        caller_number="84951112233",
        caller_name="",
        called_number="8000",
        line_name="Demo line",
        arrived_at=NOON,
        ended_at=NOON + timedelta(seconds=5),
        kind="working_time",
        recipient="olga@example.com",
    )
    how: dict[str, Any] = {"offered": "", "name": "", "language": "en", "zone": ZoneInfo("UTC"), "at": NOON}
    await site.database.run(store_missed_call, missed, region="RU", **how)
    await left_voicemail(site, "06VOICE", caller_number=NUMBER)
    with site.database.session() as session:
        letters = session.exec(select(OutboxLetter).where(OutboxLetter.recipient == "olga@example.com")).all()
        (voicemail,) = session.exec(
            select(OutboxLetter).where(OutboxLetter.dedupe_key == "voicemail:06VOICE:office@example.com")
        ).all()
    (letter,) = letters
    for one in (letter, voicemail):
        assert MARK in one.subject + one.body and digits_in(f"{one.subject} {one.body} {one.attachments}") == []
