"""The calendar, against an oracle that looks at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from controller.schedules import Schedule, WorkingTime, next_change, next_opening, state_at, zone_for
from controller.schedules.calendar import WEEKDAYS

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {day: [{"start": "09:00", "end": "13:00"}, {"start": "14:00", "end": "18:00"}] for day in WEEKDAYS[:5]}
# Zones whose clocks change at night, at midnight, by half an hour, over the date line, and not at all.
ZONES = ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kathmandu"]


def schedule(**parts: Any) -> Schedule:
    return Schedule.model_validate(parts)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.covers("SKZ-28")
@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-05-04 08:59:59.999", "closed"),
        ("2026-05-04 09:00", "open"),
        ("2026-05-04 12:59:59.999", "open"),
        ("2026-05-04 13:00", "closed"),
        ("2026-05-04 14:00", "open"),
        ("2026-05-04 18:00", "closed"),
        ("2026-05-09 10:00", "closed"),
    ],
)
def test_a_day_has_several_periods_and_their_end_is_exclusive(moment: str, state: str) -> None:
    assert state_at(schedule(week=OFFICE), at(moment), BERLIN) == state


def test_a_holiday_is_closed_under_its_own_name_and_a_yearly_one_comes_again() -> None:
    given = schedule(week=OFFICE, holidays=[{"day": "2026-05-04"}, {"day": "2020-12-25", "every_year": True}])
    assert state_at(given, at("2026-05-04 10:00"), BERLIN) == "holiday"
    assert state_at(given, at("2027-05-04 10:00"), BERLIN) == "open"
    assert [state_at(given, at(f"{year}-12-25 10:00"), BERLIN) for year in (2026, 2028)] == ["holiday", "holiday"]


def test_a_one_off_day_goes_before_the_holiday_and_the_week() -> None:
    given = schedule(
        week=OFFICE,
        holidays=[{"day": "2026-05-04"}],
        one_off_days=[{"day": "2026-05-04", "periods": [{"start": "10:00", "end": "12:00"}]}, {"day": "2026-05-05"}],
    )
    assert state_at(given, at("2026-05-04 10:00"), BERLIN) == "open"
    assert state_at(given, at("2026-05-04 09:59"), BERLIN) == "closed"
    assert state_at(given, at("2026-05-05 10:00"), BERLIN) == "closed"


def test_a_schedule_without_periods_never_opens() -> None:
    assert next_opening(schedule(), at("2026-05-04 10:00"), BERLIN) is None
    assert state_at(schedule(), at("2026-05-04 10:00"), BERLIN) == "closed"


def test_t_62_after_friday_evening_comes_monday_morning_and_tuesday_if_monday_is_a_holiday() -> None:
    friday = at("2026-05-08 20:00")
    assert next_opening(schedule(week=OFFICE), friday, BERLIN) == at("2026-05-11 09:00")
    holiday = schedule(week=OFFICE, holidays=[{"day": "2026-05-11"}])
    assert next_opening(holiday, friday, BERLIN) == at("2026-05-12 09:00")


def test_a_far_one_off_day_is_found() -> None:
    given = schedule(one_off_days=[{"day": "2031-01-02", "periods": [{"start": "10:00", "end": "12:00"}]}])
    assert next_opening(given, at("2026-05-04 10:00"), BERLIN) == at("2031-01-02 10:00")
    assert next_opening(given, at("2031-01-02 12:00"), BERLIN) is None


def test_the_last_days_of_the_calendar_are_no_error() -> None:
    assert next_opening(schedule(), datetime(9999, 12, 30, tzinfo=UTC), BERLIN) is None


NIGHT = {"sunday": [{"start": "02:30", "end": "03:30"}]}


def test_an_hour_that_summer_time_leaves_out_opens_nothing_before_the_clocks_have_changed() -> None:
    # 2026-03-29 02:00 becomes 03:00: the period is open from 03:00 to 03:30.
    opened = next_opening(schedule(week=NIGHT), at("2026-03-29 00:00"), BERLIN)
    assert opened == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    # 2026-10-25 03:00 becomes 02:00: 02:30 to 03:00, then again 02:30 to 03:30.
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_opening(schedule(week=NIGHT), at("2026-10-25 00:00"), BERLIN) == first
    assert state_at(schedule(week=NIGHT), first + timedelta(minutes=30), BERLIN) == "closed"
    assert next_opening(schedule(week=NIGHT), first + timedelta(minutes=30), BERLIN) == first + timedelta(hours=1)


def test_the_mode_says_whose_clock_decides() -> None:
    utc, tokyo = ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo")
    assert zone_for(schedule(), utc) == utc
    assert zone_for(schedule(zone="Europe/Berlin"), utc, tokyo) == BERLIN
    assert zone_for(schedule(zone="Europe/Berlin", zone_mode="operator"), utc, tokyo) == tokyo
    assert zone_for(schedule(zone="Europe/Berlin", zone_mode="contact"), utc) == BERLIN


@pytest.mark.parametrize(
    ("parts", "where", "said"),
    [
        ({"week": {"monday": [{"start": "18:00", "end": "09:00"}]}}, "week.monday.0", "before it starts at 18:00"),
        ({"week": {"monday": [{"start": "09:00", "end": "09:00"}]}}, "week.monday.0", "is empty"),
        (
            {"week": {"monday": [{"start": "12:00", "end": "18:00"}, {"start": "09:00", "end": "12:01"}]}},
            "week.monday",
            "09:00 to 12:01 and 12:00 to 18:00 overlap",
        ),
        ({"week": {"monday": [{"start": "9:00", "end": "18:00"}]}}, "week.monday.0.start", 'as "09:00"'),
        ({"week": {"monday": [{"start": "09:00", "end": "24:01"}]}}, "week.monday.0.end", 'as "09:00"'),
        ({"week": {"monday": [{"start": "09:00"}]}}, "week.monday.0.end", "required"),
        ({"week": {"mo": []}}, "week.mo.[key]", "monday"),
        ({"zone": "Mars/Olympus"}, "zone", "no time zone"),
        ({"holidays": [{"day": "2026-05-04"}] * 2}, "", "holiday 2026-05-04 is given twice"),
        ({"one_off_days": [{"day": "2026-02-30"}]}, "one_off_days.0.day", "valid date"),
        ({"one_off_days": [{"day": "2026-05-04"}] * 2}, "", "one-off day 2026-05-04 is given twice"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(parts: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        schedule(**parts)
    (error,) = refused.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert said in error["msg"]


def test_periods_that_touch_are_no_overlap_and_a_moment_without_zone_is_refused() -> None:
    touching = schedule(week={"monday": [{"start": "12:00", "end": "24:00"}, {"start": "00:00", "end": "12:00"}]})
    assert [period.start for period in touching.week["monday"]] == [0, 720]
    with pytest.raises(ValueError, match="no time zone"):
        state_at(touching, datetime(2026, 5, 4, 12), BERLIN)


def test_it_reads_what_it_writes() -> None:
    given = schedule(week=OFFICE, holidays=[{"day": "2026-05-04", "name": "Feast"}], one_off_days=[{"day": "2026-05-05"}])
    assert Schedule.model_validate_json(given.model_dump_json()) == given
    assert given.model_dump(mode="json")["week"]["monday"][0] == {"start": "09:00", "end": "13:00"}


@st.composite
def day_periods(draw: st.DrawFn) -> list[dict[str, str]]:
    cuts = sorted(draw(st.sets(st.integers(0, 48), min_size=2, max_size=6)))
    times = [f"{cut // 2:02}:{cut % 2 * 30:02}" for cut in cuts]
    return [{"start": start, "end": end} for start, end in zip(times[::2], times[1::2], strict=False)]


def weeks() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(WEEKDAYS), day_periods(), max_size=3)


def moments() -> st.SearchStrategy[datetime]:
    """Any, most of them shortly before the clocks change somewhere."""
    changes = ["2026-03-08", "2026-03-27", "2026-10-23", "2026-11-01", "2026-04-04", "2026-10-03", "2026-02-14", "2026-03-21"]
    start = st.one_of(st.sampled_from(changes).map(date.fromisoformat), st.dates(date(2025, 1, 1), date(2027, 12, 31)))
    return st.builds(
        lambda day, minute: datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=minute),
        start,
        st.integers(0, 1439),
    )


def open_by_the_wall(given: Schedule, moment: datetime, zone: ZoneInfo) -> bool:
    """Reads the wall clock as text and compares it with the periods as text."""
    wall = moment.astimezone(zone).strftime("%Y-%m-%d %A %H:%M")
    day, weekday, clock = wall.split()
    parts = given.model_dump(mode="json")
    special = [one["periods"] for one in parts["one_off_days"] if one["day"] == day]
    holiday = any(one["day"] == day or (one["every_year"] and one["day"][5:] == day[5:]) for one in parts["holidays"])
    periods = special[0] if special else [] if holiday else parts["week"].get(weekday.lower(), [])
    return any(period["start"] <= clock < period["end"] for period in periods)


@pytest.mark.covers("SKZ-29")
@given(week=weeks(), moment=moments(), zones=st.lists(st.none() | st.sampled_from(ZONES), max_size=4), own=st.sampled_from(ZONES))
def test_an_operator_works_by_his_own_clock_and_the_line_is_open_while_one_of_them_does(
    week: dict[str, Any], moment: datetime, zones: list[str | None], own: str
) -> None:
    working = WorkingTime(schedule(week=week, zone_mode="operator"), ZoneInfo(own))
    people = [None if zone is None else ZoneInfo(zone) for zone in zones]
    at_work = [open_by_the_wall(working.schedule, moment, person or ZoneInfo(own)) for person in people]
    assert [working.holds_for(person, moment) for person in people] == at_work
    expected = any(at_work) if people else open_by_the_wall(working.schedule, moment, ZoneInfo(own))
    assert (working.of_line(people, moment) == "open") == expected


def test_a_line_has_a_holiday_when_all_its_operators_have_one_and_other_modes_ask_nobody() -> None:
    tokyo, berlin = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
    given = schedule(week=OFFICE, holidays=[{"day": "2026-05-05"}], zone_mode="operator")
    in_tokyo = at("2026-05-04 18:00")  # there the holiday has begun
    assert WorkingTime(given, berlin).of_line([tokyo], in_tokyo) == "holiday"
    assert WorkingTime(given, berlin).of_line([tokyo, berlin], in_tokyo) == "closed"
    fixed = schedule(week=OFFICE)
    assert WorkingTime(fixed, berlin).of_line([tokyo], at("2026-05-04 10:00")) == "open"


@given(
    week=weeks(),
    moment=moments(),
    zone=st.sampled_from(ZONES),
    holidays=st.sets(st.integers(0, 6), max_size=3),
    one_off=st.none() | st.tuples(st.integers(0, 6), day_periods()),
)
@example({"sunday": [{"start": "00:00", "end": "01:00"}]}, datetime(2026, 3, 7, 12, tzinfo=UTC), "America/Havana", set(), None)
@example(
    {"saturday": [{"start": "09:00", "end": "10:00"}], "sunday": [{"start": "00:00", "end": "01:00"}]},
    datetime(2026, 10, 31, 20, tzinfo=UTC),
    "America/Havana",
    set(),
    None,
)
@settings(max_examples=60)
def test_every_minute_of_five_days_is_as_the_oracle_says(
    week: dict[str, Any], moment: datetime, zone: str, holidays: set[int], one_off: tuple[int, list[dict[str, str]]] | None
) -> None:
    clock = ZoneInfo(zone)
    today = moment.astimezone(clock).date()
    special = [] if one_off is None else [{"day": today + timedelta(days=one_off[0]), "periods": one_off[1]}]
    given = schedule(week=week, holidays=[{"day": today + timedelta(days=n)} for n in holidays], one_off_days=special)
    minutes = [moment + timedelta(minutes=number) for number in range(5 * 24 * 60)]
    opens = [open_by_the_wall(given, minute, clock) for minute in minutes]
    assert [state_at(given, minute, clock) == "open" for minute in minutes[::15]] == opens[::15]

    asked = range(0, len(minutes), 397)
    following: datetime | None = None
    expected: dict[int, datetime | None] = {}
    for place in reversed(range(len(minutes))):
        following = minutes[place] if opens[place] else following
        expected[place] = following
    for place in asked:
        found = next_opening(given, minutes[place], clock)
        assert found == expected[place] or (expected[place] is None and (found is None or found > minutes[-1]))


@given(week=weeks(), moment=moments(), zone=st.sampled_from(ZONES), holidays=st.sets(st.integers(0, 3), max_size=2))
@example({"sunday": [{"start": "00:00", "end": "01:00"}]}, datetime(2026, 3, 7, 12, tzinfo=UTC), "America/Havana", set())
@example({}, datetime(2026, 11, 1, tzinfo=UTC), "America/Havana", {0})
@settings(max_examples=60)
def test_the_next_change_is_the_first_minute_at_which_another_state_holds(
    week: dict[str, Any], moment: datetime, zone: str, holidays: set[int]
) -> None:
    clock = ZoneInfo(zone)
    today = moment.astimezone(clock).date()
    given = schedule(week=week, holidays=[{"day": today + timedelta(days=n)} for n in holidays])
    states = [state_at(given, moment + timedelta(minutes=number), clock) for number in range(3 * 24 * 60)]
    other = next((place for place, state in enumerate(states) if state != states[0]), None)
    found = next_change(given, moment, clock)
    if other is not None:
        assert found == moment + timedelta(minutes=other)
    else:
        assert found is None or found >= moment + timedelta(minutes=len(states))


def test_what_is_never_open_never_changes_and_the_last_days_of_all_are_no_error() -> None:
    assert next_change(schedule(), at("2026-05-04 12:00"), BERLIN) is None
    assert next_change(schedule(week=OFFICE), at("9999-12-31 20:00"), BERLIN) is None
