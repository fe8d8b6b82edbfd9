"""An employee wanted in particular: by his extension, dialled in a menu or asked for, or as the caller's manager."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.operators import create_operator, delete_operator
from controller.errors import InvalidInput
from controller.softphone import PhoneCall
from controller.softphone.phone import PhoneError
from controller.storage.calls import CallDetail
from controller.storage.operators import RungNumber, find_operator
from tests.fixtures.sounds import INCORRECT, MENU, SORRY, THANKS, WARNING, seconds_of
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk
NUMBER = "8070"
WAIT = 1.0
"""Wait timeout of the tests' menu, and so the interval between the digits of an extension."""

IN_MENU = {
    "operation": {"type": "dial_extension", "variant": "in_menu"},
    "links": {"failed": "sorry", "wrong_number": "menu"},
}
STANDARD = {
    "operation": {"type": "dial_extension", "prompt": ["warning"], "inter_digit_seconds": WAIT},
    "links": {"failed": "sorry", "wrong_number": "incorrect"},
}
MANAGER = {"operation": {"type": "personal_manager"}, "links": {"failed": "sorry"}}
INCORRECT_NODE = {"operation": {"type": "info_message", "message": ["incorrect"]}, "links": {"next": "goodbye"}}


def menu(*, entry: bool = True, wait: float | None = WAIT) -> dict[str, Any]:
    """Key 2 says thanks; what is incorrect says so."""
    links = {"2": "thanks", "wait_expired": "sorry", "incorrect_input": "incorrect"}
    operation = {"type": "menu", "prompt": ["menu"], **({} if wait is None else {"wait_seconds": wait})}
    return {"operation": operation, "links": {**links, **({"extension_entry": "extension"} if entry else {})}}


async def serves_menu(system: System, extension: dict[str, Any] = IN_MENU, **given: Any) -> None:
    await system.serves(NUMBER, "menu", {"menu": menu(**given), "extension": extension, "incorrect": INCORRECT_NODE})


async def in_menu(system: System) -> tuple[Any, PhoneCall]:
    """A caller who hears the menu."""
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    return caller, call


def path(record: CallDetail) -> list[tuple[str, str | None, str]]:
    return [(step.node, step.exit, step.digits) for step in record.steps]


def rung(record: CallDetail) -> list[tuple[str, int | None]]:
    return [(leg.number, leg.cause) for leg in record.legs]


@pytest.mark.covers("UIS-19", "UIS-24")
async def test_t01_a_single_key_with_a_setting_is_followed_after_the_interval(system: System) -> None:
    await serves_menu(system)
    caller, call = await in_menu(system)
    pressed = asyncio.get_running_loop().time()
    await call.press("2")
    await call.hears_tone(THANKS.frequency)
    assert asyncio.get_running_loop().time() - pressed >= WAIT
    await call.ended()
    assert path(await system.call_record(caller))[0] == ("menu", "2", "2")


@pytest.mark.covers("UIS-19", "UIS-26", "UIS-35")
async def test_t02_more_digits_are_an_extension_and_the_first_does_not_fire_its_key(system: System) -> None:
    await system.has_extension("22045")
    await serves_menu(system)
    phone = await system.operator("22045")
    caller, call = await in_menu(system)
    await call.press("22045")
    ringing = await phone.ringing()
    await call.hears_sound()
    await ringing.answer()
    await talk(call, ringing)
    await ringing.listen(1.0)
    await ringing.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert path(record) == [("menu", "extension_entry", "22045"), ("extension", "answered", "")]
    assert record.talk_leg is not None and record.talk_leg.operator_name == "Operator 22045"
    assert (record.call.outcome, len(record.recordings)) == ("talked", 1)


@pytest.mark.covers("UIS-25")
async def test_t03_a_single_key_without_a_setting_is_dialled_and_is_no_incorrect_input(system: System) -> None:
    await serves_menu(system)
    caller, call = await in_menu(system)
    await call.press("7")
    await system.comes_to(caller, "menu", visits=2)
    await call.hangup()
    record = await system.call_record(caller)
    assert path(record)[:2] == [("menu", "extension_entry", "7"), ("extension", "wrong_number", "")]
    assert seconds_of(INCORRECT, call.heard) == 0


@pytest.mark.covers("UIS-27", "UIS-28", "UIS-41")
async def test_t06_an_unknown_extension_gives_a_second_of_silence_and_the_same_menu_again(system: System) -> None:
    await serves_menu(system)
    caller, call = await in_menu(system)
    await call.press("2999")
    await system.comes_to(caller, "menu", visits=2)
    await call.hears_tone(MENU.frequency)
    await call.hangup()
    record = await system.call_record(caller)
    assert [step.node for step in record.steps] == ["menu", "extension", "menu"]
    silent = record.steps[1]
    assert (silent.exit, silent.prompts) == ("wrong_number", ["second-of-silence"])
    assert silent.left_at is not None
    assert (silent.left_at - silent.entered_at).total_seconds() == pytest.approx(1.0, abs=0.3)


@pytest.mark.covers("UIS-23", "UIS-29")
async def test_t07_a_wrong_number_linked_to_a_group_goes_there_and_not_to_the_menu(system: System) -> None:
    group = {"operation": {"type": "forward_to_group", "group": "Sales"}, "links": {"failed": "sorry"}}
    extension = {**IN_MENU, "links": {"failed": "sorry", "wrong_number": "sales"}}
    nodes = {"menu": menu(), "extension": extension, "incorrect": INCORRECT_NODE, "sales": group}
    await system.serves(NUMBER, "menu", nodes)
    phone = await system.operator("2001")
    caller, call = await in_menu(system)
    await call.press("2999")
    ringing = await phone.ringing()
    await call.hangup()
    await ringing.ended()
    assert [step.node for step in (await system.call_record(caller)).steps] == ["menu", "extension", "sales"]


@pytest.mark.covers("UIS-21", "UIS-22", "UIS-34")
async def test_t09_in_a_menu_the_interval_is_5_seconds_and_no_message_is_played(system: System) -> None:
    await serves_menu(system, wait=None)
    phone = await system.operator("2001")
    caller, call = await in_menu(system)
    await call.press("2001")
    pressed = asyncio.get_running_loop().time()
    call.forget_sound()
    ringing = await phone.ringing()
    assert ringing.began_at - pressed == pytest.approx(5.0, abs=0.4)
    assert ringing.began_at - pressed >= 4.9
    await call.hangup()
    await ringing.ended()
    record = await system.call_record(caller)
    assert [step.prompts for step in record.steps] == [["menu"], []]


@pytest.mark.covers("UIS-30")
async def test_t10_a_menu_without_extension_entry_takes_its_key_at_once_and_others_are_incorrect(system: System) -> None:
    nodes = {"menu": menu(entry=False, wait=5), "incorrect": INCORRECT_NODE}
    await system.serves(NUMBER, "menu", nodes)
    caller, call = await in_menu(system)
    pressed = asyncio.get_running_loop().time()
    await call.press("2")
    await call.hears_tone(THANKS.frequency)
    assert asyncio.get_running_loop().time() - pressed < 1.0
    await call.ended()
    assert path(await system.call_record(caller))[0] == ("menu", "2", "2")
    other, call = await in_menu(system)
    await call.press("7")
    await call.hears_tone(INCORRECT.frequency, limit=2)
    await call.ended()
    assert path(await system.call_record(other))[0] == ("menu", "incorrect_input", "7")


@pytest.mark.covers("UIS-34", "UIS-37")
async def test_t12_an_unknown_number_and_an_employee_who_does_not_answer_are_two_exits(system: System) -> None:
    await system.has_extension("2045")
    await system.serves(NUMBER, "extension", {"extension": STANDARD, "incorrect": INCORRECT_NODE})
    caller, call = await system.call(NUMBER)
    await call.hears_tone(WARNING.frequency)
    await call.press("2999#")
    await call.hears_tone(INCORRECT.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert (path(record)[0], record.legs) == (("extension", "wrong_number", "2999#"), ())

    phone = await system.operator("2045")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(WARNING.frequency)
    await call.press("2045")
    ringing = await phone.ringing()
    await call.hears_tone(SORRY.frequency)
    await ringing.ended()
    await call.ended()
    record = await system.call_record(caller)
    assert path(record)[0] == ("extension", "failed", "2045")
    assert rung(record) == [("2045", 19)]


@pytest.mark.covers("UIS-35")
async def test_t13_an_employees_numbers_are_rung_one_after_another_in_their_order(system: System) -> None:
    mobile, home = "74951110001", "74951110002"
    await system.has_trunk()
    await system.has_extension("2045", RungNumber(mobile, 2), RungNumber(home, 5))
    await system.serves(NUMBER, "extension", {"extension": STANDARD, "incorrect": INCORRECT_NODE})
    phones = [await system.operator("2045"), await system.phone_outside(mobile), await system.phone_outside(home)]
    caller, call = await system.call(NUMBER)
    await call.press("2045#")
    first = await phones[0].ringing()
    second = await phones[1].ringing()
    assert first.ended_at is not None and first.ended_at <= second.began_at
    third = await phones[2].ringing()
    assert second.ended_at is not None and second.ended_at <= third.began_at
    assert system.engine.distributor.engaged.keys() == {"2045"}
    await third.answer()
    await talk(call, third)
    await call.hangup()
    await third.ended()
    record = await system.call_record(caller)
    assert [(number, cause) for number, cause in rung(record)] == [("2045", 19), (mobile, 19), (home, 16)]
    assert {leg.operator_extension for leg in record.legs} == {"2045"}
    for before, after in zip(record.legs, record.legs[1:], strict=False):
        assert before.ended_at is not None and before.ended_at <= after.started_at


@pytest.mark.covers("UIS-36")
async def test_t14_an_extension_of_the_right_form_is_a_line_and_another_is_none(system: System) -> None:
    await system.has_extension("23456")
    await serves_menu(system)
    phone = await system.operator("23456")
    _, call = await in_menu(system)
    await call.press("23456")
    ringing = await phone.ringing()
    await call.hangup()
    await ringing.ended()
    for extension in ("1234", "200", "234567", "2a34"):
        with pytest.raises(InvalidInput):
            await system.change(create_operator, extension, "Eve")
    assert "1234" not in system.engine.presence.states


async def test_an_operator_who_was_removed_is_not_dialled_and_can_no_longer_register(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    await system.has_extension("2045")
    await serves_menu(system)
    phone = await system.operator("2045")
    operator = await system.database.read(find_operator, "2045")
    assert operator is not None
    await system.change(delete_operator, operator.id)
    await eventually(lambda: "2045" in system.engine.presence.states, "he is still known", until=False)
    caller, call = await in_menu(system)
    await call.press("2045")
    await system.comes_to(caller, "menu", visits=2)
    await call.hangup()
    assert (await system.call_record(caller)).steps[1].exit == "wrong_number"
    with pytest.raises(PhoneError, match=r"40[13]"):
        await phone.register()
    caplog.clear()  # the phone's own complaint


@pytest.mark.covers("UIS-34", "SKZ-5")
async def test_a_key_leads_to_a_user_with_a_fixed_extension(system: System) -> None:
    fixed = {"operation": {"type": "dial_extension", "extension": "2001"}, "links": {"failed": "sorry", "wrong_number": "sorry"}}
    key = {
        "operation": {"type": "menu", "prompt": ["menu"]},
        "links": {"1": "user", "wait_expired": "sorry", "incorrect_input": "sorry"},
    }
    await system.serves(NUMBER, "menu", {"menu": key, "user": fixed})
    phone = await system.operator("2001")
    _, call = await in_menu(system)
    await call.press("1")
    ringing = await phone.ringing()
    await ringing.answer()
    await talk(call, ringing)
    await call.hangup()
    await ringing.ended()


async def has_manager(system: System, caller_number: str, manager: str | None) -> None:
    await system.change(create_contact, ContactDraft(f"Contact {caller_number}", [f"+{caller_number}"], (), manager), None)


async def manager_line(system: System) -> None:
    await system.serves(NUMBER, "manager", {"manager": MANAGER})


@pytest.mark.covers("UIS-38")
async def test_a_known_caller_talks_with_his_manager(system: System) -> None:
    await manager_line(system)
    caller = await system.caller()
    await has_manager(system, caller.number, "2002")
    phone = await system.operator("2002")
    call = await caller.phone.dial(NUMBER)
    ringing = await phone.ringing()
    assert caller.number in ringing.peer
    await call.hears_sound()
    await ringing.answer()
    await talk(call, ringing)
    await ringing.listen(1.0)
    await ringing.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert path(record) == [("manager", "answered", "")]


@pytest.mark.covers("UIS-39")
@pytest.mark.parametrize("why", ["unknown", "no manager", "offline", "busy", "refuses", "does not answer", "withheld"])
async def test_t17_without_a_manager_who_answers_the_call_goes_on_by_failed(system: System, why: str) -> None:
    # In the Asterisk that the tests share a phone of the other extension may have been on before.
    manager = "2047" if why == "offline" else "2045"
    await manager_line(system)
    await system.has_extension(manager)
    caller = await system.caller() if why != "withheld" else await system.caller_without_number()
    if why not in ("unknown", "withheld"):
        await has_manager(system, caller.number, None if why == "no manager" else manager)
    if why in ("busy", "refuses", "does not answer"):
        phone = await system.operator("2045")
    if why == "busy":
        talking = await phone.dial("8001")
        await talking.answered()
        await system.operator_is("2045", "talking")
    call = await caller.phone.dial(NUMBER)
    if why == "refuses":
        await (await phone.ringing()).refuse()
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    if why == "busy":
        await talking.hangup()
    record = await system.call_record(caller)
    assert [step.exit for step in record.steps] == ["failed", "next", None]
    assert [cause for _, cause in rung(record)] == {"refuses": [17], "does not answer": [19]}.get(why, [])
