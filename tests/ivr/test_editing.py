"""Changes of a scenario step by step: what the editor and the API do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ivr.editing import AddExtensionEntry, AddNode, AddSubmenu, Edit, Link, SetKey, apply, menus
from ivr.errors import InvalidDocument
from ivr.events import KEYS
from ivr.graph import Scenario
from ivr.operations import OPERATIONS, DialExtension, HangUp, Menu
from ivr.serialization import dump, load
from ivr.simulator import Press, World, simulate
from ivr.validation import validate
from tests.ivr.builders import graphs, group, hang_up, in_menu, menu, message, node, operations, scenario
from tests.ivr.test_traps import AROUND, OTHERS, PARAMETERS

ANY_EDIT: TypeAdapter[Edit] = TypeAdapter(Edit)
ONE_MENU = scenario("main", main=menu({"incorrect_input": "main"}), end=hang_up())


def edited(before: Scenario, **edit: Any) -> Scenario:
    return apply(before, [ANY_EDIT.validate_python(edit)])


def refused(before: Scenario, **edit: Any) -> str:
    with pytest.raises(InvalidDocument) as error:
        edited(before, **edit)
    return error.value.problems[0].where


@pytest.mark.covers("UIS-21", "UIS-22", "UIS-23")
def test_t09_assigning_extension_entry_makes_the_operation_and_all_its_links_at_once() -> None:
    after = edited(ONE_MENU, edit="add_extension_entry", menu="main")
    assert after.nodes["main"].links["extension_entry"] == "extension"  # type: ignore[index]
    made = after.nodes["extension"]  # type: ignore[index]
    assert made.operation == DialExtension(variant="in_menu")
    assert made.links == {"wrong_number": "main", "failed": "main"}
    assert not made.operation.prompt
    walk = simulate(after, [Press(1, "9")], World(extensions=frozenset()))
    assert walk.path[0].left_at == 1 + 5, "the interval is the menu's wait timeout of 5 seconds"
    assert refused(after, edit="add_extension_entry", menu="main") == "nodes.main.links.extension_entry"


@pytest.mark.covers("UIS-22")
@pytest.mark.parametrize("named", ["main", "extension"])
def test_the_interval_is_one_value_whether_it_is_changed_at_the_menu_or_at_the_extension(named: str) -> None:
    after = edited(edited(ONE_MENU, edit="add_extension_entry", menu="main"), edit="set_interval", node=named, seconds=7)
    operation = after.nodes["main"].operation  # type: ignore[index]
    assert isinstance(operation, Menu) and operation.wait_seconds == 7
    assert refused(after, edit="set_interval", node=named, seconds=0) == "nodes.main.operation.wait_seconds"
    assert refused(after, edit="set_interval", node="end", seconds=5) == "nodes.end"


@pytest.mark.covers("UIS-30", "UIS-19")
def test_t10_deleting_the_link_of_extension_entry_gives_the_very_scenario_of_before() -> None:
    added = edited(ONE_MENU, edit="add_extension_entry", menu="main")
    assert edited(added, edit="link", node="main", exit="extension_entry") == ONE_MENU


@pytest.mark.covers("UIS-29")
def test_the_exits_of_the_extension_in_a_menu_can_be_linked_elsewhere() -> None:
    added = edited(ONE_MENU, edit="add_extension_entry", menu="main")
    after = edited(added, edit="link", node="extension", exit="wrong_number", target="end")
    assert after.nodes["extension"].links == {"wrong_number": "end", "failed": "main"}  # type: ignore[index]


@pytest.mark.covers("UIS-20")
@pytest.mark.parametrize("kind", [*OTHERS, "dial_extension"])
def test_t08_the_editor_refuses_any_other_operation_on_extension_entry(kind: str) -> None:
    before = scenario("main", main=menu({}), target=node(kind, **PARAMETERS.get(kind, {})), dial=in_menu({}))
    link = {"edit": "link", "node": "main", "exit": "extension_entry"}
    assert refused(before, **link, target="target") == "nodes.main.links.extension_entry"
    assert edited(before, **link, target="dial").nodes["main"].links == {"extension_entry": "dial"}  # type: ignore[index]
    assert refused(before, edit="link", node="main", exit="1", target="dial") == "nodes.main.links.1"


ACTIONS: dict[str, dict[str, Any]] = {
    "user": {"extension": "2001"},
    "group": {"group": "Sales"},
    "external": {"number": "+74951234567"},
    "menu": {"menu": "lower"},
    "play": {"message": ["hello"]},
    "replay": {},
    "hang_up": {},
}


@pytest.mark.covers("SKZ-5", "SKZ-1", "SKZ-8")
@pytest.mark.parametrize("key", ["5", "*", "wait_expired"])
@pytest.mark.parametrize("action", ACTIONS)
def test_each_of_the_seven_actions_can_be_put_on_a_key_and_on_silence(action: str, key: str) -> None:
    before = scenario("main", main=menu({}), lower=menu({"#": "main"}), end=hang_up())
    after = edited(before, edit="set_key", menu="main", key=key, action={"action": action, **ACTIONS[action]})
    target = after.nodes["main"].links[key]  # type: ignore[index]
    kinds = {"user": "dial_extension", "group": "forward_to_group", "external": "forward_to_external", "play": "info_message"}
    assert after.nodes[target].operation.type == kinds.get(action, "hang_up" if action == "hang_up" else "menu")
    assert (target == "main") is (action == "replay") and (target == "lower") is (action == "menu")
    exits = after.nodes[target].operation.required_exits()
    if action in kinds:
        assert after.nodes[target].links == dict.fromkeys(exits, "main"), "the caller is never lost"


@pytest.mark.covers("SKZ-6")
@pytest.mark.parametrize("key", ["5", "wait_expired"])
def test_t22_while_there_is_one_menu_no_key_and_no_silence_leads_to_another(key: str) -> None:
    for target in ("main", "end", "nowhere"):
        action = {"action": "menu", "menu": target}
        assert refused(ONE_MENU, edit="set_key", menu="main", key=key, action=action) == f"nodes.main.links.{key}"
    two = edited(ONE_MENU, edit="add_submenu", menu="main", key="3", prompt=["choose"])
    assert edited(two, edit="set_key", menu="main", key=key, action={"action": "menu", "menu": "menu"})


@pytest.mark.covers("UIS-32", "SKZ-9")
def test_t25_a_submenu_comes_with_its_hash_key_back_to_the_parent() -> None:
    after = edited(ONE_MENU, edit="add_submenu", menu="main", key="3", prompt=["hello"], title="Products")
    lower = after.nodes["main"].links["3"]  # type: ignore[index]
    assert after.nodes[lower].links["#"] == "main" and after.nodes[lower].title == "Products"
    walk = simulate(after, [Press(1, "3"), Press(1, "#"), Press(1, "3")])
    assert [(step.node, step.exit) for step in walk.path[:3]] == [("main", "3"), (lower, "#"), ("main", "3")]
    assert not [problem for problem in validate(after, AROUND) if problem.kind == "no_way_back"]
    assert refused(after, edit="add_submenu", menu="main", key="3", prompt=["hello"]) == "nodes.main.links.3"


@pytest.mark.covers("SKZ-2")
def test_the_first_menu_is_the_main_one_and_another_can_be_chosen() -> None:
    empty = scenario("goodbye", goodbye=hang_up())
    first = edited(empty, edit="add_node", operation={"type": "menu", "prompt": ["choose"]})
    assert first.start == "menu"
    second = edited(first, edit="add_node", operation={"type": "menu", "prompt": ["hello"]}, node="evening")
    assert second.start == "menu" and menus(second) == ["menu", "evening"]
    assert edited(second, edit="set_start", node="evening").start == "evening"


def test_a_greeting_stays_the_first_when_a_menu_is_added() -> None:
    greeted = scenario("hello", hello=message({}), end=hang_up())
    assert edited(greeted, edit="add_node", operation={"type": "menu", "prompt": ["choose"]}).start == "hello"


def test_changing_parameters_drops_the_links_of_exits_that_are_no_more() -> None:
    lookup = node("http_lookup", {"vip": "end", "failed": "end"}, url="http://crm.example.org", answers=["vip"])
    before = scenario("ask", ask=lookup, end=hang_up())
    operation = {"type": "http_lookup", "url": "http://crm.example.org", "answers": ["other"]}
    after = edited(before, edit="change_node", node="ask", operation=operation, title="CRM")
    assert (after.nodes["ask"].links, after.nodes["ask"].title) == ({"failed": "end"}, "CRM")  # type: ignore[index]
    bad = {**operation, "timeout_seconds": 99}
    assert refused(before, edit="change_node", node="ask", operation=bad) == "nodes.ask.operation.timeout_seconds"
    assert refused(before, edit="change_node", node="ask", operation={"type": "hang_up"}) == "nodes.ask.operation.type"


def test_renaming_takes_every_link_along() -> None:
    before = scenario("a", a=menu({"1": "b", "2": "a"}), b=group({"failed": "a"}))
    after = edited(before, edit="rename_node", node="a", name="main")
    assert after == scenario("main", main=menu({"1": "b", "2": "main"}), b=group({"failed": "main"}))
    assert refused(before, edit="rename_node", node="a", name="b") == "name"
    assert refused(before, edit="rename_node", node="a", name="Über") != ""


def test_removing_takes_links_along_and_the_first_operation_stays() -> None:
    before = scenario("a", a=menu({"1": "b", "2": "c"}), b=group({"failed": "c"}), c=hang_up())
    assert edited(before, edit="remove_node", node="c") == scenario("a", a=menu({"1": "b"}), b=group({}))
    assert refused(before, edit="remove_node", node="a") == "start"
    assert refused(before, edit="remove_node", node="z") == "nodes.z"


def test_an_end_of_the_call_is_used_again() -> None:
    once = apply(ONE_MENU, [SetKey(menu="main", key=key, action={"action": "hang_up"}) for key in ("8", "9")])  # type: ignore[arg-type]
    assert [name for name, step in once.nodes.items() if isinstance(step.operation, HangUp)] == ["end"]


def test_all_edits_or_none() -> None:
    good = AddNode(operation={"type": "hang_up"})
    with pytest.raises(InvalidDocument):
        apply(ONE_MENU, [good, Link(node="main", exit="1", target="nowhere")])  # type: ignore[arg-type]
    assert apply(ONE_MENU, [good, AddExtensionEntry(menu="main"), AddSubmenu(menu="main", key="1", prompt=("hello",))])  # type: ignore[arg-type]


_NAMES = st.sampled_from(["n0", "n1", "n2", "menu", "extension", "end", "x y", ""])
_EXITS = st.sampled_from([*KEYS, "extension_entry", "wait_expired", "incorrect_input", "next", "failed", "Bad Exit"])
_OPERATION = operations().map(lambda one: one.model_dump(mode="json", exclude_none=True)) | st.sampled_from(
    [{"type": kind.model_fields["type"].default} for kind in OPERATIONS] + [{}, {"type": 1}]
)
_ACTIONS = st.sampled_from([{"action": action, **given} for action, given in ACTIONS.items()]) | st.sampled_from(
    [{"action": "user", "extension": "x"}, {"action": "menu", "menu": "n1"}, {"action": "group", "group": ""}]
)
_FIELDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "add_node": st.fixed_dictionaries({"operation": _OPERATION}, optional={"node": _NAMES, "title": st.text(max_size=5)}),
    "change_node": st.fixed_dictionaries({"node": _NAMES, "operation": _OPERATION}),
    "set_interval": st.fixed_dictionaries({"node": _NAMES, "seconds": st.floats()}),
    "link": st.fixed_dictionaries({"node": _NAMES, "exit": _EXITS}, optional={"target": _NAMES}),
    "add_extension_entry": st.fixed_dictionaries({"menu": _NAMES}),
    "set_key": st.fixed_dictionaries({"menu": _NAMES, "key": st.sampled_from([*KEYS, "wait_expired"]), "action": _ACTIONS}),
    "add_submenu": st.fixed_dictionaries({"menu": _NAMES, "key": st.sampled_from(KEYS), "prompt": st.just(["hello"])}),
    "remove_node": st.fixed_dictionaries({"node": _NAMES}),
    "rename_node": st.fixed_dictionaries({"node": _NAMES, "name": _NAMES}),
    "set_start": st.fixed_dictionaries({"node": _NAMES}),
}
ANY_EDITS = st.lists(
    st.one_of([fields.map(lambda given, kind=kind: {"edit": kind, **given}) for kind, fields in _FIELDS.items()]), max_size=12
)


@given(graphs(), ANY_EDITS)
def test_after_any_edits_a_document_can_be_read_again_and_callers_walk_it(before: Scenario, edits: list[dict[str, Any]]) -> None:
    current = before
    for given_edit in edits:
        try:
            current = edited(current, **given_edit)
        except InvalidDocument as error:
            assert error.problems[0].message
    assert load(dump(current)) == current
    simulate(current, [Press(1, "1"), Press(1, "2")])
    validate(current, AROUND, "Main")


@given(ANY_EDITS)
def test_no_edit_ever_leads_an_extension_entry_to_what_takes_no_number(edits: list[dict[str, Any]]) -> None:
    current = ONE_MENU
    for given_edit in edits:
        try:
            current = edited(current, **given_edit)
        except InvalidDocument:
            continue
    found = {problem.kind for problem in validate(current, AROUND)}
    assert not found & {"not_a_number_taker", "number_needed", "dangling_link", "missing_start", "unknown_exit"}
