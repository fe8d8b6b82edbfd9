"""Schedules in the API."""

from __future__ import annotations

from datetime import UTC

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.schedules import change_schedule, create_schedule, delete_schedule
from controller.storage.schedules import StoredSchedule, get_schedule, list_schedules
from web.forms import read_json, read_query
from web.rendering import ModelResponse
from web.schedule_models import ScheduleChange, ScheduleList, StateQuery, schedule_model, schedule_state
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_schedules(request: Request) -> Response:
    """All schedules."""
    found = await services(request).database.read(list_schedules)
    return ModelResponse(ScheduleList(schedules=[schedule_model(one) for one in found]))


async def get_one_schedule(request: Request) -> Response:
    """One schedule."""
    return ModelResponse(schedule_model(await services(request).database.read(get_schedule, number_id(request))))


async def get_schedule_state(request: Request) -> Response:
    """Whether a schedule is open, and when it opens next."""
    given, query = services(request), read_query(request, StateQuery)
    found = await given.database.read(get_schedule, number_id(request))
    moment = given.clock.now() if query.at is None else query.at.astimezone(UTC)
    return ModelResponse(schedule_state(found, moment, given.settings.zone))


async def post_schedule(request: Request) -> Response:
    """Create a schedule."""
    return ModelResponse(schedule_model(await store_schedule(request, await read_json(request, ScheduleChange))), 201)


async def put_schedule(request: Request) -> Response:
    """Replace a schedule."""
    return ModelResponse(schedule_model(await replace_schedule(request, await read_json(request, ScheduleChange))))


async def remove_schedule(request: Request) -> Response:
    """Remove a schedule that nothing uses."""
    await drop_schedule(request)
    return Response(status_code=204)


async def store_schedule(request: Request, new: ScheduleChange) -> StoredSchedule:
    """A new schedule. Raises as `create_schedule`."""
    given, by = services(request), acting_user(request)
    created = await given.database.run(create_schedule, new.name, new.schedule, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return created


async def replace_schedule(request: Request, new: ScheduleChange) -> StoredSchedule:
    """Replace the schedule of the address. Raises as `change_schedule`."""
    given, id, by = services(request), number_id(request), acting_user(request)
    changed = await given.database.run(change_schedule, id, new.name, new.schedule, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return changed


async def drop_schedule(request: Request) -> None:
    """Remove the schedule of the address. Raises Refused as long as something uses it."""
    given = services(request)
    await given.database.run(delete_schedule, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()
