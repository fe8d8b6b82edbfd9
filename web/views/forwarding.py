"""Phones that missed calls are forwarded to: administrators add common ones, confirm them, and decide about operators' own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.confirmations import CODE_DIGITS
from controller.errors import Refused
from controller.storage.forwarding import list_phones
from web.forms import checked, errors_by_field, form_fields, status_of
from web.forwarding_models import NewPhone, phone_model
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.views.api_forwarding import decide, drop_phone, store_phone
from web.views.confirming import call_with_code, confirm_by_code, keep_confirmed, send_code
from web.views.operators import are_shown
from web.views.places import number_id

ADDRESS = "/forwarding-phones"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What was refused, and of which phone; None: of the new one."""

    refused: Refused
    phone: int | None
    fields: Mapping[str, str]


async def show_phones(request: Request) -> Response:
    """All phones."""
    return await _phones_page(request)


async def add_phone(request: Request) -> Response:
    """A common phone was sent."""
    administrators_only(request)
    fields = await form_fields(request)
    try:
        id = await store_phone(request, checked(NewPhone, {"number": fields.get("number", "").strip()}))
    except Refused as refused:
        return await _phones_page(request, _Trouble(refused, None, fields))
    return RedirectResponse(f"{ADDRESS}#phone-{id}", status_code=303)


async def call_phone(request: Request) -> Response:
    """A phone is to be told a code."""
    return await _act(request, call_with_code, then=f"{ADDRESS}?told={number_id(request)}&by=call")


async def message_phone(request: Request) -> Response:
    """A phone is to be sent a code."""
    return await _act(request, send_code, then=f"{ADDRESS}?told={number_id(request)}&by=sms")


async def confirm(request: Request) -> Response:
    """The code was typed."""
    code = (await form_fields(request)).get("code", "")
    return await _act(request, partial(confirm_by_code, code=code))


async def confirm_for_good(request: Request) -> Response:
    """It is a number of our own trunk."""
    return await _act(request, keep_confirmed)


async def approve(request: Request) -> Response:
    """An operator's own phone is to be used."""
    return await _act(request, partial(decide, approved=True))


async def refuse(request: Request) -> Response:
    """An operator's own phone is not to be used."""
    return await _act(request, partial(decide, approved=False))


async def take_away(request: Request) -> Response:
    """A phone is to be removed."""
    return await _act(request, drop_phone)


async def _act(request: Request, work: Callable[[Request, int], Awaitable[object]], *, then: str = ADDRESS) -> Response:
    administrators_only(request)
    id = number_id(request)
    try:
        await work(request, id)
    except Refused as refused:
        return await _phones_page(request, _Trouble(refused, id, {}))
    return RedirectResponse(then, status_code=303)


async def _phones_page(request: Request, trouble: _Trouble | None = None) -> Response:
    given = services(request)
    now = given.clock.now()
    shown = await are_shown(request)
    found = await given.database.read(list_phones)
    phones = [phone_model(view, now) for view in found if view.operator is None or shown(view.operator)]
    context = {
        "common": [phone for phone in phones if phone.operator is None],
        "own": [phone for phone in phones if phone.operator is not None],
        "may_change": request.state.user.role == "administrator",
        "told": request.query_params.get("told", ""),
        "told_by": request.query_params.get("by", ""),
        "has_sms": given.send_code is not None,
        "code_digits": CODE_DIGITS,
        "months": given.settings.confirmation_months,
        "number": "" if trouble is None else trouble.fields.get("number", ""),
        "troubled": None if trouble is None else trouble.phone,
        "errors": {} if trouble is None else errors_by_field(trouble.refused),
    }
    return page(request, "forwarding_phones.html", context, status_of(None if trouble is None else trouble.refused))
