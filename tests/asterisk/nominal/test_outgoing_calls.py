"""Calls that operators ask for: their own phone first, then the number (SKZ-75)."""

from __future__ import annotations

import pytest

from controller.errors import Refused
from controller.ids import CallId
from controller.storage.calls import CallDetail, get_call
from controller.storage.operators import RungNumber
from tests.fixtures.carrier import carrier
from tests.fixtures.sounds import NOBODY
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import answers_and_talks, talk
from tests.fixtures.transfers import way

pytestmark = pytest.mark.asterisk
OUTSIDE, MOBILE = "74951234567", "79161234567"


async def record_of(system: System, call: CallId) -> CallDetail:
    await system.at_rest()
    return await system.database.read(get_call, call)


async def telephones_with_his_mobile(system: System, extension: str, ring_seconds: int = 20) -> None:
    """His call mode is his own number, and the engine knows it."""
    await system.change_operator(extension, numbers=[RungNumber(MOBILE, ring_seconds)], call_mode="own_number")
    await eventually(lambda: system.engine.people.known(extension).at_mobile, "the engine does not know")  # type: ignore[union-attr]


@pytest.mark.covers("SKZ-75", "LNR-9")
async def test_the_operators_phone_rings_first_and_the_client_is_called_when_he_has_answered(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    call = system.engine.outgoing.place("2001", OUTSIDE)
    own = await phone.ringing()
    assert OUTSIDE in own.peer
    await own.answer()
    rings = await client.ringing()
    assert own.answered_at is not None and rings.began_at >= own.answered_at
    await own.hears_sound()
    await rings.answer()
    await talk(rings, own)
    assert system.engine.distributor.engaged.keys() == {"2001"}
    await own.listen(1.0)
    await rings.hangup()
    await own.ended()
    record = await record_of(system, call)
    kept = record.call
    assert (kept.direction, kept.caller_number, kept.called_number) == ("outbound", OUTSIDE, "2001")
    assert (kept.outcome, kept.ended_by) == ("talked", "caller")
    assert way(record) == [("2001", "", True)] and len(record.recordings) == 1


@pytest.mark.covers("SKZ-66")
async def test_a_call_that_he_asked_for_can_be_transferred_like_any_other(system: System) -> None:
    phone, client, other = await system.operator("2001"), await system.phone_outside(OUTSIDE), await system.operator("2003")
    await system.has_trunk()
    call = system.engine.outgoing.place("2001", OUTSIDE)
    own = await phone.ringing()
    rings = await answers_and_talks(own, client)
    await own.press("*12003#")
    offered = await other.ringing()
    await own.ended()
    await offered.answer()
    await talk(rings, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await rings.ended()
    assert way(await record_of(system, call)) == [("2001", "", True), ("2003", "2001", True)]


@pytest.mark.covers("SKZ-75")
async def test_his_mobile_is_called_instead_of_his_phone_where_he_wants_that(system: System) -> None:
    await system.has_extension("2010", RungNumber(MOBILE))
    mobile, client = await system.phone_outside(MOBILE), await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    call = system.engine.outgoing.place("2010", OUTSIDE, at_mobile=True)
    own = await mobile.ringing()
    rings = await answers_and_talks(own, client)
    await own.listen(1.0)
    await own.hangup()
    await rings.ended()
    record = await record_of(system, call)
    assert (record.call.ended_by, [leg.number for leg in record.legs]) == ("operator", [MOBILE])


@pytest.mark.covers("SKZ-72", "SKZ-75")
async def test_who_telephones_with_his_own_number_is_called_there_first_and_takes_other_calls_at_his_phone(
    system: System,
) -> None:
    phone, mobile, client = await system.operator("2001"), await system.phone_outside(MOBILE), await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    await telephones_with_his_mobile(system, "2001")
    call = system.engine.outgoing.place("2001", OUTSIDE)
    own = await mobile.ringing()
    rings = await answers_and_talks(own, client)
    await own.listen(1.0)
    await own.hangup()
    await rings.ended()
    assert [leg.number for leg in (await record_of(system, call)).legs] == [MOBILE]
    await system.operator_is("2001", "available")
    call = system.engine.outgoing.place("2001", OUTSIDE, at_mobile=False)
    await (await phone.ringing()).refuse()
    await record_of(system, call)
    await system.operator_is("2001", "available")
    caller = await system.caller()
    outside = await caller.phone.dial(Line.SALES)
    await (await phone.ringing()).answer()
    await outside.answered()
    await outside.hangup()
    await system.call_record(caller)


@pytest.mark.covers("SKZ-75")
@pytest.mark.parametrize("does", ["refuse", "ignore"])
async def test_t43_the_client_is_never_called_when_the_operator_does_not_answer_his_own_phone(system: System, does: str) -> None:
    system.settings = system.settings.model_copy(update={"transfer_seconds": 2})
    await system.restart()
    phone = await system.operator("2001")
    async with carrier(200) as client:
        await system.has_trunk(client.port)
        call = system.engine.outgoing.place("2001", OUTSIDE)
        own = await phone.ringing()
        if does == "refuse":
            await own.refuse()
        await own.ended()
        record = await record_of(system, call)
        assert "INVITE" not in client.seen
    assert (record.call.outcome, record.call.ended_by) == ("refused", "operator")


@pytest.mark.covers("SKZ-75")
@pytest.mark.parametrize("does", ["refuse", "ignore"])
async def test_t43_the_client_is_never_called_when_the_operator_does_not_answer_his_own_mobile(system: System, does: str) -> None:
    await system.operator("2001")
    mobile = await system.phone_outside(MOBILE)
    async with carrier(phones=system.phones_port) as net:
        await system.has_trunk(net.port)
        await telephones_with_his_mobile(system, "2001", ring_seconds=2)
        call = system.engine.outgoing.place("2001", OUTSIDE)
        own = await mobile.ringing()
        if does == "refuse":
            await own.refuse()
        await own.ended()
        record = await record_of(system, call)
        assert set(net.called) == {MOBILE}
    assert [(leg.number, leg.answered_at) for leg in record.legs] == [(MOBILE, None)]
    assert (record.call.outcome, record.call.ended_by) == ("refused", "operator")


async def test_an_operator_hears_that_the_client_did_not_answer(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    call = system.engine.outgoing.place("2001", OUTSIDE)
    own = await phone.ringing()
    await own.answer()
    await (await client.ringing()).refuse()
    await own.hears_tone(NOBODY.frequency)
    await own.ended()
    record = await record_of(system, call)
    assert (record.call.outcome, record.call.ended_by, record.call.hangup_cause) == ("refused", "caller", 17)


async def test_an_operator_who_hangs_up_while_the_client_is_rung_stops_that(system: System) -> None:
    phone, client = await system.operator("2001"), await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    call = system.engine.outgoing.place("2001", OUTSIDE)
    own = await phone.ringing()
    await own.answer()
    rings = await client.ringing()
    await own.hangup()
    await rings.ended()
    assert (await record_of(system, call)).call.ended_by == "operator"


@pytest.mark.covers("LNR-9")
async def test_what_can_not_be_done_is_refused_at_once(system: System) -> None:
    phone = await system.operator("2001")
    with pytest.raises(Refused, match="no trunk"):
        system.engine.outgoing.place("2001", OUTSIDE)
    await phone.unregister()
    await system.operator_is("2001", "offline")
    await system.has_trunk()
    for extension, at_mobile in (("2999", False), ("2001", False), ("2001", True)):
        with pytest.raises(Refused):
            system.engine.outgoing.place(extension, OUTSIDE, at_mobile=at_mobile)
    await phone.register()
    await system.operator_is("2001", "available")
    for number in ("", "x", "*41", "1"):
        with pytest.raises(Refused):
            system.engine.outgoing.place("2001", number)
    call = system.engine.outgoing.place("2001", OUTSIDE)
    await (await phone.ringing()).refuse()
    assert (await record_of(system, call)).call.outcome == "refused"


async def test_a_controller_that_stops_ends_a_call_that_nobody_has_answered(system: System) -> None:
    phone = await system.operator("2001")
    await system.has_trunk()
    system.engine.outgoing.place("2001", OUTSIDE)
    own = await phone.ringing()
    await system.stop_engine()
    await own.ended()
    await system.start_engine()
