"""Rates, as administrators see and change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.costs import LONGEST_INCREMENT
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage.trunks import list_trunks
from web.cost_models import RateChange, RateModel, RateQuery, rate_model
from web.forms import checked, errors_by_field, form_fields, read_query, status_of
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.views.api_costs import drop_rate, import_table, load_rate, load_rates, replace_rate, store_rate

_FIELDS = ("prefix", "name", "per_minute", "connection", "first_seconds", "next_seconds", "valid_from", "trunk")


class _Place(RateQuery):
    """The part of the list, in an address that may carry more."""

    model_config = ConfigDict(extra="ignore")


async def show_rates(request: Request) -> Response:
    """All rates, and the form to add one."""
    administrators_only(request)
    return await _list_page(request, _empty(request))


async def add_rate(request: Request) -> Response:
    """A new rate was sent."""
    administrators_only(request)
    fields = await form_fields(request)
    try:
        await store_rate(request, _change(fields))
    except Refused as refused:
        return await _list_page(request, fields, refused)
    return RedirectResponse("/rates", status_code=303)


async def import_file(request: Request) -> Response:
    """A table of rates was sent."""
    administrators_only(request)
    try:
        await import_table(request)
    except InvalidInput as refused:
        return await _list_page(request, _empty(request), table_problems=[_in_words(one) for one in refused.problems])
    return RedirectResponse("/rates", status_code=303)


async def show_rate(request: Request) -> Response:
    """One rate, to be changed."""
    administrators_only(request)
    rate = rate_model(await load_rate(request))
    return await _rate_page(request, rate, {name: str(value) for name, value in rate if value is not None})


async def change_one_rate(request: Request) -> Response:
    """A changed rate was sent."""
    administrators_only(request)
    rate = rate_model(await load_rate(request))
    fields = await form_fields(request)
    try:
        await replace_rate(request, _change(fields))
    except Refused as refused:
        return await _rate_page(request, rate, fields, refused)
    return RedirectResponse("/rates", status_code=303)


async def take_away(request: Request) -> Response:
    """A rate is to be deleted."""
    administrators_only(request)
    await drop_rate(request)
    return RedirectResponse("/rates", status_code=303)


def _change(fields: Mapping[str, str]) -> RateChange:
    """What the form means; numbers may be written as people do. Raises InvalidInput."""
    data = {name: fields.get(name, "").strip() for name in _FIELDS}
    return checked(RateChange, {**data, "prefix": data["prefix"].removeprefix("+"), "trunk": data["trunk"] or None})


def _empty(request: Request) -> dict[str, str]:
    given = services(request)
    today = given.clock.now().astimezone(given.settings.zone).date()
    return {"connection": "0", "first_seconds": "60", "next_seconds": "60", "valid_from": today.isoformat()}


def _in_words(problem: FieldProblem) -> str:
    """What is wrong with a table: "lines.3.prefix" is said as people say it."""
    kind, _, place = problem.field.partition(".")
    if kind != "lines":
        return problem.message[:1].upper() + problem.message[1:]
    line, _, column = place.partition(".")
    return f"Line {line}{f', {column}' if column else ''}: {problem.message}"


async def _list_page(
    request: Request, fields: Mapping[str, str], refused: Refused | None = None, table_problems: Sequence[str] = ()
) -> Response:
    query = read_query(request, _Place)
    found = await load_rates(request, query)
    context = {
        **await _form(request, fields, refused),
        "rates": found.rates,
        "table_problems": table_problems,
        "first_page": "/rates" if query.offset else None,
        "next_page": None if found.next_offset is None else f"/rates?offset={found.next_offset}",
    }
    return page(request, "rates.html", context, 422 if table_problems else status_of(refused))


async def _rate_page(request: Request, rate: RateModel, fields: Mapping[str, str], refused: Refused | None = None) -> Response:
    return page(request, "rate.html", {**await _form(request, fields, refused), "rate": rate}, status_of(refused))


async def _form(request: Request, fields: Mapping[str, str], refused: Refused | None) -> dict[str, Any]:
    given = services(request)
    return {
        "form": {name: fields.get(name, "") for name in _FIELDS},
        "errors": errors_by_field(refused),
        "trunks": [trunk.name for trunk in await given.database.read(list_trunks)],
        "currency": given.settings.currency,
        "longest_increment": LONGEST_INCREMENT,
    }
