"""Employees who can't be reached, callers who leave or type nonsense: the caller goes on by "failed", nobody stays reserved."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from controller.softphone import PhoneCall
from controller.softphone.phone import CallOver
from controller.storage.calls import CallDetail
from controller.storage.operators import RungNumber
from tests.asterisk.nominal.test_extensions import INCORRECT_NODE, STANDARD, rung, serves_menu
from tests.fixtures.sounds import INCORRECT, MENU, SORRY, WARNING
from tests.fixtures.system import LIMIT, Line, System
from tests.fixtures.talk import talk

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]
DIRECT = "8071"
MOBILE = "74951110001"


async def serves_direct(system: System, extension: str = "2001") -> None:
    """DIRECT rings one employee at once."""
    operation = {"type": "dial_extension", "extension": extension}
    links = {"failed": "sorry", "wrong_number": "sorry"}
    await system.serves(DIRECT, "direct", {"direct": {"operation": operation, "links": links}})


async def is_told_sorry(system: System, call: PhoneCall, limit: float = LIMIT) -> None:
    await call.hears_tone(SORRY.frequency, limit=limit)
    await call.ended()


def exits(record: CallDetail) -> list[str | None]:
    return [step.exit for step in record.steps]


@pytest.mark.covers("UIS-37")
async def test_an_employee_who_refuses_is_not_reached(system: System) -> None:
    await serves_direct(system)
    phone = await system.operator("2001")
    caller, call = await system.call(DIRECT)
    await (await phone.ringing()).refuse()
    await is_told_sorry(system, call, limit=2)
    record = await system.call_record(caller)
    assert (exits(record), rung(record)) == (["failed", "next", None], [("2001", 17)])


@pytest.mark.covers("UIS-37")
async def test_an_employee_whose_phone_is_off_is_not_reached_at_once(system: System) -> None:
    await serves_direct(system)
    caller, call = await system.call(DIRECT)
    await is_told_sorry(system, call, limit=2)
    record = await system.call_record(caller)
    assert (exits(record), record.legs) == (["failed", "next", None], ())


@pytest.mark.covers("UIS-35")
async def test_the_next_number_rings_when_the_phone_is_off_or_refuses_the_call(system: System) -> None:
    await system.has_trunk()
    await system.has_extension("2045", RungNumber(MOBILE, 5))
    await serves_direct(system, "2045")
    mobile = await system.phone_outside(MOBILE)
    _, call = await system.call(DIRECT)
    await (await mobile.ringing()).answer()
    await call.hangup()
    phone = await system.operator("2045")
    _, call = await system.call(DIRECT)
    await (await phone.ringing()).refuse()
    again = await mobile.ringing()
    await again.answer()
    await talk(call, again)
    await call.hangup()
    await again.ended()


async def test_an_employee_who_answers_and_drops_the_call_at_once_has_not_taken_it(system: System) -> None:
    await serves_direct(system)
    phone = await system.operator("2001")
    caller, call = await system.call(DIRECT)
    offered = await phone.ringing()
    await offered.answer()
    await offered.hangup()
    await is_told_sorry(system, call)
    record = await system.call_record(caller)
    assert (exits(record), record.call.outcome) == (["failed", "next", None], "ended")


@pytest.mark.covers("UIS-37")
async def test_an_employee_who_talks_is_not_waited_for(system: System) -> None:
    await serves_direct(system, "2003")
    operator = await system.operator("2003")
    _, talking = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(talking, offered)
    caller, call = await system.call(DIRECT)
    await is_told_sorry(system, call, limit=2)
    assert (await system.call_record(caller)).legs == ()
    assert offered.ended_at is None
    await talking.hangup()
    await offered.ended()


async def test_an_employee_who_is_being_rung_for_a_group_is_not_rung_twice(system: System) -> None:
    await serves_direct(system, "2003")
    operator = await system.operator("2003")
    _, waiting = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    caller, call = await system.call(DIRECT)
    await is_told_sorry(system, call, limit=2)
    assert (await system.call_record(caller)).legs == ()
    await waiting.hangup()
    await offered.ended()


async def test_an_employee_who_is_wanted_in_particular_is_not_rung_for_a_group_meanwhile(system: System) -> None:
    await serves_direct(system, "2003")
    operator = await system.operator("2003")
    _, direct = await system.call(DIRECT)
    offered = await operator.ringing()
    await offered.answer()
    await talk(direct, offered)
    caller, call = await system.call(Line.SINGLE)
    await is_told_sorry(system, call)
    assert (await system.call_record(caller)).legs == ()
    await direct.hangup()
    await offered.ended()


async def test_a_caller_who_hangs_up_while_the_second_number_rings_leaves_nobody_ringing(system: System) -> None:
    await system.has_trunk()
    await system.has_extension("2045", RungNumber(MOBILE, 20), RungNumber("74951110002", 20))
    await serves_direct(system, "2045")
    phone, mobile = await system.operator("2045"), await system.phone_outside(MOBILE)
    caller, call = await system.call(DIRECT)
    await (await phone.ringing()).refuse()
    second = await mobile.ringing()
    await call.hears_sound()
    await call.hangup()
    await second.ended()
    await system.lines_have_ended(caller)
    record = await system.call_record(caller)
    assert record.call.outcome == "abandoned"
    assert [number for number, _ in rung(record)] == ["2045", MOBILE]


@pytest.mark.parametrize("in_menu", [True, False])
async def test_200_digits_are_a_wrong_number_and_cost_nothing(system: System, in_menu: bool) -> None:
    if in_menu:
        await serves_menu(system)
        first = MENU
        number = "8070"
    else:
        await system.serves(DIRECT, "extension", {"extension": STANDARD, "incorrect": INCORRECT_NODE})
        first, number = WARNING, DIRECT
    caller = await system.caller("info")
    call = await caller.phone.dial(number)
    await call.hears_tone(first.frequency)
    with suppress(CallOver):
        for _ in range(10):
            await call.press("2" * 20)
    if in_menu:
        await system.comes_to(caller, "menu", visits=2)
        await call.hangup()
    else:
        await call.hears_tone(INCORRECT.frequency, limit=20)
        await call.ended()
    record = await system.call_record(caller)
    assert len(record.steps[0].digits) == 32
    assert record.legs == ()


async def test_a_database_that_does_not_answer_leaves_a_caller_without_his_manager(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    manager = {"operation": {"type": "personal_manager"}, "links": {"failed": "sorry"}}
    await system.serves(DIRECT, "manager", {"manager": manager})
    monkeypatch.setattr("controller.calls.searching.MANAGER_WITHIN", 0.5)
    released = threading.Event()
    monkeypatch.setattr("controller.calls.searching.caller_facts", lambda *_: released.wait(LIMIT))
    caller, call = await system.call(DIRECT)
    await call.hears_tone(SORRY.frequency, limit=4)
    released.set()
    await call.ended()
    assert exits(await system.call_record(caller)) == ["failed", "next", None]
    assert "the caller's manager is not known: no answer" in caplog.text
    caplog.clear()
