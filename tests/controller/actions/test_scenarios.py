"""Drafts, publication, roll-back; what is submitted wrongly changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from controller.actions import scenarios
from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.groups import create_group
from controller.actions.numbers import add_number, attach_scenario
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, publish_again, save_draft, validate_draft
from controller.actions.schedules import create_schedule
from controller.errors import InvalidInput, NotFound, Refused
from controller.schedules import Schedule
from controller.storage import Database
from controller.storage.audit import AuditEntry, list_audit
from controller.storage.scenarios import (
    ScenarioVersion,
    StoredScenario,
    get_scenario,
    get_version,
    list_scenarios,
    list_versions,
)
from tests.controller.actions.routes import find_route

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PROMPTS = KnownPrompts(frozenset({("hello", "en"), ("hello", "ru")}), frozenset({"en", "ru"}))
BY_ANN: Any = {"acting_user": "ann", "at": NOON}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        create_group(session, "Sales", **BY_ANN)
        yield session


def document(title: str = "Hello", group: str = "Sales", prompt: str = "hello") -> dict[str, Any]:
    return {
        "schema_version": 2,
        "start": "hello",
        "nodes": {
            "hello": {
                "operation": {"type": "info_message", "message": [prompt]},
                "links": {"next": "sales"},
                "title": title,
            },
            "sales": {"operation": {"type": "forward_to_group", "group": group}, "links": {"failed": "bye"}},
            "bye": {"operation": {"type": "hang_up"}},
        },
    }


def title_of(version: ScenarioVersion) -> str:
    title: str = version.document["nodes"]["hello"]["title"]
    return title


def test_a_new_scenario_without_a_document_hangs_up_and_can_be_published(session: Session) -> None:
    created = create_scenario(session, " Reception ", **BY_ANN)
    assert (created.name, created.draft_revision, created.published_version_id) == ("Reception", 1, None)
    assert publish(session, created.id, PROMPTS, **BY_ANN).number == 1


def test_names_are_used_once(session: Session) -> None:
    create_scenario(session, "Reception", **BY_ANN)
    with pytest.raises(Refused, match="already"):
        create_scenario(session, "Reception", **BY_ANN)


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "x" * 65])
def test_names_are_short_and_on_one_line(session: Session, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        create_scenario(session, name, **BY_ANN)
    assert refused.value.problems[0].field == "name"


def test_saving_a_draft_leaves_what_is_published_as_it_is(session: Session) -> None:
    id = create_scenario(session, "Reception", document("old"), **BY_ANN).id
    publish(session, id, PROMPTS, **BY_ANN)
    assert save_draft(session, id, json.dumps(document("new")), 1, **BY_ANN) == 2
    session.expire_all()
    scenario = get_scenario(session, id)
    assert scenario.draft["nodes"]["hello"]["title"] == "new"
    assert title_of(get_version(session, scenario.published_version_id or 0)) == "old"


def test_who_started_from_an_older_draft_is_refused_and_changes_nothing(session: Session) -> None:
    id = create_scenario(session, "Reception", document("first"), **BY_ANN).id
    save_draft(session, id, document("by ann"), 1, **BY_ANN)
    with pytest.raises(Refused, match="meanwhile"):
        save_draft(session, id, document("by bob"), 1, acting_user="bob", at=NOON)
    with pytest.raises(Refused, match="meanwhile"):
        publish(session, id, PROMPTS, revision=1, **BY_ANN)
    session.expire_all()
    assert get_scenario(session, id).draft["nodes"]["hello"]["title"] == "by ann"


def test_a_draft_with_mistakes_is_kept_but_not_published(session: Session) -> None:
    id = create_scenario(session, "Reception", document(group="Nobody", prompt="unheard"), **BY_ANN).id
    assert {(problem.node, problem.kind) for problem in validate_draft(session, id, PROMPTS)} == {
        ("hello", "missing_prompt"),
        ("sales", "unknown_group"),
    }
    with pytest.raises(InvalidInput, match="can't be published") as refused:
        publish(session, id, PROMPTS, **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == ["nodes.hello.operation", "nodes.sales.operation.group"]
    assert get_scenario(session, id).published_version_id is None
    assert session.exec(select(ScenarioVersion)).all() == []


def test_versions_are_numbered_and_rolling_back_publishes_an_old_one_again(session: Session) -> None:
    id = create_scenario(session, "Reception", document("one"), **BY_ANN).id
    publish(session, id, PROMPTS, **BY_ANN)
    save_draft(session, id, document("two"), 1, **BY_ANN)
    session.expire_all()
    publish(session, id, PROMPTS, revision=2, **BY_ANN)
    again = publish_again(session, id, 1, PROMPTS, acting_user="bob", at=NOON + timedelta(hours=1))
    assert (again.number, title_of(again)) == (3, "one")
    assert [(version.number, version.published_by) for version in list_versions(session, id)] == [
        (3, "bob"),
        (2, "ann"),
        (1, "ann"),
    ]
    assert [(found.name, found.published_number, found.draft_revision) for found in list_scenarios(session)] == [
        ("Reception", 3, 2)
    ]
    assert get_scenario(session, id).draft["nodes"]["hello"]["title"] == "two"
    with pytest.raises(NotFound):
        publish_again(session, id, 9, PROMPTS, **BY_ANN)


def test_a_number_is_answered_by_what_is_published(session: Session) -> None:
    id = create_scenario(session, "Reception", document(), **BY_ANN).id
    add_number(session, "+74951234567", "Main line", language="ru", **BY_ANN)
    attach_scenario(session, "+74951234567", id, **BY_ANN)
    route = find_route(session, "+74951234567")
    assert route is not None and route.scenario_version_id is None
    version = publish(session, id, PROMPTS, **BY_ANN)
    route = find_route(session, "+74951234567")
    assert route is not None
    assert (route.line_name, route.language, route.scenario_version_id) == ("Main line", "ru", version.id)
    assert find_route(session, "1") is None


@pytest.mark.parametrize("number", ["", "12a", "+", "1" * 21, "1\n"])
def test_numbers_are_digits(session: Session, number: str) -> None:
    with pytest.raises(InvalidInput):
        add_number(session, number, "Line", **BY_ANN)


def test_every_change_is_in_the_audit_log(session: Session) -> None:
    id = create_scenario(session, "Reception", document(), **BY_ANN).id
    save_draft(session, id, document("new"), 1, acting_user="bob", at=NOON)
    publish(session, id, PROMPTS, **BY_ANN)
    log = [(entry.actor, entry.action, entry.subject) for entry in list_audit(session)]
    assert log[:3] == [
        ("ann", "scenario.publish", "scenario Reception"),
        ("bob", "scenario.save_draft", "scenario Reception"),
        ("ann", "scenario.create", "scenario Reception"),
    ]


def with_nodes(count: int) -> dict[str, Any]:
    nodes = {f"n{number}": {"operation": {"type": "hang_up"}} for number in range(count)}
    return {"schema_version": 2, "start": "n0", "nodes": nodes}


BAD = {
    "5 MB": (json.dumps(document()) + " " * 5_000_000, ""),
    "5 MB of title": (document("x" * 5_000_000), ""),
    "10 000 nodes": (with_nodes(10_000), "nodes"),
    "not JSON": ("{nodes: []}", ""),
    "not text": (b"\xff\xfe\x00", ""),
    "nested too deeply": ("[" * 100_000, ""),
    "a list": ("[]", ""),
    "nothing": ("", ""),
    "unknown version": ({**document(), "schema_version": 99}, "schema_version"),
    "unknown operation": ({**document(), "nodes": {"a": {"operation": {"type": "dance"}}}}, "nodes.a.operation"),
    "wrong field": ({**document(), "nodes": {"a": {"operation": {"type": "hang_up", "cause": 7}}}}, "nodes.a.operation.cause"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_documents_are_refused_with_the_place_and_nothing_is_changed(database: Database, case: str) -> None:
    submitted, field = BAD[case]
    with database.session() as session:
        id = create_scenario(session, "Reception", document_for(session), **BY_ANN).id
        publish(session, id, PROMPTS, **BY_ANN)
    before = everything(database)
    with pytest.raises(InvalidInput) as refused, database.session() as session:
        save_draft(session, id, submitted, 1, **BY_ANN)  # type: ignore[arg-type]
    assert refused.value.problems[0].field == field
    assert len(str(refused.value)) < 500
    with pytest.raises(InvalidInput), database.session() as session:
        create_scenario(session, "Another", submitted, **BY_ANN)  # type: ignore[arg-type]
    assert everything(database) == before


def document_for(session: Session) -> dict[str, Any]:
    create_group(session, "Sales", **BY_ANN)
    return document()


def everything(database: Database) -> list[list[dict[str, Any]]]:
    with database.session(read_only=True) as session:
        tables = (StoredScenario, ScenarioVersion, AuditEntry)
        return [[row.model_dump() for row in session.exec(select(table))] for table in tables]


def test_a_document_that_is_not_stored_can_be_validated(session: Session) -> None:
    problems = scenarios.validate_document(session, json.dumps(document(group="Nobody")), PROMPTS)
    assert [problem.kind for problem in problems] == ["unknown_group"]


def test_unknown_scenarios_are_not_found(session: Session) -> None:
    for act in (
        lambda: save_draft(session, 99, document(), 1, **BY_ANN),
        lambda: publish(session, 99, PROMPTS, **BY_ANN),
        lambda: validate_draft(session, 99, PROMPTS),
        lambda: attach_scenario(session, "8000", 99, **BY_ANN),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"type": "voicemail"}, "nodes.hello.operation"),
    ],
)
def test_what_live_calls_cannot_carry_out_yet_is_kept_as_a_draft_but_not_published(
    session: Session, operation: dict[str, Any], field: str
) -> None:
    unfit = document()
    unfit["nodes"]["hello"]["operation"] = operation
    stored = create_scenario(session, "Unfit", unfit, **BY_ANN)
    with pytest.raises(InvalidInput) as refused:
        publish(session, stored.id, PROMPTS, **BY_ANN)
    assert field in [problem.field for problem in refused.value.problems]
    assert get_scenario(session, stored.id).published_version_id is None


@pytest.mark.parametrize(
    ("operation", "field", "said"),
    [
        ({"type": "schedule", "schedule": "Office"}, "schedule", 'no schedule "Office"'),
        ({"type": "menu", "prompt": ["hello"], "period": "in_hours", "schedule": "Office"}, "schedule", 'no schedule "Office"'),
        ({"type": "caller_list", "tags": [{"exit": "vip", "tag": "VIP"}]}, "tags.0.tag", 'no tag "VIP"'),
        ({"type": "caller_list", "block_list": "Night"}, "block_list", 'no caller list "Night"'),
    ],
)
def test_what_calls_ask_about_must_exist(session: Session, operation: dict[str, Any], field: str, said: str) -> None:
    unfit = document()
    unfit["nodes"]["hello"] = {"operation": operation}
    stored = create_scenario(session, "Unfit", unfit, **BY_ANN)
    with pytest.raises(InvalidInput) as refused:
        publish(session, stored.id, PROMPTS, **BY_ANN)
    found = {problem.field: problem.message for problem in refused.value.problems}
    assert said in found[f"nodes.hello.operation.{field}"]


def test_schedules_and_tags_that_exist_may_be_named(session: Session) -> None:
    create_schedule(session, "Office", Schedule(), **BY_ANN)
    create_contact(session, ContactDraft("Ivan", ["+74951112233"], ["VIP"]), None, **BY_ANN)
    nodes = {
        "time": {"operation": {"type": "schedule", "schedule": "Office"}, "links": {"open": "who", "closed": "bye"}},
        "who": {
            "operation": {"type": "caller_list", "tags": [{"exit": "vip", "tag": "VIP"}]},
            "links": {"known": "bye", "unknown": "bye", "vip": "bye"},
        },
        "bye": {"operation": {"type": "hang_up"}},
    }
    stored = create_scenario(session, "Fit", {"schema_version": 2, "start": "time", "nodes": nodes}, **BY_ANN)
    assert publish(session, stored.id, PROMPTS, **BY_ANN).number == 1
