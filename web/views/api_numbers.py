"""Numbers in the API; what the pages do with numbers is done here as well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.numbers import change_all_numbers, change_number, create_number, remove_number
from controller.bus import DirectoryChanged
from controller.storage.numbers import InboundNumber, get_number, number_views
from web.forms import read_json
from web.forwarding_models import CodeCall, CodeEntry, CodeOrder
from web.number_models import NumberChange, NumberList, NumberModel, NumberSettingsModel, number_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.api_forwarding import call_with_code, confirm_phone, keep_confirmed, send_code
from web.views.places import number_id


async def get_numbers(request: Request) -> Response:
    """All numbers."""
    given = services(request)
    found = await given.database.read(number_views)
    return ModelResponse(NumberList(numbers=[number_model(view, given.clock.now()) for view in found]))


async def get_one_number(request: Request) -> Response:
    """One number."""
    return ModelResponse(await load_number(request, number_id(request)))


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
    given.bus.send(DirectoryChanged())
    return await get_numbers(request)


async def delete_number(request: Request) -> Response:
    """Remove a number."""
    await drop_number(request)
    return Response(status_code=204)


async def post_number_code_call(request: Request) -> Response:
    """Have the number called and told a code."""
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    return ModelResponse(CodeCall(id=await call_with_code(request, number_id(request), order.language, of=InboundNumber)), 202)


async def post_number_code_message(request: Request) -> Response:
    """Have the number sent a code by SMS."""
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    await send_code(request, number_id(request), order.language, of=InboundNumber)
    return Response(status_code=204)


async def post_number_code(request: Request) -> Response:
    """Confirm the number by the code."""
    entry = await read_json(request, CodeEntry)
    await confirm_phone(request, number_id(request), entry.code, of=InboundNumber)
    return await get_one_number(request)


async def post_number_for_good(request: Request) -> Response:
    """Take a number of our own trunk as confirmed for ever."""
    await keep_confirmed(request, number_id(request), of=InboundNumber)
    return await get_one_number(request)


async def load_number(request: Request, id: int) -> NumberModel:
    """A number as it is now. Raises NotFound."""
    given = services(request)
    return number_model(await given.database.read(get_number, id), given.clock.now())


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
