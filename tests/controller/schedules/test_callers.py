"""Where a caller is, and whether it is working time there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.schedules import Schedule, WorkingTime, zone_of_caller
from tests.controller.schedules.test_calendar import ZONES, moments, open_by_the_wall, weeks
from tests.fixtures.clocks import EAST, EASTERN_NUMBER, MOBILE_NUMBER, WESTERN_NUMBER, open_in_the_east

MOSCOW = "Europe/Moscow"


@pytest.mark.covers("PRJ-26")
@pytest.mark.parametrize(
    ("stored", "number", "zone"),
    [
        (None, f"+{WESTERN_NUMBER}", MOSCOW),
        (EAST, f"+{WESTERN_NUMBER}", EAST),
        (EAST, f"+{MOBILE_NUMBER}", EAST),
        (EAST, None, EAST),
        ("Mars/Olympus", f"+{WESTERN_NUMBER}", MOSCOW),
        (None, f"+{MOBILE_NUMBER}", None),
        (None, "2001", None),
        (None, None, None),
    ],
    ids=["number", "contact", "mobile contact", "without number", "forgotten zone", "mobile", "internal", "nothing"],
)
def test_the_contacts_zone_goes_before_that_of_the_number(stored: str | None, number: str | None, zone: str | None) -> None:
    assert zone_of_caller(stored, number) == (None if zone is None else ZoneInfo(zone))


@given(
    week=weeks(),
    moment=moments(),
    own=st.sampled_from(ZONES),
    caller=st.none() | st.sampled_from(ZONES),
    operators=st.lists(st.none() | st.sampled_from(ZONES), max_size=3),
)
def test_it_is_open_for_a_caller_while_his_own_clock_says_so_whoever_works(
    week: dict[str, Any], moment: datetime, own: str, caller: str | None, operators: list[str | None]
) -> None:
    working = WorkingTime(Schedule.model_validate({"week": week, "zone_mode": "contact"}), ZoneInfo(own))
    people = [None if zone is None else ZoneInfo(zone) for zone in operators]
    state = working.of_line(people, moment, None if caller is None else ZoneInfo(caller))
    assert (state == "open") == open_by_the_wall(working.schedule, moment, ZoneInfo(caller or own))


@pytest.mark.parametrize("mode", ["fixed", "operator"])
def test_in_other_modes_it_does_not_matter_where_the_caller_is(mode: str) -> None:
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    document = {"week": {"monday": [{"start": "12:00", "end": "13:00"}]}, "zone_mode": mode}
    working = WorkingTime(Schedule.model_validate(document), ZoneInfo("UTC"))
    assert working.of_line([None], noon, ZoneInfo(EAST)) == "open"


def test_a_holiday_is_one_where_the_caller_is() -> None:
    document = {"holidays": [{"day": "2026-05-05"}], "zone_mode": "contact"}
    working = WorkingTime(Schedule.model_validate(document), ZoneInfo("UTC"))
    evening = datetime(2026, 5, 4, 18, tzinfo=UTC)
    assert [working.of_line([], evening, ZoneInfo(zone)) for zone in (EAST, MOSCOW)] == ["holiday", "closed"]


@given(moment=moments(), later=st.integers(-59, 59))
def test_what_is_open_in_the_east_is_so_there_alone_whatever_the_hour_and_day(moment: datetime, later: int) -> None:
    """Tests with real calls stand on it."""
    working = WorkingTime(open_in_the_east(moment), ZoneInfo("UTC"))
    zones = [zone_of_caller(None, f"+{number}") for number in (EASTERN_NUMBER, WESTERN_NUMBER, MOBILE_NUMBER)]
    states = [working.of_line([], moment + timedelta(minutes=later), zone) for zone in zones]
    assert states == ["open", "closed", "closed"]
