"""Every address, in one list. What is open to anyone says so."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from web.call_models import CallList, CallModel, CallQuery
from web.notice_operations import NOTICE_OPERATIONS
from web.openapi import ApiOperation
from web.scenario_models import (
    DocumentToCheck,
    DraftChange,
    DraftSaved,
    NewScenario,
    PublishRequest,
    ScenarioList,
    ScenarioModel,
    Validation,
    VersionItem,
    VersionModel,
)
from web.security import for_people, for_programs
from web.views import api, api_calls, api_scenarios, calls, entry, live, recordings, scenarios

_STATIC = Path(__file__).parent / "static"
_API = "/api/v1"

OPERATIONS = (
    ApiOperation(
        "GET", f"{_API}/health", api.show_health, "How the installation is", api.HealthAnswer, open=True, extra_answers=(503,)
    ),
    ApiOperation("GET", f"{_API}/openapi.json", api.show_openapi, "This document", open=True),
    ApiOperation("GET", f"{_API}/calls", api_calls.get_calls, "List calls, newest first", CallList, query=CallQuery),
    ApiOperation("GET", f"{_API}/calls/{{id}}", api_calls.get_one_call, "One call with its moves", CallModel),
    ApiOperation(
        "GET", f"{_API}/calls/{{id}}/recording", recordings.show_newest_recording, "The newest recording of a call", audio=True
    ),
    ApiOperation(
        "GET", f"{_API}/calls/{{id}}/recordings/{{recording}}", recordings.show_recording, "A recording of a call", audio=True
    ),
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
    ApiOperation(
        "GET", f"{_API}/scenarios/{{id:int}}", api_scenarios.get_one_scenario, "One scenario: draft and versions", ScenarioModel
    ),
    ApiOperation(
        "PUT",
        f"{_API}/scenarios/{{id:int}}/draft",
        api_scenarios.put_draft,
        "Save the draft",
        DraftSaved,
        body=DraftChange,
        errors=(409,),
    ),
    ApiOperation(
        "POST", f"{_API}/scenarios/{{id:int}}/validate", api_scenarios.post_validate_draft, "Check the stored draft", Validation
    ),
    ApiOperation(
        "POST",
        f"{_API}/scenarios/{{id:int}}/publish",
        api_scenarios.post_publish,
        "Make the draft the version that new calls run",
        VersionItem,
        body=PublishRequest,
        body_required=False,
        errors=(409,),
    ),
    ApiOperation(
        "GET",
        f"{_API}/scenarios/{{id:int}}/versions/{{number:int}}",
        api_scenarios.get_scenario_version,
        "A published version",
        VersionModel,
    ),
    *NOTICE_OPERATIONS,
)


def make_routes() -> list[BaseRoute]:
    """The routes of the application."""
    return [
        Route("/login", entry.show_login, methods=["GET"]),
        Route("/login", entry.enter, methods=["POST"]),
        Route("/logout", entry.leave, methods=["POST"]),
        Route("/", for_people(live.home)),
        Route("/live", for_people(live.show_live)),
        Route("/live/events", for_people(live.live_events)),
        Route("/calls", for_people(calls.show_history)),
        Route("/calls/{id}", for_people(calls.show_call)),
        Route("/calls/{id}/recordings/{recording}", for_people(recordings.show_recording)),
        Route("/scenarios", for_people(scenarios.show_scenarios)),
        Route("/scenarios/{id:int}", for_people(scenarios.show_scenario)),
        Route("/scenarios/{id:int}/versions/{number:int}", for_people(scenarios.show_scenario)),
        Route("/account", for_people(entry.show_account), methods=["GET"]),
        Route("/account", for_people(entry.change_own_password), methods=["POST"]),
        *(_api_route(operation) for operation in OPERATIONS),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


def _api_route(operation: ApiOperation) -> Route:
    endpoint = operation.view if operation.open else for_programs(operation.view)
    return Route(operation.path, endpoint, methods=[operation.method])
