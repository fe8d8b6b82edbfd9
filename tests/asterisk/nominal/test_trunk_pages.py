"""An own PBX and a carrier for outgoing calls, connected on the pages, with real registrations and calls (SKZ-12 to SKZ-16)."""

from __future__ import annotations

import re

import httpx
import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.numbers import NumberLine
from controller.actions.users import create_token, create_user, start_web_session
from controller.clock import SystemClock
from controller.errors import Refused
from controller.storage import Session
from tests.asterisk.nominal.test_trunks import NUMBER, OUTSIDE, forwards
from tests.fixtures.carrier import Carrier, carrier
from tests.fixtures.lines import open_line
from tests.fixtures.programs import services_on
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.web import PASSWORD
from web.app import create_app
from web.security import SESSION_LIFETIME

pytestmark = pytest.mark.asterisk
OURS, LOGIN, SECRET = "74950001122", "001122", "s3cret-word"
REGISTERS_WITHIN = 14


async def pages(system: System) -> httpx.AsyncClient:
    """An administrator's browser, with a token for the API as well, on the pages of this system."""

    def enter(session: Session) -> tuple[str, str]:
        now = SystemClock().now()
        user = create_user(session, "ann", PASSWORD, "administrator", acting_user="test", at=now)
        token = create_token(session, "reports", acting_user="test", at=now)
        return start_web_session(session, user.id, SESSION_LIFETIME, at=now), token

    cookie, token = await system.database.run(enter)
    transport = httpx.ASGITransport(create_app(services_on(system)))
    client = httpx.AsyncClient(
        transport=transport, base_url="http://attendant.test", headers={"Authorization": f"Bearer {token}"}
    )
    client.cookies.set(f"attendant_{system.settings.http_port}", cookie, domain="attendant.test")
    return client


async def connects(client: httpx.AsyncClient, server: Carrier, **fields: str) -> str:
    """Save the settings of the own PBX; gives the address of the page that follows its state."""
    pbx = {"template": "pbx", "name": "Our PBX", "caller_id": OURS, "username": LOGIN, "secret": SECRET, "domain": "pbx.example"}
    saved = await client.post("/trunks/new", data={**pbx, "host": f"127.0.0.1:{server.port}", **fields})
    assert saved.status_code == 303, saved.text
    return str(saved.headers["location"])


async def says(client: httpx.AsyncClient, address: str, words: str) -> None:
    """Wait until the page says so of the trunk's state."""

    async def said() -> bool:
        page = (await client.get(address)).text
        found = re.search(r'<div id="connection".*?</div>', page, re.S)
        return found is not None and words in found[0]

    await eventually(said, f'the page does not say "{words}"', limit=REGISTERS_WITHIN)


async def check_of(client: httpx.AsyncClient, number: str) -> str:
    """What the number's page says of whether it is reached."""
    numbers = (await client.get("/api/v1/numbers")).json()["numbers"]
    (id,) = (one["id"] for one in numbers if one["number"] == number)
    found = re.search(r'id="check-title".*?</section>', (await client.get(f"/numbers/{id}")).text, re.S)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


@pytest.mark.covers("SKZ-12", "SKZ-13", "SKZ-14", "LNR-3")
async def test_an_own_pbx_registers_brings_calls_takes_them_and_is_disconnected(system: System) -> None:
    client, operator, outside = await pages(system), await system.operator("2001"), await system.phone_outside(OUTSIDE)
    async with carrier(user=LOGIN, password=SECRET, phones=system.phones_port) as pbx:
        address = await connects(client, pbx)
        await says(client, address, "Saved. Connecting to")
        await pbx.gets("REGISTER")
        register = await pbx.gets("REGISTER")
        assert register.uri == "sip:pbx.example" and f"sip:{LOGIN}@pbx.example" in register.headers["to"]
        assert f"sip:{OURS}@" in register.headers["contact"], "callers come by the number, not by the login"
        await says(client, address, "The registration was successful")

        await open_line(system, OURS, NumberLine(trunk="Our PBX", source="PBX"))
        check = await check_of(client, OURS)
        assert "is served by the group Patient" in check and "Our PBX Registered" in check and "Last call never" in check
        caller = await system.caller()
        await system.change(create_contact, ContactDraft("Anna", [f"+{caller.number}"], (), None), "RU")
        call = await caller.phone.dial(OURS)
        offered = await operator.ringing()
        await offered.answer()
        await talk(call, offered)
        await offered.listen(1.0)
        await call.hangup()
        inbound = await system.call_record(caller)
        assert len(inbound.recordings) == 1
        assert "never" not in await check_of(client, OURS)
        shown = (await client.get("/api/v1/calls", params={"caller": caller.number})).json()["calls"]
        assert [(one["called"], one["contact"], one["source"]) for one in shown] == [(OURS, "Anna", "PBX")]

        await system.operator_is("2001", "available")
        placed = system.engine.outgoing.place("2001", OUTSIDE)
        own = await operator.ringing()
        await own.answer()
        rings = await outside.ringing()
        assert f"sip:{OURS}@pbx.example" in rings.peer
        assert (await pbx.gets("INVITE")).uri == f"sip:{OUTSIDE}@pbx.example"
        await rings.answer()
        await talk(rings, own)
        await own.listen(1.0)
        await own.hangup()
        await rings.ended()
        await system.at_rest()
        outbound = (await client.get(f"/api/v1/calls/{placed}")).json()
        assert (outbound["direction"], outbound["outcome"], len(outbound["recordings"])) == ("outbound", "talked", 1)

        await client.post("/trunks/1/disconnect")
        await says(client, "/trunks/1", "Disconnected.")
        gone = await pbx.gets("REGISTER")
        assert gone.headers.get("expires") == "0" or "expires=0" in gone.headers["contact"]
        await eventually(lambda: system.engine.people.outside_device("100"), "it is still used", until=None)
        with pytest.raises(Refused, match="no trunk"):
            system.engine.outgoing.place("2001", OUTSIDE)


@pytest.mark.covers("SKZ-14")
async def test_wrong_settings_are_told_and_edited_and_callers_are_served_meanwhile(system: System) -> None:
    client = await pages(system)
    async with carrier(user=LOGIN, password=SECRET) as pbx:
        await connects(client, pbx, secret="wrong-word")
        await pbx.gets("REGISTER")
        await pbx.gets("REGISTER")
        await says(client, "/trunks/1", "Check login, password and domain")
        await open_line(system, OURS)
        caller, call = await system.call(OURS)
        await call.hangup()
        await system.call_record(caller)
        edited = {"name": "Our PBX", "host": "127.0.0.1", "port": str(pbx.port), "transport": "udp", "username": LOGIN}
        given = {**edited, "secret": SECRET, "caller_id": OURS, "position": "1", "registers": "on", "inbound": "on"}
        answer = await client.post("/trunks/1", data=given)
        await says(client, answer.headers["location"], "The registration was successful")
        await client.post("/trunks/1/delete")
        await eventually(system.engine.ami.registrations, "it is still there", until={})


@pytest.mark.covers("SKZ-16")
async def test_through_a_trunk_for_outgoing_calls_only_calls_go_out_and_it_never_registers(system: System) -> None:
    client, phone = await pages(system), await system.phone_outside(OUTSIDE)
    await forwards(system)
    async with carrier(phones=system.phones_port) as server:
        fields = {"template": "outbound", "name": "MultiFon", "caller_id": OURS, "host": f"127.0.0.1:{server.port}"}
        address = (await client.post("/trunks/new", data=fields)).headers["location"]
        await says(client, address, "Ready")
        _, call = await system.call(NUMBER)
        ringing = await phone.ringing()
        assert OURS in ringing.peer
        await ringing.answer()
        await talk(call, ringing)
        await call.hangup()
        await ringing.ended()
        assert "REGISTER" not in server.seen
