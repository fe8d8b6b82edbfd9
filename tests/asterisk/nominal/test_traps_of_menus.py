"""The traps of the requirements that speak of messages, menus and codes, on real calls; T-4 is `test_t04_...`."""

from __future__ import annotations

import asyncio

import pytest

from controller.softphone import PhoneCall
from controller.storage.calls import CallDetail
from ivr.graph import Scenario
from tests.fixtures.sounds import GREETING, MENU, SORRY, THANKS, WARNING, Tone, seconds_of
from tests.fixtures.system import Line, System
from tests.ivr.builders import authorization, group, hang_up, menu, message, node, scenario

pytestmark = pytest.mark.asterisk
NUMBER = "8101"
LONG_WAIT = 3.0
ENDS = {"goodbye": hang_up()}
KEYS_ONLY = {"2": "by_key", "wait_expired": "silent", "incorrect_input": "wrong_key"}


def keys_only(**parameters: object) -> Scenario:
    """A menu whose outcomes are told by tones: key 2 "thanks", another key "sorry", none "warning"."""
    return scenario(
        "choice",
        choice=menu(KEYS_ONLY, LONG_WAIT, "menu", **parameters),
        by_key=message({"next": "goodbye"}, "thanks"),
        wrong_key=message({"next": "goodbye"}, "sorry"),
        silent=message({"next": "goodbye"}, "warning"),
        **ENDS,
    )


def path(record: CallDetail) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in record.steps]


async def hears(call: PhoneCall, tone: Tone) -> float:
    """Wait until he hears it; gives the seconds that this took."""
    begin = asyncio.get_running_loop().time()
    await call.hears_tone(tone.frequency)
    return asyncio.get_running_loop().time() - begin


@pytest.mark.covers("UIS-18", "UIS-19")
async def test_t04_without_extension_entry_a_key_without_a_link_is_incorrect_input(system: System) -> None:
    await system.serve((NUMBER, keys_only()))
    caller, call = await system.call(NUMBER)
    await hears(call, MENU)
    await call.press("7")
    await hears(call, SORRY)
    await call.ended()
    assert path(await system.call_record(caller))[:2] == [("choice", "incorrect_input"), ("wrong_key", "next")]


@pytest.mark.covers("UIS-19", "UIS-15")
async def test_t05_without_extension_entry_a_linked_key_takes_effect_at_once(system: System) -> None:
    await system.serve((NUMBER, keys_only()))
    caller, call = await system.call(NUMBER)
    await hears(call, MENU)
    await call.press("2")
    assert await hears(call, THANKS) < LONG_WAIT - 1, "it waited for another digit"
    await call.ended()
    assert path(await system.call_record(caller))[0] == ("choice", "2")


@pytest.mark.covers("UIS-16", "UIS-17")
async def test_t11_no_key_is_wait_expired_and_not_incorrect_input(system: System) -> None:
    await system.serve((NUMBER, keys_only()))
    caller, call = await system.call(NUMBER)
    await hears(call, WARNING)
    await call.ended()
    assert path(await system.call_record(caller))[:2] == [("choice", "wait_expired"), ("silent", "next")]


@pytest.mark.covers("UIS-14")
async def test_t16_no_phone_rings_before_the_message_before_a_group_has_ended(system: System) -> None:
    operator = await system.operator("2003")
    _, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    assert seconds_of(WARNING, call.heard) == pytest.approx(WARNING.seconds, abs=0.2)
    await offered.answer()
    await call.hangup()


ASKED = authorization({"yes": "inside", "no": "outside"}, "007")
CODE = scenario(
    "code",
    code={**ASKED, "operation": {**ASKED["operation"], "prompt": ["menu"], "inter_digit_seconds": 0.6}},
    inside=message({"next": "goodbye"}, "thanks"),
    outside=message({"next": "goodbye"}, "sorry"),
    **ENDS,
)


@pytest.mark.covers("UIS-6", "UIS-7", "UIS-8", "UIS-9")
@pytest.mark.parametrize(
    ("typed", "exit"),
    [("007", "yes"), ("7", "no"), ("00", "no"), ("0007", "no"), ("008", "no"), ("", "no")],
    ids=["right", "without_zeros", "interval_over", "one_more", "wrong", "nothing"],
)
async def test_t18_a_code_is_compared_as_a_string_and_its_interval_ends_the_entry(system: System, typed: str, exit: str) -> None:
    await system.serve((NUMBER, CODE))
    caller, call = await system.call(NUMBER)
    await hears(call, MENU)
    if typed:
        await call.press(typed)
    await hears(call, THANKS if exit == "yes" else SORRY)
    await call.ended()
    record = await system.call_record(caller)
    assert path(record)[0] == ("code", exit)
    assert set(record.steps[0].digits) <= {"•"}, "the code is in the record"


@pytest.mark.covers("SKZ-7")
async def test_t23_a_cyclic_menu_repeats_with_5_seconds_of_pause_as_long_as_the_caller_is_silent(system: System) -> None:
    links = {key: KEYS_ONLY[key] for key in ("2", "incorrect_input")}
    cyclic = keys_only().model_dump(mode="json")
    cyclic["nodes"]["choice"] = menu(links, 1.0, "menu", repeat="cyclic")
    del cyclic["nodes"]["silent"]
    await system.serve((NUMBER, Scenario.model_validate(cyclic)))
    caller, call = await system.call(NUMBER)
    for _ in range(2):
        await hears(call, MENU)
        await call.hears_silence()
        call.forget_sound()
        assert await hears(call, MENU) == pytest.approx(5, abs=0.6)
        await call.hears_silence()
        call.forget_sound()
    await call.hangup()
    assert path(await system.call_record(caller)) == [("choice", None)]


@pytest.mark.covers("SKZ-7", "SKZ-8")
async def test_t24_the_no_input_action_comes_only_after_the_repetitions(system: System) -> None:
    repeated = scenario(
        "choice",
        choice=menu(
            {"1": "sales", "wait_expired": "sales", "incorrect_input": "choice"}, 0.5, "greeting", repeat="times", repeat_times=2
        ),
        sales=group({"failed": "goodbye"}, "Sales"),
        **ENDS,
    )
    await system.serve((NUMBER, repeated))
    operator = await system.operator("2001")
    _, call = await system.call(NUMBER)
    offered = await operator.ringing()
    assert seconds_of(GREETING, call.heard) == pytest.approx(3 * GREETING.seconds, abs=0.2)
    await offered.answer()
    await call.hangup()


@pytest.mark.covers("UIS-32", "SKZ-9")
async def test_t25_a_lower_menu_leads_back_by_the_hash_key_to_the_prompt_of_its_parent(system: System) -> None:
    two_levels = scenario(
        "upper",
        upper=menu({"1": "lower", "wait_expired": "goodbye", "incorrect_input": "goodbye"}, 5, "menu"),
        lower=menu({"#": "upper", "wait_expired": "goodbye", "incorrect_input": "goodbye"}, 5, "warning"),
        **ENDS,
    )
    await system.serve((NUMBER, two_levels))
    caller, call = await system.call(NUMBER)
    await hears(call, MENU)
    await call.press("1")
    await hears(call, WARNING)
    await call.press("#")
    call.forget_sound()
    await hears(call, MENU)
    await call.hangup()
    assert path(await system.call_record(caller)) == [("upper", "1"), ("lower", "#"), ("upper", None)]


@pytest.mark.covers("UIS-4", "UIS-3")
async def test_an_exit_without_a_link_ends_the_call(system: System) -> None:
    await system.serve((NUMBER, scenario("only", only=node("info_message", {}, message=["thanks"]))))
    caller, call = await system.call(NUMBER)
    await hears(call, THANKS)
    await call.ended()
    record = await system.call_record(caller)
    assert (path(record), record.call.ended_by) == ([("only", "next")], "scenario")
