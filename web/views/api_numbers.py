"""Numbers in the API; what the pages do with numbers is done here as well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.numbers import change_all_numbers, change_number, create_number, remove_number
from controller.bus import DirectoryChanged
from controller.storage.numbers import NumberView, get_number, number_views
from web.forms import read_json
from web.number_models import NumberChange, NumberList, NumberSettingsModel, number_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_numbers(request: Request) -> Response:
    """All numbers."""
    found = await services(request).database.read(number_views)
    return ModelResponse(NumberList(numbers=[number_model(view) for view in found]))


async def get_one_number(request: Request) -> Response:
    """One number."""
    return ModelResponse(number_model(await load_number(request)))


async def post_number(request: Request) -> Response:
    """Add a number."""
    id = await store_number(request, await read_json(request, NumberChange))
    return ModelResponse(number_model(await services(request).database.read(get_number, id)), 201)


async def put_number(request: Request) -> Response:
    """Replace a number."""
    await replace_number(request, await read_json(request, NumberChange))
    return await get_one_number(request)


async def put_settings_of_all(request: Request) -> Response:
    """Give all numbers the same settings."""
    given, body = services(request), await read_json(request, NumberSettingsModel)
    by, now = acting_user(request), given.clock.now()
    await given.database.run(change_all_numbers, body.settings(), given.prompts(), acting_user=by, at=now)
    given.bus.send(DirectoryChanged())
    return await get_numbers(request)


async def delete_number(request: Request) -> Response:
    """Remove a number."""
    await drop_number(request)
    return Response(status_code=204)


async def load_number(request: Request) -> NumberView:
    """The number of the address. Raises NotFound."""
    return await services(request).database.read(get_number, number_id(request))


async def store_number(request: Request, new: NumberChange) -> int:
    """A new number; returns its id. Raises as `create_number`."""
    given, by = services(request), acting_user(request)
    prompts, now = given.prompts(), given.clock.now()
    created = await given.database.run(
        create_number, new.number, new.line_name, new.settings(), prompts, line=new.line(), acting_user=by, at=now
    )
    given.bus.send(DirectoryChanged())
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
    given.bus.send(DirectoryChanged())


async def drop_number(request: Request) -> None:
    """Remove the number of the address. Raises NotFound."""
    given = services(request)
    await given.database.run(remove_number, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    given.bus.send(DirectoryChanged())
