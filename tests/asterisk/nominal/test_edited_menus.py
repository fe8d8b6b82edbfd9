"""Menus made by the editor's own steps, as callers hear them on a real Asterisk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import TypeAdapter

from controller.actions.numbers import add_number
from controller.actions.scenarios import KnownPrompts, create_scenario, edit_draft, publish
from controller.clock import SystemClock
from controller.errors import InvalidInput
from controller.prompts import LANGUAGES
from controller.storage import Session
from controller.storage.calls import CallDetail
from ivr.editing import Edit
from tests.fixtures.sounds import GREETING, MENU, THANKS, WARNING
from tests.fixtures.system import System

pytestmark = pytest.mark.asterisk
NUMBER = "8065"
EDITS: TypeAdapter[list[Edit]] = TypeAdapter(list[Edit])
BY: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
MAIN = {"edit": "add_node", "operation": {"type": "menu", "prompt": ["menu"], "wait_seconds": 2}, "node": "main"}
LOWER = {"edit": "add_submenu", "menu": "main", "key": "3", "prompt": ["warning"]}


def key(menu: str, key: str, /, **action: Any) -> dict[str, Any]:
    return {"edit": "set_key", "menu": menu, "key": key, "action": action}


async def build(system: System, *steps: Sequence[dict[str, Any]]) -> None:
    """A scenario made from nothing by these steps, each saved, then published and answering NUMBER."""
    await system.database.run(_build, steps, KnownPrompts(system.prompts.known, frozenset(LANGUAGES)))
    await system.start_again()


def _build(session: Session, steps: Sequence[Sequence[dict[str, Any]]], known: KnownPrompts) -> None:
    scenario = create_scenario(session, "Edited", **BY)
    for revision, edits in enumerate(steps, start=1):
        edit_draft(session, scenario.id, EDITS.validate_python(edits), revision, **BY)
        session.refresh(scenario)
    publish(session, scenario.id, known, **BY)
    add_number(session, NUMBER, "Edited", scenario_id=scenario.id, **BY)


def path(record: CallDetail) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in record.steps]


@pytest.mark.covers("SKZ-9", "SKZ-5", "SKZ-1", "SKZ-2", "UIS-32")
async def test_t25_the_first_menu_leads_to_a_second_and_the_hash_key_back_to_its_prompt(system: System) -> None:
    await build(system, [MAIN], [LOWER], [key("menu", "1", action="play", message=["thanks"])])
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.press("3")
    await call.hears_tone(WARNING.frequency)
    await call.press("#")
    await call.hears_tone(MENU.frequency)
    await call.press("3")
    await call.hears_tone(WARNING.frequency)
    await call.press("1")
    await call.hears_tone(THANKS.frequency)
    await call.hangup()
    assert path(await system.call_record(caller))[:5] == [
        ("main", "3"),
        ("menu", "#"),
        ("main", "3"),
        ("menu", "1"),
        ("message", None),
    ]


@pytest.mark.covers("SKZ-6", "SKZ-8")
async def test_t22_another_menu_is_refused_while_there_is_one_and_then_silence_can_lead_to_it(system: System) -> None:
    with pytest.raises(InvalidInput, match="there is no other menu"):
        await build(system, [MAIN], [key("main", "wait_expired", action="menu", menu="main")])
    to_lower = key("main", "wait_expired", action="menu", menu="menu")
    await build(system, [MAIN], [LOWER], [to_lower, key("menu", "9", action="hang_up")])
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.hears_tone(WARNING.frequency)
    await call.hangup()
    assert path(await system.call_record(caller)) == [("main", "wait_expired"), ("menu", None)]


@pytest.mark.covers("UIS-30", "UIS-19")
async def test_t10_a_key_takes_effect_at_once_again_when_extension_entry_was_taken_away(system: System) -> None:
    added = {"edit": "add_extension_entry", "menu": "main"}
    taken = {"edit": "link", "node": "main", "exit": "extension_entry"}
    steps = [[MAIN, key("main", "2", action="play", message=["greeting"])], [added], [taken]]
    await build(system, *steps)
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.hears_silence()
    await call.press("2")
    await call.hears_tone(GREETING.frequency)
    await call.hangup()
    menu, message = (await system.call_record(caller)).steps[:2]
    assert (menu.exit, message.node) == ("2", "message")
    assert menu.left_at is not None
    assert (menu.left_at - menu.entered_at).total_seconds() < MENU.seconds + 1.5, "the menu waited for more digits"


@pytest.mark.covers("SKZ-5")
async def test_keys_replay_the_menu_reach_a_group_and_end_the_call(system: System) -> None:
    actions = [
        key("main", "7", action="replay"),
        key("main", "8", action="group", group="Single"),
        key("main", "9", action="hang_up"),
    ]
    await build(system, [MAIN, *actions])
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.press("7")
    await system.comes_to(caller, "main", visits=2)
    await call.press("8")
    await system.comes_to(caller, "main", visits=3)
    await call.press("9")
    await call.ended()
    record = await system.call_record(caller)
    assert path(record) == [("main", "7"), ("main", "8"), ("group", "failed"), ("main", "9"), ("goodbye", None)]
    assert record.call.ended_by == "scenario"
