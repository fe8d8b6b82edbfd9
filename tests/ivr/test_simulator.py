from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivr.events import KEYS
from ivr.simulator import HangUp, Press, Step, World, simulate
from tests.ivr.builders import GREETED, graphs, message, scenario


def test_a_key_during_the_menu_takes_its_exit() -> None:
    walk = simulate(GREETED, [Press(4, "1")])
    assert walk.path == (
        Step("start", "next", 0, 3),  # type: ignore[arg-type]
        Step("choice", "1", 3, 4),  # type: ignore[arg-type]
        Step("sales", "answered", 4, 69),  # type: ignore[arg-type]
    )
    assert (walk.ended, walk.seconds) == ("scenario_ended", 69)


def test_no_key_takes_the_wait_timeout_after_the_prompt() -> None:
    walk = simulate(GREETED)
    assert walk.path[1] == Step("choice", "wait_expired", 3, 11)  # type: ignore[arg-type]


def test_nobody_available_takes_the_failed_exit() -> None:
    walk = simulate(GREETED, [Press(4, "1")], World(routing=("no_operators",)))
    assert [(step.node, step.exit) for step in walk.path][-2:] == [("sales", "failed"), ("end", None)]


def test_a_caller_who_hangs_up_ends_in_his_node() -> None:
    walk = simulate(GREETED, [HangUp(1)])
    assert walk.path == (Step("start", None, 0, 1),)  # type: ignore[arg-type]
    assert walk.ended == "caller_hung_up"


def test_a_loop_without_end_is_given_up_instead_of_running_for_ever() -> None:
    walk = simulate(scenario(start=message({"next": "start"})))
    assert walk.ended is None


@given(graphs(), st.lists(st.builds(Press, st.floats(0, 20), st.sampled_from(KEYS)), max_size=5))
def test_the_same_script_gives_the_same_path(graph: Any, script: list[Press]) -> None:
    assert simulate(graph, script) == simulate(graph, script)
