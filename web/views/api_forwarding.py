"""Phones to forward to in the API; what the pages do with them is done here as well."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.confirmations import CodeVerdict, Kind, confirm_for_good, enter_code, make_code, withdraw_code
from controller.actions.forwarding import add_common_phone, decide_request, remove_phone, set_own_phone
from controller.bus import DirectoryChanged
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage.forwarding import ForwardingPhone, list_phones, phone_view
from web.forms import read_json
from web.forwarding_models import CodeCall, CodeEntry, CodeOrder, NewPhone, PhoneList, PhoneModel, phone_model
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id

_SAID: Final[dict[CodeVerdict, str]] = {
    "wrong": "that is not the code that was dictated",
    "none": "no code is valid now: it is too old, or was tried too often; have the number called again",
}


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
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    return ModelResponse(CodeCall(id=await call_with_code(request, number_id(request), order.language)), 202)


async def post_code_message(request: Request) -> Response:
    """Have the number sent a code by SMS."""
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    await send_code(request, number_id(request), order.language)
    return Response(status_code=204)


async def post_code(request: Request) -> Response:
    """Confirm the number by the code."""
    entry = await read_json(request, CodeEntry)
    await confirm_phone(request, number_id(request), entry.code)
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
    given.bus.send(DirectoryChanged())
    return stored.id


async def drop_phone(request: Request, id: int) -> None:
    """Remove a phone. Raises as `remove_phone`."""
    given = services(request)
    await given.database.run(remove_phone, id, acting_user=acting_user(request), at=given.clock.now())
    given.bus.send(DirectoryChanged())


async def call_with_code(request: Request, id: int, language: str | None = None, *, of: Kind = ForwardingPhone) -> str:
    """Have a phone, or a number of ours, called and told a new code; returns the call's id.

    Raises Refused: there were too many such calls, or none can be placed now; NotFound.
    """
    given, now = services(request), services(request).clock.now()
    number, code = await given.database.run(make_code, id, of, acting_user=acting_user(request), at=now)
    try:
        return given.dictate_code(number, code, language)
    except Refused:
        await given.database.run(withdraw_code, id, now, of)
        raise


async def send_code(request: Request, id: int, language: str | None = None, *, of: Kind = ForwardingPhone) -> None:
    """Have a phone, or a number of ours, sent a new code by SMS.

    Raises Refused: there is no gateway or it did not take the message, or there were too many of them; NotFound.
    """
    given, now = services(request), services(request).clock.now()
    if given.send_code is None:
        raise Refused("no SMS gateway is set: have the number called instead")
    number, code = await given.database.run(make_code, id, of, acting_user=acting_user(request), at=now)
    try:
        await given.send_code(number, code, language or given.settings.language)
    except Refused:
        await given.database.run(withdraw_code, id, now, of)
        raise


async def confirm_phone(request: Request, id: int, code: str, *, of: Kind = ForwardingPhone) -> None:
    """Confirm a phone, or a number of ours, by the code. Raises InvalidInput: it is not the code; NotFound."""
    given, by = services(request), acting_user(request)
    months, now = given.settings.confirmation_months, given.clock.now()
    verdict = await given.database.run(enter_code, id, code, months, of, acting_user=by, at=now)
    if verdict != "confirmed":
        raise InvalidInput(f"code: {_SAID[verdict]}", [FieldProblem("code", _SAID[verdict])])
    given.bus.send(DirectoryChanged())


async def keep_confirmed(request: Request, id: int, *, of: Kind = ForwardingPhone) -> None:
    """A number of our own trunk. Raises as `confirm_for_good`."""
    given = services(request)
    await given.database.run(confirm_for_good, id, of, acting_user=acting_user(request), at=given.clock.now())
    given.bus.send(DirectoryChanged())


async def decide(request: Request, id: int, *, approved: bool) -> None:
    """Approve or refuse. Raises as `decide_request`."""
    given = services(request)
    await given.database.run(decide_request, id, approved, acting_user=acting_user(request), at=given.clock.now())
    given.bus.send(DirectoryChanged())
