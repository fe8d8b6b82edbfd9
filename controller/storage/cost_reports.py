"""What trunks cost by the day: their own price, and the calls through them (SKZ-15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from controller.costs import part_of_month, price_on
from controller.storage.calls import CallLeg
from controller.storage.rates import prices_by_trunk
from controller.storage.trunks import Trunk


@dataclass(frozen=True, slots=True)
class DayCost:
    """What a trunk cost on one day, in millionths: `fixed` is the day's part of its monthly price, `calls` what the lines that
    were begun that day have cost. `unknown` of these have no known cost (yet). `trunk` is its name; None: it was removed.
    """

    day: date
    trunk_id: int
    trunk: str | None
    fixed: int
    calls: int
    unknown: int

    @property
    def total(self) -> int:
        return self.fixed + self.calls


def day_costs(session: Session, first: date, last: date, zone: tzinfo) -> list[DayCost]:
    """The costs of all days from `first` to `last`, both included, as they are in the zone; trunks that cost nothing are left
    out.
    """
    names = dict(session.exec(select(Trunk.id, Trunk.name)).all())
    prices = prices_by_trunk(session)
    found = []
    for day in _days(first, last):
        calls = _calls(session, _midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        fixed = {trunk: part_of_month(price_on(of_trunk, day), day) for trunk, of_trunk in prices.items()}
        charged = {trunk for trunk, amount in fixed.items() if amount}
        for trunk in sorted(charged | calls.keys()):
            cost, unknown = calls.get(trunk, (0, 0))
            found.append(DayCost(day, trunk, names.get(trunk), fixed.get(trunk, 0), cost, unknown))
    return found


def _calls(session: Session, since: datetime, until: datetime) -> dict[int, tuple[int, int]]:
    """What the lines begun in this time have cost, and of how many that is not known, by trunk."""
    query = (
        select(CallLeg.trunk_id, func.sum(CallLeg.cost), func.count() - func.count(col(CallLeg.cost)))
        .where(col(CallLeg.trunk_id).is_not(None), col(CallLeg.started_at) >= since, col(CallLeg.started_at) < until)
        .group_by(col(CallLeg.trunk_id))
    )
    return {trunk: (int(cost or 0), unknown) for trunk, cost, unknown in session.exec(query) if trunk is not None}


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
