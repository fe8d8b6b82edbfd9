from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ivr.graph import Scenario
from ivr.interpreter import MAX_DEPTH
from ivr.validation import Problem, Surroundings, publishable, validate
from tests.ivr.builders import group, hang_up, in_menu, insert, menu, message, node, scenario

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


@pytest.mark.covers("UIS-4", "UIS-5")
def test_an_exit_without_a_link_is_a_warning_and_does_not_forbid_publishing() -> None:
    found = validate(scenario(start=group({})), AROUND)
    assert [(problem.kind, problem.field, problem.severity) for problem in found] == [
        ("unlinked_exit", "links.failed", "warning")
    ]
    assert publishable(found)


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


# Exits that depend on parameters.


@pytest.mark.covers("UIS-45", "UIS-43")
def test_exits_of_answers_and_tags_exist_and_want_a_link() -> None:
    lookup = node("http_lookup", {"vip": "end", "failed": "end"}, url="http://crm", answers=["vip", "debtor"])
    assert problems(scenario(start=lookup, end=hang_up())) == {("unlinked_exit", "start", "links.debtor")}
    callers = node("caller_list", {"known": "end", "unknown": "end"}, tags=[{"exit": "vip", "tag": "VIP"}])
    assert problems(scenario(start=callers, end=hang_up())) == {("unlinked_exit", "start", "links.vip")}


@pytest.mark.covers("SKZ-8")
def test_a_no_input_action_behind_an_endless_repetition_is_a_warning() -> None:
    links = {"1": "end", "wait_expired": "other", "incorrect_input": "end"}
    found = validate(scenario(start=menu(links, repeat="cyclic"), end=hang_up(), other=hang_up()), AROUND)
    assert [(problem.kind, problem.node, problem.field, problem.severity) for problem in found] == [
        ("unused_exit", "start", "links.wait_expired", "warning"),
        ("unreachable", "other", "", "warning"),
    ]


@pytest.mark.covers("SKZ-3")
def test_a_menu_with_an_activity_period_wants_a_way_for_the_rest_of_the_time() -> None:
    links = {"1": "end", "wait_expired": "end", "incorrect_input": "end"}
    assert problems(scenario(start=menu(links, period="in_hours"), end=hang_up())) == {
        ("unlinked_exit", "start", "links.not_played")
    }


def test_a_loop_out_of_which_only_an_unused_exit_leads_is_endless() -> None:
    links = {"1": "start", "wait_expired": "end", "incorrect_input": "start"}
    assert ("endless_loop", "start", "links") in problems(scenario(start=menu(links, repeat="cyclic"), end=hang_up()))


# Numbers that are handed over.


@pytest.mark.covers("UIS-20", "UIS-21")
def test_forwarding_to_an_extension_in_its_menu_variant_wants_a_number() -> None:
    dialled = in_menu({"failed": "end", "wrong_number": "end"})
    assert ("number_needed", "start", "links.next") in problems(
        scenario(start=message({"next": "dialled"}), dialled=dialled, end=hang_up())
    )
    assert ("number_needed", "dialled", "operation.variant") in problems(scenario("dialled", dialled=dialled, end=hang_up()))


def test_the_operator_that_a_lookup_names_goes_to_the_same_variant() -> None:
    dialled = in_menu({"failed": "end", "wrong_number": "end"})
    for target, expected in (("dialled", False), ("end", True)):
        lookup = node("http_lookup", {"operator": target, "failed": "dialled"}, url="http://crm")
        found = problems(scenario(start=lookup, dialled=dialled, end=hang_up()))
        assert (("not_a_number_taker", "start", "links.operator") in found) is expected


# Multi-level menus.


@pytest.mark.covers("UIS-32", "SKZ-9")
def test_a_lower_menu_without_a_way_back_is_a_warning() -> None:
    links = {"1": "end", "wait_expired": "end", "incorrect_input": "end"}
    upper = menu(links | {"2": "lower"})
    (found,) = validate(scenario(start=upper, lower=menu(links), end=hang_up()), AROUND)
    assert (found.kind, found.node, found.field, found.severity) == ("no_way_back", "lower", "links.#", "warning")
    assert validate(scenario(start=upper, lower=menu(links | {"#": "start"}), end=hang_up()), AROUND) == []


# Names of what is around.


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (node("schedule", {"open": "end", "closed": "end"}, schedule="Night"), ("unknown_schedule", "operation.schedule")),
        (
            node("dial_extension", {"failed": "end", "wrong_number": "end"}, extension="2099"),
            ("unknown_extension", "operation.extension"),
        ),
        (
            node("caller_list", {"known": "end", "unknown": "end"}, block_list="Bad"),
            ("unknown_caller_list", "operation.block_list"),
        ),
        (
            node("caller_list", {"known": "end", "unknown": "end", "vip": "end"}, tags=[{"exit": "vip", "tag": "VIP"}]),
            ("unknown_tag", "operation.tags.0.tag"),
        ),
        (node("set_language", {"next": "end"}, language="fr"), ("unknown_language", "operation.language")),
        (insert("Night", {"next": "end"}), ("unknown_scenario", "operation.scenario")),
        (
            node(
                "callback_offer",
                {"declined": "end", "not_possible": "end"},
                group="Night",
                prompt=["hello"],
                confirmation=["hello"],
            ),
            ("unknown_group", "operation.group"),
        ),
    ],
)
def test_whatever_an_operation_names_must_exist(start: dict[str, Any], expected: tuple[str, str]) -> None:
    nothing: frozenset[str] = frozenset()
    around = replace(AROUND, schedules=nothing, extensions=nothing, caller_lists=nothing, tags=nothing)
    found = [(problem.kind, problem.field) for problem in validate(scenario(start=start, end=hang_up()), around)]
    assert found == [expected]


def test_names_of_what_is_not_known_here_pass() -> None:
    start = node("schedule", {"open": "end", "closed": "end"}, schedule="Night")
    assert validate(scenario(start=start, end=hang_up()), AROUND) == []


@pytest.mark.covers("UIS-48")
def test_a_standard_message_that_is_missing_is_found() -> None:
    (found,) = validate(scenario(start=node("voicemail", greeting=["hello"])), AROUND)
    assert (found.kind, '"beep"' in found.message) == ("missing_prompt", True)


# Inserted scenarios.

END = scenario(start=hang_up())


def inserting(name: str) -> Scenario:
    return scenario(start=insert(name, {"next": "end"}), end=hang_up())


@pytest.mark.covers("UIS-40")
def test_a_circle_is_named_also_when_it_does_not_lead_through_this_scenario() -> None:
    around = replace(AROUND, scenarios={"A": inserting("B"), "B": inserting("C"), "C": inserting("B")})
    (found,) = validate(inserting("A"), around, "New")
    assert (found.kind, found.message) == ("insert_cycle", "scenarios insert each other in a circle: B > C > B")


@pytest.mark.covers("UIS-40")
def test_a_scenario_that_inserts_itself_is_a_circle() -> None:
    (found,) = validate(inserting("A"), replace(AROUND, scenarios={"A": END}), "A")
    assert found.message.endswith("A > A")


@pytest.mark.covers("UIS-40")
def test_the_same_scenario_may_be_inserted_on_several_ways() -> None:
    around = replace(AROUND, scenarios={"A": inserting("C"), "B": inserting("C"), "C": END})
    both = scenario(start=insert("A", {"next": "other"}), other=insert("B", {"next": "end"}), end=hang_up())
    assert validate(both, around, "New") == []


@pytest.mark.covers("UIS-40")
def test_insertions_deeper_than_a_call_walks_are_found() -> None:
    chain = {f"S{number}": inserting(f"S{number + 1}") for number in range(1, MAX_DEPTH + 1)}
    around = replace(AROUND, scenarios=chain | {f"S{MAX_DEPTH + 1}": END})
    assert validate(inserting("S2"), around, "New") == []
    assert [problem.kind for problem in validate(inserting("S1"), around, "New")] == ["insert_too_deep"]


def test_a_chain_of_a_thousand_insertions_is_checked_quickly() -> None:
    chain = {f"S{number}": inserting(f"S{number + 1}") for number in range(1000)}
    around = replace(AROUND, scenarios=chain | {"S1000": inserting("S0")})
    assert [problem.kind for problem in validate(inserting("S0"), around, "New")] == ["insert_cycle"]


def test_a_loop_is_not_endless_when_a_scenario_inserted_in_it_can_end_the_call() -> None:
    loop = scenario(start=insert("A", {"next": "start"}))
    assert validate(loop, replace(AROUND, scenarios={"A": END}), "New") == []
    endless = validate(loop, replace(AROUND, scenarios={"A": scenario(start=message({}))}), "New")
    assert [problem.kind for problem in endless] == ["endless_loop"]
