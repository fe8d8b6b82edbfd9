"""Carriers that refuse, say nothing, or are not there: the caller goes on by "failed", and nothing is left."""

from __future__ import annotations

import asyncio

import pytest

from controller.engine import sip_trunk
from controller.routing import operator_lines
from controller.storage.calls import CallDetail
from tests.asterisk.nominal.test_trunks import NUMBER, OUTSIDE, forwards
from tests.fixtures.carrier import carrier
from tests.fixtures.sounds import SORRY
from tests.fixtures.system import System, eventually

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]


async def fails(system: System, within: float) -> CallDetail:
    """Call, be told sorry within so many seconds; gives the record."""
    caller, call = await system.call(NUMBER)
    begin = asyncio.get_running_loop().time()
    await call.hears_tone(SORRY.frequency, limit=within)
    assert asyncio.get_running_loop().time() - begin < within
    await call.ended()
    record = await system.call_record(caller)
    assert [step.exit for step in record.steps] == ["failed", "next", None]
    return record


def causes(record: CallDetail) -> list[tuple[int | None, int | None]]:
    return [(leg.cause, leg.sip_status) for leg in record.legs]


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (503, 34), (404, 1), (480, 19)])
async def test_a_carrier_that_refuses_fails_at_once(system: System, status: int, cause: int) -> None:
    async with carrier(status) as server:
        await system.has_trunk(server.port)
        await forwards(system)
        assert causes(await fails(system, within=2)) == [(cause, status)]


async def test_a_number_that_rings_and_is_not_answered_fails_after_its_time(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    await forwards(system, ring_seconds=5)
    record = await fails(system, within=7)
    (leg,) = record.legs
    assert leg.ended_at is not None and (leg.ended_at - leg.started_at).total_seconds() == pytest.approx(5, abs=0.5)
    await (await phone.ringing()).ended()


async def test_a_carrier_that_says_nothing_of_a_call_is_given_up(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_lines, "OUTSIDE_PROGRESS_WITHIN", 1.0)
    async with carrier(100) as server:
        await system.has_trunk(server.port)
        await forwards(system)
        await fails(system, within=3)


async def test_a_carrier_that_only_says_progress_is_waited_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_lines, "OUTSIDE_PROGRESS_WITHIN", 1.0)
    async with carrier(100, 183) as server:
        await system.has_trunk(server.port)
        await forwards(system, ring_seconds=5)
        record = await fails(system, within=7)
        (leg,) = record.legs
        assert leg.ended_at is not None and (leg.ended_at - leg.started_at).total_seconds() > 4


async def test_a_carrier_that_is_not_there_is_passed_over(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    async with carrier(dead=True) as server:
        first = await system.has_trunk(server.port, position=1)
        name = sip_trunk(first).name
        second = await system.has_trunk(position=2, used=False)
        await forwards(system)
        await eventually(lambda: system.engine.trunks.reachable[name], "its absence is not noticed", until=False, limit=16)
        device = f"PJSIP/100@{sip_trunk(second).name}"
        await eventually(lambda: system.engine.people.outside_device("100"), "the other is not used", until=device)
        _, call = await system.call(NUMBER)
        await (await phone.ringing()).answer()
        await call.hangup()
        server.dead = False
        await eventually(lambda: system.engine.trunks.reachable[name], "its return is not noticed", limit=16)


async def test_the_only_carrier_is_tried_even_when_it_seems_not_to_be_there(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_lines, "OUTSIDE_PROGRESS_WITHIN", 1.0)
    async with carrier(dead=True) as server:
        trunk = await system.has_trunk(server.port)
        await forwards(system)
        assert await system.engine.trunk_states() == {trunk.id: "absent"}
        record = await fails(system, within=3)
        assert [leg.number for leg in record.legs] == [OUTSIDE]


async def test_without_a_trunk_a_call_outside_fails_at_once_and_the_log_says_why(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    await forwards(system)
    record = await fails(system, within=2)
    assert record.legs == ()
    assert f"{OUTSIDE} can't be dialled: there is no trunk, or none is enabled" in caplog.text


async def test_a_host_that_no_name_server_knows_keeps_nothing_else_from_being_served(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    await system.has_trunk(host="nobody.invalid", position=1)
    await forwards(system)
    await fails(system, within=10)
    operator = await system.operator("2001")
    await operator.unregister()
    caplog.clear()
