"""Rates: what calls through trunks cost, and what trunks cost themselves. Amounts are millionths of the currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Row, Table, delete, func
from sqlmodel import Field, Session, SQLModel, col, select

from controller.addresses import phone_number
from controller.costs import MonthlyPrice, PrefixRate, Tariff, cost_of_line, prefixes, price_on, rate_for
from controller.storage.journal_changes import PaidLine
from controller.storage.rows import by_id
from controller.storage.trunks import Trunk


class Rate(SQLModel, table=True):
    """The price of numbers that begin with `prefix` (digits of E.164, without +), see `controller.costs`. `trunk_id` None:
    through any trunk. `valid_from` is a day of the installation's zone.
    """

    __tablename__ = "rates"

    id: int = Field(default=None, primary_key=True)
    prefix: str = Field(index=True)
    trunk_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("trunks.id", ondelete="CASCADE"), nullable=True, index=True)
    )
    valid_from: date
    name: str = ""
    per_minute: int = Field(sa_type=BigInteger)
    connection: int = Field(default=0, sa_type=BigInteger)
    first_seconds: int = 60
    next_seconds: int = 60


class TrunkPrice(SQLModel, table=True):
    """What a trunk costs in a month from a day on. It stays when the trunk is removed: what was written off was written off."""

    __tablename__ = "trunk_prices"

    trunk_id: int = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)


_RATES: Final[Table] = Rate.__table__  # type: ignore[attr-defined]


RateKey: TypeAlias = tuple[str, int | None, date]
"""Prefix, trunk and day: of each there is one rate."""


@dataclass(frozen=True, slots=True)
class RateView:
    """A rate with the name of its trunk."""

    row: Rate
    trunk: str | None


@dataclass(frozen=True, slots=True)
class Pricing:
    """How lines find their rates: the zone in which days begin, and the country of numbers without country code."""

    zone: tzinfo = UTC
    region: str | None = None

    def cost(self, connection: Connection, line: PaidLine) -> int | None:
        """What the line costs; None: no rate fits it."""
        if line.open_for is None:
            return 0
        digits = (phone_number(line.number, self.region) or line.number).removeprefix("+")
        fitting = connection.execute(_RATES.select().where(_RATES.c.prefix.in_(prefixes(digits))))
        rates = [PrefixRate(row.prefix, row.trunk_id, row.valid_from, _tariff(row)) for row in fitting]
        found = rate_for(rates, digits, line.trunk, line.begun_at.astimezone(self.zone).date())
        return None if found is None else cost_of_line(found.tariff, line.open_for)


def list_rates(session: Session, prefix: str, limit: int, offset: int) -> list[RateView]:
    """Rates of this prefix and longer ones, by prefix, trunk and day."""
    query = select(Rate, Trunk.name).outerjoin(Trunk, col(Trunk.id) == col(Rate.trunk_id))
    query = query.where(col(Rate.prefix).startswith(prefix, autoescape=True))
    query = (
        query.order_by(col(Rate.prefix), func.coalesce(Trunk.name, ""), col(Rate.valid_from), col(Rate.id))
        .limit(limit)
        .offset(offset)
    )
    return [RateView(row, trunk) for row, trunk in session.exec(query)]


def get_rate(session: Session, id: int) -> RateView:
    """Raises NotFound."""
    row = by_id(session, Rate, id, f"rate {id}")
    trunk = None if row.trunk_id is None else session.get(Trunk, row.trunk_id)
    return RateView(row, None if trunk is None else trunk.name)


def find_rate(session: Session, prefix: str, trunk_id: int | None, valid_from: date) -> Rate | None:
    query = select(Rate).where(Rate.prefix == prefix, Rate.valid_from == valid_from)
    query = query.where(col(Rate.trunk_id).is_(None) if trunk_id is None else col(Rate.trunk_id) == trunk_id)
    return session.exec(query).first()


def rates_by_key(session: Session) -> dict[RateKey, Rate]:
    """All rates."""
    return {(row.prefix, row.trunk_id, row.valid_from): row for row in session.exec(select(Rate))}


def trunk_prices(session: Session, trunk_id: int) -> list[MonthlyPrice]:
    """All monthly prices of a trunk, oldest first."""
    query = select(TrunkPrice).where(TrunkPrice.trunk_id == trunk_id).order_by(col(TrunkPrice.valid_from))
    return [MonthlyPrice(row.valid_from, row.amount) for row in session.exec(query)]


def replace_trunk_prices(session: Session, trunk_id: int, prices: Iterable[MonthlyPrice]) -> None:
    """The trunk has these monthly prices and no others."""
    session.exec(delete(TrunkPrice).where(col(TrunkPrice.trunk_id) == trunk_id))
    for price in prices:
        session.add(TrunkPrice(trunk_id=trunk_id, valid_from=price.valid_from, amount=price.amount))


def end_trunk_prices(session: Session, trunk_id: int, last: date) -> None:
    """The trunk costs nothing more after this day."""
    prices = [price for price in trunk_prices(session, trunk_id) if price.valid_from <= last]
    end = [MonthlyPrice(last + timedelta(days=1), 0)] if price_on(prices, last) else []
    replace_trunk_prices(session, trunk_id, [*prices, *end])


def prices_by_trunk(session: Session) -> dict[int, list[MonthlyPrice]]:
    """The monthly prices of all trunks, of removed ones too."""
    found: dict[int, list[MonthlyPrice]] = defaultdict(list)
    for row in session.exec(select(TrunkPrice)):
        found[row.trunk_id].append(MonthlyPrice(row.valid_from, row.amount))
    return found


def _tariff(row: Row[Any]) -> Tariff:
    return Tariff(row.per_minute, row.connection, row.first_seconds, row.next_seconds)
