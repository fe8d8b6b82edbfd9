"""What calls cost, as the API gives and takes it. Amounts are decimal numbers in text, for JSON's numbers are not exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from controller.actions.costs import EARLIEST_DAY, LATEST_DAY, LONGEST_INCREMENT, RateDraft
from controller.costs import AMOUNT_PATTERN, LONGEST_PREFIX, MonthlyPrice, read_amount, write_amount
from controller.storage.cost_reports import DayCost
from controller.storage.rates import RateView

MOST_DAYS = 366
MOST_RATES = 200
_MOST_PRICES = 500


def _amount(value: str) -> str:
    read_amount(value)
    return value


Amount = Annotated[str, AfterValidator(_amount), Field(json_schema_extra={"pattern": AMOUNT_PATTERN}, max_length=20)]
"""An amount of the installation's currency, such as "1.75"."""
Day = Annotated[date, Field(ge=EARLIEST_DAY, le=LATEST_DAY)]
"""A day of the installation's zone."""


class RateQuery(BaseModel):
    """Which rates to list, in the order of their prefixes."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field("", pattern=rf"^[0-9]{{0,{LONGEST_PREFIX}}}$", description="rates of this prefix and of longer ones")
    limit: int = Field(100, ge=1, le=MOST_RATES)
    offset: int = Field(0, ge=0, le=2**31 - 1, description="how many to pass over")


class RateChange(BaseModel):
    """A rate to be stored."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(max_length=40, description="first digits of the number, with country code, without +; the longest wins")
    per_minute: Amount
    connection: Amount = Field("0", description="once for every answered call")
    first_seconds: int = Field(60, ge=1, le=LONGEST_INCREMENT, description="charged as soon as somebody answers")
    next_seconds: int = Field(60, ge=1, le=LONGEST_INCREMENT, description="each further increment, charged when it begins")
    valid_from: Day = Field(description="calls that begin on this day or later")
    trunk: str | None = Field(None, max_length=64, description="calls through this trunk alone; null: through any")
    name: str = Field("", max_length=64, description="what the prefix is, for people")

    def draft(self) -> RateDraft:
        """The same for the action."""
        return RateDraft(
            self.prefix,
            read_amount(self.per_minute),
            self.valid_from,
            self.trunk,
            self.name,
            read_amount(self.connection),
            self.first_seconds,
            self.next_seconds,
        )


class RateModel(RateChange):
    """A rate."""

    id: int


class RateTableUpload(BaseModel):
    """A table of rates, whose first line names the columns as the fields of a rate are named; `prefix` and `per_minute` must be
    there. Without `valid_from` the rates are valid from today on.
    """

    file: str = Field(json_schema_extra={"format": "binary"}, description="CSV in UTF-8, with commas or semicolons")


class RatesImported(BaseModel):
    """What an import did."""

    added: int
    changed: int


class RateList(BaseModel):
    """Some rates, by prefix, trunk and day."""

    currency: str
    rates: list[RateModel]
    next_offset: int | None = Field(description="give it as `offset` for the next ones; null: these are the last")


class MonthlyPriceModel(BaseModel):
    """What a trunk costs in a month, from this day on."""

    model_config = ConfigDict(extra="forbid")

    valid_from: Day
    amount: Amount


class TrunkPricesChange(BaseModel):
    """All monthly prices of a trunk: former ones, the one in force, later ones."""

    model_config = ConfigDict(extra="forbid")

    prices: list[MonthlyPriceModel] = Field(max_length=_MOST_PRICES)

    def values(self) -> list[MonthlyPrice]:
        """The same for the action."""
        return [MonthlyPrice(price.valid_from, read_amount(price.amount)) for price in self.prices]


class TrunkPrices(BaseModel):
    """All monthly prices of a trunk, oldest first."""

    currency: str
    prices: list[MonthlyPriceModel]


class CostQuery(BaseModel):
    """Of which days the costs are wanted."""

    model_config = ConfigDict(extra="forbid")

    first: Day | None = Field(None, alias="from", description="default: the first day of the last day's month")
    last: Day | None = Field(None, alias="to", description="included; default: today")

    def days(self, today: date) -> tuple[date, date]:
        """The first and the last. Raises ValueError: they are in the wrong order, or too far apart."""
        last = self.last or today
        first = self.first or last.replace(day=1)
        if first > last:
            raise ValueError("the last day is before the first")
        if last - first >= timedelta(days=MOST_DAYS):
            raise ValueError(f"ask for at most {MOST_DAYS} days")
        return first, last


class CostTotal(BaseModel):
    """What there was to pay."""

    fixed: str = Field(description="the trunks' monthly prices, in equal parts of each day")
    calls: str = Field(description="the lines that were begun then")
    total: str
    unknown: int = Field(description="lines that are not in it: no rate fits the number, or the line's end was not seen (yet)")


class DayCostModel(CostTotal):
    """What a trunk cost on one day."""

    day: date
    trunk_id: int
    trunk: str | None = Field(description="its name; null: it was removed")


class CostReport(BaseModel):
    """What trunks cost, by the day; trunks that cost nothing are left out."""

    first: date = Field(serialization_alias="from", validation_alias="from")
    last: date = Field(serialization_alias="to", validation_alias="to")
    currency: str
    days: list[DayCostModel]
    total: CostTotal


def rate_model(view: RateView) -> RateModel:
    """One rate."""
    row = view.row
    return RateModel(
        id=row.id,
        prefix=row.prefix,
        per_minute=write_amount(row.per_minute),
        connection=write_amount(row.connection),
        first_seconds=row.first_seconds,
        next_seconds=row.next_seconds,
        valid_from=row.valid_from,
        trunk=view.trunk,
        name=row.name,
    )


def rate_list(found: Sequence[RateView], query: RateQuery, currency: str) -> RateList:
    """The rates that were looked for, of which one more than wanted may have been found."""
    more = len(found) > query.limit
    rates = [rate_model(view) for view in found[: query.limit]]
    return RateList(currency=currency, rates=rates, next_offset=query.offset + query.limit if more else None)


def price_models(prices: Iterable[MonthlyPrice]) -> list[MonthlyPriceModel]:
    """Prices of a trunk."""
    return [MonthlyPriceModel(valid_from=price.valid_from, amount=write_amount(price.amount)) for price in prices]


def cost_report(first: date, last: date, days: Sequence[DayCost], currency: str) -> CostReport:
    """The costs of these days."""
    fixed, calls = sum(day.fixed for day in days), sum(day.calls for day in days)
    total = CostTotal(
        fixed=write_amount(fixed),
        calls=write_amount(calls),
        total=write_amount(fixed + calls),
        unknown=sum(day.unknown for day in days),
    )
    models = [_day_model(day) for day in days]
    return CostReport.model_validate({"from": first, "to": last, "currency": currency, "days": models, "total": total})


def _day_model(day: DayCost) -> DayCostModel:
    return DayCostModel(
        day=day.day,
        trunk_id=day.trunk_id,
        trunk=day.trunk,
        fixed=write_amount(day.fixed),
        calls=write_amount(day.calls),
        total=write_amount(day.total),
        unknown=day.unknown,
    )
