"""What calls cost, without a call."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.costs import (
    UNIT,
    MonthlyPrice,
    PrefixRate,
    Tariff,
    charged_seconds,
    cost_of_line,
    part_of_month,
    prefixes,
    price_on,
    rate_for,
    read_amount,
    write_amount,
)

DAY = date(2026, 5, 4)
AMOUNTS = st.integers(0, 10_000_000 * UNIT - 1)
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=1))
TARIFFS = st.builds(Tariff, AMOUNTS, AMOUNTS, st.integers(1, 3600), st.integers(1, 3600))
DIGITS = st.text("0123", min_size=1, max_size=6)
DAYS = st.dates(DAY - timedelta(days=3), DAY + timedelta(days=3))
RATES = st.lists(st.builds(PrefixRate, DIGITS, st.sampled_from([None, 1, 2]), DAYS, st.just(Tariff(1))), max_size=30)


@given(AMOUNTS)
def test_an_amount_that_is_written_is_read_as_the_same(amount: int) -> None:
    assert read_amount(write_amount(amount)) == amount


@pytest.mark.parametrize(("text", "written"), [("0", "0.00"), ("1.75", "1.75"), ("990", "990.00"), ("0.000001", "0.000001")])
def test_amounts_are_exact(text: str, written: str) -> None:
    assert write_amount(read_amount(text)) == written


@pytest.mark.parametrize("text", ["", "-1", "1,5", "1.", ".5", "1e3", "0.0000001", "12345678", "٣", "1\n", "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write an amount"):
        read_amount(text)


@given(RATES, DIGITS)
def test_the_longest_prefix_that_fits_has_the_rate(rates: list[PrefixRate], digits: str) -> None:
    fitting = [one for one in rates if digits.startswith(one.prefix) and one.trunk in (None, 1) and one.valid_from <= DAY]
    found = rate_for(rates, digits, 1, DAY)
    if found is None:
        assert not fitting
        return
    assert found in fitting and found.prefix in prefixes(digits)
    assert len(found.prefix) == max(len(one.prefix) for one in fitting)
    equal = [one for one in fitting if one.prefix == found.prefix]
    assert found.trunk == 1 or not any(one.trunk == 1 for one in equal)
    assert found.valid_from == max(one.valid_from for one in equal if one.trunk == found.trunk)


@given(TARIFFS, LENGTHS)
def test_seconds_are_rounded_up_to_whole_increments_and_never_by_more_than_one(tariff: Tariff, length: timedelta) -> None:
    charged = charged_seconds(tariff, length)
    assert timedelta(seconds=charged) >= length
    further, rest = divmod(charged - tariff.first_seconds, tariff.next_seconds)
    assert further >= 0 and rest == 0
    if further:
        assert timedelta(seconds=charged - tariff.next_seconds) < length


@given(TARIFFS, LENGTHS)
def test_a_line_costs_its_connection_and_its_charged_minutes_to_half_a_millionth(tariff: Tariff, length: timedelta) -> None:
    exact = tariff.connection + Fraction(tariff.per_minute * charged_seconds(tariff, length), 60)
    assert -Fraction(1, 2) < cost_of_line(tariff, length) - exact <= Fraction(1, 2)


@given(TARIFFS, LENGTHS, LENGTHS)
def test_a_longer_line_never_costs_less(tariff: Tariff, one: timedelta, other: timedelta) -> None:
    assert cost_of_line(tariff, min(one, other)) <= cost_of_line(tariff, max(one, other))


@pytest.mark.parametrize(
    ("first", "next", "seconds", "charged"),
    [(60, 60, 0, 60), (60, 60, 60, 60), (60, 60, 60.001, 120), (1, 1, 12.2, 13), (30, 6, 31, 36), (1, 60, 2, 61)],
)
def test_increments_as_carriers_write_them(first: int, next: int, seconds: float, charged: int) -> None:
    assert charged_seconds(Tariff(1, 0, first, next), timedelta(seconds=seconds)) == charged


@pytest.mark.covers("SKZ-70")
def test_two_lines_of_a_transfer_run_in_parallel_each_at_its_own_rate() -> None:
    landline, mobile = (Tariff(read_amount(price), 0, 1, 1) for price in ("0.5", "1.75"))
    minute = timedelta(minutes=1)
    assert write_amount(cost_of_line(landline, minute) + cost_of_line(mobile, minute)) == "2.25"


@pytest.mark.covers("SKZ-15")
@given(AMOUNTS, st.integers(1, 9999), st.integers(1, 12))
def test_the_days_of_every_month_have_equal_parts_that_make_its_price(amount: int, year: int, month: int) -> None:
    days = monthrange(year, month)[1]
    parts = [part_of_month(amount, date(year, month, day)) for day in range(1, days + 1)]
    assert sum(parts) == amount and max(parts) - min(parts) <= 1


@given(st.lists(st.builds(MonthlyPrice, DAYS, AMOUNTS), unique_by=lambda price: price.valid_from))
def test_the_newest_price_that_is_valid_counts(prices: list[MonthlyPrice]) -> None:
    valid = sorted((price.valid_from, price.amount) for price in prices if price.valid_from <= DAY)
    assert price_on(prices, DAY) == (valid[-1][1] if valid else 0)
