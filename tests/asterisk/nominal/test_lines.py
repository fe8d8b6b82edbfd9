"""What a caller of a number hears: on arrival, while he waits, when all are busy, when nobody can answer, and off-hours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.actions.prompts import PromptDetails, add_prompt
from controller.actions.scenarios import create_scenario
from controller.bus import PromptsChanged
from controller.prompts import PromptLibrary
from controller.prompts.workshop import Workshop
from controller.storage.scenarios import find_scenario
from ivr.lines import STANDARD_PROMPTS
from ivr.prompts import PromptRef
from ivr.serialization import SCHEMA_VERSION
from tests.fixtures.branching import add_schedule, way
from tests.fixtures.lines import BY, GROUP, NUMBER, TONE_PROMPTS, has_operator_busy, open_line
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.sounds import ALL_BUSY, ARRIVAL, GREETING, NO_ANSWER, OFF_HOURS, THANKS, WAITING, heard_in_order, seconds_of
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE, talk
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("SKZ-43", "SKZ-40", "SKZ-41")
async def test_t31_while_an_operator_is_rung_the_caller_hears_arrival_and_then_waiting_over_and_over(system: System) -> None:
    await open_line(system)
    operator = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    offered = await operator.ringing()
    assert call.answered_at is not None
    assert offered.began_at - call.answered_at < ARRIVAL.seconds, "the phone did not ring while the arrival prompt played"
    await call.listen(ARRIVAL.seconds + 3 * WAITING.seconds)
    assert heard_in_order(call.heard) == ["arrival", "waiting"]
    assert seconds_of(ARRIVAL, call.heard) == pytest.approx(ARRIVAL.seconds, abs=0.2)
    assert seconds_of(WAITING, call.heard) > 2 * WAITING.seconds
    await call.hangup()
    (step,) = (await system.call_record(caller)).steps
    assert (step.node, step.prompts) == ("group", ["arrival", "waiting"])


@pytest.mark.covers("SKZ-43")
@pytest.mark.parametrize("after", [ARRIVAL, WAITING])
async def test_whatever_plays_ends_before_the_two_are_joined(system: System, after: Any) -> None:
    await open_line(system)
    operator = await system.operator("2001")
    _, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.hears_tone(after.frequency)
    await offered.answer()
    await talk(call, offered)
    for phone in (call, offered):
        phone.forget_sound()
    to_caller, to_operator = await call.listen(1.5), await offered.listen(0.5)
    assert seconds_of(OPERATOR_TONE, to_caller) > 1.4 and seconds_of(CALLER_TONE, to_operator) > 0.4
    assert heard_in_order(call.heard) == heard_in_order(offered.heard) == []
    await call.hangup()


@pytest.mark.covers("SKZ-44")
async def test_t30_while_all_are_busy_the_caller_hears_arrival_and_then_all_busy_and_waiting_in_turn(system: System) -> None:
    await open_line(system)
    operator, first = await has_operator_busy(system)
    caller, call = await system.call(NUMBER)
    await call.listen(ARRIVAL.seconds + 2.4 * (ALL_BUSY.seconds + WAITING.seconds))
    heard = heard_in_order(call.heard)
    assert heard[:5] == ["arrival", "all-busy", "waiting", "all-busy", "waiting"]
    assert seconds_of(ARRIVAL, call.heard) == pytest.approx(ARRIVAL.seconds, abs=0.2)

    await first.hangup()
    again = await operator.ringing()
    call.forget_sound()
    await call.listen(ALL_BUSY.seconds + 3 * WAITING.seconds)
    assert heard_in_order(call.heard) in (["waiting"], ["all-busy", "waiting"]), "somebody is rung, and all-busy is played"
    await again.answer()
    await talk(call, again)
    await call.hangup()
    (step,) = (await system.call_record(caller)).steps
    assert step.prompts[:5] == ["arrival", "all-busy", "waiting", "all-busy", "waiting"]


@pytest.mark.covers("SKZ-44")
async def test_a_caller_hears_that_all_are_busy_as_soon_as_they_are(system: System) -> None:
    await open_line(system)
    phone, first = await has_operator_busy(system)
    await first.hangup()
    await system.operator_is("2001", "available")
    _, call = await system.call(NUMBER)
    offered = await phone.ringing()
    _, second = await system.call(NUMBER)
    await second.hears_tone(ALL_BUSY.frequency)
    await call.hangup()
    await offered.ended()
    again = await phone.ringing()
    second.forget_sound()
    await second.listen(ALL_BUSY.seconds + 2 * WAITING.seconds)
    assert heard_in_order(second.heard)[-1] == "waiting"
    await second.hangup()
    await again.ended()


@pytest.mark.covers("SKZ-45")
async def test_t32_where_nobody_is_logged_in_only_the_no_answer_prompt_plays_and_the_call_ends(system: System) -> None:
    await open_line(system)
    caller, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == ["no-answer"]
    assert seconds_of(NO_ANSWER, call.heard) == pytest.approx(NO_ANSWER.seconds, abs=0.2)
    record = await system.call_record(caller)
    assert way(record) == [("group", "failed"), ("no_answer", "next"), ("goodbye", None)]
    assert record.steps[0].prompts == [] and record.legs == ()


@pytest.mark.covers("SKZ-46", "SKZ-28", "SKZ-40")
@pytest.mark.parametrize("state", ["closed", "holiday"])
async def test_t33_off_hours_only_the_off_hours_prompt_plays_the_call_ends_and_nobody_rings(system: System, state: str) -> None:
    await add_schedule(system, "Office", state)
    await open_line(system, schedule="Office")
    await system.operator("2001")
    caller, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == ["off-hours"]
    assert seconds_of(OFF_HOURS, call.heard) == pytest.approx(OFF_HOURS.seconds, abs=0.2)
    record = await system.call_record(caller)
    assert way(record) == [("hours", "closed"), ("off_hours", "next"), ("goodbye", None)]
    assert record.legs == ()


@pytest.mark.covers("SKZ-28")
async def test_in_working_time_the_group_is_rung(system: System) -> None:
    await add_schedule(system, "Office", "open")
    await open_line(system, schedule="Office")
    operator = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    await operator.ringing()
    await call.hangup()
    assert way(await system.call_record(caller)) == [("hours", "open"), ("group", None)]


@pytest.mark.covers("SKZ-47")
async def test_t34_without_an_arrival_prompt_a_caller_of_busy_operators_hears_all_busy_first(system: System) -> None:
    await open_line(system, prompts=replace(TONE_PROMPTS, arrival=None))
    await has_operator_busy(system)
    _, call = await system.call(NUMBER)
    await call.listen(2 * (ALL_BUSY.seconds + WAITING.seconds))
    assert heard_in_order(call.heard)[:3] == ["all-busy", "waiting", "all-busy"]
    await call.hangup()


@pytest.mark.covers("SKZ-47")
async def test_without_an_arrival_prompt_a_caller_hears_waiting_first_while_somebody_is_rung(system: System) -> None:
    await open_line(system, prompts=replace(TONE_PROMPTS, arrival=None))
    operator = await system.operator("2001")
    _, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.listen(2 * WAITING.seconds)
    assert heard_in_order(call.heard) == ["waiting"]
    await call.hangup()
    await offered.ended()


@pytest.mark.covers("SKZ-39", "SKZ-41")
async def test_without_prompts_of_its_own_a_number_has_standard_ones_and_music_follows_the_waiting_prompt(system: System) -> None:
    await system.stop_engine()
    system.prompts = PromptLibrary()
    await system.start_engine()
    await open_line(system, group="Single", prompts=STANDARD_PROMPTS, longest_wait=15)
    talking = await system.operator("2003")
    _, first = await system.call(NUMBER)
    offered = await talking.ringing()
    await offered.answer()
    await talk(first, offered)
    caller, call = await system.call(NUMBER)
    step = (await system.recorded(caller, lambda one: len(one.steps) > 1, "he did not hear that nobody can answer", 20)).steps[0]
    assert step.prompts == ["line-arrival", "line-busy", "line-waiting"]
    await call.ended(limit=10)
    assert (await system.call_record(caller)).steps[1].prompts == ["line-no-answer"]


@pytest.mark.covers("SKZ-41", "SKZ-40")
async def test_an_uploaded_melody_is_heard_while_waiting(system: System, tmp_path: Path) -> None:
    melody = 1250.0
    with tone_file(tmp_path / "melody", "mp3", melody, 2.0).open("rb") as file:
        async with Workshop(system.prompt_folder, 60).prepared(file) as sound:
            details = PromptDetails("Our melody", "en", "uploaded")
            await system.database.run(add_prompt, system.prompt_folder, sound, details, 20, **BY)
    system.bus.send(PromptsChanged())
    await eventually(lambda: ("our-melody", "en") in system.engine.prompts.known, "the engine does not know the prompt")
    await open_line(system, prompts=replace(TONE_PROMPTS, waiting=PromptRef("our-melody")))
    operator = await system.operator("2001")
    _, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.listen(ARRIVAL.seconds + 4)
    assert seconds_of(melody, call.heard) == pytest.approx(3.8, abs=0.3), "it is not played over and over"
    await call.hangup()
    await offered.ended()


async def test_who_waits_too_long_hears_that_nobody_can_answer(system: System) -> None:
    await open_line(system, longest_wait=2)
    await has_operator_busy(system)
    caller, call = await system.call(NUMBER)
    await call.hears_tone(NO_ANSWER.frequency)
    await call.ended()
    assert way(await system.call_record(caller)) == [("group", "failed"), ("no_answer", "next"), ("goodbye", None)]


@pytest.mark.covers("UIS-42")
async def test_t20_a_scenario_that_is_not_attached_to_a_number_is_not_used(system: System) -> None:
    await system.serve(("8071", scenario("hello", **_says("greeting"))))
    await open_line(system)
    other, not_attached = await system.call(NUMBER)
    await not_attached.ended()
    assert heard_in_order(not_attached.heard) == ["no-answer"]
    _, attached = await system.call("8071")
    await attached.ended()
    assert heard_in_order(attached.heard) == ["greeting"]
    assert (await system.call_record(other)).call.scenario_version_id is None


@pytest.mark.covers("UIS-42")
async def test_t20_an_attached_scenario_that_was_never_published_is_not_used(system: System) -> None:
    document = {"schema_version": SCHEMA_VERSION, "start": "hello", "nodes": _says("greeting")}
    await system.database.run(create_scenario, "Draft", document, **BY)
    await open_line(system, scenario="Draft")
    _, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == ["no-answer"]


@pytest.mark.covers("UIS-42", "SKZ-28")
@pytest.mark.parametrize(("state", "heard"), [("open", "greeting"), ("closed", "thanks"), ("holiday", "thanks")])
async def test_one_scenario_serves_in_working_time_and_another_off_hours(system: System, state: str, heard: str) -> None:
    await add_schedule(system, "Office", state)
    await system.serve(("8071", scenario("hello", **_says("greeting"))))
    await system.serve(("8072", scenario("hello", **_says("thanks"))))
    await open_line(system, schedule="Office", scenario="Scenario 8071", off_hours_scenario="Scenario 8072")
    caller, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == [heard]
    record = await system.call_record(caller)
    used = await system.database.read(find_scenario, "Scenario 8071" if state == "open" else "Scenario 8072")
    assert used is not None and record.call.scenario_version_id == used.published_version_id


@pytest.mark.covers("SKZ-46")
async def test_off_hours_a_number_with_a_scenario_for_working_time_alone_plays_its_off_hours_prompt(system: System) -> None:
    await add_schedule(system, "Office", "closed")
    await system.serve(("8071", scenario("hello", **_says("greeting"))))
    await open_line(system, schedule="Office", scenario="Scenario 8071")
    await system.operator("2001")
    caller, call = await system.call(NUMBER)
    await call.ended()
    assert heard_in_order(call.heard) == ["off-hours"]
    assert (await system.call_record(caller)).legs == ()


async def test_a_group_node_plays_the_numbers_prompts_but_no_arrival_to_who_was_greeted(system: System) -> None:
    await _serve_group(system, {})
    await system.operator("2001")
    _, call = await system.call(NUMBER)
    await call.listen(GREETING.seconds + 2.5 * WAITING.seconds)
    assert heard_in_order(call.heard) == ["greeting", "waiting"]
    await call.hangup()


async def test_a_group_node_may_have_prompts_of_its_own(system: System) -> None:
    await _serve_group(system, {"arrival": ["arrival"], "waiting": ["thanks"], "all_busy": []})
    _, first = await has_operator_busy(system)
    caller, call = await system.call(NUMBER)
    await call.listen(GREETING.seconds + ARRIVAL.seconds + 1.5 * THANKS.seconds)
    assert heard_in_order(call.heard) == ["greeting", "arrival", "thanks"]
    await first.hangup()
    await call.hangup()
    assert (await system.call_record(caller)).steps[1].prompts == ["arrival", "thanks"]


async def test_who_is_connected_with_one_person_hears_the_waiting_prompt_alone(system: System) -> None:
    operation = {"type": "dial_extension", "extension": "2001"}
    await system.serves("8071", "ann", {"ann": {"operation": operation, "links": {"failed": "sorry", "wrong_number": "sorry"}}})
    await open_line(system, scenario="Scenario 8071")
    operator = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    offered = await operator.ringing()
    await call.listen(2.5 * WAITING.seconds)
    assert heard_in_order(call.heard) == ["waiting"]
    await offered.answer()
    await talk(call, offered)
    call.forget_sound()
    assert seconds_of(OPERATOR_TONE, await call.listen(1.0)) > 0.9 and heard_in_order(call.heard) == []
    await call.hangup()
    assert (await system.call_record(caller)).steps[0].prompts == ["waiting"]


async def _serve_group(system: System, prompts: dict[str, Any]) -> None:
    """The number's scenario greets and forwards to the group, whose node has these prompts."""
    await open_line(system, "8073")
    group = {"operation": {"type": "forward_to_group", "group": GROUP, **prompts}, "links": {"failed": "bye"}}
    greeting = {"operation": {"type": "info_message", "message": ["greeting"]}, "links": {"next": "group"}}
    nodes = {"hello": greeting, "group": group, "bye": {"operation": {"type": "hang_up"}}}
    await system.serve(("8071", scenario("hello", **nodes)))
    await open_line(system, scenario="Scenario 8071")


def _says(prompt: str) -> dict[str, Any]:
    message = {"operation": {"type": "info_message", "message": [prompt]}, "links": {"next": "bye"}}
    return {"hello": message, "bye": {"operation": {"type": "hang_up"}}}
