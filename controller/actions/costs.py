"""Rates of calls and monthly prices of trunks (SKZ-15, SKZ-38). Amounts are millionths of the installation's currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from controller.actions.fields import checked_name, checked_pattern, checked_seconds, invalid
from controller.costs import LONGEST_PREFIX, UNIT, MonthlyPrice, write_amount
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.rates import Rate, RateKey, find_rate, get_rate, rates_by_key, replace_trunk_prices
from controller.storage.trunks import get_trunk, list_trunks

LONGEST_INCREMENT: Final = 3600
MOST_PROBLEMS: Final = 50
"""Of an import that are told."""
HIGHEST_AMOUNT: Final = 10_000_000 * UNIT - 1
EARLIEST_DAY: Final = date(2000, 1, 1)
LATEST_DAY: Final = date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class RateDraft:
    """A rate as people write it (see `controller.costs`): `trunk` is a trunk's name, None: any trunk; `name` says what the prefix
    is, for example "Moscow, mobile".
    """

    prefix: str
    per_minute: int
    valid_from: date
    trunk: str | None = None
    name: str = ""
    connection: int = 0
    first_seconds: int = 60
    next_seconds: int = 60


@dataclass(frozen=True, slots=True)
class ImportedRates:
    """What an import did: rates that are new, and rates that were there and have changed."""

    added: int
    changed: int


def create_rate(session: Session, draft: RateDraft, *, acting_user: str, at: datetime) -> Rate:
    """Raises InvalidInput: a field that can't be used, named; Refused: there is a rate of the same prefix, trunk and day."""
    rate = Rate(**_put(session, draft, None))
    session.add(rate)
    add_audit(session, at, acting_user, "rate.create", f"rate of {rate.prefix}", per_minute=write_amount(rate.per_minute))
    session.flush()
    return rate


def change_rate(session: Session, id: int, draft: RateDraft, *, acting_user: str, at: datetime) -> Rate:
    """What was charged stays charged. Raises as `create_rate`, and NotFound."""
    rate = get_rate(session, id).row
    _assign(rate, _put(session, draft, rate))
    add_audit(session, at, acting_user, "rate.change", f"rate of {rate.prefix}", per_minute=write_amount(rate.per_minute))
    session.flush()
    return rate


def delete_rate(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """What was charged stays charged. Raises NotFound."""
    rate = get_rate(session, id).row
    session.delete(rate)
    add_audit(session, at, acting_user, "rate.delete", f"rate of {rate.prefix}", per_minute=write_amount(rate.per_minute))
    session.flush()


def set_trunk_prices(session: Session, trunk_id: int, prices: Sequence[MonthlyPrice], *, acting_user: str, at: datetime) -> None:
    """What the trunk costs in a month, by the days on which that changes: these prices and no others.

    Raises NotFound; InvalidInput: `prices.0.amount`, `prices.0.valid_from`, or two prices of one day.
    """
    trunk = get_trunk(session, trunk_id)
    for place, price in enumerate(prices):
        _check_day(f"prices.{place}.valid_from", price.valid_from)
        _check_amount(f"prices.{place}.amount", price.amount)
        if price.valid_from in {one.valid_from for one in prices[:place]}:
            raise invalid(f"prices.{place}.valid_from", "there is another price of this day")
    replace_trunk_prices(session, trunk_id, prices)
    written = {price.valid_from.isoformat(): write_amount(price.amount) for price in prices}
    add_audit(session, at, acting_user, "trunk.prices", f"trunk {trunk.name}", prices=written)
    session.flush()


def import_rates(session: Session, drafts: Mapping[int, RateDraft], *, acting_user: str, at: datetime) -> ImportedRates:
    """Take over a table of rates, by its lines, whole or not at all; a rate of the same prefix, trunk and day gives way to it.

    Raises InvalidInput: `lines.3.prefix` for what is wrong in line 3.
    """
    rates = _checked_table(drafts, _trunk_ids(session))
    stored = rates_by_key(session)
    for key, values in rates.items():
        if key in stored:
            _assign(stored[key], values)
        else:
            session.add(Rate(**values))
    changed = len(rates.keys() & stored.keys())
    imported = ImportedRates(len(rates) - changed, changed)
    add_audit(session, at, acting_user, "rate.import", "rates", added=imported.added, changed=imported.changed)
    session.flush()
    return imported


def _checked_table(drafts: Mapping[int, RateDraft], trunks: Mapping[str, int]) -> dict[RateKey, dict[str, Any]]:
    """The fields of all rates. Raises InvalidInput."""
    rates: dict[RateKey, dict[str, Any]] = {}
    problems: list[FieldProblem] = []
    for line, draft in drafts.items():
        try:
            values = _checked(draft, trunks)
            key = (draft.prefix, values["trunk_id"], draft.valid_from)
            if key in rates:
                raise invalid("prefix", "a line before has the same prefix, trunk and day")
            rates[key] = values
        except InvalidInput as wrong:
            problems += [FieldProblem(f"lines.{line}.{one.field}", one.message) for one in wrong.problems]
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems[:MOST_PROBLEMS])
    return rates


def _put(session: Session, draft: RateDraft, before: Rate | None) -> dict[str, Any]:
    """The checked fields of a rate that no other one stands in the way of."""
    values = _checked(draft, _trunk_ids(session))
    found = find_rate(session, draft.prefix, values["trunk_id"], draft.valid_from)
    if found is not None and (before is None or found.id != before.id):
        through = "any trunk" if draft.trunk is None else f'trunk "{draft.trunk}"'
        raise Refused(f"numbers that begin with {draft.prefix} already have a rate through {through} from {draft.valid_from} on")
    return values


def _assign(rate: Rate, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        setattr(rate, field, value)


def _trunk_ids(session: Session) -> dict[str, int]:
    return {trunk.name: trunk.id for trunk in list_trunks(session)}


def _checked(draft: RateDraft, trunks: Mapping[str, int]) -> dict[str, Any]:
    digits = rf"[0-9]{{1,{LONGEST_PREFIX}}}"
    prefix = checked_pattern("prefix", draft.prefix, digits, "write the first digits with country code, without + (1 to 15)")
    if draft.trunk is not None and draft.trunk not in trunks:
        raise invalid("trunk", f'there is no trunk "{draft.trunk}"')
    _check_day("valid_from", draft.valid_from)
    _check_amount("per_minute", draft.per_minute)
    _check_amount("connection", draft.connection)
    return {
        "prefix": prefix,
        "trunk_id": None if draft.trunk is None else trunks[draft.trunk],
        "valid_from": draft.valid_from,
        "name": checked_name("name", draft.name) if draft.name.strip() else "",
        "per_minute": draft.per_minute,
        "connection": draft.connection,
        "first_seconds": checked_seconds("first_seconds", draft.first_seconds, LONGEST_INCREMENT),
        "next_seconds": checked_seconds("next_seconds", draft.next_seconds, LONGEST_INCREMENT),
    }


def _check_day(field: str, day: date) -> None:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise invalid(field, f"use a day from {EARLIEST_DAY} to {LATEST_DAY}")


def _check_amount(field: str, amount: int) -> None:
    if not 0 <= amount <= HIGHEST_AMOUNT:
        raise invalid(field, f"use 0 to {write_amount(HIGHEST_AMOUNT)}")
