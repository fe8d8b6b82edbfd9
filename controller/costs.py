"""What calls cost: amounts, tariffs, and the days of a month. Pure, in whole numbers; nothing is ever a float.

Amounts are millionths of the installation's currency. A line is charged from answer to end by its tariff: the first increment
as soon as it is answered, then every further one that was begun. A line that nobody answered costs nothing.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

UNIT: Final = 1_000_000
"""Millionths of the currency in one of it."""
AMOUNT_PATTERN: Final = r"^[0-9]{1,7}(\.[0-9]{1,6})?$"
LONGEST_PREFIX: Final = 15
"""Digits of the longest number there is (E.164)."""
_MINUTE: Final = 60
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Tariff:
    """How a line is charged: amounts in millionths, increments in seconds."""

    per_minute: int
    connection: int = 0
    first_seconds: int = 60
    next_seconds: int = 60


@dataclass(frozen=True, slots=True)
class PrefixRate:
    """The tariff of all numbers that begin so, through one trunk (None: through any), on this day and later."""

    prefix: str
    trunk: int | None
    valid_from: date
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class MonthlyPrice:
    """What a trunk costs in a month, on this day and later, in millionths."""

    valid_from: date
    amount: int


def read_amount(text: str) -> int:
    """An amount as people write it ("1.75") in millionths. Raises ValueError: it is none, or finer than a millionth."""
    if re.fullmatch(AMOUNT_PATTERN, text) is None:
        raise ValueError("write an amount such as 1.75, with at most six digits after the point")
    return int(Decimal(text) * UNIT)


def write_amount(millionths: int) -> str:
    """The amount, exactly, with at least two digits after the point."""
    whole, part = divmod(millionths, UNIT)
    return f"{whole}.{f'{part:06}'.rstrip('0').ljust(2, '0')}"


def prefixes(digits: str) -> list[str]:
    """Every prefix that a rate for this number may have."""
    return [digits[:length] for length in range(1, min(len(digits), LONGEST_PREFIX) + 1)]


def rate_for(rates: Iterable[PrefixRate], digits: str, trunk: int, day: date) -> PrefixRate | None:
    """The rate of a call on this day: of those that fit, the one of the longest prefix; among equals the trunk's own before that
    of any trunk, then the newest. None: no rate fits.
    """
    fitting = (
        rate for rate in rates if digits.startswith(rate.prefix) and rate.trunk in (None, trunk) and rate.valid_from <= day
    )
    return max(fitting, key=lambda rate: (len(rate.prefix), rate.trunk is not None, rate.valid_from), default=None)


def charged_seconds(tariff: Tariff, open_for: timedelta) -> int:
    """The answered seconds, rounded up to whole increments."""
    seconds = -(-open_for // _SECOND)
    further = max(seconds - tariff.first_seconds, 0)
    return tariff.first_seconds + -(-further // tariff.next_seconds) * tariff.next_seconds


def cost_of_line(tariff: Tariff, open_for: timedelta) -> int:
    """What an answered line costs, in millionths, rounded half up."""
    return tariff.connection + (2 * tariff.per_minute * charged_seconds(tariff, open_for) + _MINUTE) // (2 * _MINUTE)


def part_of_month(amount: int, day: date) -> int:
    """A day's part of what a whole month costs: equal parts, but for the millionths that can't be divided; the parts of all days
    of a month make the amount (SKZ-15).
    """
    days = monthrange(day.year, day.month)[1]
    return amount * day.day // days - amount * (day.day - 1) // days


def price_on(prices: Iterable[MonthlyPrice], day: date) -> int:
    """What a month costs by the price of this day; 0 when there is none."""
    valid = (price for price in prices if price.valid_from <= day)
    newest = max(valid, key=lambda price: price.valid_from, default=None)
    return 0 if newest is None else newest.amount
