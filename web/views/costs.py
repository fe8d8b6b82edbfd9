"""What trunks cost by the day, and their monthly prices, for administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.costs import MonthlyPrice, price_on, read_amount, write_amount
from controller.errors import InvalidInput
from controller.storage import Session
from controller.storage.rates import prices_by_trunk
from controller.storage.trunks import Trunk, list_trunks
from web.cost_models import Amount, CostQuery, CostReport, Day
from web.forms import checked, errors_by_field, form_fields, read_query
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.views.api_costs import load_costs, prices_of_trunk, store_prices

_PRICE_FIELDS = ("trunk", "amount", "valid_from")


class PriceForm(BaseModel):
    """A trunk's monthly price from a day on."""

    trunk: Annotated[int, Field(ge=1, le=2**31 - 1)]
    amount: Amount
    valid_from: Day


@dataclass(frozen=True, slots=True)
class TrunkPriceRow:
    """A trunk, what it costs a month today, and the next change of that."""

    id: int
    name: str
    amount: str
    next: MonthlyPrice | None

    @property
    def next_amount(self) -> str:
        return "" if self.next is None else write_amount(self.next.amount)


async def show_costs(request: Request) -> Response:
    """The costs of some days; this month's if none are given."""
    administrators_only(request)
    return await _costs_page(request)


async def add_price(request: Request) -> Response:
    """A trunk's monthly price was sent; one of the same day gives way to it."""
    administrators_only(request)
    fields = await form_fields(request)
    try:
        new = checked(PriceForm, fields)
        before = await services(request).database.read(prices_of_trunk, new.trunk)
        others = [price for price in before if price.valid_from != new.valid_from]
        await store_prices(request, new.trunk, [*others, MonthlyPrice(new.valid_from, read_amount(new.amount))])
    except InvalidInput as refused:
        return await _costs_page(request, fields, errors_by_field(refused))
    return RedirectResponse("/costs", status_code=303)


async def _costs_page(
    request: Request, fields: Mapping[str, str] | None = None, price_errors: Mapping[str, str] | None = None
) -> Response:
    given = services(request)
    today = given.clock.now().astimezone(given.settings.zone).date()
    period = {name: request.query_params.get(name, "") for name in ("from", "to")}
    errors: dict[str, str] = {}
    report: CostReport | None = None
    try:
        report = await load_costs(request, read_query(request, CostQuery))
        period = {"from": report.first.isoformat(), "to": report.last.isoformat()}
    except InvalidInput as refused:
        errors = errors_by_field(refused)
    trunks, prices = await given.database.read(_prices)
    typed = fields or {"valid_from": today.isoformat()}
    context = {
        "report": report,
        "period": period,
        "errors": errors,
        "form": {name: typed.get(name, "") for name in _PRICE_FIELDS},
        "price_errors": price_errors or {},
        "trunks": [_row(trunk, prices.get(trunk.id, ()), today) for trunk in trunks],
        "currency": given.settings.currency,
    }
    return page(request, "costs.html", context, 422 if errors or price_errors else 200)


def _row(trunk: Trunk, prices: Sequence[MonthlyPrice], today: date) -> TrunkPriceRow:
    later = [price for price in prices if price.valid_from > today]
    following = min(later, key=lambda price: price.valid_from, default=None)
    return TrunkPriceRow(trunk.id, trunk.name, write_amount(price_on(prices, today)), following)


def _prices(session: Session) -> tuple[Sequence[Trunk], dict[int, list[MonthlyPrice]]]:
    return list_trunks(session), prices_by_trunk(session)
