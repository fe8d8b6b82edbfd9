"""The addresses of the API for scenarios."""

from __future__ import annotations

from web.openapi import ApiOperation
from web.scenario_models import (
    ArchiveUpload,
    DocumentToCheck,
    DraftChange,
    DraftEdited,
    DraftEdits,
    DraftSaved,
    ImportDone,
    NameChange,
    NewScenario,
    OperationList,
    PublishRequest,
    RevisionToUndo,
    ScenarioList,
    ScenarioModel,
    Validation,
    VersionItem,
    VersionModel,
)
from web.views import api_scenarios

_API = "/api/v1"
_ONE = f"{_API}/scenarios/{{id:int}}"

SCENARIO_OPERATIONS = (
    ApiOperation("GET", f"{_API}/operations", api_scenarios.get_operations, "What a node of a scenario can do", OperationList),
    ApiOperation("GET", f"{_API}/scenarios", api_scenarios.get_scenarios, "List scenarios", ScenarioList),
    ApiOperation(
        "POST",
        f"{_API}/scenarios",
        api_scenarios.post_scenario,
        "Create a scenario",
        ScenarioModel,
        body=NewScenario,
        status=201,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/scenarios/validate",
        api_scenarios.post_validate_document,
        "Check a document that is not stored",
        Validation,
        body=DocumentToCheck,
    ),
    ApiOperation("GET", _ONE, api_scenarios.get_one_scenario, "One scenario: draft and versions", ScenarioModel),
    ApiOperation(
        "PUT",
        f"{_ONE}/draft",
        api_scenarios.put_draft,
        "Save the draft",
        DraftSaved,
        body=DraftChange,
        errors=(409,),
    ),
    ApiOperation("POST", f"{_ONE}/validate", api_scenarios.post_validate_draft, "Check the stored draft", Validation),
    ApiOperation(
        "POST",
        f"{_ONE}/publish",
        api_scenarios.post_publish,
        "Make the draft the version that new calls run",
        VersionItem,
        body=PublishRequest,
        body_required=False,
        errors=(409,),
    ),
    ApiOperation(
        "GET",
        f"{_ONE}/versions/{{number:int}}",
        api_scenarios.get_scenario_version,
        "A published version",
        VersionModel,
    ),
    ApiOperation(
        "POST",
        f"{_ONE}/versions/{{number:int}}/publish",
        api_scenarios.post_publish_again,
        "Roll back: publish what a version holds as a new one",
        VersionItem,
        errors=(409, 422),
    ),
    ApiOperation(
        "POST",
        f"{_ONE}/edits",
        api_scenarios.post_edits,
        "Change the draft step by step, as the editor does",
        DraftEdited,
        body=DraftEdits,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_ONE}/undo",
        api_scenarios.post_undo,
        "Go back to the draft before",
        DraftSaved,
        body=RevisionToUndo,
        errors=(409,),
    ),
    ApiOperation(
        "PATCH", _ONE, api_scenarios.patch_scenario, "Give a scenario another name", body=NameChange, status=204, errors=(409,)
    ),
    ApiOperation(
        "DELETE", _ONE, api_scenarios.delete_one_scenario, "Delete a scenario that is not in use", status=204, errors=(409,)
    ),
    ApiOperation(
        "GET",
        f"{_ONE}/archive",
        api_scenarios.get_archive,
        "The draft with everything it names, as a zip archive",
        download="application/zip",
        errors=(409, 422),
    ),
    ApiOperation(
        "POST",
        f"{_API}/scenarios/import",
        api_scenarios.post_import,
        "Take in an archive, or a document alone",
        ImportDone,
        upload=ArchiveUpload,
        status=201,
        errors=(409, 507),
    ),
)
