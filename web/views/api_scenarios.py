"""Scenarios in the API."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.scenarios import create_scenario, publish, save_draft, validate_document, validate_draft
from controller.bus import ScenarioPublished
from controller.errors import NotFound
from controller.storage import Session
from controller.storage.scenarios import (
    ScenarioVersion,
    StoredScenario,
    VersionSummary,
    find_version,
    get_scenario,
    list_scenarios,
    list_versions,
)
from web.forms import read_json
from web.rendering import ModelResponse
from web.scenario_models import (
    DocumentToCheck,
    DraftChange,
    DraftSaved,
    NewScenario,
    PublishRequest,
    ScenarioList,
    scenario_item,
    scenario_model,
    validation,
    version_item,
    version_model,
)
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_scenarios(request: Request) -> Response:
    """All scenarios."""
    found = await services(request).database.read(list_scenarios)
    return ModelResponse(ScenarioList(scenarios=[scenario_item(summary) for summary in found]))


async def get_one_scenario(request: Request) -> Response:
    """A scenario with its draft and versions."""
    scenario, versions = await services(request).database.read(_load, number_id(request))
    return ModelResponse(scenario_model(scenario, versions))


async def get_scenario_version(request: Request) -> Response:
    """A published version."""
    found = await services(request).database.read(_load_version, number_id(request), number_id(request, "number"))
    return ModelResponse(version_model(found))


async def post_scenario(request: Request) -> Response:
    """Create a scenario."""
    given, body = services(request), await read_json(request, NewScenario)
    created = await given.database.run(_create, body, acting_user(request), given.clock.now())
    return ModelResponse(scenario_model(created, ()), 201)


async def put_draft(request: Request) -> Response:
    """Save a draft."""
    given, body = services(request), await read_json(request, DraftChange)
    id, by, now = number_id(request), acting_user(request), given.clock.now()
    revision = await given.database.run(save_draft, id, body.document, body.revision, acting_user=by, at=now)
    return ModelResponse(DraftSaved(revision=revision))


async def post_validate_draft(request: Request) -> Response:
    """What is wrong with a stored draft."""
    given = services(request)
    return ModelResponse(validation(await given.database.read(validate_draft, number_id(request), given.prompts())))


async def post_validate_document(request: Request) -> Response:
    """What is wrong with a document that is not stored."""
    given, body = services(request), await read_json(request, DocumentToCheck)
    return ModelResponse(validation(await given.database.read(validate_document, body.document, given.prompts())))


async def post_publish(request: Request) -> Response:
    """Make the draft the version that new calls run."""
    given, body = services(request), await read_json(request, PublishRequest, if_empty=PublishRequest())
    id, by, now = number_id(request), acting_user(request), given.clock.now()
    version = await given.database.run(publish, id, given.prompts(), revision=body.revision, acting_user=by, at=now)
    given.bus.send(ScenarioPublished(id))
    return ModelResponse(version_item(version))


def _create(session: Session, new: NewScenario, by: str, at: datetime) -> StoredScenario:
    if new.document is None:
        return create_scenario(session, new.name, acting_user=by, at=at)
    return create_scenario(session, new.name, new.document, acting_user=by, at=at)


def _load(session: Session, id: int) -> tuple[StoredScenario, list[VersionSummary]]:
    return get_scenario(session, id), list(list_versions(session, id))


def _load_version(session: Session, id: int, number: int) -> ScenarioVersion:
    version = find_version(session, id, number)
    if version is None:
        raise NotFound(f"scenario {id} has no version {number}")
    return version
