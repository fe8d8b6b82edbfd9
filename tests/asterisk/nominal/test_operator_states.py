"""What operators set on their phones by feature codes, what that means for callers, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import pytest

from controller.actions.operator_states import choose_state
from controller.commands.phoning import Caller
from controller.softphone import PhoneCall, SoftPhone
from controller.storage.operator_states import operators_now, state_changes
from controller.storage.operators import find_operator
from tests.fixtures.distributing import NUMBER, decided, desk
from tests.fixtures.programs import api
from tests.fixtures.sounds import DISTURBED, LOGGED_IN, LOGGED_OUT, NOT_POSSIBLE, SORRY, UNDISTURBED, Tone
from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]


async def dials(phone: SoftPhone, code: str, heard: Tone) -> None:
    """He dials a code, hears what became of it, and the line ends by itself."""
    call = await phone.dial(code)
    await call.answered()
    await call.hears_tone(heard.frequency)
    await call.ended()


async def history(system: System, extension: str) -> list[tuple[str, str, str]]:
    """His states so far, oldest first, each with its reason and who brought it about."""
    await system.engine.history.flush()
    operator = await system.database.read(find_operator, extension)
    assert operator is not None
    changes = await system.database.read(state_changes, operator.id, 100)
    return [(one.state, one.reason, one.changed_by) for one in reversed(changes)]


@pytest.mark.covers("SKZ-61", "SKZ-63")
async def test_do_not_disturb_is_set_by_the_phone_with_a_reason_and_keeps_calls_away_until_it_ends(system: System) -> None:
    phone, other = await system.operator("2001"), await system.operator("2002")
    await dials(phone, "*432", UNDISTURBED)
    await system.operator_is("2001", "do_not_disturb")
    _, call = await system.call(Line.SALES)
    offered = await other.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await dials(phone, "*44", DISTURBED)
    await system.operator_is("2001", "available")
    _, again = await system.call(Line.SALES)
    await phone.ringing()
    await again.hangup()
    states = await history(system, "2001")
    assert ("do_not_disturb", "lunch", "operator 2001") in states
    assert [state for state, _, _ in states].count("do_not_disturb") == 1, "his phone did not ring meanwhile"


async def test_a_caller_waits_for_the_only_operator_on_his_break(system: System) -> None:
    phone = await system.operator("2001")
    await dials(phone, "*43", UNDISTURBED)
    await system.operator_is("2001", "do_not_disturb")
    caller, call = await system.call(Line.SALES)
    await call.hears_sound()
    await system.comes_to(caller, "sales")
    await dials(phone, "*44", DISTURBED)
    offered = await phone.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()


@pytest.mark.covers("SKZ-62")
async def test_the_last_operator_who_logs_out_lets_the_waiting_caller_go_on(system: System) -> None:
    phone = await system.operator("2001")
    await dials(phone, "*43", UNDISTURBED)
    await system.operator_is("2001", "do_not_disturb")
    caller, waiting = await system.call(Line.SALES)
    await waiting.hears_sound()
    await system.comes_to(caller, "sales")
    await dials(phone, "*42", LOGGED_OUT)
    await waiting.hears_tone(SORRY.frequency)
    await waiting.ended()
    await system.operator_is("2001", "offline")
    _, late = await system.call(Line.SALES)
    await late.hears_tone(SORRY.frequency, limit=2)
    await late.ended()
    await dials(phone, "*41", LOGGED_IN)
    await system.operator_is("2001", "available")


async def logs_out_by_his_phone(system: System, phone: SoftPhone) -> None:
    await dials(phone, "*42", LOGGED_OUT)


async def logs_out_by_the_api(system: System, phone: SoftPhone) -> None:
    async with await api(system) as client:
        assert (await client.put("/api/v1/operators/2001/state", json={"state": "offline"})).is_success


LOGS_OUT = pytest.mark.parametrize("logs_out", [logs_out_by_his_phone, logs_out_by_the_api])
LogsOut: TypeAlias = Callable[[System, SoftPhone], Awaitable[None]]


@pytest.mark.covers("SKZ-62")
@LOGS_OUT
async def test_callers_wait_for_the_last_operator_who_has_logged_out_until_his_conversation_is_over(
    system: System, logs_out: LogsOut
) -> None:
    await desk(system, "linear", ["2001"])
    phone = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await talk(talking, offered)
    callers = [await system.call(NUMBER) for _ in range(2)]
    await asyncio.gather(*(call.hears_sound() for _, call in callers))
    await logs_out(system, phone)
    await asyncio.gather(*(call.listen(1.0) for _, call in callers))
    await asyncio.gather(*(call.hears_sound() for _, call in callers))
    assert system.engine.presence.states["2001"] == "talking"
    assert len(system.engine.distributor.waiting) == len(callers)
    await offered.hangup()
    await go_on_by_failed(system, callers)
    await system.operator_is("2001", "offline")


@pytest.mark.covers("SKZ-62")
@LOGS_OUT
async def test_callers_go_on_when_the_last_operator_logs_out_after_his_conversation_instead_of_wrapping_up(
    system: System, logs_out: LogsOut
) -> None:
    await desk(system, "linear", ["2001"], wrap_up_seconds=30)
    phone = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await talk(talking, offered)
    await offered.listen(1.0)
    await talking.hangup()
    await system.operator_is("2001", "wrap_up")
    callers = [await system.call(NUMBER) for _ in range(2)]
    await asyncio.gather(*(call.hears_sound() for _, call in callers))
    await logs_out(system, phone)
    await go_on_by_failed(system, callers)
    await system.operator_is("2001", "offline")


async def go_on_by_failed(system: System, callers: Sequence[tuple[Caller, PhoneCall]]) -> None:
    """Nobody of them was offered to anybody."""
    await asyncio.gather(*(call.hears_tone(SORRY.frequency) for _, call in callers))
    await asyncio.gather(*(call.ended() for _, call in callers))
    for caller, _ in callers:
        record = await system.call_record(caller)
        assert ([step.exit for step in record.steps], record.legs) == (["failed", "next", None], ())


@pytest.mark.covers("SKZ-61")
async def test_states_are_stored_as_they_are_and_survive_another_controller(system: System) -> None:
    phone = await system.operator("2001")
    await dials(phone, "*431", UNDISTURBED)
    await system.operator_is("2001", "do_not_disturb")
    await system.restart()
    await system.operator_is("2001", "do_not_disturb")
    now = {one.operator.extension: one for one in await system.database.read(operators_now)}
    newest, switches = now["2001"].newest, now["2001"].switches
    assert newest is not None and switches is not None
    assert (newest.state, newest.reason, switches.changed_by) == ("do_not_disturb", "break", "operator 2001")
    caller, call = await system.call(Line.SALES)
    await system.comes_to(caller, "sales")
    await call.hangup()
    assert [state for state, _, _ in await history(system, "2001")].count("do_not_disturb") == 1


@pytest.mark.covers("SKZ-61")
async def test_a_whole_call_is_in_the_history_of_the_operators_states(system: System) -> None:
    phone = await system.operator("2001")
    _, call = await system.call(Line.SALES)
    offered = await phone.ringing()
    await system.operator_is("2001", "ringing")
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()
    await system.operator_is("2001", "available")
    states = [state for state, _, _ in await history(system, "2001")]
    assert states == ["offline", "available", "ringing", "talking", "available"]


@pytest.mark.covers("SKZ-63")
async def test_t42_an_operator_without_inbound_calls_has_no_do_not_disturb_and_is_not_rung(system: System) -> None:
    await system.change_operator("2001", inbound=False)
    phone, other = await system.operator("2001"), await system.operator("2002")
    await dials(phone, "*431", NOT_POSSIBLE)
    assert system.engine.presence.states["2001"] in ("talking", "available")
    await system.operator_is("2001", "available")
    _, call = await system.call(Line.SALES)
    offered = await other.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    assert "ringing" not in [state for state, _, _ in await history(system, "2001")]


@pytest.mark.covers("SKZ-63")
async def test_who_is_not_to_be_disturbed_by_the_api_is_offered_nothing_from_its_answer_on(system: System) -> None:
    _, other = await system.operator("2001"), await system.operator("2002")
    async with await api(system) as client:
        chosen = await client.put("/api/v1/operators/2001/state", json={"state": "do_not_disturb"})
        assert chosen.json()["do_not_disturb"] is True
        assert system.engine.presence.states["2001"] == "do_not_disturb", "at once, not when all settings are read again"
        caller, call = await system.call(Line.SALES)
        await other.ringing()
        assert system.engine.distributor.engaged.keys() == {"2002"}
        await client.put("/api/v1/operators/2001/state", json={"state": "available"})
        assert system.engine.presence.states["2001"] == "available"
    await call.hangup()
    await system.call_record(caller)


async def test_codes_that_the_installation_has_changed_are_dialled_and_the_usual_ones_are_none(system: System) -> None:
    changed = {
        "code_log_in": "*51",
        "code_log_out": "#52",
        "code_do_not_disturb": "*6",
        "code_disturb": "*70",
        "code_pick_up": "*9",
        "do_not_disturb_reasons": ("tea", "gym"),
    }
    system.settings = system.settings.model_copy(update=changed)
    await system.restart()
    phone, other = await system.operator("2001"), await system.operator("2003")
    for code, heard, state in (
        ("*62", UNDISTURBED, "do_not_disturb"),
        ("*44", NOT_POSSIBLE, "do_not_disturb"),
        ("*70", DISTURBED, "available"),
        ("#52", LOGGED_OUT, "offline"),
        ("*51", LOGGED_IN, "available"),
        ("*43", NOT_POSSIBLE, "available"),
    ):
        await dials(phone, code, heard)
        await system.operator_is("2001", state)
    assert ("do_not_disturb", "gym", "operator 2001") in await history(system, "2001")
    _, call = await system.call(Line.SUPPORT)
    await phone.ringing()
    taken = await other.dial("*92001")
    await taken.answered()
    await talk(call, taken)
    await call.hangup()


@pytest.mark.parametrize("code", ["*439", "*4", "*8x", "*99", "*8*"])
async def test_a_code_that_is_none_is_refused_with_a_prompt(system: System, code: str) -> None:
    phone = await system.operator("2001")
    await dials(phone, code, NOT_POSSIBLE)
    await system.operator_is("2001", "available")


async def test_an_operator_who_puts_down_before_the_answer_has_still_set_it(system: System) -> None:
    phone = await system.operator("2001")
    call = await phone.dial("*43")
    await call.answered()
    await call.hangup()
    await system.operator_is("2001", "do_not_disturb")


async def test_what_the_api_sets_is_used_by_the_next_decision(system: System) -> None:
    phone, other = await system.operator("2001"), await system.operator("2002")
    await system.change(choose_state, "2001", "do_not_disturb", "visit")
    await system.operator_is("2001", "do_not_disturb")
    _, call = await system.call(Line.SALES)
    await other.ringing()
    await call.hangup()
    assert ("do_not_disturb", "visit", "test") in await history(system, "2001")
    await phone.unregister()


@pytest.mark.covers("SKZ-61")
async def test_a_call_that_rings_at_a_colleague_is_picked_up_from_another_phone(system: System) -> None:
    ringing, phone = await system.operator("2001"), await system.operator("2003")
    caller, call = await system.call(Line.SUPPORT)
    offered = await ringing.ringing()
    taken = await phone.dial("*8")
    await taken.answered()
    await offered.ended()
    await talk(call, taken)
    await system.operator_is("2001", "available")
    assert system.engine.distributor.engaged.keys() == {"2003"}
    await call.hangup()
    await taken.ended()
    record = await system.call_record(caller)
    assert [(leg.operator_extension, leg.cause) for leg in record.legs] == [("2001", 26), ("2003", 16)]
    assert record.talk_leg is not None and record.talk_leg.operator_extension == "2003"
    assert record.call.outcome == "talked"
    choice = (await decided(system, record)).decisions[-1]
    assert (choice.rule, choice.offered, choice.left_out) == ("picked_up", ["2003"], [["2001", "ringing", None]])


async def test_a_call_that_rings_at_one_extension_is_picked_up_by_it(system: System) -> None:
    phones = [await system.operator(extension) for extension in ("2001", "2002", "2003")]
    (_, first), (caller, second) = await asyncio.gather(system.call(Line.SUPPORT), system.call(Line.SINGLE))
    one = await phones[0].ringing()
    other = await phones[2].ringing()
    taken = await phones[1].dial("*82003")
    await taken.answered()
    await other.ended()
    await talk(second, taken)
    assert one.ended_at is None
    await taken.hangup()
    await first.hangup()
    record = await system.call_record(caller)
    assert record.talk_leg is not None and record.talk_leg.operator_extension == "2002"


@pytest.mark.parametrize("code", ["*8", "*82001", "*82999"])
async def test_a_pick_up_where_nothing_rings_is_refused_with_a_prompt(system: System, code: str) -> None:
    phone = await system.operator("2002")
    await dials(phone, code, NOT_POSSIBLE)
    await system.operator_is("2002", "available")


async def test_of_two_who_pick_up_the_same_call_one_gets_it(system: System) -> None:
    ringing, first, second = [await system.operator(extension) for extension in ("2001", "2002", "2003")]
    caller, call = await system.call(Line.SUPPORT)
    offered = await ringing.ringing()
    attempts = await asyncio.gather(first.dial("*8"), second.dial("*8"))
    await offered.ended()
    record = await system.recorded(caller, lambda one: one.talk_leg is not None, "nobody picked it up")
    assert record.talk_leg is not None
    winner, loser = attempts if record.talk_leg.operator_extension == "2002" else attempts[::-1]
    await loser.hears_tone(NOT_POSSIBLE.frequency)
    await loser.ended()
    await talk(call, winner)
    await call.hangup()


async def test_a_caller_who_hangs_up_while_his_call_is_picked_up_leaves_nobody_reserved(system: System) -> None:
    ringing, phone = await system.operator("2001"), await system.operator("2003")
    _, call = await system.call(Line.SUPPORT)
    await ringing.ringing()
    taken, _ = await asyncio.gather(phone.dial("*8"), call.hangup())
    await taken.ended()
    await system.operator_is("2003", "available")
