"""Scenarios as the API gives and takes them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from controller.storage.scenarios import ScenarioSummary, ScenarioVersion, StoredScenario, VersionSummary
from ivr.editing import Edit
from ivr.graph import Scenario
from ivr.operations import OPERATIONS
from ivr.validation import Problem, ProblemKind, publishable


class ScenarioDocument(Scenario):
    """A scenario: nodes with operations, and links from their exits."""

    schema_version: Literal[1, 2]


@dataclass(frozen=True, slots=True)
class _DescribedAs:
    """Any JSON object, described by the model: `ivr.serialization` reads it and names what is wrong by its own words."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


Document = Annotated[dict[str, Any], _DescribedAs(ScenarioDocument)]


class NewScenario(BaseModel):
    """A scenario to be created."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    document: Document | None = Field(None, description="first draft; without it, one that hangs up")


class DraftChange(BaseModel):
    """A draft to be saved."""

    model_config = ConfigDict(extra="forbid")

    document: Document
    revision: int = Field(ge=1, le=2**31 - 1, description="the revision that was changed; refused if there is a newer one")


class PublishRequest(BaseModel):
    """What to publish."""

    model_config = ConfigDict(extra="forbid")

    revision: int | None = Field(None, ge=1, le=2**31 - 1, description="publish only if the draft still has this revision")


Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]


class RevisionToUndo(BaseModel):
    """The draft that is to be undone."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision


class DraftEdits(BaseModel):
    """Changes of a draft, all of them or none."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision = Field(description="the revision that is changed; refused if there is a newer one")
    edits: list[Edit] = Field(min_length=1, max_length=100)


class DraftEdited(BaseModel):
    """The draft was changed."""

    revision: int = Field(description="the draft's revision now")
    draft: Document


class NameChange(BaseModel):
    """Another name for a scenario."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)


_ARCHIVE = {"type": "string", "format": "binary", "description": "a zip archive of an export, or a document as JSON"}


class ArchiveUpload(BaseModel):
    """A form with an archive."""

    file: Annotated[str, WithJsonSchema(_ARCHIVE)]
    name: str | None = Field(None, min_length=1, max_length=64, description="default: the name in the archive, or the file's")
    publish: bool = Field(False, description="publish the scenario, and what it inserts")


class ImportDone(BaseModel):
    """What an import has brought, in words such as "group Sales"."""

    id: int
    name: str
    added: list[str]
    kept: list[str] = Field(description="was here already and stays as it is")
    published: bool


class DocumentToCheck(BaseModel):
    """A document that is not stored."""

    model_config = ConfigDict(extra="forbid")

    document: Document


class ScenarioItem(BaseModel):
    """A scenario in a list."""

    id: int
    name: str
    draft_revision: int
    updated_at: datetime
    published_version: int | None = Field(description="number of the version that new calls run")


class ScenarioList(BaseModel):
    """All scenarios, by name."""

    scenarios: list[ScenarioItem]


class VersionItem(BaseModel):
    """A publication."""

    number: int
    published_at: datetime
    published_by: str


class VersionModel(VersionItem):
    """A publication with its document."""

    document: Document


class ScenarioModel(ScenarioItem):
    """A scenario with its draft and versions, newest first."""

    draft: Document
    versions: list[VersionItem]


class DraftSaved(BaseModel):
    """The draft was saved."""

    revision: int = Field(description="the draft's revision now")


class ProblemModel(BaseModel):
    """Something wrong in a scenario; `node` is null when it concerns the whole."""

    kind: ProblemKind
    node: str | None
    field: str
    message: str
    severity: Literal["error", "warning"]


class Validation(BaseModel):
    """Whether a scenario can be published, and all that is wrong with it."""

    publishable: bool
    problems: list[ProblemModel]


def scenario_item(summary: ScenarioSummary) -> ScenarioItem:
    """A scenario in a list."""
    return ScenarioItem(
        id=summary.id,
        name=summary.name,
        draft_revision=summary.draft_revision,
        updated_at=summary.updated_at,
        published_version=summary.published_number,
    )


def scenario_model(scenario: StoredScenario, versions: Sequence[VersionSummary]) -> ScenarioModel:
    """One scenario."""
    published = (version.number for version in versions if version.id == scenario.published_version_id)
    return ScenarioModel(
        id=scenario.id,
        name=scenario.name,
        draft_revision=scenario.draft_revision,
        updated_at=scenario.updated_at,
        published_version=next(published, None),
        draft=scenario.draft,
        versions=[version_item(version) for version in versions],
    )


def version_item(version: VersionSummary | ScenarioVersion) -> VersionItem:
    """A publication in a list."""
    return VersionItem(number=version.number, published_at=version.published_at, published_by=version.published_by)


def version_model(version: ScenarioVersion) -> VersionModel:
    """One publication."""
    return VersionModel(**dict(version_item(version)), document=version.document)


def validation(problems: list[Problem]) -> Validation:
    """Findings as an answer."""
    found = [
        ProblemModel(kind=item.kind, node=item.node, field=item.field, message=item.message, severity=item.severity)
        for item in problems
    ]
    return Validation(publishable=publishable(problems), problems=found)


class OperationModel(BaseModel):
    """What a node can do. With some parameters an operation has further exits (a menu's keys, a lookup's answers) or fewer."""

    type: str
    help: str
    parameters: dict[str, Any] = Field(description="JSON schema of the parameters")
    required_exits: list[str]
    optional_exits: list[str]


class OperationList(BaseModel):
    """All operations, in the order in which the editor offers them."""

    operations: list[OperationModel]


def operation_list() -> OperationList:
    """What this version can do."""
    return OperationList(
        operations=[
            OperationModel(
                type=kind.model_fields["type"].default,
                help=inspect.cleandoc(kind.__doc__ or ""),
                parameters=kind.model_json_schema(),
                required_exits=sorted(kind.REQUIRED_EXITS),
                optional_exits=sorted(kind.OPTIONAL_EXITS),
            )
            for kind in OPERATIONS
        ]
    )
