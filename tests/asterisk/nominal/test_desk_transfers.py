"""An operator gives his caller to a colleague, or to a number outside, by the dialog of his desk (SKZ-66 to SKZ-68)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.scenarios import KnownPrompts
from controller.actions.users import create_user, start_web_session
from controller.clock import SystemClock
from controller.ids import CallId
from controller.storage import Session
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation, reaches, way
from tests.fixtures.web import PASSWORD, healthy
from web.app import create_app
from web.security import SESSION_LIFETIME
from web.services import Health, WebServices

pytestmark = pytest.mark.asterisk
OUTSIDE = "74951234567"


async def desk_of_2001(system: System) -> httpx.AsyncClient:
    """The browser of a user whose phone is 2001, before the pages of the engine."""

    async def health() -> Health:
        return healthy()

    async def transfer(call: str, to: str, consulting: bool) -> None:
        await system.engine.arrivals.transfer(CallId(call), to, consulting)

    async def conclude_transfer(call: str, completes: bool) -> None:
        await system.engine.arrivals.conclude_transfer(CallId(call), completes)

    known = KnownPrompts(frozenset(), frozenset({"en"}))
    given = WebServices(
        system.asterisk.settings,
        system.database,
        system.bus,
        SystemClock(),
        health,
        lambda: known,
        operator_states=lambda: system.engine.presence.states,
        transfer=transfer,
        conclude_transfer=conclude_transfer,
    )
    token = await system.database.run(_logged_in)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(given)), base_url="http://attendant.test")
    client.cookies.set(f"attendant_{system.asterisk.settings.http_port}", token, domain="attendant.test")
    return client


def _logged_in(session: Session) -> str:
    by: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
    user = create_user(session, "eve", PASSWORD, "operator", **by)
    link_user(session, "eve", "2001", **by)
    return start_web_session(session, user.id, SESSION_LIFETIME, at=SystemClock().now())


async def _shows(client: httpx.AsyncClient, words: str) -> bool:
    return words in (await client.get("/desk")).text


async def dialog(client: httpx.AsyncClient) -> tuple[str, dict[str, bool]]:
    """Where the desk's only call is transferred, and which colleagues can be chosen there."""
    found = re.search(r'href="(/desk/calls/[^"]+/transfer)"', (await client.get("/desk")).text)
    assert found is not None, "the desk offers no transfer"
    page = (await client.get(found[1])).text
    return found[1], {extension: "disabled" not in how for extension, how in re.findall(r'value="(\d+)"([^>]*)>', page)}


@pytest.mark.covers("SKZ-66", "SKZ-68")
async def test_t40_the_caller_goes_to_the_colleague_who_was_chosen_on_the_desk_and_only_who_is_available_can_be(
    system: System,
) -> None:
    other, talking, client = await system.operator("2003"), await conversation(system), await desk_of_2001(system)
    address, colleagues = await dialog(client)
    assert colleagues["2003"] and not any(colleagues[extension] for extension in colleagues.keys() - {"2003"})
    refused = await client.post(address, data={"to": "2002"})
    assert refused.status_code == 422 and "can&#39;t be chosen: offline" in refused.text
    await talk(talking.call, talking.line)
    answer = await client.post(address, data={"to": "2003"})
    assert answer.headers["location"] == "/desk?transfer=given&to=2003"
    await reaches(talking, other)


@pytest.mark.covers("SKZ-66")
async def test_who_is_outside_is_spoken_with_first_and_put_down_and_then_joined_with_the_caller_by_the_desk(
    system: System,
) -> None:
    outside = await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    talking, client = await conversation(system), await desk_of_2001(system)
    address, _ = await dialog(client)
    await client.post(address, data={"to": "outside", "number": "7 (495) 123-45-67", "consulting": "on"})
    offered = await outside.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await eventually(lambda: _shows(client, "Consulting"), "the desk does not show the consultation")
    await client.post(f"{address}/back")
    await offered.ended()
    await talk(talking.call, talking.line)
    await eventually(lambda: _shows(client, "Consulting"), "the desk still shows it", until=False)
    await client.post(address, data={"to": "outside", "number": "74951234567", "consulting": "on"})
    offered = await outside.ringing()
    await offered.answer()
    await talk(talking.line, offered)
    await client.post(f"{address}/complete")
    await talking.line.ended()
    await talk(talking.call, offered)
    await offered.listen(1.0)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True), (OUTSIDE, "2001", False), (OUTSIDE, "2001", True)]
