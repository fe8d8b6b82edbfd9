"""What lines cost, as it is stored with them, and what that makes by the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.actions.trunks import TrunkDraft, create_trunk, delete_trunk
from controller.costs import UNIT, MonthlyPrice
from controller.ids import CallId, ChannelId
from controller.storage import Database
from controller.storage.calls import close_open_calls, get_call
from controller.storage.cost_reports import day_costs
from controller.storage.journal_changes import Change, LegEnded, LegStarted, PaidLine
from controller.storage.journal_rows import write_changes
from controller.storage.rates import Pricing, Rate, replace_trunk_prices, trunk_prices
from tests.controller.storage.call_changes import NOON, ended, second, started

DAY = NOON.date()
MINUTE = timedelta(minutes=1)
MOSCOW = ZoneInfo("Europe/Moscow")


def write(database: Database, changes: Sequence[Change], pricing: Pricing | None = None) -> None:
    with database.engine.begin() as connection:
        write_changes(connection, changes, pricing or Pricing())


def has_trunk(database: Database, name: str = "Carrier") -> int:
    with database.session() as session:
        return create_trunk(session, TrunkDraft(name, "192.0.2.1"), acting_user="test", at=NOON).id


def has_rates(database: Database, *rates: Rate) -> None:
    with database.session() as session:
        session.add_all(rates)


def line(call: str, number: str, trunk: int, open_for: timedelta | None = MINUTE, at: float = 0) -> list[Change]:
    """A call whose only line goes through a trunk."""
    id, leg = CallId(call), ChannelId(f"{call}-op1")
    paid = PaidLine(trunk, number, second(at), open_for)
    return [
        started(call, at),
        LegStarted(id, leg, second(at), None, "", number, number, trunk=trunk),
        LegEnded(id, leg, second(at + 70), 16, paid=paid),
        ended(call, at + 70),
    ]


def cost(database: Database, call: str) -> int | None:
    with database.session() as session:
        return get_call(session, call).cost


@pytest.mark.parametrize(
    ("number", "millionths"),
    [
        ("+7 495 123-45-67", 2 * UNIT),
        ("74951234567", 2 * UNIT),
        ("84951234567", 2 * UNIT),
        ("79161234567", 1 * UNIT),
        ("100", 3 * UNIT),
        ("+4930123456", None),
    ],
)
def test_the_rate_of_a_number_is_found_however_it_was_dialled(database: Database, number: str, millionths: int | None) -> None:
    trunk = has_trunk(database)
    prices = {"7": 1, "7495": 2, "100": 3}
    has_rates(database, *(Rate(prefix=prefix, valid_from=DAY, per_minute=price * UNIT) for prefix, price in prices.items()))
    write(database, line("01A", number, trunk), Pricing(region="RU"))
    assert cost(database, "01A") == millionths


def test_the_trunks_own_rate_counts_before_that_of_any_trunk_and_not_for_another(database: Database) -> None:
    own, other = has_trunk(database), has_trunk(database, "Other")
    has_rates(
        database,
        Rate(prefix="7", valid_from=DAY, per_minute=UNIT),
        Rate(prefix="7", trunk_id=own, valid_from=DAY - timedelta(days=9), per_minute=2 * UNIT),
    )
    write(database, line("01A", "74951234567", own) + line("02B", "74951234567", other))
    assert (cost(database, "01A"), cost(database, "02B")) == (2 * UNIT, UNIT)


def test_a_rate_begins_with_its_day_where_the_installation_is(database: Database) -> None:
    trunk = has_trunk(database)
    has_rates(
        database,
        Rate(prefix="7", valid_from=DAY, per_minute=UNIT),
        Rate(prefix="7", valid_from=DAY + timedelta(days=1), per_minute=2 * UNIT),
    )
    late = 10 * 3600  # 22:00 UTC is tomorrow in Moscow
    write(database, line("01A", "74951234567", trunk, at=late), Pricing(UTC))
    write(database, line("02B", "74951234567", trunk, at=late), Pricing(MOSCOW))
    assert (cost(database, "01A"), cost(database, "02B")) == (UNIT, 2 * UNIT)


def test_a_cost_stays_as_it_was_when_rates_change_or_go(database: Database) -> None:
    trunk = has_trunk(database)
    has_rates(database, Rate(id=1, prefix="7", trunk_id=trunk, valid_from=DAY, per_minute=UNIT))
    write(database, line("01A", "74951234567", trunk))
    with database.session() as session:
        delete_trunk(session, trunk, acting_user="test", at=NOON)
    assert cost(database, "01A") == UNIT
    with database.session() as session:
        assert session.get(Rate, 1) is None


def test_what_is_not_answered_costs_nothing_even_without_a_rate(database: Database) -> None:
    write(database, line("01A", "74951234567", 7, open_for=None))
    assert cost(database, "01A") == 0


def test_a_line_whose_end_nobody_saw_has_no_known_cost(database: Database) -> None:
    has_rates(database, Rate(prefix="7", valid_from=DAY, per_minute=UNIT))
    write(database, line("01A", "74951234567", 7)[:2])
    with database.session() as session:
        close_open_calls(session, second(100), frozenset())
    assert cost(database, "01A") is None


def test_the_clients_line_is_apart_from_those_who_were_rung_and_its_cost_is_the_calls_too(database: Database) -> None:
    has_rates(database, Rate(prefix="7", valid_from=DAY, per_minute=UNIT))
    id, leg = CallId("01A"), ChannelId("01A-client")
    client: list[Change] = [
        LegStarted(id, leg, second(1), None, "", "79161234567", "79161234567", trunk=7, of_client=True),
        LegEnded(id, leg, second(90), 16, paid=PaidLine(7, "79161234567", second(1), MINUTE * 1.5)),
    ]
    begun, *rest = line("01A", "74951234567", 7)
    write(database, [begun, *client, *rest])
    with database.session() as session:
        found = get_call(session, "01A")
    assert found.client_leg is not None and found.client_leg.cost == 2 * UNIT
    assert [one.number for one in found.legs] == ["74951234567"]
    assert found.cost == 3 * UNIT


@pytest.mark.covers("SKZ-15")
def test_days_have_their_part_of_the_monthly_price_and_their_calls(database: Database) -> None:
    trunk = has_trunk(database)
    has_rates(database, Rate(prefix="7", valid_from=DAY, per_minute=UNIT))
    with database.session() as session:
        replace_trunk_prices(session, trunk, [MonthlyPrice(date(2026, 5, 1), 990 * UNIT)])
    late = 10 * 3600
    write(database, line("01A", "74951234567", trunk) + line("02B", "493012345", trunk) + line("03C", "7495", trunk, at=late))
    with database.session() as session:
        month = day_costs(session, date(2026, 5, 1), date(2026, 5, 31), MOSCOW)
        before = day_costs(session, date(2026, 4, 1), date(2026, 4, 30), MOSCOW)
    assert [one.day.day for one in month] == list(range(1, 32)) and before == []
    assert sum(one.fixed for one in month) == 990 * UNIT and {one.fixed for one in month} == {31_935_483, 31_935_484}
    charged = [(one.day, one.calls, one.unknown) for one in month if one.calls or one.unknown]
    assert charged == [(DAY, UNIT, 1), (DAY + timedelta(days=1), UNIT, 0)]
    assert all(one.total == one.fixed + one.calls and one.trunk == "Carrier" for one in month)


@pytest.mark.covers("SKZ-15")
def test_a_trunk_that_is_removed_costs_nothing_from_the_next_day_on_and_its_past_stays(database: Database) -> None:
    trunk = has_trunk(database)
    later = MonthlyPrice(DAY + timedelta(days=20), 5 * UNIT)
    with database.session() as session:
        replace_trunk_prices(session, trunk, [MonthlyPrice(date(2026, 1, 1), 31 * UNIT), later])
        delete_trunk(session, trunk, zone=MOSCOW, acting_user="test", at=NOON)
    with database.session() as session:
        month = day_costs(session, date(2026, 5, 1), date(2026, 5, 31), MOSCOW)
        ends = MonthlyPrice(DAY + timedelta(days=1), 0)
        assert trunk_prices(session, trunk) == [MonthlyPrice(date(2026, 1, 1), 31 * UNIT), ends]
    assert [(one.day.day, one.fixed, one.trunk) for one in month] == [(day, UNIT, None) for day in range(1, 5)]
