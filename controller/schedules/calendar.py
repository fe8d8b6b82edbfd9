"""Open or closed at a moment (SKZ-28, SKZ-29, PRJ-24, LNR-28, LNR-29, "Unified: Schedules").

Rules:
- What decides is the clock on the wall of the schedule's zone. Where summer time repeats an hour, it counts both times; an
  hour that it leaves out opens nothing.
- A period's end is exclusive: at 18:00 a period of 09:00 to 18:00 is over. 24:00 is the end of the day.
- A one-off day goes before a holiday, a holiday before the week.
- In the mode "operator" each operator's own clock decides whether he works; a line is open as long as anybody of it does.
- In the mode "contact" it is the clock of who calls: that of his contact's zone, else that of the zone his number lies in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from controller.addresses import zone_of_number

State: TypeAlias = Literal["open", "closed", "holiday"]
ZoneMode: TypeAlias = Literal["fixed", "operator", "contact"]
Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SEARCHED_DAYS = 370
"""How far `next_opening` looks day by day: a year, so that yearly holidays are behind. One-off days are found beyond it."""

_DAY = 24 * 60
_TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"


def _minute(value: object) -> object:
    if isinstance(value, str):
        if re.fullmatch(_TIME_PATTERN, value) is None:
            raise ValueError('write a time as "09:00"; the end of the day is "24:00"')
        return int(value[:2]) * 60 + int(value[3:])
    return value


def _written(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


Minute = Annotated[
    int,
    BeforeValidator(_minute),
    Field(ge=0, le=_DAY, json_schema_extra={"pattern": _TIME_PATTERN}),
    PlainSerializer(_written, return_type=str),
]
"""A time of day in minutes since midnight; written "09:00"."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(_Part):
    """A part of a day; `end` is exclusive."""

    start: Minute
    end: Minute

    @model_validator(mode="after")
    def _goes_forward(self) -> Period:
        if self.start == self.end:
            raise ValueError(f"the period {_written(self.start)} to {_written(self.end)} is empty")
        if self.end < self.start:
            raise ValueError(
                f"the period ends at {_written(self.end)}, before it starts at {_written(self.start)}; "
                "one that passes midnight is two: until 24:00, and from 00:00 on the next day"
            )
        return self


def _in_order(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    ordered = tuple(sorted(periods, key=lambda period: period.start))
    for before, after in pairwise(ordered):
        if after.start < before.end:
            raise ValueError(
                f"the periods {_written(before.start)} to {_written(before.end)} and "
                f"{_written(after.start)} to {_written(after.end)} overlap"
            )
    return ordered


Periods = Annotated[tuple[Period, ...], Field(max_length=24), AfterValidator(_in_order)]


class HolidayDate(_Part):
    """A day on which nothing is open; with `every_year` only its month and day count."""

    day: date
    every_year: bool = False
    name: str = Field("", max_length=64)

    def falls_on(self, day: date) -> bool:
        same_day = (self.day.month, self.day.day) == (day.month, day.day)
        return same_day if self.every_year else self.day == day


class OneOffDay(_Part):
    """A single day with its own periods, whatever the week and the holidays say; without periods it is closed."""

    day: date
    periods: Periods = ()


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError: there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(f'there is no time zone "{name}"; use a name of the IANA list, for example "Europe/Moscow"') from None


def zone_of(stored: str | None) -> ZoneInfo | None:
    """The time zone that was stored for somebody; None when he has none, or one that this machine does not know any more."""
    try:
        return None if stored is None else zone_named(stored)
    except ValueError:
        return None


def zone_of_caller(stored: str | None, number: str | None) -> ZoneInfo | None:
    """The zone of who calls: the one that was stored for his contact, else the only one that his number may lie in (PRJ-26).

    `number` is as `controller.addresses.phone_number` gives it. None: his zone is not known.
    """
    return zone_of(stored) or (None if number is None else zone_of(zone_of_number(number)))


def _known_zone(name: str | None) -> str | None:
    return None if name is None else zone_named(name).key


class Schedule(_Part):
    """Weekdays x periods, holidays, one-off days, and whose clock decides.

    A weekday that is not named is closed. `zone` is an IANA name; None is the installation's zone. In the modes "operator" and
    "contact" it stands in for a person whose zone is not known.
    """

    week: dict[Weekday, Periods] = Field(default_factory=dict)
    holidays: tuple[HolidayDate, ...] = Field((), max_length=400)
    one_off_days: tuple[OneOffDay, ...] = Field((), max_length=400)
    zone_mode: ZoneMode = "fixed"
    zone: Annotated[str | None, AfterValidator(_known_zone)] = None

    @model_validator(mode="after")
    def _each_day_once(self) -> Schedule:
        for what, days in (
            ("one-off day", [one.day for one in self.one_off_days]),
            ("holiday", [(one.day, one.every_year) for one in self.holidays]),
        ):
            twice = next((day for place, day in enumerate(days) if day in days[:place]), None)
            if twice is not None:
                day = twice[0] if isinstance(twice, tuple) else twice
                raise ValueError(f"the {what} {day} is given twice")
        return self

    def periods_on(self, day: date) -> Sequence[Period]:
        """When it is open on a day; empty on holidays."""
        for one in self.one_off_days:
            if one.day == day:
                return one.periods
        return () if self.is_holiday(day) else self.week.get(WEEKDAYS[day.weekday()], ())

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a holiday that no one-off day replaces."""
        replaced = any(one.day == day for one in self.one_off_days)
        return not replaced and any(holiday.falls_on(day) for holiday in self.holidays)


def zone_for(schedule: Schedule, installation: tzinfo, person: tzinfo | None = None) -> tzinfo:
    """Whose clock decides; `person` is the operator or contact of the modes named after them, if his zone is known."""
    if schedule.zone_mode != "fixed" and person is not None:
        return person
    return installation if schedule.zone is None else ZoneInfo(schedule.zone)


def state_at(schedule: Schedule, moment: datetime, zone: tzinfo) -> State:
    """What holds at an aware moment on the clock of the zone (see `zone_for`)."""
    local = _aware(moment).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if any(period.start <= minute < period.end for period in schedule.periods_on(local.date())):
        return "open"
    return "holiday" if schedule.is_holiday(local.date()) else "closed"


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """A schedule, and the zone of the installation whose clock stands in where the schedule names none."""

    schedule: Schedule
    installation: tzinfo

    def holds_for(self, person: tzinfo | None, moment: datetime) -> bool:
        """Whether an operator of this zone (None: not known) works at the moment (SKZ-29)."""
        return state_at(self.schedule, moment, zone_for(self.schedule, self.installation, person)) == "open"

    def of_line(self, operators: Iterable[tzinfo | None], moment: datetime, caller: tzinfo | None = None) -> State:
        """How a line stands for a caller of the zone `caller` that operators of these zones could serve (None: not known).

        In the mode "operator" it is "open" as soon as one of them works, "holiday" when all of them have one. Without operators,
        and for a caller of whom nothing is known, the schedule's own clock decides.
        """
        clocks = set(operators) if self.schedule.zone_mode == "operator" else {caller}
        zones = {zone_for(self.schedule, self.installation, one) for one in clocks or {None}}
        states = {state_at(self.schedule, moment, zone) for zone in zones}
        return "open" if "open" in states else states.pop() if len(states) == 1 else "closed"


def next_opening(schedule: Schedule, moment: datetime, zone: tzinfo) -> datetime | None:
    """The first moment from `moment` on at which it is open, in UTC: `moment` itself if it is open.

    None when it does not open in the next SEARCHED_DAYS days, nor on a later one-off day.
    """
    moment = _aware(moment).astimezone(UTC)
    if state_at(schedule, moment, zone) == "open":
        return moment
    for day in _days_from(schedule, moment.astimezone(zone).date()):
        opens = [
            start
            for start in _possible_starts(schedule.periods_on(day), day, zone)
            if start >= moment and state_at(schedule, start, zone) == "open"
        ]
        if opens:
            return min(opens)
    return None


def next_change(schedule: Schedule, moment: datetime, zone: tzinfo) -> datetime | None:
    """The first moment after `moment` at which another state begins, in UTC; None when none does in SEARCHED_DAYS days."""
    moment = _aware(moment).astimezone(UTC)
    now = state_at(schedule, moment, zone)
    first = moment.astimezone(zone).date()
    for number in range(min(SEARCHED_DAYS, (date.max - first).days)):
        day = first + timedelta(days=number)
        changes = [
            change
            for change in _possible_changes(schedule.periods_on(day), day, zone)
            if change > moment and state_at(schedule, change, zone) != now
        ]
        if changes:
            return min(changes)
    return None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment


def _days_from(schedule: Schedule, first: date) -> Iterator[date]:
    # The last days that a date can name are beyond any schedule; a step over them would be an error.
    searched = min(SEARCHED_DAYS, (date.max - first).days)
    yield from (first + timedelta(days=number) for number in range(searched))
    last = first + timedelta(days=searched)
    yield from sorted(one.day for one in schedule.one_off_days if last <= one.day < date.max)


def _possible_starts(periods: Sequence[Period], day: date, zone: tzinfo) -> Iterator[datetime]:
    """Moments at which it may become open on a day: where a period starts, both times if its hour comes twice, and where the
    clocks are changed into a period. Some are not what they seem (an hour that was left out): the caller looks at each."""
    if periods:
        yield from _on_the_clock([period.start for period in periods], day, zone)


def _possible_changes(periods: Sequence[Period], day: date, zone: tzinfo) -> Iterator[datetime]:
    """As `_possible_starts`, for any change of the state: where a period starts or ends, at midnight, and at a clock change."""
    ends = [minute for period in periods for minute in (period.start, period.end) if minute < _DAY]
    return _on_the_clock([0, *ends], day, zone)


def _on_the_clock(minutes: Sequence[int], day: date, zone: tzinfo) -> Iterator[datetime]:
    """The moments of a day at which the clock shows these, and at which it is changed."""
    midnight = datetime.combine(day, datetime.min.time())
    shown = [
        (midnight + timedelta(minutes=minute)).replace(tzinfo=zone, fold=fold).astimezone(UTC)
        for minute in minutes
        for fold in (0, 1)
    ]
    change = _clock_change(midnight.replace(tzinfo=zone).astimezone(UTC), zone)
    # A change shortly before or after the day is that of the day beside it.
    return (moment for moment in [*shown, *([change] if change else [])] if moment.astimezone(zone).date() == day)


def _clock_change(midnight: datetime, zone: tzinfo) -> datetime | None:
    """The moment, to the second, when the clocks of the zone are changed around a day that begins at `midnight`."""
    before, after = midnight - timedelta(hours=3), midnight + timedelta(hours=27)
    if _offset(before, zone) == _offset(after, zone):
        return None
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
