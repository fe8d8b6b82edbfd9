"""Scenarios: drafts may have mistakes in them, published versions may not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from controller.actions.fields import checked_name
from controller.errors import FieldProblem, InvalidInput, NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.contacts import tag_names
from controller.storage.groups import group_names
from controller.storage.operators import list_operators
from controller.storage.prompts import lock_prompts, prompt_keys
from controller.storage.scenarios import (
    ScenarioVersion,
    StoredScenario,
    find_scenario,
    find_version,
    get_scenario,
    lock_scenario,
    next_version_number,
    replace_draft,
)
from controller.storage.schedules import schedule_names
from ivr.errors import InvalidDocument
from ivr.graph import Scenario
from ivr.serialization import SCHEMA_VERSION, from_data, load, to_data
from ivr.validation import Problem, Surroundings, publishable
from ivr.validation import validate as problems_of

Document: TypeAlias = str | bytes | Mapping[str, Any]
"""A scenario document as JSON text or as parsed JSON."""

DRAFTS_ONLY = frozenset(
    {
        "voicemail",
        "insert_scenario",
    }
)
"""Operations whose commands live calls can't carry out yet: a caller must never come to one."""

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

    Raises InvalidInput: a bad name or document; Refused: the name is taken.
    """
    name = checked_name("name", name)
    draft = to_data(read_document(document))
    if find_scenario(session, name) is not None:
        raise Refused(f'there is already a scenario "{name}"')
    scenario = StoredScenario(name=name, draft=draft, updated_at=at)
    session.add(scenario)
    add_audit(session, at, acting_user, "scenario.create", f"scenario {name}")
    session.flush()
    return scenario


def save_draft(session: Session, scenario_id: int, document: Document, revision: int, *, acting_user: str, at: datetime) -> int:
    """Replace the draft that has `revision`; returns the new revision.

    Raises InvalidInput: no scenario document; Refused: somebody else has saved meanwhile; NotFound.
    """
    draft = to_data(read_document(document))
    name = get_scenario(session, scenario_id).name
    if not replace_draft(session, scenario_id, draft, revision, at):
        raise Refused(f'somebody else has changed the draft of "{name}" meanwhile: load it again and repeat your change')
    add_audit(session, at, acting_user, "scenario.save_draft", f"scenario {name}", revision=revision + 1)
    return revision + 1


def validate_draft(session: Session, scenario_id: int, prompts: KnownPrompts) -> list[Problem]:
    """What is wrong with the stored draft. Raises NotFound."""
    return _problems(session, from_data(get_scenario(session, scenario_id).draft), prompts)


def validate_document(session: Session, document: Document, prompts: KnownPrompts) -> list[Problem]:
    """What is wrong with a document that is not stored. Raises InvalidInput: no scenario document."""
    return _problems(session, read_document(document), prompts)


def publish(
    session: Session,
    scenario_id: int,
    prompts: KnownPrompts,
    *,
    revision: int | None = None,
    acting_user: str,
    at: datetime,
) -> ScenarioVersion:
    """Make the draft the version that new calls run. With `revision`, only if the draft still has it.

    Raises InvalidInput: the draft has errors, each with its field "nodes.NODE.FIELD"; Refused: another revision; NotFound.
    """
    scenario = lock_scenario(session, scenario_id)
    if revision is not None and scenario.draft_revision != revision:
        raise Refused(f'somebody else has changed the draft of "{scenario.name}" meanwhile: look at it and publish again')
    return _publish(session, scenario, scenario.draft, prompts, acting_user, at)


def publish_again(
    session: Session, scenario_id: int, number: int, prompts: KnownPrompts, *, acting_user: str, at: datetime
) -> ScenarioVersion:
    """Roll back: publish what the version `number` holds as a new version. The draft stays as it is.

    Raises InvalidInput: it has errors by now (a group or prompt is gone); NotFound.
    """
    scenario = lock_scenario(session, scenario_id)
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
        problems = [FieldProblem(problem.where, problem.message) for problem in error.problems]
        raise InvalidInput(f"no scenario document: {error}", problems) from None


def _publish(
    session: Session,
    scenario: StoredScenario,
    document: dict[str, Any],
    prompts: KnownPrompts,
    actor: str,
    at: datetime,
    **detail: int,
) -> ScenarioVersion:
    lock_prompts(session)  # what is looked for now must still be there at the commit
    found = _problems(session, from_data(document), prompts)
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


def _problems(session: Session, scenario: Scenario, prompts: KnownPrompts) -> list[Problem]:
    return [*problems_of(scenario, _surroundings(session, prompts)), *_not_runnable(scenario)]


def _not_runnable(scenario: Scenario) -> Iterator[Problem]:
    for name, node in scenario.nodes.items():
        operation = node.operation
        if operation.type in DRAFTS_ONLY:
            text = f'"{operation.type}" can\'t be published: this version does not run it on calls yet'
            yield Problem("not_runnable", name, "operation", text)


def _surroundings(session: Session, prompts: KnownPrompts) -> Surroundings:
    # Read from the database rather than from the library in memory: what was uploaded a moment ago counts.
    return Surroundings(
        prompts.names | prompt_keys(session),
        group_names(session),
        prompts.languages,
        schedules=schedule_names(session),
        caller_lists=NAMED_BLOCK_LISTS,
        tags=tag_names(session),
        extensions=frozenset(operator.extension for operator in list_operators(session)),
    )


def _field(problem: Problem) -> str:
    parts = () if problem.node is None else ("nodes", problem.node)
    return ".".join(part for part in (*parts, problem.field) if part)
