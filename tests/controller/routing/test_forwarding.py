"""Where missed calls go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.routing.forwarding import Forwarded, OutsidePhone, OutsidePhones, forwarded
from controller.storage.forwarding import Forwarding

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PHONES = OutsidePhones(
    {"100": OutsidePhone("100", NOON + timedelta(days=1)), "101": OutsidePhone("101", NOON)},
    {"2001": OutsidePhone("201"), "2002": OutsidePhone("202"), "2003": OutsidePhone("203", NOON)},
)
COMMON, OWN = Forwarding("common", "100"), Forwarding("own")


@pytest.mark.covers("SKZ-31")
def test_forbidden_forwards_nothing() -> None:
    assert forwarded(Forwarding(), ("2001",), PHONES, NOON) == []


@pytest.mark.covers("SKZ-31", "SKZ-32")
def test_the_common_phone_rings_whoever_was_there() -> None:
    for missed in ((), ("2001",), ("2001", "2002")):
        assert forwarded(COMMON, missed, PHONES, NOON) == [Forwarded("100")]


@pytest.mark.covers("SKZ-31", "SKZ-34")
def test_own_phones_ring_in_the_order_of_the_offers_and_who_has_none_is_left_out() -> None:
    assert forwarded(OWN, ("2002", "2009", "2001"), PHONES, NOON) == [Forwarded("202", "2002"), Forwarded("201", "2001")]
    assert forwarded(OWN, (), PHONES, NOON) == []


@pytest.mark.covers("SKZ-11")
def test_what_is_not_confirmed_any_more_does_not_ring() -> None:
    assert forwarded(Forwarding("common", "101"), (), PHONES, NOON) == []
    assert forwarded(OWN, ("2003",), PHONES, NOON) == []
    assert forwarded(COMMON, (), PHONES, NOON + timedelta(days=1)) == []
    assert forwarded(Forwarding("common", "102"), (), PHONES, NOON) == []
