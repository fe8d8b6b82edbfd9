"""Scenarios as archives: one file that carries a scenario with everything it names.

    attendant.json                        the manifest: scenarios (their drafts), groups, operators, schedules, facts of prompts
    prompts/LANGUAGE/NAME.FORMAT          own prompts, as they were sent

The same content gives the same bytes: entries are sorted, not compressed, and bear no time. Operators travel without their
secrets, contacts and numbers not at all. What an installation has already stays as it is: an archive brings what is missing, and
the drafts. All of it comes in, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, BinaryIO, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from controller.actions.carried_prompts import CarriedPrompt, carried, digest, original
from controller.actions.fields import checked_name, invalid
from controller.actions.groups import MemberDraft, create_group, set_members, set_terms
from controller.actions.operators import create_operator
from controller.actions.packing import OpenedArchive, opened, pack
from controller.actions.prompts import enter_prompt
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, read_document, save_draft
from controller.actions.schedules import create_schedule
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.prompts.facts import LARGEST_FILE_BYTES, PreparedSound
from controller.prompts.files import PromptFolder
from controller.schedules import Schedule
from controller.storage import Session
from controller.storage.groups import GroupTerms, GroupView, Strategy, find_group
from controller.storage.operators import find_operator
from controller.storage.prompts import StoredPrompt, find_prompt, list_prompts, prompt_keys
from controller.storage.scenarios import ScenarioVersion, StoredScenario, find_scenario, get_scenario, get_version
from controller.storage.schedules import find_schedule
from ivr.graph import Scenario, inserts
from ivr.prompts import PromptRef
from ivr.serialization import MAX_BYTES, from_data, to_data

MOST_FILES: Final = 500
_MANIFEST: Final = "attendant.json"
_LARGEST_MANIFEST: Final = 4 * MAX_BYTES
_Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArchivedOperator(_Part):
    """An operator, without secret."""

    extension: _Name
    name: _Name


class ArchivedMember(_Part):
    """An operator's place in a group."""

    weight: int = 1
    level: int = 1


class ArchivedGroup(_Part):
    """A group; `members` are extensions, in order; `shares` has those whose weight or level is not the usual one."""

    name: _Name
    strategy: Strategy
    ring_seconds: int
    terms: GroupTerms = GroupTerms()
    members: tuple[_Name, ...] = Field(max_length=1000)
    shares: dict[_Name, ArchivedMember] = Field(default_factory=dict, max_length=1000)

    def drafts(self) -> list[MemberDraft]:
        """The members for the action."""
        shares = {extension: (one.weight, one.level) for extension, one in self.shares.items()}
        return [MemberDraft(extension, *shares.get(extension, ())) for extension in self.members]


class ArchivedSchedule(_Part):
    """A schedule by its name."""

    name: _Name
    schedule: Schedule


class Manifest(_Part):
    """What is in an archive; `scenario` is the one that it is about, the others in `scenarios` are inserted."""

    format: Literal["attendant scenario"] = "attendant scenario"
    version: Literal[1] = 1
    scenario: _Name
    scenarios: dict[_Name, dict[str, Any]] = Field(min_length=1, max_length=100)
    prompts: tuple[CarriedPrompt, ...] = Field((), max_length=MOST_FILES)
    groups: tuple[ArchivedGroup, ...] = Field((), max_length=500)
    operators: tuple[ArchivedOperator, ...] = Field((), max_length=5000)
    schedules: tuple[ArchivedSchedule, ...] = Field((), max_length=500)


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was read: the scenarios, innermost first, and the original of each prompt."""

    manifest: Manifest
    scenarios: Mapping[str, Scenario]
    originals: Mapping[tuple[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: "group Sales" and so on. `kept` were here already; `published` are new versions."""

    scenario: StoredScenario
    added: tuple[str, ...]
    kept: tuple[str, ...]
    published: tuple[ScenarioVersion, ...]


def export_archive(session: Session, folder: PromptFolder, scenario_id: int, known: KnownPrompts) -> bytes:
    """The archive of a scenario's draft.

    Raises InvalidInput: the draft names what is not there; Refused: a prompt's file has disappeared; NotFound.
    """
    root = get_scenario(session, scenario_id)
    scenarios = _with_inserted(session, root.name)
    _check_names(session, scenarios, known)
    prompts = _own_prompts(session, scenarios.values())
    groups = [group for name in _mentioned(scenarios, "group") if (group := find_group(session, name))]
    extensions = {*_mentioned(scenarios, "extension"), *(member.extension for group in groups for member in group.members)}
    operators = [operator for extension in sorted(extensions) if (operator := find_operator(session, extension))]
    schedules = [schedule for name in _mentioned(scenarios, "schedule") if (schedule := find_schedule(session, name))]
    manifest = Manifest(
        scenario=root.name,
        scenarios={name: to_data(scenario) for name, scenario in scenarios.items()},
        prompts=tuple(map(carried, prompts)),
        groups=tuple(map(_archived_group, groups)),
        operators=tuple(ArchivedOperator(extension=one.extension, name=one.name) for one in operators),
        schedules=tuple(
            ArchivedSchedule(name=one.name, schedule=Schedule.model_validate_json(json.dumps(one.document))) for one in schedules
        ),
    )
    return pack({_MANIFEST: _written(manifest), **{prompt.file: original(folder, prompt) for prompt in manifest.prompts}})


def read_archive(file: BinaryIO) -> Archive:
    """What is in an archive, checked as far as that is possible without the installation.

    Raises InvalidInput with the field at fault: no archive, too large, files that are missing or do not belong there, a manifest
    or a scenario that is none.
    """
    with opened(file) as archive:
        return _read(archive)


@contextmanager
def prompt_at_fault(archive: Archive, prompt: CarriedPrompt) -> Iterator[None]:
    """Say of which prompt of the archive a refusal is."""
    with _within(f"prompts.{archive.manifest.prompts.index(prompt)}"):
        yield


def is_archive(content: bytes) -> bool:
    """Whether a file that begins like this is an archive rather than a scenario document."""
    return content.startswith(b"PK")


def new_prompts(session: Session, archive: Archive) -> list[CarriedPrompt]:
    """The prompts of the archive that the library does not have.

    Raises InvalidInput: another sound has the name of one here.
    """
    new = []
    for place, prompt in enumerate(archive.manifest.prompts):
        here = find_prompt(session, *prompt.key)
        if here is None:
            new.append(prompt)
        elif here.content_hash != digest(archive.originals[prompt.key]):
            said = f'another sound has the name "{prompt.name}" in {prompt.language} here: give one of them another name'
            raise invalid(f"prompts.{place}.name", said)
    return new


def import_archive(
    session: Session,
    folder: PromptFolder,
    archive: Archive,
    sounds: Mapping[tuple[str, str], PreparedSound],
    most_uploaded: int,
    known: KnownPrompts,
    *,
    name: str | None = None,
    publishing: bool = False,
    acting_user: str,
    at: datetime,
) -> Imported:
    """Take in what an archive brings; `sounds` are its `new_prompts`, converted. `name` is another name for its scenario.

    Raises InvalidInput with the field at fault; Refused; OSError: the disk did not take the files. Then nothing has changed.
    """
    intake = _Intake(session, archive, name, acting_user, at)
    intake.operators_and_groups()
    intake.schedules()
    placed = intake.prompts(sounds, most_uploaded)
    stored = intake.drafts()
    _check_names(session, archive.scenarios, known)
    published = intake.publish(stored, known) if publishing else ()
    folder.place_all(placed)
    return Imported(stored[archive.manifest.scenario], tuple(intake.added), tuple(intake.kept), tuple(published))


def import_document(
    session: Session,
    document: bytes,
    name: str,
    known: KnownPrompts,
    *,
    publishing: bool = False,
    acting_user: str,
    at: datetime,
) -> Imported:
    """Take in a document alone, as the draft of the scenario `name`. Raises InvalidInput with the node and field at fault."""
    by: dict[str, Any] = {"acting_user": acting_user, "at": at}
    found = find_scenario(session, name)
    added = f"scenario {name}" if found is None else f"draft of scenario {name}"
    if found is None:
        found = create_scenario(session, name, document, **by)
    else:
        save_draft(session, found.id, document, found.draft_revision, **by)
        session.refresh(found)
    published = (publish(session, found.id, known, **by),) if publishing else ()
    return Imported(found, (added,), (), published)


class _Intake:
    """Brings the parts of an archive into the database."""

    def __init__(self, session: Session, archive: Archive, name: str | None, actor: str, at: datetime) -> None:
        self._session = session
        self._archive = archive
        self._manifest = archive.manifest
        self._name = name
        self._by: dict[str, Any] = {"acting_user": actor, "at": at}
        self.added: list[str] = []
        self.kept: list[str] = []

    def operators_and_groups(self) -> None:
        session = self._session
        for place, operator in enumerate(self._manifest.operators):
            if self._is_new(f"operator {operator.extension}", find_operator(session, operator.extension)):
                with _within(f"operators.{place}"):
                    create_operator(session, operator.extension, operator.name, **self._by)
        for place, group in enumerate(self._manifest.groups):
            if self._is_new(f"group {group.name}", find_group(session, group.name)):
                with _within(f"groups.{place}"):
                    create_group(session, group.name, group.strategy, group.ring_seconds, **self._by)
                    set_terms(session, group.name, group.terms, **self._by)
                    set_members(session, group.name, group.drafts(), **self._by)

    def schedules(self) -> None:
        for place, schedule in enumerate(self._manifest.schedules):
            if self._is_new(f"schedule {schedule.name}", find_schedule(self._session, schedule.name)):
                with _within(f"schedules.{place}"):
                    create_schedule(self._session, schedule.name, schedule.schedule, **self._by)

    def prompts(
        self, sounds: Mapping[tuple[str, str], PreparedSound], most_uploaded: int
    ) -> list[tuple[PreparedSound, str, str]]:
        """Enter those that are new; returns what is to be placed."""
        new = {prompt.key for prompt in new_prompts(self._session, self._archive)}
        to_place = []
        for place, prompt in enumerate(self._manifest.prompts):
            if not self._is_new(f"prompt {prompt.name}:{prompt.language}", None if prompt.key in new else prompt):
                continue
            if prompt.key not in sounds:
                raise Refused("the library has changed meanwhile: import the archive again")
            if sounds[prompt.key].facts.format != prompt.format:
                raise invalid(f"prompts.{place}.format", f"the file is not {prompt.format} but {sounds[prompt.key].facts.format}")
            with _within(f"prompts.{place}"):
                enter_prompt(self._session, sounds[prompt.key], prompt.details(), most_uploaded, **self._by)
            to_place.append((sounds[prompt.key], prompt.name, prompt.language))
        return to_place

    def drafts(self) -> dict[str, StoredScenario]:
        """The stored scenarios, by their names in the archive."""
        stored = {}
        for name, scenario in self._archive.scenarios.items():
            wanted = self._name if self._name is not None and name == self._manifest.scenario else name
            with _within(f"scenarios.{name}"):
                stored[name] = self._draft(checked_name("name", wanted), to_data(scenario))
        return stored

    def _draft(self, name: str, document: dict[str, Any]) -> StoredScenario:
        found = find_scenario(self._session, name)
        if found is None:
            self.added.append(f"scenario {name}")
            return create_scenario(self._session, name, document, **self._by)
        if found.draft == document:
            self.kept.append(f"scenario {name}")
        else:
            self.added.append(f"draft of scenario {name}")
            save_draft(self._session, found.id, document, found.draft_revision, **self._by)
            self._session.refresh(found)
        return found

    def publish(self, stored: Mapping[str, StoredScenario], known: KnownPrompts) -> list[ScenarioVersion]:
        """Publish what is not, innermost first."""
        versions = []
        for name, scenario in stored.items():
            published = scenario.published_version_id
            if published is None or get_version(self._session, published).document != scenario.draft:
                with _within(f"scenarios.{name}"):
                    versions.append(publish(self._session, scenario.id, known, **self._by))
        return versions

    def _is_new(self, what: str, here: object) -> bool:
        (self.added if here is None else self.kept).append(what)
        return here is None


def _with_inserted(session: Session, root: str) -> dict[str, Scenario]:
    """The drafts of a scenario and of all it inserts, by name."""
    found: dict[str, Scenario] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        stored = None if name in found else find_scenario(session, name)
        if stored is not None:
            found[name] = from_data(stored.draft)
            waiting += inserts(found[name])
    return found


def _mentioned(scenarios: Mapping[str, Scenario], kind: str) -> list[str]:
    nodes = (node for scenario in scenarios.values() for node in scenario.nodes.values())
    return sorted({mention.name for node in nodes for mention in node.operation.mentions() if mention.kind == kind})


def _check_names(session: Session, scenarios: Mapping[str, Scenario], known: KnownPrompts) -> None:
    """Whatever the scenarios name must be here; tags and lists need not, for they are of contacts."""
    prompts = known.names | prompt_keys(session)
    problems = []
    for name, scenario in scenarios.items():
        for id, node in scenario.nodes.items():
            where = f"scenarios.{name}.nodes.{id}.operation"
            for mention in node.operation.mentions():
                find = _FINDERS.get(mention.kind)
                if find is not None and find(session, mention.name) is None:
                    problems.append(FieldProblem(f"{where}.{mention.field}", f'there is no {mention.kind} "{mention.name}"'))
            for prompt in node.operation.prompts():
                if not any(key == prompt or (prompt.language is None and key[0] == prompt.name) for key in prompts):
                    problems.append(FieldProblem(where, f'there is no prompt "{prompt}"'))
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)


_FINDERS: Final[Mapping[str, Callable[[Session, str], object]]] = {
    "group": find_group,
    "schedule": find_schedule,
    "extension": find_operator,
    "scenario": find_scenario,
}


def _own_prompts(session: Session, scenarios: Iterable[Scenario]) -> list[StoredPrompt]:
    nodes = (node for scenario in scenarios for node in scenario.nodes.values())
    named = {prompt for node in nodes for prompt in node.operation.prompts()}
    own = (
        prompt for prompt in list_prompts(session) if {(prompt.name, prompt.language), (prompt.name, None)}.intersection(named)
    )
    return sorted(own, key=lambda prompt: (prompt.language, prompt.name))


def _archived_group(group: GroupView) -> ArchivedGroup:
    return ArchivedGroup(
        name=group.name,
        strategy=group.strategy,
        ring_seconds=group.ring_seconds,
        terms=group.terms,
        members=tuple(member.extension for member in group.members),
        shares={
            member.extension: ArchivedMember(weight=member.weight, level=member.level)
            for member in group.members
            if (member.weight, member.level) != (1, 1)
        },
    )


def _written(manifest: Manifest) -> bytes:
    data = manifest.model_dump(mode="json", exclude_none=True)
    return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _read(archive: OpenedArchive) -> Archive:
    names = archive.names()
    if len(names) > MOST_FILES + 1:
        raise invalid("file", f"the archive has {len(names)} files; at most {MOST_FILES + 1} are read")
    if _MANIFEST not in names:
        raise invalid("file", f"there is no {_MANIFEST} in the archive")
    manifest = _manifest(archive.read(_MANIFEST, _LARGEST_MANIFEST))
    expected = [_MANIFEST, *(prompt.file for prompt in manifest.prompts)]
    for name in sorted({*names, *expected}):
        if name not in expected:
            raise invalid("file", f'the archive has a file that does not belong there: "{name[:100]}"')
        if names.count(name) != 1:
            how = "is missing" if name not in names else "is there twice"
            raise invalid("file", f'"{name}" {how} in the archive')
    _each_once("prompts", [str(PromptRef(*prompt.key)) for prompt in manifest.prompts])
    _each_once("groups", [group.name for group in manifest.groups])
    _each_once("operators", [operator.extension for operator in manifest.operators])
    _each_once("schedules", [schedule.name for schedule in manifest.schedules])
    scenarios = {}
    for name, document in manifest.scenarios.items():
        with _within(f"scenarios.{name}"):
            scenarios[name] = read_document(document)
    ordered = _innermost_first(manifest.scenario, scenarios)
    originals = {prompt.key: archive.read(prompt.file, LARGEST_FILE_BYTES) for prompt in manifest.prompts}
    return Archive(manifest, ordered, originals)


def _manifest(content: bytes) -> Manifest:
    try:
        json.loads(content)  # names what is wrong better than pydantic
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        problems = [
            FieldProblem(".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_url=False, include_input=False)[:50]
        ]
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems) from None
    except (ValueError, RecursionError) as error:
        raise invalid("file", f"{_MANIFEST} is not JSON: {error}") from None


def _innermost_first(root: str, scenarios: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """In the order in which they can be published; those that insert each other in a circle in any. All must be needed."""
    if root not in scenarios:
        raise invalid("scenario", f'there is no scenario "{root}" in the archive')
    ordered: dict[str, Scenario] = {}
    seen = {root}
    way = [(root, iter(inserts(scenarios[root])))]
    while way:
        name, rest = way[-1]
        inner = next((each for each in rest if each in scenarios and each not in seen), None)
        if inner is None:
            ordered[name] = scenarios[name]
            way.pop()
        else:
            seen.add(inner)
            way.append((inner, iter(inserts(scenarios[inner]))))
    for name in scenarios:
        if name not in ordered:
            raise invalid(f"scenarios.{name}", f'"{root}" does not insert it')
    return ordered


def _each_once(field: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise invalid(f"{field}.{place}", f'"{name}" is there twice')


@contextmanager
def _within(part: str) -> Iterator[None]:
    """Say of which part of the archive a refusal is."""
    try:
        yield
    except InvalidInput as error:
        problems = [FieldProblem(f"{part}.{problem.field}".rstrip("."), problem.message) for problem in error.problems]
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}" if problems else str(error), problems) from None
