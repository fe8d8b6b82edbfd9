"""Callbacks in the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.callbacks import cancel_callback, retry_callback
from controller.bus import CallbacksChanged
from controller.storage.callbacks import get_callback, list_callbacks
from web.callback_models import CallbackList, CallbackQuery, callback_model
from web.forms import read_query
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_callbacks(request: Request) -> Response:
    """Callbacks, those asked for last first."""
    query = read_query(request, CallbackQuery)
    found = await services(request).database.read(list_callbacks, query.state, query.limit, query.before)
    return ModelResponse(CallbackList(callbacks=[callback_model(one) for one in found]))


async def get_one_callback(request: Request) -> Response:
    """One callback."""
    return ModelResponse(callback_model(await services(request).database.read(get_callback, number_id(request))))


async def post_callback_cancel(request: Request) -> Response:
    """Take somebody who waits for his callback out of the line."""
    given = services(request)
    id, by, now = number_id(request), acting_user(request), given.clock.now()
    changed = await given.database.run(cancel_callback, id, acting_user=by, at=now)
    given.bus.send(CallbacksChanged())
    return ModelResponse(callback_model(changed))


async def post_callback_retry(request: Request) -> Response:
    """Have somebody called as soon as it is his turn."""
    given = services(request)
    id, by, now = number_id(request), acting_user(request), given.clock.now()
    changed = await given.database.run(retry_callback, id, acting_user=by, at=now)
    given.bus.send(CallbacksChanged())
    return ModelResponse(callback_model(changed))
