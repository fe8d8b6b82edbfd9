"""The demo comes and goes in one step, and takes nothing along that is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.demo import install_demo, remove_demo
from controller.actions.groups import create_group, set_members
from controller.actions.numbers import add_number, attach_scenario
from controller.actions.operators import create_operator
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, save_draft, validate_draft
from controller.errors import InvalidInput
from controller.storage import Database
from controller.storage.groups import find_group, list_groups
from controller.storage.numbers import list_numbers
from controller.storage.operators import list_operators
from controller.storage.scenarios import find_scenario, get_scenario, get_version, list_scenarios
from ivr.graph import Scenario
from ivr.serialization import from_data
from tests.controller.actions.routes import find_route

NAMES = ("demo-greeting", "demo-menu", "sorry-nobody-available", "goodbye", "number-not-in-service", "please-hold")
PROMPTS = KnownPrompts(frozenset((name, language) for name in NAMES for language in ("en", "ru")), frozenset({"en", "ru"}))
BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}
ALL = ("number 8000", "scenario Demo", "group Sales", "group Support", "operator 2001", "operator 2002", "operator 2003")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def demo_scenario(session: Session) -> Scenario:
    route = find_route(session, "8000")
    assert route is not None and route.scenario_version_id is not None
    return from_data(get_version(session, route.scenario_version_id).document)


def test_a_caller_of_the_demo_number_reaches_the_groups_of_the_demo(session: Session) -> None:
    assert sorted(install_demo(session, PROMPTS, **BY_ANN)) == sorted(ALL)
    scenario = demo_scenario(session)
    menu = scenario.nodes["menu"].links
    assert menu == {"1": "sales", "2": "support", "*": "menu", "wait_expired": "sales", "incorrect_input": "menu"}
    assert [str(prompt) for prompt in scenario.nodes["menu"].operation.prompts()] == ["demo-menu:ru", "demo-menu:en"]
    assert [(group.name, group.strategy, [member.extension for member in group.members]) for group in list_groups(session)] == [
        ("Sales", "ring_all", ["2001", "2002"]),
        ("Support", "ring_all", ["2003"]),
    ]


def test_the_demo_has_no_problems_at_all(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    demo = find_scenario(session, "Demo")
    assert demo is not None and validate_draft(session, demo.id, PROMPTS) == []


def test_installing_again_adds_nothing_and_keeps_secrets(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    secrets = [operator.sip_secret for operator in list_operators(session)]
    assert install_demo(session, PROMPTS, **BY_ANN) == ()
    assert [operator.sip_secret for operator in list_operators(session)] == secrets


def test_without_its_prompts_nothing_of_the_demo_is_installed(database: Database) -> None:
    with pytest.raises(InvalidInput, match="demo-greeting"), database.session() as session:
        install_demo(session, KnownPrompts(frozenset(), frozenset({"en"})), **BY_ANN)
    with database.session(read_only=True) as session:
        assert list_operators(session) == [] == list_scenarios(session)


def test_removing_the_demo_leaves_nothing_of_it_and_it_can_come_back(session: Session) -> None:
    assert remove_demo(session, **BY_ANN).removed == ()
    install_demo(session, PROMPTS, **BY_ANN)
    removal = remove_demo(session, **BY_ANN)
    assert (removal.removed, removal.kept) == (ALL, ())
    assert (list_operators(session), list_groups(session), list_scenarios(session), list_numbers(session)) == ([], [], [], [])
    assert sorted(install_demo(session, PROMPTS, **BY_ANN)) == sorted(ALL)


def test_ids_that_calls_remember_never_come_again(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    before = (find_route(session, "8000"), {operator.id for operator in list_operators(session)})
    remove_demo(session, **BY_ANN)
    install_demo(session, PROMPTS, **BY_ANN)
    after = (find_route(session, "8000"), {operator.id for operator in list_operators(session)})
    assert before[0] != after[0]
    assert not before[1] & after[1]


def test_a_changed_scenario_stays_with_its_groups_and_operators(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    demo = find_scenario(session, "Demo")
    assert demo is not None
    save_draft(session, demo.id, {**demo.draft, "start": "menu"}, 1, **BY_ANN)
    session.expire_all()
    removal = remove_demo(session, **BY_ANN)
    assert removal.removed == ("number 8000",)
    assert removal.kept == ALL[1:]


def test_what_others_use_stays(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    forward = {"operation": {"type": "forward_to_group", "group": "Support"}, "links": {"failed": "bye"}}
    nodes = {"support": forward, "bye": {"operation": {"type": "hang_up"}}}
    create_scenario(session, "Helpdesk", {"schema_version": 2, "start": "support", "nodes": nodes}, **BY_ANN)
    create_group(session, "Night", **BY_ANN)
    set_members(session, "Night", ["2002"], **BY_ANN)
    removal = remove_demo(session, **BY_ANN)
    assert removal.removed == ("number 8000", "scenario Demo", "group Sales", "operator 2001")
    assert removal.kept == ("group Support", "operator 2002", "operator 2003")
    night = find_group(session, "Night")
    assert night is not None and [member.extension for member in night.members] == ["2002"]


def test_a_demo_number_that_answers_something_else_stays(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    other = create_scenario(session, "Other", **BY_ANN)
    attach_scenario(session, "8000", other.id, **BY_ANN)
    assert remove_demo(session, **BY_ANN).kept == ("number 8000",)


def test_a_scenario_that_answers_another_number_stays(session: Session) -> None:
    install_demo(session, PROMPTS, **BY_ANN)
    demo = find_scenario(session, "Demo")
    assert demo is not None
    add_number(session, "8001", "Second line", scenario_id=demo.id, **BY_ANN)
    assert remove_demo(session, **BY_ANN).removed == ("number 8000",)
    assert get_scenario(session, demo.id).name == "Demo"


def test_what_is_there_already_is_left_as_it_is(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    mine = create_scenario(session, "Mine", **BY_ANN)
    publish(session, mine.id, PROMPTS, **BY_ANN)
    add_number(session, "8000", "My line", scenario_id=mine.id, **BY_ANN)
    added = install_demo(session, PROMPTS, **BY_ANN)
    assert "operator 2001" not in added and "number 8000" not in added
    removal = remove_demo(session, **BY_ANN)
    assert removal.kept == ("number 8000", "operator 2001")
    assert [operator.name for operator in list_operators(session)] == ["Eve"]
