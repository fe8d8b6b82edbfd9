"""What programs do to calls by HTTP, with the services that `run` gives to the API."""

from __future__ import annotations

import pytest

from controller.ids import CallId
from controller.storage.calls import get_call
from tests.fixtures.programs import api
from tests.fixtures.system import System
from tests.fixtures.talk import answers_and_talks
from tests.fixtures.transfers import conversation, reaches, transfer_target, way

pytestmark = pytest.mark.asterisk
OUTSIDE = "74951234567"


@pytest.mark.covers("SKZ-66", "SKZ-68")
async def test_a_program_transfers_the_caller_of_a_live_call(system: System) -> None:
    other, talking = await transfer_target(system), await conversation(system)
    async with await api(system) as program:
        address = f"/api/v1/calls/{talking.id}/transfer"
        refused = await program.post(address, json={"to": "2002"})
        assert (refused.status_code, "he is offline" in refused.json()["error"]["message"]) == (409, True)
        assert (await program.post(address, json={"to": "2003"})).status_code == 204
        await reaches(talking, other)
        over = await program.post(address, json={"to": "2001"})
        assert (over.status_code, "the call is over" in over.json()["error"]["message"]) == (409, True)


@pytest.mark.covers("SKZ-75")
async def test_a_program_has_an_operator_called_and_then_the_client(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(OUTSIDE)
    async with await api(system) as program:
        order = {"operator": "2001", "number": OUTSIDE}
        refused = await program.post("/api/v1/calls", json=order)
        assert (refused.status_code, "there is no trunk" in refused.json()["error"]["message"]) == (409, True)
        await system.has_trunk()
        placed = await program.post("/api/v1/calls", json=order)
        assert placed.status_code == 201
        rings = await answers_and_talks(await phone.ringing(), client)
        await rings.listen(1.0)
        await rings.hangup()
        await system.at_rest()
    record = await system.database.read(get_call, CallId(placed.json()["id"]))
    assert (record.call.direction, record.call.outcome, way(record)) == ("outbound", "talked", [("2001", "", True)])
