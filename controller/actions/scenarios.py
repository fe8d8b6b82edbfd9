"""Scenarios: drafts may have mistakes in them, published versions may not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from controller.actions.fields import checked_name
from controller.errors import FieldProblem, InvalidInput, NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.contacts import tag_names
from controller.storage.groups import group_names
from controller.storage.numbers import numbers_of
from controller.storage.operators import list_operators
from controller.storage.prompts import lock_prompts, prompt_keys
from controller.storage.scenarios import (
    ScenarioVersion,
    StoredScenario,
    documents_named,
    find_scenario,
    find_version,
    get_scenario,
    get_version,
    keep_former_draft,
    lock_insertions,
    next_version_number,
    published_versions,
    replace_draft,
    scenario_names,
    scenarios_in_use,
    take_former_draft,
)
from controller.storage.schedules import schedule_names
from ivr.editing import Edit, apply
from ivr.errors import InvalidDocument
from ivr.graph import Scenario, ScenarioBundle, inserted_by, inserts
from ivr.serialization import SCHEMA_VERSION, from_data, load, to_data
from ivr.validation import Problem, Surroundings, publishable, unfit_links
from ivr.validation import validate as problems_of

Document: TypeAlias = str | bytes | Mapping[str, Any]
"""A scenario document as JSON text or as parsed JSON."""

NAMED_BLOCK_LISTS: frozenset[str] = frozenset()
"""There is one block list, the installation's own, which has no name: see `controller.storage.contacts`."""

_EMPTY: Document = {
    "schema_version": SCHEMA_VERSION,
    "start": "goodbye",
    "nodes": {"goodbye": {"operation": {"type": "hang_up"}, "title": "Goodbye"}},
}


@dataclass(frozen=True, slots=True)
class KnownPrompts:
    """What ships with Attendant: prompts as (name, language); and the languages that a call may have."""

    names: frozenset[tuple[str, str]]
    languages: frozenset[str]


def create_scenario(
    session: Session, name: str, document: Document = _EMPTY, *, acting_user: str, at: datetime
) -> StoredScenario:
    """A new scenario with a first draft; without a document, one that hangs up.

    Raises InvalidInput: a bad name or document, or one with which scenarios would insert each other in a circle; Refused: the
    name is taken.
    """
    name = checked_name("name", name)
    given = read_document(document)
    draft = to_data(given)
    lock_insertions(session)
    if find_scenario(session, name) is not None:
        raise Refused(f'there is already a scenario "{name}"')
    _refuse_unfit_links(given)
    _refuse_circle(session, name, given)
    scenario = StoredScenario(name=name, draft=draft, updated_at=at)
    session.add(scenario)
    add_audit(session, at, acting_user, "scenario.create", f"scenario {name}")
    session.flush()
    return scenario


def save_draft(session: Session, scenario_id: int, document: Document, revision: int, *, acting_user: str, at: datetime) -> int:
    """Replace the draft that has `revision`; returns the new revision.

    Raises InvalidInput: no scenario document, one with which scenarios would insert each other in a circle (T-19), or with an
    extension entry that leads to anything but a forwarding to an extension (T-8); Refused: somebody else has saved meanwhile;
    NotFound.
    """
    given = read_document(document)
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    former = scenario.draft
    _replace(session, scenario, given, revision, at)
    keep_former_draft(session, scenario_id, former, acting_user, at)
    add_audit(session, at, acting_user, "scenario.save_draft", f"scenario {scenario.name}", revision=revision + 1)
    return revision + 1


def edit_draft(
    session: Session, scenario_id: int, edits: Sequence[Edit], revision: int, *, acting_user: str, at: datetime
) -> int:
    """Change the draft that has `revision`, all edits or none; returns the new revision.

    Raises InvalidInput: an edit makes no sense; otherwise as `save_draft`.
    """
    try:
        edited = apply(from_data(get_scenario(session, scenario_id).draft), edits)
    except InvalidDocument as error:
        raise _invalid(str(error), error) from None
    return save_draft(session, scenario_id, to_data(edited), revision, acting_user=acting_user, at=at)


def undo_draft(session: Session, scenario_id: int, revision: int, *, acting_user: str, at: datetime) -> int:
    """Go back from the draft that has `revision` to the one before; returns the new revision.

    Raises Refused: there is none before, or somebody else has saved meanwhile; InvalidInput, NotFound as `save_draft`.
    """
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    former = take_former_draft(session, scenario_id)
    if former is None:
        raise Refused(f'there is nothing to undo in "{scenario.name}"')
    _replace(session, scenario, from_data(former), revision, at)
    add_audit(session, at, acting_user, "scenario.undo", f"scenario {scenario.name}", revision=revision + 1)
    return revision + 1


def rename_scenario(session: Session, scenario_id: int, name: str, *, acting_user: str, at: datetime) -> StoredScenario:
    """Another name. Raises InvalidInput: a bad one; Refused: it is taken, or other scenarios insert this one; NotFound."""
    name = checked_name("name", name)
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    if name == scenario.name:
        return scenario
    if find_scenario(session, name) is not None:
        raise Refused(f'there is already a scenario "{name}"')
    _is_not_inserted(session, scenario.name, "given another name")
    for document in documents_named(session, scenario.name):
        _refuse_circle(session, name, from_data(document))
    add_audit(session, at, acting_user, "scenario.rename", f"scenario {name}", before=scenario.name)
    scenario.name = name
    session.flush()
    return scenario


def delete_scenario(session: Session, scenario_id: int, *, acting_user: str, at: datetime) -> None:
    """Take a scenario away with its versions. Raises Refused: a number or another scenario uses it; NotFound."""
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    numbers = ", ".join(number.number for number in numbers_of(session, scenario_id))
    if numbers:
        raise Refused(f'"{scenario.name}" can\'t be deleted: it answers {numbers}')
    _is_not_inserted(session, scenario.name, "deleted")
    session.delete(scenario)
    add_audit(session, at, acting_user, "scenario.delete", f"scenario {scenario.name}")
    session.flush()


def validate_draft(session: Session, scenario_id: int, prompts: KnownPrompts) -> list[Problem]:
    """What is wrong with the stored draft. Raises NotFound."""
    stored = get_scenario(session, scenario_id)
    return _problems(session, from_data(stored.draft), prompts, stored.name)


def validate_document(session: Session, document: Document, prompts: KnownPrompts) -> list[Problem]:
    """What is wrong with a document that is not stored. Raises InvalidInput: no scenario document."""
    return _problems(session, read_document(document), prompts)


def publish(
    session: Session,
    scenario_id: int,
    prompts: KnownPrompts,
    *,
    revision: int | None = None,
    tags_must_exist: bool = True,
    acting_user: str,
    at: datetime,
) -> ScenarioVersion:
    """Make the draft the version that new calls run. With `revision`, only if the draft still has it. Without `tags_must_exist`
    it may name tags that no contact carries yet.

    Raises InvalidInput: the draft has errors, each with its field "nodes.NODE.FIELD"; Refused: another revision; NotFound.
    """
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    if revision is not None and scenario.draft_revision != revision:
        raise Refused(f'somebody else has changed the draft of "{scenario.name}" meanwhile: look at it and publish again')
    return _publish(session, scenario, scenario.draft, prompts, acting_user, at, tags_must_exist=tags_must_exist)


def publish_again(
    session: Session, scenario_id: int, number: int, prompts: KnownPrompts, *, acting_user: str, at: datetime
) -> ScenarioVersion:
    """Roll back: publish what the version `number` holds as a new version. The draft stays as it is.

    Raises InvalidInput: it has errors by now (a group or prompt is gone); NotFound.
    """
    lock_insertions(session)
    scenario = get_scenario(session, scenario_id, locked=True)
    version = find_version(session, scenario_id, number)
    if version is None:
        raise NotFound(f'"{scenario.name}" has no version {number}')
    return _publish(session, scenario, version.document, prompts, acting_user, at, again=number)


def read_document(document: Document) -> Scenario:
    """A scenario from what was submitted. Raises InvalidInput with the fields at fault."""
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    try:
        return load(text)
    except InvalidDocument as error:
        raise _invalid(f"no scenario document: {error}", error) from None


def _invalid(message: str, error: InvalidDocument) -> InvalidInput:
    return InvalidInput(message, [FieldProblem(problem.where, problem.message) for problem in error.problems])


def _publish(
    session: Session,
    scenario: StoredScenario,
    document: dict[str, Any],
    prompts: KnownPrompts,
    actor: str,
    at: datetime,
    *,
    tags_must_exist: bool = True,
    **detail: int,
) -> ScenarioVersion:
    lock_prompts(session)  # what is looked for now must still be there at the commit
    given = from_data(document)
    _refuse_circle(session, scenario.name, given)
    found = _problems(session, given, prompts, scenario.name)
    if not tags_must_exist:
        found = [problem for problem in found if problem.kind != "unknown_tag"]
    if not publishable(found):
        fields = [FieldProblem(_field(problem), problem.message) for problem in found if problem.severity == "error"]
        raise InvalidInput(f'"{scenario.name}" can\'t be published: {fields[0].field}: {fields[0].message}', fields)
    number = next_version_number(session, scenario.id)
    version = ScenarioVersion(scenario_id=scenario.id, number=number, document=document, published_at=at, published_by=actor)
    session.add(version)
    session.flush()
    scenario.published_version_id = version.id
    add_audit(session, at, actor, "scenario.publish", f"scenario {scenario.name}", number=version.number, **detail)
    session.flush()
    return version


def _replace(session: Session, scenario: StoredScenario, draft: Scenario, revision: int, at: datetime) -> None:
    _refuse_unfit_links(draft)
    _refuse_circle(session, scenario.name, draft)
    if not replace_draft(session, scenario.id, to_data(draft), revision, at):
        raise Refused(f'somebody else has changed the draft of "{scenario.name}" meanwhile: load it again and repeat your change')


def _refuse_circle(session: Session, name: str, scenario: Scenario) -> None:
    """Raises InvalidInput when a caller of `name`, being as given, could come to it again: by what others are now, or by what
    their drafts would make of them (UIS-40).
    """
    outer_of: dict[str, str] = {}
    waiting = [name]
    for outer in waiting:
        for inner in sorted(set(inserts(scenario)) if outer == name else _inserted_by_any(session, outer)):
            if inner == name:
                way = [name, outer]
                while way[-1] != name:
                    way.append(outer_of[way[-1]])
                raise _circle(scenario, way[::-1])
            if inner not in outer_of:
                outer_of[inner] = outer
                waiting.append(inner)


def _refuse_unfit_links(scenario: Scenario) -> None:
    """Raises InvalidInput."""
    problems = [FieldProblem(_field(problem), problem.message) for problem in unfit_links(scenario)]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)


def _inserted_by_any(session: Session, name: str) -> set[str]:
    return {inner for document in documents_named(session, name) for inner in inserts(from_data(document))}


def _circle(scenario: Scenario, way: list[str]) -> InvalidInput:
    said = f"scenarios would insert each other in a circle: {' > '.join(way)}"
    at = [node for node, step in scenario.nodes.items() if way[1] in step.operation.scenarios()]
    problems = [FieldProblem(f"nodes.{node}.operation.scenario", said) for node in at]
    return InvalidInput(f"{problems[0].field}: {said}", problems)


def _is_not_inserted(session: Session, name: str, purpose: str) -> None:
    outer = {user for user, document in scenarios_in_use(session) if user != name and name in inserts(from_data(document))}
    if outer:
        users = ", ".join(f'"{user}"' for user in sorted(outer))
        raise Refused(f'"{name}" can\'t be {purpose}: it is inserted by the scenario {users}')


def _problems(session: Session, scenario: Scenario, prompts: KnownPrompts, name: str | None = None) -> list[Problem]:
    return problems_of(scenario, _surroundings(session, scenario, prompts), name)


def draft_bundle(session: Session, scenario_id: int) -> ScenarioBundle:
    """The draft with what it inserts, as published now: what a simulated call walks. Raises NotFound."""
    draft = from_data(get_scenario(session, scenario_id).draft)
    return ScenarioBundle(draft, _published_below(session, draft, published_versions(session)))


def _published_below(session: Session, scenario: Scenario, published: Mapping[str, int]) -> dict[str, Scenario]:
    def find(name: str) -> Scenario | None:
        return from_data(get_version(session, published[name]).document) if name in published else None

    return inserted_by(scenario, find)


def _surroundings(session: Session, scenario: Scenario, prompts: KnownPrompts) -> Surroundings:
    published = published_versions(session)
    return Surroundings(
        # Read from the database rather than from the library in memory: what was uploaded a moment ago counts.
        prompts.names | prompt_keys(session),
        group_names(session),
        prompts.languages,
        schedules=schedule_names(session),
        extensions=frozenset(operator.extension for operator in list_operators(session)),
        caller_lists=NAMED_BLOCK_LISTS,
        tags=tag_names(session),
        scenarios=_published_below(session, scenario, published),
        unpublished=scenario_names(session) - published.keys(),
    )


def _field(problem: Problem) -> str:
    parts = () if problem.node is None else ("nodes", problem.node)
    return ".".join(part for part in (*parts, problem.field) if part)
