from __future__ import annotations

import doctest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import simulator
from ivr.commands import SaveVoicemail
from ivr.events import KEYS, RecordingId, VisitId
from ivr.graph import ScenarioBundle
from ivr.simulator import Caller, CallerAction, HangUp, Press, Reply, Step, World, simulate
from tests.ivr.builders import GREETED, bundles, hang_up, insert, message, node, scenario, voicemail


def test_a_key_during_the_menu_takes_its_exit() -> None:
    walk = simulate(GREETED, [Press(4, "1")])
    assert walk.path == (
        Step(1, "start", "next", 0, 3),  # type: ignore[arg-type]
        Step(2, "choice", "1", 3, 4),  # type: ignore[arg-type]
        Step(3, "sales", "answered", 4, 69),  # type: ignore[arg-type]
    )
    assert (walk.ended, walk.seconds) == ("scenario_ended", 69)


def test_no_key_takes_the_wait_timeout_after_the_prompt() -> None:
    walk = simulate(GREETED)
    assert walk.path[1] == Step(2, "choice", "wait_expired", 3, 11)  # type: ignore[arg-type]


def test_nobody_available_takes_the_failed_exit() -> None:
    walk = simulate(GREETED, [Press(4, "1")], World(routing=("no_operators",)))
    assert [(step.node, step.exit) for step in walk.path][-2:] == [("sales", "failed"), ("end", None)]


def test_a_caller_who_hangs_up_ends_in_his_node() -> None:
    walk = simulate(GREETED, [HangUp(1)])
    assert walk.path == (Step(1, "start", None, 0, 1),)  # type: ignore[arg-type]
    assert walk.ended == "caller_hung_up"


def test_a_loop_without_end_is_given_up_instead_of_running_for_ever() -> None:
    walk = simulate(scenario(start=message({"next": "start"})))
    assert walk.ended is None


WORLDS = st.builds(
    World,
    routing=st.lists(st.sampled_from(["answered", "no_answer", "no_operators", "timeout"]), min_size=1, max_size=3),
    extensions=st.sampled_from([None, frozenset({"2"})]),
    has_manager=st.booleans(),
    schedule=st.lists(st.sampled_from(["open", "closed", "holiday"]), min_size=1, max_size=3),
    caller=st.builds(Caller, st.booleans(), st.booleans(), st.just(frozenset({"Sales"}))),
    replies=st.lists(st.builds(Reply, st.sampled_from([None, "vip"]), st.sampled_from([None, "2"])), min_size=1, max_size=2),
    callback=st.sampled_from(["possible", "accepted", "not_possible"]),
    message_seconds=st.floats(0, 300),
)
SCRIPTS = st.lists(
    st.one_of(st.builds(Press, st.floats(0, 20), st.sampled_from(KEYS)), st.builds(HangUp, st.floats(0, 50))), max_size=5
)


@given(bundles(), SCRIPTS, WORLDS)
def test_the_same_script_gives_the_same_path(bundle: ScenarioBundle, script: list[CallerAction], world: World) -> None:
    assert simulate(bundle, script, world) == simulate(bundle, script, world)


def test_the_examples_in_the_description_are_true() -> None:
    assert doctest.testmod(simulator).failed == 0


ENDS = {name: hang_up() for name in ("one", "two", "three")}


def way(start: dict[str, Any], script: list[CallerAction], world: World) -> str | None:
    """By which exit the first node is left."""
    return simulate(scenario(start=start, **ENDS), script, world).path[0].exit


def test_the_world_answers_what_operations_ask() -> None:
    hours = node("schedule", {"open": "one", "closed": "two", "holiday": "three"})
    assert way(hours, [], World(schedule=("holiday",))) == "holiday"
    callers = node("caller_list", {"blocked": "one", "known": "two", "unknown": "three"})
    assert way(callers, [], World(caller=Caller(blocked=True))) == "blocked"
    assert way(callers, [], World(caller=Caller(known=True))) == "known"
    lookup = node("http_lookup", {"vip": "one", "failed": "two"}, url="http://crm", answers=["vip"])
    assert way(lookup, [], World(replies=(Reply("vip"),))) == "vip"
    assert way(lookup, [], World(replies=(Reply("vip", after=4),))) == "failed"
    offer = node("callback_offer", {"accepted": "one", "declined": "two", "not_possible": "three"}, group="Sales")
    assert way(offer, [Press(1, "1")], World()) == "accepted"
    assert way(offer, [], World(callback="not_possible")) == "not_possible"
    assert way(offer, [Press(1, "1")], World(callback="possible")) == "not_possible"
    assert way(offer, [], World()) == "declined"


def test_a_voicemail_takes_as_long_as_the_caller_speaks() -> None:
    box = scenario(start=voicemail({"next": "one"}), **ENDS)
    greeting_and_beep = 6
    assert simulate(box).path[0].left_at == greeting_and_beep + 10 + 5
    assert simulate(box, world=World(message_seconds=1000)).path[0].left_at == greeting_and_beep + 180
    stopped = simulate(box, [Press(8, "#")])
    assert stopped.path[0].left_at == 8
    assert SaveVoicemail(VisitId(1), RecordingId("1.1"), ("boss@example.org",)) in stopped.commands
    speechless = simulate(box, world=World(message_seconds=0))
    assert SaveVoicemail(VisitId(1), None, ("boss@example.org",)) in speechless.commands


@pytest.mark.covers("UIS-40")
def test_nodes_of_an_inserted_scenario_stand_before_the_node_that_inserts_it() -> None:
    bundle = ScenarioBundle(scenario(start=insert("Inner", {"next": "one"}), **ENDS), {"Inner": scenario(start=message({}))})
    walk = simulate(bundle)
    assert [(step.scenario, step.node, step.exit) for step in walk.path] == [
        ("Inner", "start", "next"),
        (None, "start", "next"),
        (None, "one", None),
    ]
