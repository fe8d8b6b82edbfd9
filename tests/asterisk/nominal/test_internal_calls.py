"""Operators who call each other by extension (SKZ-54, SKZ-55, SKZ-64)."""

from __future__ import annotations

import pytest

from controller.errors import Refused
from controller.softphone import PhoneCall, SoftPhone
from controller.storage.calls import CallDetail, CallFilters, list_calls
from tests.asterisk.nominal.test_operator_states import dials
from tests.fixtures.sounds import NOBODY, UNDISTURBED
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def only_call(system: System) -> CallDetail:
    await system.at_rest()
    (call,) = (await system.database.read(list_calls, CallFilters(), 10)).calls
    return call


async def calls(phone: SoftPhone, number: str) -> PhoneCall:
    call = await phone.dial(number)
    await call.answered()
    return call


async def is_told_that_nobody_is_there(call: PhoneCall) -> None:
    await call.hears_tone(NOBODY.frequency)
    await call.ended()


@pytest.mark.covers("SKZ-54", "SKZ-55", "SKZ-64", "UIS-50")
async def test_a_colleague_is_called_by_extension_sees_who_calls_and_both_talk_on_record(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2002")
    call = await calls(first, "2002")
    rings = await second.ringing()
    assert "2001@" in rings.peer
    await rings.answer()
    await talk(call, rings)
    await rings.listen(1.0)
    await rings.hangup()
    await call.ended()
    record = await only_call(system)
    kept = record.call
    assert (kept.direction, kept.caller_number, kept.caller_name, kept.called_number) == (
        "internal",
        "2001",
        "Operator 2001",
        "2002",
    )
    assert (kept.outcome, kept.ended_by) == ("talked", "operator")
    assert record.talk_leg is not None and record.talk_leg.operator_extension == "2002"
    assert len(record.recordings) == 1


@pytest.mark.covers("SKZ-64")
async def test_a_colleague_who_talks_is_not_rung(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2003")
    _, outside = await system.call(Line.SINGLE)
    offered = await second.ringing()
    await offered.answer()
    await talk(outside, offered)
    await is_told_that_nobody_is_there(await calls(first, "2003"))
    assert offered.ended_at is None
    await outside.hangup()


@pytest.mark.covers("SKZ-64")
async def test_a_colleague_who_does_not_want_to_be_disturbed_is_not_rung(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2002")
    await dials(second, "*43", UNDISTURBED)
    await system.operator_is("2002", "do_not_disturb")
    await is_told_that_nobody_is_there(await calls(first, "2002"))


@pytest.mark.parametrize("number", ["2002", "2001", "2999"], ids=["his phone is off", "himself", "nobody's"])
async def test_who_can_not_be_reached_is_said_so_at_once(system: System, number: str) -> None:
    first = await system.operator("2001")
    call = await calls(first, number)
    await call.ended()
    record = await only_call(system)
    assert (record.call.outcome, record.legs) == ("ended", ())


async def test_a_colleague_who_does_not_answer_ends_the_call_with_a_prompt(system: System) -> None:
    first = await system.operator("2001")
    await system.has_extension("2010")
    second = await system.operator("2010")
    call = await calls(first, "2010")
    await second.ringing()
    await is_told_that_nobody_is_there(call)
    assert (await only_call(system)).legs[0].cause == 19


@pytest.mark.covers("SKZ-64")
async def test_a_call_that_was_clicked_rings_ones_own_phone_first_and_then_the_colleagues(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2002")
    system.engine.outgoing.place("2001", "2002")
    own = await first.ringing()
    assert "2002@" in own.peer
    assert system.engine.distributor.engaged.keys() == {"2001"}, "a group could ring him beside his own call"
    await own.answer()
    rings = await second.ringing()
    assert own.answered_at is not None and rings.began_at >= own.answered_at and "2001@" in rings.peer
    await rings.answer()
    await talk(own, rings)
    await rings.listen(1.0)
    await own.hangup()
    await rings.ended()
    record = await only_call(system)
    kept = record.call
    assert (kept.direction, kept.caller_number, kept.called_number, kept.outcome) == ("internal", "2001", "2002", "talked")
    assert [leg.operator_extension for leg in record.legs] == ["2002"] and len(record.recordings) == 1
    await eventually(lambda: dict(system.engine.distributor.engaged), "somebody stays engaged", until={})


@pytest.mark.covers("SKZ-64")
async def test_a_clicked_call_that_its_own_operator_refuses_rings_nobody_and_is_on_record(system: System) -> None:
    first = await system.operator("2001")
    await system.operator("2002")
    system.engine.outgoing.place("2001", "2002")
    await (await first.ringing()).refuse()
    record = await only_call(system)
    await eventually(lambda: dict(system.engine.distributor.engaged), "somebody stays engaged", until={})
    assert (record.call.direction, record.call.outcome, record.call.ended_by, record.legs) == (
        "internal",
        "refused",
        "operator",
        (),
    )


async def test_only_a_colleague_who_is_available_can_be_clicked(system: System) -> None:
    caller, _ = await system.operator("2001"), await system.operator("2002")
    await dials(caller, "*43", UNDISTURBED)
    await system.operator_is("2001", "do_not_disturb")
    for operator, colleague, why in (
        ("2002", "2001", "do not disturb"),
        ("2002", "2003", "offline"),
        ("2002", "2002", "his own"),
    ):
        with pytest.raises(Refused, match=why):
            system.engine.outgoing.place(operator, colleague)
