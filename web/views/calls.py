"""The history of calls, and one call with its path through the scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from controller.errors import InvalidInput, NotFound
from controller.storage import Session
from controller.storage.calls import CallDetail, CallFilters, Outcome, Page, get_call, list_calls
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.operators import Operator, list_operators
from controller.storage.prompts import prompt_titles
from controller.storage.scenarios import ScenarioVersion, get_scenario, get_version
from ivr.errors import InvalidDocument
from ivr.serialization import from_data
from web.call_models import CallModel, Leg, NumberPart, ScenarioOfCall, call_item, call_model
from web.drawing import Drawing, Visit, draw
from web.forms import read_query
from web.rendering import page
from web.security import may_hear
from web.services import services
from web.views.places import text_id
from web.views.recordings import recording_file
from web.words import Wording, exit_words, leg_words

_Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
_FIELDS = ("caller", "called", "operator", "outcome", "from", "to", "zone")
_ROWS = 50


class HistoryQuery(BaseModel):
    """The filters of the page. Days are those of the viewer's time zone, both included."""

    caller: NumberPart | None = None
    called: NumberPart | None = None
    operator: NumberPart | None = None
    outcome: Outcome | None = None
    first_day: _Day | None = Field(None, alias="from")
    last_day: _Day | None = Field(None, alias="to")
    zone: str = "UTC"
    cursor: str | None = Field(None, max_length=200)

    def filters(self) -> CallFilters:
        """The same for the storage."""
        after_last = self.last_day + timedelta(days=1) if self.last_day else None
        return CallFilters(
            caller=self.caller,
            called=self.called,
            operator=self.operator,
            outcome=self.outcome,
            since=self._midnight(self.first_day),
            until=self._midnight(after_last),
        )

    def _midnight(self, day: date | None) -> datetime | None:
        return None if day is None else datetime.combine(day, time(), _zone(self.zone)).astimezone(UTC)


async def show_history(request: Request) -> Response:
    """Calls, newest first."""
    given = services(request)
    form = {name: request.query_params.get(name, "") for name in _FIELDS}
    filtered = any(value for name, value in form.items() if name != "zone")
    errors: dict[str, str] = {}
    found = Page((), None)
    try:
        query = read_query(request, HistoryQuery)
        found = await given.database.read(list_calls, query.filters(), _ROWS, query.cursor)
    except InvalidInput as refused:
        errors = {problem.field: problem.message for problem in refused.problems}
    operators, numbers = await given.database.read(_directory)
    context = {
        "calls": [call_item(detail, given.clock.now()) for detail in found.calls],
        "form": form,
        "errors": errors,
        "filtered": filtered or bool(errors),
        "operators": operators,
        "numbers": numbers,
        "outcomes": get_args(Outcome),
        "first_page": _address(form) if request.query_params.get("cursor") else None,
        "next_page": _address(form, found.next_cursor) if found.next_cursor else None,
    }
    return page(request, "calls.html", context, 422 if errors else 200)


async def show_call(request: Request) -> Response:
    """One call: facts, path, timeline, legs, recordings."""
    given = services(request)
    detail, scenario, version = await given.database.read(call_with_scenario, text_id(request))
    call = call_model(detail, scenario, given.clock.now())
    folder = given.settings.recordings_dir
    context: dict[str, Any] = {
        "call": call,
        "now": given.clock.now(),
        "drawing": await asyncio.to_thread(_draw, version, call) if version else None,
        "path_words": ", ".join(_step_words(move.title or move.node, move.exit) for move in call.moves),
        "prompt_titles": await given.database.read(prompt_titles),
        "leg_results": {leg.id: _leg_result(leg, call.ended_at is not None) for leg in call.legs},
        "may_hear": may_hear(request),
        "playable": {one.id for one in detail.recordings if may_hear(request) and recording_file(folder, one)},
    }
    return page(request, "call.html", context)


def call_with_scenario(session: Session, id: str) -> tuple[CallDetail, ScenarioOfCall | None, ScenarioVersion | None]:
    """A call and the version it walked, unless that was removed. Raises NotFound."""
    detail = get_call(session, id)
    if detail.call.scenario_version_id is None:
        return detail, None, None
    try:
        version = get_version(session, detail.call.scenario_version_id)
        name = get_scenario(session, version.scenario_id).name
    except NotFound:
        return detail, None, None
    return detail, ScenarioOfCall(id=version.scenario_id, name=name, version=version.number), version


def _directory(session: Session) -> tuple[Sequence[Operator], Sequence[InboundNumber]]:
    return list_operators(session), list_numbers(session)


def _draw(version: ScenarioVersion, call: CallModel) -> Drawing | None:
    try:
        scenario = from_data(version.document)
    except InvalidDocument:
        return None
    return draw(scenario, [Visit(move.node, move.exit) for move in call.moves], live=call.ended_at is None)


def _leg_result(leg: Leg, call_is_over: bool) -> Wording:
    return leg_words(
        talked=leg.talk_seconds is not None,
        answered=leg.answered_at is not None,
        over=leg.ended_at is not None or call_is_over,
        sip_status=leg.sip_status,
        cause=leg.cause,
    )


def _step_words(title: str, exit: str | None) -> str:
    return title if exit is None else f"{title} by {exit_words(exit)}"


def _address(form: dict[str, str], cursor: str | None = None) -> str:
    given = {**form, "cursor": cursor or ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/calls?{query}" if query else "/calls"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
