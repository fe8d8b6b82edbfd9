"""The block list: whose calls are not taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.contacts import LONGEST_COMMENT
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage.contacts import BlockAction, BlockedNumber, BlockKind, get_blocked, list_blocked
from web.contact_models import BlockChange, PageQuery, block_model
from web.forms import checked, errors_by_field, form_fields, read_query, status_of
from web.hidden_numbers import as_meant
from web.rendering import page
from web.services import services
from web.views.api_contacts import drop_block, replace_block, store_block
from web.views.places import number_id

_DEFAULTS = {"number": "", "kind": "exact", "action": "reject", "comment": "", "expires_at": ""}


class _Place(PageQuery):
    """The page of the list, in an address that may carry more."""

    model_config = ConfigDict(extra="ignore")


async def show_blocked_numbers(request: Request) -> Response:
    """The block list, and the form to add to it; a number may come with the address."""
    return await _list_page(request, {"number": request.query_params.get("number", "")[:40]})


async def add_blocked_number(request: Request) -> Response:
    """A new entry was sent."""
    fields = await form_fields(request)
    try:
        await store_block(request, _change(request, fields))
    except Refused as refused:
        return await _list_page(request, fields, refused)
    return RedirectResponse("/blocked-numbers", status_code=303)


async def show_blocked_number(request: Request) -> Response:
    """One entry, to be changed."""
    entry = await services(request).database.read(get_blocked, number_id(request))
    zone = services(request).settings.zone
    expires = entry.expires_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if entry.expires_at else ""
    fields = {"number": entry.pattern, "kind": entry.kind, "action": entry.action, "comment": entry.comment}
    return _entry_page(request, entry, {**fields, "expires_at": expires})


async def change_blocked_number(request: Request) -> Response:
    """A changed entry was sent."""
    entry = await services(request).database.read(get_blocked, number_id(request))
    before = {"number": entry.pattern, "comment": entry.comment}
    fields = await as_meant(request, await form_fields(request), before)
    try:
        await replace_block(request, _change(request, fields))
    except Refused as refused:
        return _entry_page(request, entry, fields, refused)
    return RedirectResponse("/blocked-numbers", status_code=303)


async def take_away(request: Request) -> Response:
    """An entry is to be taken off the list."""
    await drop_block(request)
    return RedirectResponse("/blocked-numbers", status_code=303)


def _change(request: Request, fields: Mapping[str, str]) -> BlockChange:
    """What the form means; its moment is one of the installation's zone. Raises InvalidInput."""
    data: dict[str, Any] = {name: fields.get(name, default) for name, default in _DEFAULTS.items()}
    typed = data.pop("expires_at")
    if typed:
        try:
            moment = datetime.fromisoformat(typed)
        except ValueError:
            said = "write day and time, for example 2026-05-09T18:00"
            raise InvalidInput(f"expires_at: {said}", [FieldProblem("expires_at", said)]) from None
        data["expires_at"] = moment.replace(tzinfo=moment.tzinfo or services(request).settings.zone)
    return checked(BlockChange, data)


async def _list_page(request: Request, fields: Mapping[str, str], refused: Refused | None = None) -> Response:
    given = services(request)
    query = read_query(request, _Place)
    found: Sequence[BlockedNumber] = await given.database.read(list_blocked, query.limit + 1, query.after)
    shown = [block_model(entry) for entry in found[: query.limit]]
    context = {
        **_form(fields, refused),
        "entries": shown,
        "now": given.clock.now(),
        "first_page": "/blocked-numbers" if query.after else None,
        "next_page": f"/blocked-numbers?after={shown[-1].id}" if len(found) > query.limit else None,
    }
    return page(request, "blocked_numbers.html", context, status_of(refused))


def _entry_page(request: Request, entry: BlockedNumber, fields: Mapping[str, str], refused: Refused | None = None) -> Response:
    return page(request, "blocked_number.html", {**_form(fields, refused), "entry": block_model(entry)}, status_of(refused))


def _form(fields: Mapping[str, str], refused: Refused | None) -> dict[str, Any]:
    return {
        "form": {name: fields.get(name, default) for name, default in _DEFAULTS.items()},
        "errors": errors_by_field(refused),
        "kinds": get_args(BlockKind),
        "actions": get_args(BlockAction),
        "longest_comment": LONGEST_COMMENT,
    }
