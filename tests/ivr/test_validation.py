from __future__ import annotations

import pytest

from ivr.graph import Scenario
from ivr.validation import Problem, Surroundings, publishable, validate
from tests.ivr.builders import group, hang_up, menu, message, scenario

AROUND = Surroundings(frozenset({("hello", "en"), ("choose", "en"), ("hello", "ru")}), frozenset({"Sales"}), frozenset({"en"}))


def problems(checked: Scenario) -> set[tuple[str, str | None, str]]:
    return {(problem.kind, problem.node, problem.field) for problem in validate(checked, AROUND)}


def test_a_sound_scenario_has_no_problems() -> None:
    sound = scenario(
        start=message({"next": "choice"}),
        choice=menu({"1": "sales", "#": "choice", "wait_expired": "sales", "incorrect_input": "choice"}),
        sales=group({"failed": "end"}),
        end=hang_up(),
    )
    assert validate(sound, AROUND) == []


def test_a_first_node_that_does_not_exist_is_found() -> None:
    assert ("missing_start", None, "start") in problems(scenario("elsewhere", end=hang_up()))


def test_a_link_to_nowhere_names_node_and_exit() -> None:
    assert problems(scenario(start=message({"next": "lost"}))) == {("dangling_link", "start", "links.next")}


def test_an_exit_that_needs_a_link_is_found() -> None:
    assert ("unlinked_exit", "start", "links.failed") in problems(scenario(start=group({})))


def test_an_exit_that_the_operation_does_not_have_is_found() -> None:
    assert ("unknown_exit", "start", "links.maybe") in problems(
        scenario(start=message({"next": "end", "maybe": "end"}), end=hang_up())
    )


def test_a_menu_without_any_key_is_found() -> None:
    assert ("no_key", "start", "links") in problems(
        scenario(start=menu({"wait_expired": "end", "incorrect_input": "end"}), end=hang_up())
    )


def test_a_node_that_no_caller_can_reach_is_a_warning_and_does_not_forbid_publishing() -> None:
    found = validate(scenario(start=hang_up(), island=hang_up()), AROUND)
    assert [(problem.kind, problem.node, problem.severity) for problem in found] == [("unreachable", "island", "warning")]
    assert publishable(found)


def test_a_loop_that_no_caller_can_leave_is_found_on_each_of_its_nodes() -> None:
    loop = scenario(start=message({"next": "other"}), other=message({"next": "start"}))
    assert problems(loop) == {("endless_loop", "start", "links"), ("endless_loop", "other", "links")}
    assert not publishable(validate(loop, AROUND))


@pytest.mark.covers("UIS-5")
def test_a_prompt_missing_in_a_language_is_found_and_named() -> None:
    (found,) = validate(scenario(start=message({"next": "end"}, "choose:ru"), end=hang_up()), AROUND)
    assert found == Problem(
        "missing_prompt", found.node, "operation", 'there is no prompt "choose" in ru: upload it or choose another'
    )


def test_a_group_that_does_not_exist_is_found() -> None:
    assert ("unknown_group", "start", "operation.group") in problems(
        scenario(start=group({"failed": "end"}, "Night"), end=hang_up())
    )


def test_a_chain_of_a_thousand_nodes_is_checked_quickly() -> None:
    nodes = {f"n{number}": message({"next": f"n{number + 1}"}) for number in range(999)}
    assert validate(scenario("n0", **nodes, n999=hang_up()), AROUND) == []
