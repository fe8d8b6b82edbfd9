"""Phones that are on while the controller comes and goes."""

from __future__ import annotations

import pytest

from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("SKZ-62")
async def test_a_phone_stays_registered_over_a_new_start_and_can_still_be_turned_off(system: System) -> None:
    operator = await system.operator("2001")
    await system.restart()
    await system.operator_is("2001", "available")
    _, call = await system.call(Line.SALES)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await system.operator_is("2001", "available")
    await operator.unregister()
    await system.operator_is("2001", "offline")
