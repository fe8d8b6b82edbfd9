"""What real calls through a trunk cost, on their records."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from controller.actions.costs import RateDraft, change_rate, create_rate
from controller.costs import UNIT, read_amount
from controller.ids import CallId
from controller.storage.calls import CallDetail, CallLeg, get_call
from controller.storage.operators import RungNumber
from controller.storage.rates import Rate
from tests.fixtures.carrier import carrier
from tests.fixtures.system import System
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation

pytestmark = pytest.mark.asterisk
NUMBER = "8060"
LANDLINE, MOBILE = "74951234567", "79161234567"
DAY = date(2026, 1, 1)


async def has_rate(system: System, prefix: str, price: str, **values: Any) -> Rate:
    return await system.change(create_rate, RateDraft(prefix, read_amount(price), DAY, **values))


async def forwards(system: System, number: str) -> None:
    operation = {"type": "forward_to_external", "number": number, "ring_seconds": 20}
    await system.serves(NUMBER, "outside", {"outside": {"operation": operation, "links": {"failed": "sorry"}}})


async def record_of(system: System, call: CallId) -> CallDetail:
    await system.at_rest()
    return await system.database.read(get_call, call)


def costs(*legs: CallLeg | None) -> list[tuple[str, int | None]]:
    """What was called through a trunk, and what that has cost."""
    return [(leg.number, leg.cost) for leg in legs if leg is not None and leg.trunk_id is not None]


@pytest.mark.covers("SKZ-38")
async def test_a_call_that_is_forwarded_outside_has_the_cost_of_that_line_on_its_record(system: System) -> None:
    phone, trunk = await system.phone_outside(LANDLINE), await system.has_trunk()
    await has_rate(system, "7", "9")
    rate = await has_rate(system, "7495", "1.25", connection=read_amount("0.1"))
    await forwards(system, LANDLINE)
    caller, call = await system.call(NUMBER)
    ringing = await phone.ringing()
    await ringing.answer()
    await talk(call, ringing)
    live = await system.recorded(caller, lambda one: one.talk_leg is not None, "they do not talk")
    assert (live.cost, live.legs[0].trunk_id) == (None, trunk.id)
    await ringing.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert costs(*record.legs) == [(LANDLINE, 1_350_000)]
    assert (record.cost, record.client_leg) == (1_350_000, None)
    await system.change(change_rate, rate.id, RateDraft("7495", read_amount("2"), DAY))
    assert (await record_of(system, CallId(record.call.id))).cost == 1_350_000


async def test_the_seconds_from_answer_to_end_are_charged_and_ringing_is_not(system: System) -> None:
    phone, _ = await system.phone_outside(LANDLINE), await system.has_trunk()
    await has_rate(system, "7", "60", first_seconds=1, next_seconds=1)
    await forwards(system, LANDLINE)
    caller, call = await system.call(NUMBER)
    ringing = await phone.ringing()
    await call.hears_sound()
    await ringing.answer()
    await talk(call, ringing)
    await ringing.listen(1.0)
    await call.hangup()
    await ringing.ended()
    (leg,) = (await system.call_record(caller)).legs
    assert leg.ended_at is not None and leg.cost is not None
    assert 1 * UNIT <= leg.cost <= ((leg.ended_at - leg.started_at).total_seconds() + 1) * UNIT


@pytest.mark.covers("SKZ-71")
async def test_an_inbound_call_that_is_transferred_outside_costs_a_call_to_that_number(system: System) -> None:
    outside, _ = await system.phone_outside(MOBILE), await system.has_trunk()
    await has_rate(system, "79", "1.75")
    talking = await conversation(system)
    await talking.transfer(MOBILE)
    offered = await outside.ringing()
    await offered.answer()
    await talk(talking.call, offered)
    await offered.hangup()
    await talking.call.ended()
    record = await talking.record()
    assert (costs(*record.legs), record.cost) == ([(MOBILE, 1_750_000)], 1_750_000)


@pytest.mark.covers("SKZ-70")
async def test_an_outgoing_call_that_is_transferred_outside_costs_both_lines_each_at_its_own_rate(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(LANDLINE)
    target, _ = await system.phone_outside(MOBILE), await system.has_trunk()
    await has_rate(system, "7495", "0.5")
    await has_rate(system, "7916", "1.75")
    call = system.engine.outgoing.place("2001", LANDLINE)
    own = await phone.ringing()
    await own.answer()
    rings = await client.ringing()
    await rings.answer()
    await talk(rings, own)
    await own.press(f"*1{MOBILE}#")
    offered = await target.ringing()
    await offered.answer()
    await talk(rings, offered)
    await offered.hangup()
    await rings.ended()
    record = await record_of(system, call)
    assert costs(record.client_leg, *record.legs) == [(LANDLINE, 500_000), (MOBILE, 1_750_000)]
    assert record.cost == 2_250_000


@pytest.mark.covers("SKZ-76")
async def test_a_call_through_an_operators_mobile_costs_both_lines(system: System) -> None:
    await system.has_extension("2010", RungNumber(MOBILE))
    mobile, client = await system.phone_outside(MOBILE), await system.phone_outside(LANDLINE)
    await system.has_trunk()
    await has_rate(system, "7495", "0.5")
    await has_rate(system, "7916", "1.75")
    call = system.engine.outgoing.place("2010", LANDLINE, at_mobile=True)
    own = await mobile.ringing()
    await own.answer()
    rings = await client.ringing()
    await rings.answer()
    await talk(rings, own)
    await own.hangup()
    await rings.ended()
    record = await record_of(system, call)
    client_leg = record.client_leg
    assert costs(*record.legs, client_leg) == [(MOBILE, 1_750_000), (LANDLINE, 500_000)]
    assert client_leg is not None and client_leg.answered_at is not None and client_leg.ended_at is not None
    assert record.cost == 2_250_000


async def test_a_client_who_does_not_answer_costs_nothing(system: System) -> None:
    phone = await system.operator("2001")
    async with carrier(486) as busy:
        await system.has_trunk(busy.port)
        call = system.engine.outgoing.place("2001", LANDLINE)
        own = await phone.ringing()
        await own.answer()
        await own.ended()
        record = await record_of(system, call)
    assert (costs(record.client_leg), record.cost) == ([(LANDLINE, 0)], 0)
    assert record.client_leg is not None and record.client_leg.cause == 17


async def test_a_number_without_a_rate_has_no_known_cost(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(MOBILE)
    await system.has_trunk()
    await has_rate(system, "7495", "0.5")
    call = system.engine.outgoing.place("2001", MOBILE)
    own = await phone.ringing()
    await own.answer()
    rings = await client.ringing()
    await rings.answer()
    await talk(rings, own)
    await rings.hangup()
    await own.ended()
    record = await record_of(system, call)
    assert (costs(record.client_leg), record.cost) == ([(MOBILE, None)], None)
