"""Confirming that a phone outside, or a number of ours, is ours: what pages and API do with both (SKZ-10, SKZ-11)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.confirmations import CodeVerdict, Kind, confirm_for_good, enter_code, make_code, withdraw_code
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage.forwarding import ForwardingPhone
from web.forms import read_json
from web.forwarding_models import CodeCall, CodeEntry, CodeOrder
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id

_SAID: Final[dict[CodeVerdict, str]] = {
    "wrong": "that is not the code that was dictated",
    "none": "no code is valid now: it is too old, or was tried too often; have the number called again",
}


async def answer_with_call(request: Request, of: Kind) -> Response:
    """In the API: have what the address names called and told a code."""
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    return ModelResponse(CodeCall(id=await call_with_code(request, number_id(request), order.language, of=of)), 202)


async def answer_with_message(request: Request, of: Kind) -> Response:
    """In the API: have what the address names sent a code by SMS."""
    order = await read_json(request, CodeOrder, if_empty=CodeOrder())
    await send_code(request, number_id(request), order.language, of=of)
    return Response(status_code=204)


async def confirm_by_entry(request: Request, of: Kind) -> None:
    """In the API: confirm what the address names by the code. Raises as `confirm_by_code`."""
    entry = await read_json(request, CodeEntry)
    await confirm_by_code(request, number_id(request), entry.code, of=of)


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


async def confirm_by_code(request: Request, id: int, code: str, *, of: Kind = ForwardingPhone) -> None:
    """Confirm a phone, or a number of ours, by the code. Raises InvalidInput: it is not the code; NotFound."""
    given, by = services(request), acting_user(request)
    months, now = given.settings.confirmation_months, given.clock.now()
    verdict = await given.database.run(enter_code, id, code, months, of, acting_user=by, at=now)
    if verdict != "confirmed":
        raise InvalidInput(f"code: {_SAID[verdict]}", [FieldProblem("code", _SAID[verdict])])
    await given.directory_changed()


async def keep_confirmed(request: Request, id: int, *, of: Kind = ForwardingPhone) -> None:
    """A number of our own trunk. Raises as `confirm_for_good`."""
    given = services(request)
    await given.database.run(confirm_for_good, id, of, acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()
