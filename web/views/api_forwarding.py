"""Phones to forward to in the API; what the pages do with them is done here as well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.forwarding import add_common_phone, decide_request, remove_phone, set_own_phone
from controller.storage.forwarding import ForwardingPhone, list_phones, phone_view
from web.forms import read_json
from web.forwarding_models import NewPhone, PhoneList, PhoneModel, phone_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.confirming import answer_with_call, answer_with_message, confirm_by_entry, keep_confirmed
from web.views.places import number_id


async def get_phones(request: Request) -> Response:
    """All phones."""
    given = services(request)
    found = await given.database.read(list_phones)
    return ModelResponse(PhoneList(phones=[phone_model(view, given.clock.now()) for view in found]))


async def get_one_phone(request: Request) -> Response:
    """One phone."""
    return ModelResponse(await load_phone(request, number_id(request)))


async def post_phone(request: Request) -> Response:
    """Add a common phone, or set an operator's own."""
    id = await store_phone(request, await read_json(request, NewPhone))
    return ModelResponse(await load_phone(request, id), 201)


async def delete_phone(request: Request) -> Response:
    """Remove a phone."""
    await drop_phone(request, number_id(request))
    return Response(status_code=204)


async def post_code_call(request: Request) -> Response:
    """Have the number called and told a code."""
    return await answer_with_call(request, ForwardingPhone)


async def post_code_message(request: Request) -> Response:
    """Have the number sent a code by SMS."""
    return await answer_with_message(request, ForwardingPhone)


async def post_code(request: Request) -> Response:
    """Confirm the number by the code."""
    await confirm_by_entry(request, ForwardingPhone)
    return await get_one_phone(request)


async def post_confirmation_for_good(request: Request) -> Response:
    """Take a number of our own trunk as confirmed for ever."""
    await keep_confirmed(request, number_id(request))
    return await get_one_phone(request)


async def post_approval(request: Request) -> Response:
    """Approve an operator's own phone."""
    await decide(request, number_id(request), approved=True)
    return await get_one_phone(request)


async def post_refusal(request: Request) -> Response:
    """Refuse an operator's own phone."""
    await decide(request, number_id(request), approved=False)
    return await get_one_phone(request)


async def load_phone(request: Request, id: int) -> PhoneModel:
    """A phone as it is now. Raises NotFound."""
    given = services(request)
    return phone_model(await given.database.read(phone_view, id), given.clock.now())


async def store_phone(request: Request, new: NewPhone) -> int:
    """A new phone; returns its id. Raises as `add_common_phone` and `set_own_phone`."""
    given, by, now = services(request), acting_user(request), services(request).clock.now()
    if new.operator is None:
        stored = await given.database.run(add_common_phone, new.number, acting_user=by, at=now)
    else:
        stored = await given.database.run(set_own_phone, new.operator, new.number, acting_user=by, at=now)
    await given.directory_changed()
    return stored.id


async def drop_phone(request: Request, id: int) -> None:
    """Remove a phone. Raises as `remove_phone`."""
    given = services(request)
    await given.database.run(remove_phone, id, acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()


async def decide(request: Request, id: int, *, approved: bool) -> None:
    """Approve or refuse. Raises as `decide_request`."""
    given = services(request)
    await given.database.run(decide_request, id, approved, acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()
