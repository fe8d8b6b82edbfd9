"""Rates, trunks' prices and costs in the API; what the pages do with rates and prices is done here as well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.costs import change_rate, create_rate, delete_rate, import_rates, set_trunk_prices
from controller.costs import MonthlyPrice
from controller.errors import FieldProblem, InvalidInput
from controller.storage import Session
from controller.storage.cost_reports import day_costs
from controller.storage.rates import RateView, get_rate, list_rates, trunk_prices
from controller.storage.trunks import get_trunk
from web.cost_models import (
    CostQuery,
    CostReport,
    RateChange,
    RateList,
    RateQuery,
    RatesImported,
    TrunkPrices,
    TrunkPricesChange,
    cost_report,
    price_models,
    rate_list,
    rate_model,
)
from web.forms import read_json, read_query
from web.rate_tables import read_rate_table
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.uploads import read_upload
from web.views.places import number_id


async def get_rates(request: Request) -> Response:
    """Rates."""
    return ModelResponse(await load_rates(request, read_query(request, RateQuery)))


async def get_one_rate(request: Request) -> Response:
    """One rate."""
    return ModelResponse(rate_model(await load_rate(request)))


async def post_rate(request: Request) -> Response:
    """Add a rate."""
    id = await store_rate(request, await read_json(request, RateChange))
    return ModelResponse(rate_model(await services(request).database.read(get_rate, id)), 201)


async def put_rate(request: Request) -> Response:
    """Replace a rate."""
    await replace_rate(request, await read_json(request, RateChange))
    return await get_one_rate(request)


async def remove_rate(request: Request) -> Response:
    """Delete a rate."""
    await drop_rate(request)
    return Response(status_code=204)


async def post_rate_table(request: Request) -> Response:
    """Import a table of rates."""
    return ModelResponse(await import_table(request))


async def get_trunk_prices(request: Request) -> Response:
    """A trunk's monthly prices."""
    given = services(request)
    prices = await given.database.read(prices_of_trunk, number_id(request))
    return ModelResponse(TrunkPrices(currency=given.settings.currency, prices=price_models(prices)))


async def put_trunk_prices(request: Request) -> Response:
    """Replace a trunk's monthly prices."""
    body = await read_json(request, TrunkPricesChange)
    await store_prices(request, number_id(request), body.values())
    return await get_trunk_prices(request)


async def get_costs(request: Request) -> Response:
    """Costs by the day."""
    return ModelResponse(await load_costs(request, read_query(request, CostQuery)))


async def load_rates(request: Request, query: RateQuery) -> RateList:
    """The rates that are looked for."""
    given = services(request)
    found = await given.database.read(list_rates, query.prefix, query.limit + 1, query.offset)
    return rate_list(found, query, given.settings.currency)


async def load_rate(request: Request) -> RateView:
    """The rate of the address. Raises NotFound."""
    return await services(request).database.read(get_rate, number_id(request))


async def store_rate(request: Request, new: RateChange) -> int:
    """A new rate; returns its id. Raises as `create_rate`."""
    given, by = services(request), acting_user(request)
    created = await given.database.run(create_rate, new.draft(), acting_user=by, at=given.clock.now())
    return created.id


async def replace_rate(request: Request, new: RateChange) -> None:
    """Replace the rate of the address. Raises as `change_rate`."""
    given, by = services(request), acting_user(request)
    await given.database.run(change_rate, number_id(request), new.draft(), acting_user=by, at=given.clock.now())


async def drop_rate(request: Request) -> None:
    """Delete the rate of the address. Raises NotFound."""
    given, by = services(request), acting_user(request)
    await given.database.run(delete_rate, number_id(request), acting_user=by, at=given.clock.now())


async def import_table(request: Request) -> RatesImported:
    """Take over the table that was sent, whole or not at all. Raises InvalidInput, with `lines.3.prefix` for line 3."""
    given, by, now = services(request), acting_user(request), services(request).clock.now()
    async with read_upload(request) as upload:
        drafts = await asyncio.to_thread(read_rate_table, upload.file, now.astimezone(given.settings.zone).date())
    imported = await given.database.run(import_rates, drafts, acting_user=by, at=now)
    return RatesImported(added=imported.added, changed=imported.changed)


async def store_prices(request: Request, trunk: int, prices: Sequence[MonthlyPrice]) -> None:
    """Replace a trunk's monthly prices. Raises as `set_trunk_prices`."""
    given, by = services(request), acting_user(request)
    await given.database.run(set_trunk_prices, trunk, prices, acting_user=by, at=given.clock.now())


async def load_costs(request: Request, query: CostQuery) -> CostReport:
    """The costs of the days that are asked for. Raises InvalidInput: too many, or in the wrong order."""
    given = services(request)
    zone = given.settings.zone
    try:
        first, last = query.days(given.clock.now().astimezone(zone).date())
    except ValueError as error:
        raise InvalidInput(f"to: {error}", [FieldProblem("to", str(error))]) from None
    days = await given.database.read(day_costs, first, last, zone)
    return cost_report(first, last, days, given.settings.currency)


def prices_of_trunk(session: Session, id: int) -> list[MonthlyPrice]:
    """Raises NotFound."""
    return trunk_prices(session, get_trunk(session, id).id)
