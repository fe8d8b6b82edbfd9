"""Schedules to look at and to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.schedules import users_of_schedule
from controller.errors import AttendantError, Refused
from controller.schedules import WEEKDAYS, Schedule, State, ZoneMode, next_change, state_at, zone_for
from controller.storage import Session
from controller.storage.schedules import StoredSchedule, get_schedule, list_schedules
from web.forms import checked, errors_by_field, form_fields, status_of
from web.rendering import page
from web.schedule_forms import ScheduleText
from web.schedule_models import ScheduleChange, ScheduleModel, schedule_model
from web.services import services
from web.views.api_schedules import drop_schedule, replace_schedule, store_schedule
from web.views.places import number_id
from web.zones import zone_names


@dataclass(frozen=True, slots=True)
class Preview:
    """How a schedule is now, when that changes (None: not within a year), and on whose clock."""

    state: State
    until: datetime | None
    following: State | None
    zone: str


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule in the list."""

    schedule: ScheduleModel
    text: ScheduleText
    preview: Preview
    users: Sequence[str]


async def show_schedules(request: Request) -> Response:
    """All schedules, as they are now."""
    found = await services(request).database.read(_list)
    rows = []
    for stored, users in found:
        model = schedule_model(stored)
        text = ScheduleText.of(model.name, model.schedule)
        rows.append(ScheduleRow(model, text, _preview(request, model.schedule), users))
    return page(request, "schedules.html", {"rows": rows, "weekdays": WEEKDAYS})


async def show_new_schedule(request: Request) -> Response:
    """An empty form, with the usual hours to begin with."""
    usual: dict[str, str] = {day: "09:00-18:00" if day in WEEKDAYS[:5] else "" for day in WEEKDAYS}
    return _form_page(request, ScheduleText(week=usual))


async def add_schedule(request: Request) -> Response:
    """A new schedule was sent, or is to be looked at before it is saved."""
    return await _take(request, None)


async def show_schedule(request: Request) -> Response:
    """One schedule, to be changed."""
    stored, users = await services(request).database.read(_load, number_id(request))
    model = schedule_model(stored)
    preview = _preview(request, model.schedule)
    return _form_page(request, ScheduleText.of(model.name, model.schedule), stored=stored, users=users, preview=preview)


async def change_schedule(request: Request) -> Response:
    """A changed schedule was sent, or is to be looked at before it is saved."""
    stored, users = await services(request).database.read(_load, number_id(request))
    return await _take(request, stored, users)


async def take_away(request: Request) -> Response:
    """A schedule is to be deleted."""
    stored, users = await services(request).database.read(_load, number_id(request))
    try:
        await drop_schedule(request)
    except Refused as refused:
        model = schedule_model(stored)
        shown: dict[str, Any] = {"stored": stored, "users": users, "preview": _preview(request, model.schedule)}
        return _form_page(request, ScheduleText.of(model.name, model.schedule), refused=refused, **shown)
    return RedirectResponse("/schedules", status_code=303)


async def _take(request: Request, stored: StoredSchedule | None, users: Sequence[str] = ()) -> Response:
    fields = await form_fields(request)
    text = ScheduleText.typed(fields)
    shown: dict[str, Any] = {"stored": stored, "users": users}
    try:
        schedule = text.schedule()
        if fields.get("do") == "preview":
            return _form_page(request, text, preview=_preview(request, schedule), not_saved=True, **shown)
        change = checked(ScheduleChange, {"name": text.name, "schedule": schedule})
        await (replace_schedule(request, change) if stored else store_schedule(request, change))
    except Refused as refused:
        return _form_page(request, text, refused=refused, **shown)
    return RedirectResponse("/schedules", status_code=303)


def _form_page(
    request: Request,
    text: ScheduleText,
    *,
    stored: StoredSchedule | None = None,
    users: Sequence[str] = (),
    preview: Preview | None = None,
    not_saved: bool = False,
    refused: AttendantError | None = None,
) -> Response:
    context = {
        "text": text,
        "stored": stored,
        "users": users,
        "preview": preview,
        "not_saved": not_saved,
        "errors": errors_by_field(refused),
        "weekdays": WEEKDAYS,
        "zone_modes": get_args(ZoneMode),
        "zones": zone_names(),
        "installation_zone": services(request).settings.time_zone,
    }
    return page(request, "schedule.html", context, status_of(refused))


def _preview(request: Request, schedule: Schedule) -> Preview:
    given = services(request)
    now, zone = given.clock.now(), zone_for(schedule, given.settings.zone)
    until = next_change(schedule, now, zone)
    following = None if until is None else state_at(schedule, until, zone)
    return Preview(state_at(schedule, now, zone), until, following, str(zone))


def _list(session: Session) -> list[tuple[StoredSchedule, list[str]]]:
    return [(stored, users_of_schedule(session, stored)) for stored in list_schedules(session)]


def _load(session: Session, id: int) -> tuple[StoredSchedule, list[str]]:
    stored = get_schedule(session, id)
    return stored, users_of_schedule(session, stored)
