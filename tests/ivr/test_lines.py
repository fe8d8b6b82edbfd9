"""A number without a scenario: what its settings alone do with a caller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.commands import HoldPrompts, Play, RouteToGroup
from ivr.events import VisitId
from ivr.graph import Scenario
from ivr.lines import LONGEST_WAIT, SLOTS, STANDARD_PROMPTS, Line, LinePrompts, line_scenario
from ivr.operations import ForwardToGroup
from ivr.operations.base import Arrival, Stay
from ivr.prompts import LINE_NO_ANSWER, LINE_OFF_HOURS, PromptRef
from ivr.simulator import Walk, World, simulate
from ivr.validation import Surroundings, validate

OFFICE = Line(schedule="Office", group="Sales")
PROMPTS = st.builds(PromptRef, st.sampled_from(["own", "melody"]), st.sampled_from([None, "ru"]))
LINES = st.builds(
    Line,
    st.builds(LinePrompts, st.none() | PROMPTS, PROMPTS, PROMPTS, PROMPTS, PROMPTS),
    st.sampled_from([None, "Office"]),
    st.sampled_from([None, "Sales"]),
    st.integers(1, 3600),
)


def path(walk: Walk) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in walk.path]


def played(walk: Walk) -> list[str]:
    return [str(prompt) for command in walk.commands if isinstance(command, Play) for prompt in command.prompts]


@pytest.mark.covers("SKZ-46", "SKZ-28")
@pytest.mark.parametrize("state", ["closed", "holiday"])
def test_off_hours_the_off_hours_prompt_plays_and_nobody_is_searched(state: str) -> None:
    walk = simulate(line_scenario(OFFICE), world=World(schedule=(state,)))  # type: ignore[arg-type]
    assert path(walk) == [("hours", "closed"), ("off_hours", "next"), ("goodbye", None)]
    assert played(walk) == [str(LINE_OFF_HOURS)] and not any(isinstance(one, RouteToGroup) for one in walk.commands)


@pytest.mark.covers("SKZ-45", "SKZ-39")
def test_where_nobody_can_answer_the_no_answer_prompt_plays_and_the_call_ends() -> None:
    walk = simulate(line_scenario(OFFICE), world=World(routing=("no_operators",)))
    assert path(walk) == [("hours", "open"), ("group", "failed"), ("no_answer", "next"), ("goodbye", None)]
    assert played(walk) == [str(LINE_NO_ANSWER)]


def test_a_caller_who_is_answered_talks_and_the_end_of_the_talk_is_the_end_of_the_call() -> None:
    walk = simulate(line_scenario(Line(group="Sales", longest_wait=40)))
    assert (path(walk), walk.ended) == ([("group", "answered")], "scenario_ended")
    assert [one for one in walk.commands if isinstance(one, RouteToGroup)] == [RouteToGroup(VisitId(1), "Sales", 40)]


def test_a_schedule_without_a_group_says_in_working_time_that_nobody_can_answer() -> None:
    walk = simulate(line_scenario(Line(schedule="Office")))
    assert path(walk) == [("hours", "open"), ("no_answer", "next"), ("goodbye", None)]


def test_own_prompts_take_the_place_of_the_standard_ones() -> None:
    own = LinePrompts(no_answer=PromptRef("sorry"), off_hours=PromptRef("night", "ru"))
    line = Line(own, "Office", "Sales")
    assert played(simulate(line_scenario(line), world=World(routing=("timeout",)))) == ["sorry"]
    assert played(simulate(line_scenario(line), world=World(schedule=("closed",)))) == ["night:ru"]


@given(LINES)
def test_every_line_gives_a_scenario_without_a_mistake(line: Line) -> None:
    languages = frozenset({"en", "ru"})
    known = {(name, language) for name in ("own", "melody") for language in languages}
    surroundings = Surroundings(frozenset(known), frozenset({"Sales"}), languages, schedules=frozenset({"Office"}))
    made = line_scenario(line)
    assert validate(made, surroundings) == []
    assert Scenario.model_validate_json(made.model_dump_json()) == made


@given(LINES)
def test_prompts_are_written_and_read_again(line: Line) -> None:
    assert LinePrompts.read(line.prompts.written()) == line.prompts


def test_what_is_not_written_is_standard_and_what_is_written_as_nothing_is_unused() -> None:
    assert LinePrompts.read({}) == STANDARD_PROMPTS and STANDARD_PROMPTS.written() == {}
    assert LinePrompts.read({"arrival": None}).arrival is None
    assert LinePrompts(arrival=None, waiting=PromptRef("melody")).written() == {"arrival": None, "waiting": "melody"}
    assert tuple(STANDARD_PROMPTS.by_slot()) == SLOTS
    with pytest.raises(ValueError, match="a prompt is written"):
        LinePrompts.read({"waiting": "NO SUCH"})


def test_a_group_node_may_have_its_own_prompts_or_none() -> None:
    operation = ForwardToGroup.model_validate({"group": "Sales", "waiting": ["melody"], "all_busy": []})
    hold = HoldPrompts(None, (PromptRef("melody"),), ())
    command = RouteToGroup(VisitId(1), "Sales", LONGEST_WAIT, hold)
    step = operation.enter(Arrival(VisitId(1)))
    assert isinstance(step, Stay) and step.commands == (command,)
    assert operation.prompts() == (PromptRef("melody"),)
