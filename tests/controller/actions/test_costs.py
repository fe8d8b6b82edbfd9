"""Rates and monthly prices, as people change them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.costs import HIGHEST_AMOUNT, RateDraft, change_rate, create_rate, delete_rate, set_trunk_prices
from controller.actions.trunks import TrunkDraft, create_trunk
from controller.costs import UNIT, MonthlyPrice
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.rates import get_rate, list_rates, trunk_prices

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}
DAY = date(2026, 5, 4)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_rates_are_added_changed_and_deleted_and_listed_by_prefix(session: Session) -> None:
    create_trunk(session, TrunkDraft("Carrier", "192.0.2.1"), **BY_ANN)
    drafts = [
        RateDraft("7916", 2 * UNIT, DAY),
        RateDraft("7495", UNIT, DAY, "Carrier", " Moscow "),
        RateDraft("7495", 3, DAY),
        RateDraft("7", 4, DAY),
        RateDraft("49", 5, DAY),
    ]
    ids = [create_rate(session, draft, **BY_ANN).id for draft in drafts]
    listed = [(one.row.prefix, one.trunk, one.row.name) for one in list_rates(session, "7", 100, 0)]
    assert listed == [("7", None, ""), ("7495", None, ""), ("7495", "Carrier", "Moscow"), ("7916", None, "")]
    assert [one.row.prefix for one in list_rates(session, "", 2, 1)] == ["7", "7495"]
    change_rate(session, ids[0], RateDraft("7916", HIGHEST_AMOUNT, DAY, first_seconds=30, next_seconds=6), **BY_ANN)
    row = get_rate(session, ids[0]).row
    assert (row.per_minute, row.first_seconds, row.next_seconds) == (HIGHEST_AMOUNT, 30, 6)
    delete_rate(session, ids[0], **BY_ANN)
    with pytest.raises(NotFound):
        get_rate(session, ids[0])
    assert [(entry.action, entry.detail) for entry in list_audit(session, 2)] == [
        ("rate.delete", {"per_minute": "9999999.999999"}),
        ("rate.change", {"per_minute": "9999999.999999"}),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefix", ""),
        ("prefix", "+7"),
        ("prefix", "7" * 16),
        ("prefix", "٧"),
        ("per_minute", -1),
        ("per_minute", HIGHEST_AMOUNT + 1),
        ("connection", -1),
        ("first_seconds", 0),
        ("next_seconds", 3601),
        ("trunk", "nobody"),
        ("name", "a\nb"),
        ("valid_from", date(1999, 12, 31)),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused_at_its_field(session: Session, field: str, value: object) -> None:
    given: dict[str, Any] = {"prefix": "7", "per_minute": 1, "valid_from": DAY, field: value}
    with pytest.raises(InvalidInput) as refused:
        create_rate(session, RateDraft(**given), **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert list_rates(session, "", 10, 0) == []


def test_a_prefix_has_one_rate_a_day_through_a_trunk(session: Session) -> None:
    create_trunk(session, TrunkDraft("Carrier", "192.0.2.1"), **BY_ANN)
    id = create_rate(session, RateDraft("7", 1, DAY), **BY_ANN).id
    create_rate(session, RateDraft("7", 1, DAY, "Carrier"), **BY_ANN)
    other = create_rate(session, RateDraft("7", 1, date(2026, 6, 1)), **BY_ANN).id
    with pytest.raises(Refused, match="already have a rate through any trunk"):
        create_rate(session, RateDraft("7", 2, DAY), **BY_ANN)
    with pytest.raises(Refused):
        change_rate(session, other, RateDraft("7", 2, DAY), **BY_ANN)
    assert change_rate(session, id, RateDraft("7", 2, DAY), **BY_ANN).per_minute == 2


def test_a_trunks_prices_are_replaced_together_or_not_at_all(session: Session) -> None:
    trunk = create_trunk(session, TrunkDraft("Carrier", "192.0.2.1"), **BY_ANN).id
    prices = [MonthlyPrice(DAY, 990 * UNIT), MonthlyPrice(date(2026, 6, 1), 0)]
    set_trunk_prices(session, trunk, prices, **BY_ANN)
    assert trunk_prices(session, trunk) == prices
    for wrong, field in (
        ([MonthlyPrice(DAY, 1), MonthlyPrice(DAY, 2)], "prices.1.valid_from"),
        ([MonthlyPrice(DAY, -1)], "prices.0.amount"),
        ([MonthlyPrice(date(3000, 1, 1), 1)], "prices.0.valid_from"),
    ):
        with pytest.raises(InvalidInput) as refused:
            set_trunk_prices(session, trunk, wrong, **BY_ANN)
        assert [problem.field for problem in refused.value.problems] == [field]
    assert trunk_prices(session, trunk) == prices
    set_trunk_prices(session, trunk, prices[:1], **BY_ANN)
    assert trunk_prices(session, trunk) == prices[:1]
    with pytest.raises(NotFound):
        set_trunk_prices(session, 99, [], **BY_ANN)
