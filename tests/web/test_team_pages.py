"""The team, as people see and change it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.groups import create_group, set_members
from controller.actions.operators import change_call_mode, create_operator
from controller.actions.users import create_user
from controller.errors import Refused
from controller.storage.audit import list_audit
from controller.storage.operator_states import NewState, add_states
from controller.storage.operators import find_operator
from tests.fixtures.web import NOON, PASSWORD, Site
from web.people_models import sip_account_model
from web.sip_qr import qr_code
from web.views import team

ATTACK = "<script>alert('x')</script>\"'"
BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
NEW = {
    "name": "Anna Petrova",
    "extension": "2045",
    "ring_seconds": "15",
    "numbers": "+7 916 123-45-67, 12\n101",
    "time_zone": "Asia/Vladivostok",
    "inbound": "on",
}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


async def stored(site: Site) -> dict[str, dict[str, Any]]:
    """Operators as the API gives them, by extension."""
    return {one["extension"]: one for one in (await site.program().get("/api/v1/operators")).json()["operators"]}


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    """Ann's browser; her phone is 2001. 2002 is available, 2003 talks."""
    with site.database.session() as session:
        for extension, name in (("2001", "Eve"), ("2002", "Bob"), ("2003", "Kim")):
            create_operator(session, extension, name, **BY)
        create_group(session, "Sales", **BY)
        set_members(session, "Sales", ["2002", "2003"], **BY)
        link_user(session, "ann", "2001", **BY)
    states = [("2001", "available"), ("2002", "available"), ("2003", "talking")]
    await site.database.run(add_states, [NewState(extension, NOON, state, "", "phone") for extension, state in states])
    return await site.browser()


@pytest.mark.covers("SKZ-54", "SKZ-55", "SKZ-29", "LNR-8", "UIS-50")
async def test_an_operator_is_made_and_his_account_shown_once(site: Site) -> None:
    client = await site.browser()
    made = await client.post("/team/new", data=NEW)
    operator = await site.database.read(find_operator, "2045")
    assert operator is not None and made.status_code == 200
    for shown in (site.settings.sip_host, str(site.settings.sip_port), "2045", operator.sip_secret):
        assert f"<code>{shown}</code>" in made.text
    one = (await stored(site))["2045"]
    assert (one["name"], one["ring_seconds"], one["time_zone"]) == ("Anna Petrova", 15, "Asia/Vladivostok")
    assert one["numbers"] == [{"number": "+79161234567", "ring_seconds": 12}, {"number": "101", "ring_seconds": 20}]
    assert (one["inbound"], one["team"]) == (True, False)
    for path in ("/team", f"/team/{operator.id}", f"/team/{operator.id}/edit"):
        page = (await client.get(path)).text
        assert "Anna Petrova" in page and operator.sip_secret not in page
    assert "22:00" in (await client.get(f"/team/{operator.id}")).text, "noon in Vladivostok"


@pytest.mark.covers("SKZ-60")
async def test_an_operator_is_looked_at_changed_and_deleted(site: Site, client: httpx.AsyncClient) -> None:
    page = (await client.get("/team")).text
    for shown in ('href="/team/2"', 'href="/team/2/edit"', 'action="/team/2/delete"', "Sales"):
        assert shown in page
    form = (await client.get("/team/2/edit")).text
    assert 'value="Bob"' in form and 'name="extension"' not in form and 'name="team" checked' in form
    sent = {"name": "Robert", "ring_seconds": "9", "numbers": "", "time_zone": "", "team": "on"}
    assert (await client.post("/team/2/edit", data=sent)).headers["location"] == "/team/2"
    one = (await stored(site))["2002"]
    assert (one["name"], one["ring_seconds"], one["inbound"], one["team"], one["time_zone"]) == ("Robert", 9, False, True, None)
    refused = await client.post("/team/2/delete")
    assert refused.status_code == 409 and "he is in the group &#34;Sales&#34;" in refused.text
    assert (await client.post("/team/1/delete")).headers["location"] == "/team"
    assert "2001" not in await stored(site)


@pytest.mark.covers("SKZ-72")
async def test_what_an_operator_telephones_with_is_chosen_in_his_form(site: Site, client: httpx.AsyncClient) -> None:
    typed = {"name": "Eve", "ring_seconds": "20", "numbers": "", "call_mode": "browser"}
    assert (await client.post("/team/1/edit", data=typed)).status_code == 303
    assert (await stored(site))["2001"]["call_mode"] == "browser"
    assert "This browser" in (await client.get("/team/1")).text
    assert '<option value="browser" selected>' in (await client.get("/team/1/edit")).text
    refused = await client.post("/team/1/edit", data={**typed, "call_mode": "own_number"})
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.text.partition('id="call_mode"')[2].partition(">")[0]
    assert '<option value="own_number" selected>' in refused.text


@pytest.mark.covers("SKZ-61")
async def test_the_list_shows_how_everybody_is_in_a_part_that_is_renewed_by_itself(client: httpx.AsyncClient) -> None:
    page = (await client.get("/team")).text
    live = page[page.index('<div id="team" data-live="/team">') :]
    assert re.findall(r'class="badge \w+" title="[^"]+"><svg.*?</svg>([^<]+)<', live) == ["Available", "Available", "Talking"]


@pytest.mark.covers("SKZ-64")
async def test_a_click_on_an_available_colleagues_extension_calls_him(site: Site, client: httpx.AsyncClient) -> None:
    placed: list[tuple[str, str, bool]] = []

    def place(operator: str, number: str, at_mobile: bool | None) -> str:
        placed.append((operator, number, at_mobile))
        return "01CALL"

    site.app.state.services = replace(site.app.state.services, place_call=place)
    page = (await client.get("/team")).text
    assert re.findall(r'action="/team/(\d)/call"', page) == ["2"], "not oneself, and nobody who talks"
    answer = await client.post("/team/2/call")
    assert placed == [("2001", "2002", None)]
    assert "Bob is called" in (await client.get(answer.headers["location"])).text
    newest = (await site.database.read(list_audit))[0]
    assert (newest.actor, newest.action, newest.detail) == ("ann", "call.place", {"operator": "2001", "number": "2002"})


async def test_a_call_that_can_not_be_made_is_said_so_on_the_page(site: Site, client: httpx.AsyncClient) -> None:
    def refuse(operator: str, number: str, at_mobile: bool | None) -> str:
        raise Refused("operator 2002 can't be called: he is talking")

    site.app.state.services = replace(site.app.state.services, place_call=refuse)
    answer = await client.post("/team/2/call")
    assert answer.status_code == 409 and "he is talking." in answer.text
    await site.database.run(link_user, "ann", None, **BY)
    assert "/call" not in (await client.get("/team")).text
    assert (await client.post("/team/2/call")).status_code == 409


@pytest.mark.covers("LNR-8")
async def test_a_lost_secret_is_replaced_and_shown_once(site: Site, client: httpx.AsyncClient) -> None:
    before = await site.database.read(find_operator, "2002")
    page = await client.post("/team/2/secret")
    after = await site.database.read(find_operator, "2002")
    assert before is not None and after is not None and after.sip_secret != before.sip_secret
    assert page.status_code == 200 and f"<code>{after.sip_secret}</code>" in page.text
    account = (await site.program().post("/api/v1/operators/2/sip-account")).json()
    assert account["user"] == "2002" and account["password"] not in (before.sip_secret, after.sip_secret)
    assert (await client.post("/team/9/secret")).status_code == 404
    audit = [one for one in await site.database.read(list_audit) if one.action == "operator.renew_secret"]
    assert [one.actor for one in audit] == ["token reports", "ann"] and account["password"] not in str(audit[0].detail)


@pytest.mark.covers("LNR-8")
async def test_the_account_is_shown_as_a_qr_code_too_once_and_with_the_password_that_is_valid(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (await client.post("/team/2/secret")).text
    operator = await site.database.read(find_operator, "2002")
    assert operator is not None
    account = sip_account_model(operator, site.settings.sip_host, site.settings.sip_port)
    shown = re.search(r'<img src="(data:image/svg[^"]+)" alt="QR code of this account">', page)
    assert shown is not None and html.unescape(shown[1]) == qr_code(account, "Bob")
    await site.database.run(change_call_mode, 2, "browser", **BY)
    drawn: list[str] = []
    monkeypatch.setattr(team, "qr_code", lambda account, name: drawn.append(name) or "")
    assert "<img" not in (await client.post("/team/2/secret")).text, "his phone could not register"
    assert drawn == []
    for path in ("/team/2", "/team/2/edit", "/team"):
        assert "<img" not in (await client.get(path)).text


@pytest.mark.covers("SKZ-72")
async def test_a_secret_for_who_telephones_in_the_browser_says_that_his_phone_can_not_register_yet(
    site: Site, client: httpx.AsyncClient
) -> None:
    assert "telephones in the browser" not in (await client.post("/team/2/secret")).text
    await site.database.run(change_call_mode, 2, "browser", **BY)
    assert "He telephones in the browser" in (await client.post("/team/2/secret")).text


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("name", " ", ""),
        ("name", "two\nlines", ""),
        ("extension", "1234", ""),
        ("extension", "", ""),
        ("ring_seconds", "301", ""),
        ("ring_seconds", "soon", ""),
        ("numbers", "101\nnot a number", "Number 2: "),
        ("numbers", "101, long", "Number 1: "),
        ("numbers", "101\n101", "Number 2: it is there twice"),
        ("numbers", "\n".join(f"10{number}" for number in range(6)), ""),
        ("time_zone", "Mars/Olympus", "There is no time zone"),
        ("time_zone", "../../etc/passwd", ""),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    site: Site, field: str, text: str, said: str
) -> None:
    client = await site.browser()
    answer = await client.post("/team/new", data={**NEW, field: text})
    assert answer.status_code == 422 and list(errors(answer.text)) == [field]
    assert errors(answer.text)[field].startswith(said)
    kept = "name" if field != "name" else "time_zone"
    assert f'value="{NEW[kept]}"' in answer.text and 'name="team" checked' not in answer.text
    assert await stored(site) == {}


@pytest.mark.covers("SKZ-55")
async def test_an_extension_that_is_taken_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/team/new", data={**NEW, "extension": "2001"})
    assert answer.status_code == 409 and "already an operator 2001" in answer.text and 'value="Anna Petrova"' in answer.text


@pytest.mark.covers("SKZ-55")
async def test_who_is_no_administrator_sees_the_team_and_changes_nothing(site: Site, client: httpx.AsyncClient) -> None:
    user = await site.database.run(create_user, "bob", PASSWORD, "operator", **BY)
    other = await site.browser(user.id)
    page = (await other.get("/team")).text
    assert "Kim" in page and "/edit" not in page and "New operator" not in page
    assert "/secret" not in (await other.get("/team/2")).text
    before = await stored(site)
    answers = [
        await other.get("/team/new"),
        await other.post("/team/new", data=NEW),
        await other.get("/team/2/edit"),
        await other.post("/team/2/edit", data=NEW),
        await other.post("/team/2/secret"),
        await other.post("/team/1/delete"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert await stored(site) == before


async def test_what_people_type_never_becomes_markup(site: Site) -> None:
    client = await site.browser()
    await client.post("/team/new", data={**NEW, "name": ATTACK})
    for path in ("/team", "/team/1", "/team/1/edit", "/groups/new"):
        page = (await client.get(path)).text
        assert ATTACK not in page and "&lt;script&gt;" in page, path


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/team/9", "/team/9/edit"):
        assert (await client.get(path)).status_code == 404
    for path in ("/team/9/edit", "/team/9/delete", "/team/9/call"):
        assert (await client.post(path, data=NEW)).status_code == 404
