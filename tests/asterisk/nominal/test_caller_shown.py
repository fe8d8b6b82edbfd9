"""What an operator's phone shows of a call before he answers it."""

from __future__ import annotations

import pytest

from controller.storage.operators import find_operator
from tests.fixtures.raw_sip import raw_phone
from tests.fixtures.system import Line, System

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("SKZ-19", "SKZ-77", "LNR-8")
async def test_the_phone_is_told_the_line_and_the_callers_number(system: System) -> None:
    operator = await system.database.read(find_operator, "2001")
    assert operator is not None
    async with raw_phone(system.asterisk.sip[1], "2001", operator.sip_secret) as phone:
        assert (await phone.request("REGISTER", "2001", headers={"Expires": "60"})).status == 200
        await system.operator_is("2001", "available")
        caller, call = await system.call(Line.SALES)
        shown = (await phone.gets("INVITE"))["from"]
        assert shown.startswith(f'"Line {Line.SALES}"') and f"sip:{caller.number}@" in shown
        await call.hangup()
        await phone.request("REGISTER", "2001", headers={"Expires": "0"})
        await system.operator_is("2001", "offline")
