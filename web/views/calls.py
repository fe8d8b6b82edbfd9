"""The history of calls, and one call with its path through the scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from controller.errors import InvalidInput, NotFound
from controller.hiding import digits_of
from controller.storage import Session
from controller.storage.calls import CallDetail, CallFilters, Outcome, Page, get_call, list_calls, read_place
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.operators import Operator, list_operators
from controller.storage.prompts import prompt_titles
from controller.storage.scenarios import ScenarioVersion, get_scenario, get_version
from ivr.errors import InvalidDocument
from ivr.serialization import from_data
from web.call_models import NOBODY_KNOWN, CallModel, Leg, NumberPart, ScenarioOfCall, call_item, call_model
from web.drawing import Drawing, Visit, draw
from web.forms import read_query
from web.hidden_numbers import hidden_from
from web.rendering import page
from web.security import may_hear, sees_costs
from web.services import services
from web.views.operators import are_shown
from web.views.places import text_id
from web.views.recordings import recording_file
from web.words import Wording, exit_words, leg_words

_Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
_FIELDS = ("caller", "called", "operator", "outcome", "from", "to")
_ROWS = 50


class HistoryQuery(BaseModel):
    """The filters of the page. Days are those of the installation's time zone, both included."""

    caller: NumberPart | None = None
    called: NumberPart | None = None
    operator: NumberPart | None = None
    outcome: Outcome | None = None
    first_day: _Day | None = Field(None, alias="from")
    last_day: _Day | None = Field(None, alias="to")
    cursor: str | None = Field(None, max_length=200)

    def filters(self, zone: tzinfo) -> CallFilters:
        """The same for the storage."""
        after_last = self.last_day + timedelta(days=1) if self.last_day else None
        return CallFilters(
            caller=self.caller,
            called=self.called,
            operator=self.operator,
            outcome=self.outcome,
            since=_midnight(self.first_day, zone),
            until=_midnight(after_last, zone),
        )


async def show_history(request: Request) -> Response:
    """Calls, newest first."""
    given = services(request)
    form = {name: request.query_params.get(name, "") for name in _FIELDS}
    filtered = any(form.values())
    errors: dict[str, str] = {}
    found = Page((), None)
    try:
        query = read_query(request, HistoryQuery)
        found = await given.database.read(list_calls, query.filters(given.settings.zone), _ROWS, query.cursor)
    except InvalidInput as refused:
        errors = {problem.field: problem.message for problem in refused.problems}
    operators, numbers = await given.database.read(_directory)
    shown = await are_shown(request)
    context = {
        "calls": [call_item(detail, given.clock.now()) for detail in await _not_guessed(request, found.calls)],
        "form": form,
        "errors": errors,
        "filtered": filtered or bool(errors),
        "operators": [one for one in operators if shown(one)],
        "numbers": numbers,
        "outcomes": get_args(Outcome),
        "currency": given.settings.currency if sees_costs(request) else None,
        "first_page": _address(form) if request.query_params.get("cursor") else None,
        "next_page": _address(form, found.next_cursor) if found.next_cursor else None,
    }
    return page(request, "calls.html", context, 422 if errors else 200)


async def show_call(request: Request) -> Response:
    """One call: facts, path, timeline, legs, recordings."""
    given = services(request)
    detail, walked = await given.database.read(call_with_scenarios, text_id(request))
    call = walked_model(detail, walked, given.clock.now())
    folder = given.settings.recordings_dir
    context: dict[str, Any] = {
        "call": call,
        "now": given.clock.now(),
        "drawings": await asyncio.to_thread(_draw_all, walked, call),
        "path_words": ", ".join(_step_words(move.title or move.node, move.exit) for move in call.moves),
        "prompt_titles": await given.database.read(prompt_titles),
        "leg_results": {leg.id: _leg_result(leg, call.ended_at is not None) for leg in call.legs},
        "client_result": None if call.client_leg is None else _client_result(call.client_leg, call.ended_at is not None),
        "currency": given.settings.currency if sees_costs(request) else None,
        "may_hear": may_hear(request),
        "playable": {one.id for one in detail.recordings if may_hear(request) and recording_file(folder, one)},
    }
    return page(request, "call.html", context)


@dataclass(frozen=True, slots=True)
class Walked:
    """A version that a call walked. `inserted_as` is the name it was inserted by; None: the call's own scenario."""

    scenario: ScenarioOfCall
    version: ScenarioVersion
    inserted_as: str | None


def call_with_scenarios(session: Session, id: str) -> tuple[CallDetail, list[Walked]]:
    """A call and the versions it walked, its own scenario first, without those that were removed. Raises NotFound."""
    detail = get_call(session, id)
    entered = dict.fromkeys(read_place(step.node)[0] for step in detail.steps)
    inserted = detail.call.inserted_versions
    versions = [
        (None, detail.call.scenario_version_id),
        *((name, inserted.get(name)) for name in entered if name is not None),
    ]
    return detail, [walked for name, version in versions if (walked := _walked(session, name, version)) is not None]


def _walked(session: Session, inserted_as: str | None, version_id: int | None) -> Walked | None:
    if version_id is None:
        return None
    try:
        version = get_version(session, version_id)
        name = get_scenario(session, version.scenario_id).name
    except NotFound:
        return None
    return Walked(ScenarioOfCall(id=version.scenario_id, name=name, version=version.number), version, inserted_as)


def walked_model(
    detail: CallDetail, walked: Sequence[Walked], now: datetime, contacts: Mapping[str, str] = NOBODY_KNOWN
) -> CallModel:
    """A call with the versions it walked; `contacts` are callers' names by their numbers."""
    own = next((each.scenario for each in walked if each.inserted_as is None), None)
    return call_model(detail, own, [each.scenario for each in walked if each.inserted_as is not None], now, contacts)


async def _not_guessed(request: Request, found: Sequence[CallDetail]) -> Sequence[CallDetail]:
    """Those that were not found by a number that is hidden from who asks: else he could search for its digits one by one."""
    if not request.query_params.get("caller"):
        return found
    hidden = await hidden_from(request, "\n".join(detail.call.caller_number for detail in found))
    return [detail for detail in found if digits_of(detail.call.caller_number) not in hidden]


def _directory(session: Session) -> tuple[Sequence[Operator], Sequence[InboundNumber]]:
    return list_operators(session), list_numbers(session)


def _draw_all(walked: Sequence[Walked], call: CallModel) -> list[tuple[Walked, Drawing | None]]:
    path = [Visit(node, move.exit, scenario) for move in call.moves for scenario, node in [read_place(move.node)]]
    return [(each, _draw(each, path, live=call.ended_at is None)) for each in walked]


def _draw(walked: Walked, path: Sequence[Visit], live: bool) -> Drawing | None:
    try:
        return draw(from_data(walked.version.document), path, live, walked.inserted_as)
    except InvalidDocument:
        return None


def _leg_result(leg: Leg, call_is_over: bool) -> Wording:
    return leg_words(
        talked=leg.talk_seconds is not None,
        answered=leg.answered_at is not None,
        over=leg.ended_at is not None or call_is_over,
        sip_status=leg.sip_status,
        cause=leg.cause,
    )


def _client_result(leg: Leg, call_is_over: bool) -> Wording:
    """Who has answered us talks with us, whatever becomes of it."""
    over = leg.ended_at is not None or call_is_over
    return leg_words(talked=leg.answered_at is not None, answered=False, over=over, sip_status=leg.sip_status, cause=leg.cause)


def _step_words(title: str, exit: str | None) -> str:
    return title if exit is None else f"{title} by {exit_words(exit)}"


def _address(form: dict[str, str], cursor: str | None = None) -> str:
    given = {**form, "cursor": cursor or ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/calls?{query}" if query else "/calls"


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
