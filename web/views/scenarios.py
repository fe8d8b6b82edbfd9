"""Scenarios: the list, and one with its graph, its problems, its versions, and a simulated caller's way through it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.scenarios import KnownPrompts, draft_bundle, validate_draft
from controller.errors import AttendantError, InvalidInput, NotFound, Refused
from controller.storage import Session
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.prompts import list_prompts
from controller.storage.scenarios import (
    ScenarioSummary,
    ScenarioVersion,
    StoredScenario,
    VersionSummary,
    can_undo,
    find_version,
    get_scenario,
    list_scenarios,
    list_versions,
)
from ivr.graph import ScenarioBundle
from ivr.prompts import PromptRef
from ivr.serialization import from_data
from ivr.simulator import Caller, Press, Step, Walk, World, simulate
from ivr.validation import Problem, publishable
from web.drawing import Drawing, Visit, draw
from web.errors import WebError, as_web_error
from web.forms import read_form, read_query
from web.rendering import page
from web.scenario_models import NameChange, NewScenario, PublishRequest, RevisionToUndo
from web.services import services
from web.uploads import read_upload
from web.views import api_scenarios
from web.views.places import number_id
from web.words import OPERATION_WORDS

FORESEEN = (WebError, InvalidInput, Refused, NotFound)
BUILTIN_SECONDS = 3.0
"""How long the simulator takes a prompt to be whose length is not known."""


@dataclass(frozen=True, slots=True)
class _Shown:
    scenario: StoredScenario
    versions: Sequence[VersionSummary]
    version: ScenarioVersion | None
    problems: list[Problem] | None
    can_undo: bool
    numbers: Sequence[InboundNumber]


class TryOut(BaseModel):
    """A caller to simulate: his keys, one second apart; a comma is a pause of five seconds."""

    model_config = ConfigDict(extra="forbid")

    keys: str = Field("", max_length=64, pattern=r"^[0-9*#,\s]*$")
    operators: str = Field("answered", pattern="^(answered|no_answer|no_operators)$")
    schedule: str = Field("open", pattern="^(open|closed|holiday)$")
    caller: str = Field("unknown", pattern="^(unknown|known|blocked)$")

    def presses(self) -> list[Press]:
        """For the simulator."""
        presses, after = [], 1.0
        for key in "".join(self.keys.split()):
            if key == ",":
                after += 5
            else:
                presses.append(Press(after, key))  # type: ignore[arg-type]  # of the pattern
                after = 1.0
        return presses

    def world(self, lengths: Mapping[str, float]) -> World:
        """What he meets; `lengths` are those of own prompts, in seconds."""

        def seconds(prompt: PromptRef) -> float:
            return lengths.get(prompt.name, BUILTIN_SECONDS)

        caller = Caller(blocked=self.caller == "blocked", known=self.caller == "known")
        routing, schedule = (self.operators,), (self.schedule,)
        return World(prompt_seconds=seconds, routing=routing, schedule=schedule, caller=caller)  # type: ignore[arg-type]


async def show_scenarios(request: Request) -> Response:
    """All scenarios."""
    return await _list_page(request)


async def add_scenario(request: Request) -> Response:
    """A name was sent for a new scenario."""
    try:
        created = await api_scenarios.create(request, NewScenario(name=(await read_form(request, NameChange)).name))
    except FORESEEN as refused:
        return await _list_page(request, "add", refused)
    return to_scenario(created.id)


async def import_file(request: Request) -> Response:
    """An archive or a document was sent."""
    try:
        async with read_upload(request) as upload:
            done = await api_scenarios.take_in(request, upload)
    except FORESEEN as refused:
        return await _list_page(request, "import", refused)
    return to_scenario(done.id)


async def show_scenario(request: Request) -> Response:
    """A scenario's draft, or the version whose number is in the address."""
    return await scenario_page(request)


async def publish_draft(request: Request) -> Response:
    """The draft is to be published."""
    return await _after(request, lambda: _publish(request))


async def roll_back(request: Request) -> Response:
    """A version is to be published again."""
    return await _after(request, lambda: api_scenarios.roll_back(request))


async def undo(request: Request) -> Response:
    """The last change is to be undone."""
    return await _after(request, lambda: _undo(request))


async def rename(request: Request) -> Response:
    """Another name was sent."""
    return await _after(request, lambda: _rename(request))


async def take_away(request: Request) -> Response:
    """The scenario is to be deleted."""
    try:
        await api_scenarios.remove(request)
    except FORESEEN as refused:
        return await scenario_page(request, refused)
    return RedirectResponse("/scenarios", status_code=303)


async def try_out(request: Request) -> Response:
    """A simulated caller walks the draft."""
    given, id = services(request), number_id(request)
    try:
        asked = read_query(request, TryOut)
    except InvalidInput as refused:
        return await scenario_page(request, refused)
    bundle, lengths = await given.database.read(_load_bundle, id)
    walk = await asyncio.to_thread(simulate, bundle, asked.presses(), asked.world(lengths))
    return await scenario_page(request, walk=walk, asked=asked)


def to_scenario(id: int) -> Response:
    """Show the draft after a change."""
    return RedirectResponse(f"/scenarios/{id}", status_code=303)


async def scenario_page(
    request: Request,
    refused: AttendantError | WebError | None = None,
    *,
    walk: Walk | None = None,
    asked: TryOut | None = None,
) -> Response:
    """The page of a scenario, with what was refused or with a simulated caller's way."""
    given = services(request)
    number = number_id(request, "number") if "number" in request.path_params and request.method == "GET" else None
    shown = await given.database.read(_load, number_id(request), number, given.prompts())
    document = shown.version.document if shown.version else shown.scenario.draft
    published = shown.version is not None and shown.version.id == shown.scenario.published_version_id
    error = None if refused is None else as_web_error(refused)
    steps = _steps(walk)
    visits = [Visit(step.node, step.exit, step.scenario) for step in steps]
    context: dict[str, Any] = {
        "scenario": shown.scenario,
        "versions": shown.versions,
        "problems": shown.problems,
        "publishable": shown.problems is not None and publishable(shown.problems),
        "can_undo": shown.can_undo,
        "numbers": shown.numbers,
        "drawing": await asyncio.to_thread(_draw, document, visits),
        "marks": _marks(shown.problems or ()),
        "shown_number": number,
        "shown_title": "Draft" if number is None else f"Version {number}" + (", published" if published else ""),
        "shown_is_published": published,
        "operations": OPERATION_WORDS,
        "error": error,
        "walk": walk,
        "steps": steps,
        "asked": asked or TryOut(),
    }
    return page(request, "scenario.html", context, 200 if error is None else error.status)


def _steps(walk: Walk | None) -> list[Step]:
    """In the order in which the nodes were entered."""
    return [] if walk is None else sorted(walk.path, key=lambda step: step.visit)


def _marks(problems: Sequence[Problem]) -> dict[str, str]:
    """The worst that there is at each node."""
    marks: dict[str, str] = {}
    for problem in problems:
        if problem.node is not None and marks.get(problem.node) != "error":
            marks[problem.node] = problem.severity
    return marks


async def _after(request: Request, act: Any) -> Response:
    try:
        await act()
    except FORESEEN as refused:
        return await scenario_page(request, refused)
    return to_scenario(number_id(request))


async def _publish(request: Request) -> None:
    await api_scenarios.publish_revision(request, (await read_form(request, PublishRequest)).revision)


async def _undo(request: Request) -> None:
    await api_scenarios.undo(request, (await read_form(request, RevisionToUndo)).revision)


async def _rename(request: Request) -> None:
    await api_scenarios.rename(request, (await read_form(request, NameChange)).name)


async def _list_page(request: Request, where: str = "", refused: AttendantError | WebError | None = None) -> Response:
    scenarios, numbers = await services(request).database.read(_list)
    error = None if refused is None else as_web_error(refused)
    context = {"scenarios": scenarios, "numbers": numbers, "error_at": where, "error": error}
    return page(request, "scenarios.html", context, 200 if error is None else error.status)


def _list(session: Session) -> tuple[Sequence[ScenarioSummary], Sequence[InboundNumber]]:
    return list_scenarios(session), list_numbers(session)


def _load(session: Session, id: int, number: int | None, prompts: KnownPrompts) -> _Shown:
    scenario = get_scenario(session, id)
    version = None if number is None else find_version(session, id, number)
    if number is not None and version is None:
        raise NotFound(f'"{scenario.name}" has no version {number}')
    problems = validate_draft(session, id, prompts) if number is None else None
    numbers = [one for one in list_numbers(session) if one.scenario_id == id]
    return _Shown(scenario, list_versions(session, id), version, problems, can_undo(session, id), numbers)


def _load_bundle(session: Session, id: int) -> tuple[ScenarioBundle, dict[str, float]]:
    return draft_bundle(session, id), {prompt.name: prompt.length_seconds for prompt in list_prompts(session)}


def _draw(document: Mapping[str, Any], visits: Sequence[Visit]) -> Drawing | None:
    return draw(from_data(document), visits)
