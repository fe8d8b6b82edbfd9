"""Scenarios that insert each other: no circles, no holes, and what calls are given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.numbers import add_number
from controller.actions.scenarios import (
    KnownPrompts,
    create_scenario,
    delete_scenario,
    publish,
    publish_again,
    rename_scenario,
    save_draft,
    undo_draft,
    validate_draft,
)
from controller.calls.numbers import load_routes
from controller.errors import InvalidInput, NotFound, Refused
from controller.prompts import PromptLibrary
from controller.storage import Database
from controller.storage.scenarios import StoredScenario, find_scenario, get_scenario, get_version
from tests.ivr.builders import hang_up, insert, menu

BY: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}
PROMPTS = KnownPrompts(frozenset({("choose", "en")}), frozenset({"en"}))
ALONE = {"schema_version": 2, "start": "end", "nodes": {"end": hang_up()}}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def inserting(*names: str) -> dict[str, Any]:
    """A scenario that inserts these, one after another."""
    nodes = {f"n{place}": insert(name, {"next": f"n{place + 1}"}) for place, name in enumerate(names)}
    return {"schema_version": 2, "start": "n0", "nodes": {**nodes, f"n{len(names)}": hang_up()}}


def add(session: Session, name: str, *inserted: str, published: bool = True) -> int:
    id = create_scenario(session, name, inserting(*inserted) if inserted else ALONE, **BY).id
    if published:
        publish(session, id, PROMPTS, **BY)
    return id


def save(session: Session, id: int, document: dict[str, Any]) -> int:
    session.expire_all()
    return save_draft(session, id, document, get_scenario(session, id).draft_revision, **BY)


@pytest.mark.covers("UIS-40")
def test_t19_saving_is_refused_with_the_circle_named_when_a_inserts_b_and_b_shall_insert_a(session: Session) -> None:
    b = add(session, "B")
    add(session, "A", "B")
    with pytest.raises(InvalidInput, match="B > A > B") as refused:
        save(session, b, inserting("A"))
    assert [problem.field for problem in refused.value.problems] == ["nodes.n0.operation.scenario"]
    assert get_scenario(session, b).draft["nodes"].keys() == ALONE["nodes"].keys()
    assert get_scenario(session, b).draft_revision == 1


@pytest.mark.covers("UIS-40")
def test_t19_a_circle_through_others_is_refused_and_named_from_end_to_end(session: Session) -> None:
    a = add(session, "A")
    add(session, "B", "A")
    add(session, "C", "B")
    add(session, "D")
    with pytest.raises(InvalidInput, match="A > C > B > A"):
        save(session, a, inserting("D", "C"))
    with pytest.raises(InvalidInput, match="A > A"):
        save(session, a, inserting("A"))
    with pytest.raises(InvalidInput, match="New > New"):
        create_scenario(session, "New", inserting("New"), **BY)


@pytest.mark.covers("UIS-40")
def test_t19_drafts_that_nobody_has_published_count_as_well_as_what_calls_run(session: Session) -> None:
    a, b = add(session, "A"), add(session, "B")
    save(session, a, inserting("B"))
    with pytest.raises(InvalidInput, match="B > A > B"):
        save(session, b, inserting("A"))
    publish(session, a, PROMPTS, **BY)
    save(session, a, ALONE)
    with pytest.raises(InvalidInput, match="B > A > B"):
        save(session, b, inserting("A"))
    publish(session, a, PROMPTS, **BY)
    assert save(session, b, inserting("A")) == 2


def test_a_circle_does_not_come_back_by_publishing_or_restoring_what_was_before(session: Session) -> None:
    a, b = add(session, "A"), add(session, "B")
    save(session, a, inserting("B"))
    publish(session, a, PROMPTS, **BY)
    save(session, a, ALONE)
    publish(session, a, PROMPTS, **BY)
    save(session, b, inserting("A"))
    session.expire_all()
    with pytest.raises(InvalidInput, match="A > B > A"):
        publish_again(session, a, 2, PROMPTS, **BY)
    with pytest.raises(InvalidInput, match="A > B > A"):
        undo_draft(session, a, 3, **BY)


@pytest.mark.covers("UIS-40")
def test_what_is_inserted_must_exist_and_be_published_first(session: Session) -> None:
    inner = add(session, "Inner", published=False)
    outer = add(session, "Outer", "Inner", "Nowhere", published=False)
    found = {(problem.kind, problem.node, problem.severity) for problem in validate_draft(session, outer, PROMPTS)}
    assert found == {("unpublished_scenario", "n0", "error"), ("unknown_scenario", "n1", "error")}
    with pytest.raises(InvalidInput):
        publish(session, outer, PROMPTS, **BY)
    publish(session, inner, PROMPTS, **BY)
    save(session, outer, inserting("Inner"))
    assert validate_draft(session, outer, PROMPTS) == []
    assert publish(session, outer, PROMPTS, **BY).number == 1


def test_a_scenario_that_is_used_keeps_its_name_and_stays(session: Session) -> None:
    inner = add(session, "Inner")
    outer = add(session, "Outer", "Inner")
    for act in (
        lambda: delete_scenario(session, inner, **BY),
        lambda: rename_scenario(session, inner, "Other", **BY),
    ):
        with pytest.raises(Refused, match='inserted by the scenario "Outer"'):
            act()
    add_number(session, "8000", "Line", scenario_id=outer, **BY)
    with pytest.raises(Refused, match="8000"):
        delete_scenario(session, outer, **BY)
    assert rename_scenario(session, outer, " Main ", **BY).name == "Main"
    with pytest.raises(Refused, match="already"):
        rename_scenario(session, outer, "Inner", **BY)


def test_a_scenario_that_nobody_uses_goes_with_its_versions(session: Session) -> None:
    id = add(session, "Gone")
    save(session, id, inserting("Else"))
    delete_scenario(session, id, **BY)
    assert find_scenario(session, "Gone") is None
    with pytest.raises(NotFound):
        delete_scenario(session, id, **BY)


def test_undoing_goes_back_draft_by_draft(session: Session) -> None:
    id = add(session, "Reception", published=False)
    for nodes in ("one", "two"):
        save(session, id, {"schema_version": 2, "start": nodes, "nodes": {nodes: hang_up()}})
    starts = []
    for revision in (3, 4):
        undo_draft(session, id, revision, **BY)
        session.expire_all()
        starts.append(get_scenario(session, id).draft["start"])
    assert starts == ["one", "end"]
    with pytest.raises(Refused, match="nothing to undo"):
        undo_draft(session, id, 5, **BY)


def test_who_undoes_an_older_draft_is_refused_and_the_former_draft_stays(database: Database) -> None:
    with database.session() as session:
        id = add(session, "Reception", published=False)
        save(session, id, inserting("X"))
    with pytest.raises(Refused, match="meanwhile"), database.session() as session:
        undo_draft(session, id, 1, **BY)
    with database.session() as session:
        assert undo_draft(session, id, 2, **BY) == 3


@pytest.mark.covers("UIS-40")
def test_a_call_is_given_all_that_is_inserted_at_any_depth_as_published(session: Session) -> None:
    leaf = add(session, "Leaf")
    middle = add(session, "Middle", "Leaf")
    root = add(session, "Root", "Middle")
    add_number(session, "8000", "Line", scenario_id=root, **BY)
    before = load_routes(session, {}, PromptLibrary())
    save(session, leaf, {"schema_version": 2, "start": "bye", "nodes": {"bye": hang_up()}})
    version = publish(session, leaf, PROMPTS, **BY)
    after = load_routes(session, before, PromptLibrary())
    assert before["8000"].bundle.inserted["Leaf"].start == "end"
    assert after["8000"].bundle.inserted["Leaf"].start == "bye"
    assert after["8000"].inserted_versions == {
        "Leaf": version.id,
        "Middle": get_scenario(session, middle).published_version_id,
    }
    assert after["8000"].bundle.inserted["Middle"] is before["8000"].bundle.inserted["Middle"], "unchanged versions are kept"


@pytest.mark.covers("UIS-40")
def test_what_was_taken_out_of_the_database_or_put_in_a_circle_there_does_not_keep_routes_from_loading(session: Session) -> None:
    inner = add(session, "Inner")
    root = add(session, "Root", "Inner", "Missing", published=False)
    save(session, root, inserting("Inner"))
    publish(session, root, PROMPTS, **BY)
    add_number(session, "8000", "Line", scenario_id=root, **BY)
    version = session.get_one(StoredScenario, inner).published_version_id
    assert version is not None
    get_version(session, version).document = inserting("Inner")
    session.flush()
    assert load_routes(session, {}, PromptLibrary())["8000"].bundle.inserted.keys() == {"Inner"}
    session.delete(session.get_one(StoredScenario, inner))
    session.flush()
    assert load_routes(session, {}, PromptLibrary())["8000"].bundle.inserted == {}


def test_a_menu_with_an_inserted_scenario_as_a_branch_can_be_published(session: Session) -> None:
    add(session, "Branch")
    links = {"1": "branch", "wait_expired": "end", "incorrect_input": "choice"}
    nodes = {"choice": menu(links), "branch": insert("Branch", {"next": "choice"}), "end": hang_up()}
    id = create_scenario(session, "Tree", {"schema_version": 2, "start": "choice", "nodes": nodes}, **BY).id
    assert publish(session, id, PROMPTS, **BY).number == 1
