"""Scenarios within scenarios, as callers walk them on a real Asterisk (UIS-40)."""

from __future__ import annotations

from typing import Any

import pytest

from controller.bus import ScenarioPublished
from controller.storage.calls import CallDetail
from tests.fixtures.publishing import serve
from tests.fixtures.sounds import GREETING, MENU, THANKS, WARNING, seconds_of
from tests.fixtures.system import Line, System, eventually
from tests.ivr.builders import hang_up, insert, menu, message

pytestmark = pytest.mark.asterisk
NUMBER = "8060"
LEAF = {"leaf": message({}, "warning")}
MIDDLE = {"middle": message({"next": "leaf"}, "greeting"), "leaf": insert("Leaf", {})}
ROOT = {"outer": insert("Middle", {"next": "thanks"}), "thanks": message({"next": "end"}, "thanks"), "end": hang_up()}


def path(record: CallDetail) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in record.steps]


@pytest.mark.covers("UIS-40")
async def test_two_levels_deep_everything_is_heard_in_order_and_the_caller_comes_back(system: System) -> None:
    serve(system, {"Leaf": LEAF, "Middle": MIDDLE, "Root": ROOT}, NUMBER)
    await system.restart()
    caller, call = await system.call(NUMBER)
    await call.ended()
    for tone in (GREETING, WARNING, THANKS):
        assert seconds_of(tone, call.heard) == pytest.approx(tone.seconds, abs=0.15)
    record = await system.call_record(caller)
    assert path(record) == [
        ("outer", "next"),
        ("Middle / middle", "next"),
        ("Middle / leaf", "next"),
        ("Leaf / leaf", "next"),
        ("thanks", "next"),
        ("end", None),
    ]
    assert record.call.inserted_versions.keys() == {"Leaf", "Middle"}


@pytest.mark.covers("UIS-40")
async def test_an_edit_of_the_inner_scenario_is_for_later_calls_and_a_running_call_keeps_its_version(system: System) -> None:
    inner: dict[str, Any] = {"again": menu({"1": "again", "2": "old"}, prompt="menu"), "old": message({}, "warning")}
    versions = serve(system, {"Inner": inner, "Root": {"outer": insert("Inner", {"next": "end"}), "end": hang_up()}}, NUMBER)
    await system.restart()
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    versions |= serve(system, {"Inner": {"new": message({}, "thanks")}})
    system.bus.send(ScenarioPublished(versions["Inner"].scenario_id))

    async def first_node_of_a_new_call() -> str:
        newcomer, new = await system.call(NUMBER)
        await new.hangup()
        return (await system.call_record(newcomer)).steps[1].node

    await eventually(first_node_of_a_new_call, "new calls go the old way", until="Inner / new")
    await call.press("1")
    await system.comes_to(caller, "Inner / again", visits=2)
    await call.press("2")
    await call.hears_tone(WARNING.frequency)
    await call.ended()
    assert seconds_of(THANKS, call.heard) == 0
    assert path(await system.call_record(caller))[-2:] == [("Inner / old", "next"), ("end", None)]


@pytest.mark.covers("UIS-40", "UIS-15")
async def test_a_branch_of_a_menu_is_a_scenario_that_others_use_too(system: System) -> None:
    branch = {"help": message({}, "warning")}
    links = {"1": "branch", "wait_expired": "end", "incorrect_input": "choice"}
    tree = {"choice": menu(links, prompt="menu"), "branch": insert("Branch", {"next": "choice"}), "end": hang_up()}
    serve(system, {"Branch": branch, "Tree": tree}, NUMBER)
    serve(system, {"Other": {"outer": insert("Branch", {"next": "end"}), "end": hang_up()}}, Line.CLOSED)
    await system.restart()
    caller, call = await system.call(NUMBER)
    await call.hears_tone(MENU.frequency)
    await call.press("1")
    await call.hears_tone(WARNING.frequency)
    await call.hears_tone(MENU.frequency)
    await call.hangup()
    assert [step.node for step in (await system.call_record(caller)).steps] == ["choice", "branch", "Branch / help", "choice"]
    _, other = await system.call(Line.CLOSED)
    await other.hears_tone(WARNING.frequency)
    await other.ended()
