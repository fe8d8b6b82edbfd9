"""What an operator's phone is told of a caller whose campaign hides numbers: no digit (LNR-11)."""

from __future__ import annotations

import pytest

from controller.storage.operators import find_operator
from tests.fixtures.campaigns import has_campaign
from tests.fixtures.lines import NUMBER
from tests.fixtures.raw_sip import raw_phone
from tests.fixtures.system import System

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("LNR-11")
async def test_t47_the_phone_is_told_no_digit_of_a_hidden_number_when_he_calls_and_when_he_is_called_back(system: System) -> None:
    operator = await system.database.read(find_operator, "2001")
    assert operator is not None
    campaign = await has_campaign(system, hide_numbers=True)
    async with raw_phone(system.asterisk.sip[1], "2001", operator.sip_secret) as phone:
        assert (await phone.request("REGISTER", "2001", headers={"Expires": "60"})).status == 200
        await system.operator_is("2001", "available")
        caller, call = await system.call(NUMBER)
        assert f"sip:{NUMBER}@" in (await phone.gets("INVITE"))["from"]
        await system.recorded(caller, lambda found: found.talk_leg is not None, "nobody talks with the caller")
        await call.hangup()
        await phone.gets("BYE")
        assert (await system.call_record(caller)).call.campaign_id == campaign.id

        await system.has_trunk()
        await system.operator_is("2001", "available")
        system.engine.outgoing.place("2001", caller.number)
        await phone.gets("INVITE")
        rings = await caller.phone.ringing()
        await rings.answer()
        await system.recorded(
            caller, lambda found: found.call.direction == "outbound" and found.talk_leg is not None, "nobody was called back"
        )
        await rings.hangup()
        await phone.gets("BYE")

        assert [message for message in phone.received if caller.number[1:] in message] == []
        await phone.request("REGISTER", "2001", headers={"Expires": "0"})
        await system.operator_is("2001", "offline")
