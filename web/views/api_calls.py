"""Calls in the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.storage.calls import list_calls
from controller.storage.contacts import names_of_callers
from web.call_models import CallQuery, call_list
from web.forms import read_query
from web.rendering import ModelResponse
from web.services import services
from web.views.calls import call_with_scenarios, walked_model
from web.views.places import text_id


async def get_calls(request: Request) -> Response:
    """Calls, newest first."""
    given = services(request)
    query = read_query(request, CallQuery)
    found = await given.database.read(list_calls, query.filters(), query.limit, query.cursor)
    callers = [detail.call.caller_number for detail in found.calls]
    contacts = await given.database.read(names_of_callers, callers, given.settings.phone_region)
    return ModelResponse(call_list(found, given.clock.now(), contacts))


async def get_one_call(request: Request) -> Response:
    """One call with its moves, legs and recordings."""
    given = services(request)
    detail, walked = await given.database.read(call_with_scenarios, text_id(request))
    contacts = await given.database.read(names_of_callers, [detail.call.caller_number], given.settings.phone_region)
    return ModelResponse(walked_model(detail, walked, given.clock.now(), contacts))
