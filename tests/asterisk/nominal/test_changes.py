"""What is changed over the API while calls go on is what the very next decision goes by."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from controller import engine
from controller.presence import Switches
from controller.storage.groups import find_group
from controller.storage.operators import find_operator
from controller.telephony.port import SipAccount
from tests.fixtures.campaigns import CAMPAIGN, NUMBER, has_campaign
from tests.fixtures.programs import api
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


@pytest.fixture
def patient_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is: the answer waits."""
    monkeypatch.setattr(engine, "TAKEN_IN_WITHIN", 60.0)


async def the_id(system: System, name: str) -> int:
    found = await system.database.read(find_operator if name.isdigit() else find_group, name)
    assert found is not None
    return found.id


async def without_2001(system: System, change: Literal["members", "operator", "campaign"]) -> tuple[str, str, dict[str, Any]]:
    """A number that rings 2001 and 2002 together, and the request after which it rings 2002 alone."""
    match change:
        case "members":
            return Line.SALES, f"groups/{await the_id(system, 'Sales')}", {"name": "Sales", "members": ["2002"]}
        case "operator":
            return Line.SALES, f"operators/{await the_id(system, '2001')}", {"name": "Operator 2001", "inbound": False}
        case "campaign":
            campaign = await has_campaign(system, operators=["2001", "2002"])
            body = {"name": CAMPAIGN, "numbers": [NUMBER], "operators": ["2002"]}
            return NUMBER, f"campaigns/{campaign.id}", body


@pytest.mark.usefixtures("patient_api")
@pytest.mark.parametrize("change", ["members", "operator", "campaign"])
async def test_who_waits_is_offered_to_nobody_else_from_the_answer_of_the_api_on(
    system: System, change: Literal["members", "operator", "campaign"]
) -> None:
    phones = [await system.operator(extension) for extension in ("2001", "2002")]
    number, address, body = await without_2001(system, change)
    async with await api(system) as client:
        for extension in ("2001", "2002"):
            await client.put(f"/api/v1/operators/{extension}/state", json={"state": "do_not_disturb"})
        caller, call = await system.call(number)
        await eventually(lambda: len(system.engine.distributor.waiting), "the caller does not wait", until=1)
        answer = await client.put(f"/api/v1/{address}", json=body)
        assert answer.status_code == 200, answer.text
    for extension in ("2001", "2002"):
        system.engine.presence.switch(extension, Switches(at=system.clock.now()))
    offered = await phones[1].ringing()
    assert system.engine.distributor.engaged.keys() == {"2002"}
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    assert [leg.operator_extension for leg in (await system.call_record(caller)).legs] == ["2002"]


@pytest.mark.usefixtures("patient_api")
async def test_no_change_waits_for_the_accounts_of_another_to_be_in_asterisk(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, begun, may_go_on = system.engine.telephony.put_sip_account, asyncio.Event(), asyncio.Event()

    async def slowly(account: SipAccount) -> None:
        begun.set()
        await may_go_on.wait()
        await put(account)

    monkeypatch.setattr(system.engine.telephony, "put_sip_account", slowly)
    async with await api(system) as client:
        for extension in ("2008", "2009"):
            created = await client.post("/api/v1/operators", json={"extension": extension, "name": f"Operator {extension}"})
            assert created.status_code == 201
            assert system.engine.people.known(extension) is not None
            await begun.wait()
    assert not system.engine.ready
    may_go_on.set()
    await eventually(lambda: system.engine.presence.states.keys() >= {"2008", "2009"}, "their phones are not watched")
    await eventually(lambda: system.engine.ready, "the engine is not ready")
    phone = await system.operator("2009")
    await phone.unregister()


async def test_an_engine_that_can_not_read_keeps_the_answer_back_for_a_moment_only(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TAKEN_IN_WITHIN", 0.05)
    await system.stop_engine()
    async with await api(system) as client:
        answer = await client.post("/api/v1/groups", json={"name": "Night", "members": ["2001"]})
    assert (answer.status_code, answer.json()["members"][0]["extension"]) == (201, "2001")
