"""Scenarios to look at: the draft with its problems, and every published version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.scenarios import KnownPrompts, validate_draft
from controller.errors import NotFound
from controller.storage import Session
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.scenarios import (
    ScenarioSummary,
    ScenarioVersion,
    StoredScenario,
    VersionSummary,
    find_version,
    get_scenario,
    list_scenarios,
    list_versions,
)
from ivr.serialization import from_data
from ivr.validation import Problem
from web.drawing import Drawing, draw
from web.rendering import page
from web.services import services
from web.views.places import number_id


@dataclass(frozen=True, slots=True)
class _Shown:
    scenario: StoredScenario
    versions: Sequence[VersionSummary]
    version: ScenarioVersion | None
    problems: list[Problem] | None


async def show_scenarios(request: Request) -> Response:
    """All scenarios."""
    scenarios, numbers = await services(request).database.read(_list)
    return page(request, "scenarios.html", {"scenarios": scenarios, "numbers": numbers})


async def show_scenario(request: Request) -> Response:
    """A scenario's draft, or the version whose number is in the address."""
    given = services(request)
    number = number_id(request, "number") if "number" in request.path_params else None
    shown = await given.database.read(_load, number_id(request), number, given.prompts())
    document = shown.version.document if shown.version else shown.scenario.draft
    published = shown.version is not None and shown.version.id == shown.scenario.published_version_id
    context = {
        "scenario": shown.scenario,
        "versions": shown.versions,
        "problems": shown.problems,
        "drawing": await asyncio.to_thread(_draw, document),
        "shown_number": number,
        "shown_title": "Draft" if number is None else f"Version {number}" + (", published" if published else ""),
        "shown_is_published": published,
    }
    return page(request, "scenario.html", context)


def _list(session: Session) -> tuple[Sequence[ScenarioSummary], Sequence[InboundNumber]]:
    return list_scenarios(session), list_numbers(session)


def _load(session: Session, id: int, number: int | None, prompts: KnownPrompts) -> _Shown:
    scenario = get_scenario(session, id)
    version = None if number is None else find_version(session, id, number)
    if number is not None and version is None:
        raise NotFound(f'"{scenario.name}" has no version {number}')
    problems = validate_draft(session, id, prompts) if number is None else None
    return _Shown(scenario, list_versions(session, id), version, problems)


def _draw(document: Mapping[str, Any]) -> Drawing | None:
    return draw(from_data(document))
