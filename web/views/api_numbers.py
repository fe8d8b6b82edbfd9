"""Numbers in the API; what the pages do with numbers is done here as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.numbers import change_all_numbers, change_number, create_number, remove_number
from controller.actions.reachability import Serving, bringing, serving
from controller.schedules import Schedule, State, ZoneMode, state_at, zone_for
from controller.storage import Session
from controller.storage.campaigns import campaign_names
from controller.storage.numbers import InboundNumber, NumberView, get_number, last_call_of, number_views
from controller.storage.scenarios import list_scenarios
from controller.storage.schedules import StoredSchedule, list_schedules
from controller.storage.trunks import Trunk, list_trunks
from web.forms import read_json
from web.number_models import (
    BringingTrunkModel,
    NumberChange,
    NumberList,
    NumberModel,
    NumberSettingsModel,
    ReachabilityModel,
    ServingModel,
    number_model,
)
from web.people_models import TrunkModel, trunk_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.confirming import answer_with_call, answer_with_message, confirm_by_entry, keep_confirmed
from web.views.places import number_id


@dataclass(frozen=True, slots=True)
class Check:
    """Whether callers reach a number (LNR-3): what would serve them now, the trunks that could bring them, and when somebody
    called last. `clock` is whose decides on its working time, None: it has no schedule.
    """

    serving: Serving
    clock: ZoneMode | None
    trunks: Sequence[TrunkModel]
    last_call_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """A number and what decides whether it is reached; `campaign` is its campaign's name."""

    number: NumberView
    campaign: str | None
    last_call_at: datetime | None
    published: frozenset[str]
    schedules: Sequence[StoredSchedule]
    trunks: Sequence[Trunk]


async def get_numbers(request: Request) -> Response:
    """All numbers."""
    given = services(request)
    found = await given.database.read(number_views)
    return ModelResponse(NumberList(numbers=[number_model(view, given.clock.now()) for view in found]))


async def get_one_number(request: Request) -> Response:
    """One number."""
    return ModelResponse(await load_number(request, number_id(request)))


async def get_reachability(request: Request) -> Response:
    """Whether callers reach the number."""
    check = await load_check(request, number_id(request))
    answer = ReachabilityModel(
        serving=ServingModel(by=check.serving.by, name=check.serving.name),
        clock=check.clock,
        trunks=[BringingTrunkModel(id=trunk.id, name=trunk.name, state=trunk.state) for trunk in check.trunks],
        last_call_at=check.last_call_at,
    )
    return ModelResponse(answer)


async def post_number(request: Request) -> Response:
    """Add a number."""
    id = await store_number(request, await read_json(request, NumberChange))
    return ModelResponse(await load_number(request, id), 201)


async def put_number(request: Request) -> Response:
    """Replace a number."""
    await replace_number(request, await read_json(request, NumberChange))
    return await get_one_number(request)


async def put_settings_of_all(request: Request) -> Response:
    """Give all numbers the same settings."""
    given, body = services(request), await read_json(request, NumberSettingsModel)
    by, now = acting_user(request), given.clock.now()
    await given.database.run(change_all_numbers, body.settings(), given.prompts(), acting_user=by, at=now)
    await given.directory_changed()
    return await get_numbers(request)


async def delete_number(request: Request) -> Response:
    """Remove a number."""
    await drop_number(request)
    return Response(status_code=204)


async def post_number_code_call(request: Request) -> Response:
    """Have the number called and told a code."""
    return await answer_with_call(request, InboundNumber)


async def post_number_code_message(request: Request) -> Response:
    """Have the number sent a code by SMS."""
    return await answer_with_message(request, InboundNumber)


async def post_number_code(request: Request) -> Response:
    """Confirm the number by the code."""
    await confirm_by_entry(request, InboundNumber)
    return await get_one_number(request)


async def post_number_for_good(request: Request) -> Response:
    """Take a number of our own trunk as confirmed for ever."""
    await keep_confirmed(request, number_id(request), of=InboundNumber)
    return await get_one_number(request)


async def load_number(request: Request, id: int) -> NumberModel:
    """A number as it is now. Raises NotFound."""
    given = services(request)
    return number_model(await given.database.read(get_number, id), given.clock.now())


async def load_check(request: Request, id: int) -> Check:
    """Whether callers reach a number now. Raises NotFound."""
    given = services(request)
    found = await given.database.read(_to_check, id)
    trunk_states = await given.trunk_states()
    states = schedule_states(found.schedules, given.clock.now(), given.settings.zone)
    name = found.number.schedule
    hours = states.get(name, "open") if name else None
    return Check(
        serving(found.number, found.published, hours, found.campaign),
        schedule_clocks(found.schedules)[name] if name else None,
        [trunk_model(trunk, trunk_states) for trunk in bringing(found.number, found.trunks)],
        found.last_call_at,
    )


def schedule_states(schedules: Iterable[StoredSchedule], now: datetime, zone: tzinfo) -> dict[str, State]:
    """How schedules stand, but for those that go by people's own clocks."""
    states: dict[str, State] = {}
    for stored in schedules:
        schedule = Schedule.model_validate(stored.document)
        if schedule.zone_mode == "fixed":
            states[stored.name] = state_at(schedule, now, zone_for(schedule, zone))
    return states


def schedule_clocks(schedules: Iterable[StoredSchedule]) -> dict[str, ZoneMode]:
    """Whose clocks schedules go by."""
    return {stored.name: Schedule.model_validate(stored.document).zone_mode for stored in schedules}


async def store_number(request: Request, new: NumberChange) -> int:
    """A new number; returns its id. Raises as `create_number`."""
    given, by = services(request), acting_user(request)
    prompts, now = given.prompts(), given.clock.now()
    created = await given.database.run(
        create_number,
        new.number,
        new.line_name,
        new.settings(),
        prompts,
        line=new.line(),
        template=given.settings.line_name_template,
        acting_user=by,
        at=now,
    )
    await given.directory_changed()
    return created.id


async def replace_number(request: Request, new: NumberChange, *, for_all: bool = False) -> None:
    """Replace the number of the address; `for_all` gives its settings to all others. Raises as `change_number`."""
    given, id, by = services(request), number_id(request), acting_user(request)
    prompts, now = given.prompts(), given.clock.now()
    await given.database.run(
        change_number,
        id,
        new.number,
        new.line_name,
        new.settings(),
        prompts,
        line=new.line(),
        for_all=for_all,
        acting_user=by,
        at=now,
    )
    await given.directory_changed()


async def drop_number(request: Request) -> None:
    """Remove the number of the address. Raises NotFound."""
    given = services(request)
    await given.database.run(remove_number, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()


def _to_check(session: Session, id: int) -> _Surroundings:
    view = get_number(session, id)
    campaign = None if view.row.campaign_id is None else campaign_names(session)[view.row.campaign_id]
    published = frozenset(one.name for one in list_scenarios(session) if one.published_number is not None)
    last = last_call_of(session, view.row.number)
    return _Surroundings(view, campaign, last, published, list_schedules(session), list_trunks(session))
