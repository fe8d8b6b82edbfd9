"""Missed calls in the API; what the pages do with them is done here as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.missed_calls import set_note, set_owner, set_status
from controller.bus import MissedCallsChanged
from controller.notices.missed_calls import occasion
from controller.storage import Session
from controller.storage.contacts import names_of_callers
from controller.storage.missed_calls import MissedFilters, MissedView, Owner, list_missed_calls, missed_call_view
from controller.storage.outbox import letter_states
from web.forms import read_json, read_query
from web.missed_models import MissedCallChange, MissedCallList, MissedCallModel, MissedCallQuery, missed_call_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import text_id


async def get_missed_calls(request: Request) -> Response:
    """Missed calls, those that arrived last first."""
    query = read_query(request, MissedCallQuery)
    return ModelResponse(MissedCallList(missed_calls=await load(request, query.filters(), query.limit, query.before)))


async def get_one_missed_call(request: Request) -> Response:
    """One missed call."""
    return ModelResponse(await load_one(request))


async def patch_missed_call(request: Request) -> Response:
    """Give a missed call another owner, status or note."""
    await change(request, await read_json(request, MissedCallChange))
    return await get_one_missed_call(request)


async def load(request: Request, filters: MissedFilters, limit: int, before: str | None = None) -> list[MissedCallModel]:
    """Missed calls with the names of contacts and how their letters are."""
    given = services(request)
    return await given.database.read(_load, filters, limit, before, given.settings.phone_region)


async def load_one(request: Request) -> MissedCallModel:
    """The missed call of the address. Raises NotFound."""
    given = services(request)
    return await given.database.read(_load_one, text_id(request), given.settings.phone_region)


async def change(request: Request, changed: MissedCallChange) -> None:
    """Change what is set in `changed`, all or nothing. Raises InvalidInput, NotFound."""
    given, id, by = services(request), text_id(request), acting_user(request)
    await given.database.run(_change, id, changed, by, given.clock.now())
    given.bus.send(MissedCallsChanged())


def _load(session: Session, filters: MissedFilters, limit: int, before: str | None, region: str | None) -> list[MissedCallModel]:
    return _models(session, list_missed_calls(session, filters, limit, before), region)


def _load_one(session: Session, id: str, region: str | None) -> MissedCallModel:
    return _models(session, [missed_call_view(session, id)], region)[0]


def _models(session: Session, views: Sequence[MissedView], region: str | None) -> list[MissedCallModel]:
    contacts = names_of_callers(session, [view.row.caller_number for view in views], region)
    letters = letter_states(session, [occasion(view.row.call_id) for view in views])
    return [missed_call_model(view, contacts, letters.get(occasion(view.row.call_id))) for view in views]


def _change(session: Session, id: str, changed: MissedCallChange, by: str, at: datetime) -> None:
    missed_call_view(session, id)  # an empty change of nothing is not found too
    given = changed.model_fields_set
    if "owner" in given:
        owner = None if changed.owner is None else Owner(changed.owner.user, changed.owner.operator)
        set_owner(session, id, owner, acting_user=by, at=at)
    if "status" in given:
        set_status(session, id, changed.status, acting_user=by, at=at)
    if "note" in given:
        set_note(session, id, changed.note, acting_user=by, at=at)
