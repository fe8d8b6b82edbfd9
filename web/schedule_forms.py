"""A schedule as people type it, and back. Pure.

a weekday      09:00-13:00, 14:00-18:00
holidays       one a line: 2026-05-09 every year Victory Day
one-off days   one a line: 2026-12-31 10:00-15:00 — or without periods: closed
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from controller.errors import FieldProblem, InvalidInput
from controller.schedules import WEEKDAYS, Period, Schedule

EVERY_YEAR = "every year"
CLOSED = "closed"
_LONGEST_TEXT = 20_000
_TIME = r"[0-9]{1,2}(?::[0-9]{2})?"
_PERIOD = re.compile(rf"({_TIME})\s*(?:-|–|—|to)\s*({_TIME})")  # noqa: RUF001 - people type dashes
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """The fields of the form as they were typed."""

    name: str = ""
    week: Mapping[str, str] = field(default_factory=dict)
    holidays: str = ""
    one_off_days: str = ""
    zone_mode: str = "fixed"
    zone: str = ""

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> ScheduleText:
        """What a form sent."""
        week: dict[str, str] = {day: fields.get(day, "") for day in WEEKDAYS}
        rest = {name: fields[name] for name in ("name", "holidays", "one_off_days", "zone_mode", "zone") if name in fields}
        return cls(week=week, **rest)

    @classmethod
    def of(cls, name: str, schedule: Schedule) -> ScheduleText:
        """A stored schedule, to be changed."""
        return cls(
            name,
            {day: _periods_text(schedule.week.get(day, ())) for day in WEEKDAYS},
            "\n".join(
                " ".join(filter(None, (str(one.day), EVERY_YEAR if one.every_year else "", one.name)))
                for one in schedule.holidays
            ),
            "\n".join(f"{one.day} {_periods_text(one.periods) or CLOSED}" for one in schedule.one_off_days),
            schedule.zone_mode,
            schedule.zone or "",
        )

    def schedule(self) -> Schedule:
        """What it means. Raises InvalidInput with a problem for each field that is wrong: a weekday, "holidays", "zone" …"""
        problems: list[FieldProblem] = []
        document = {
            "week": {day: periods for day in WEEKDAYS if (periods := _read(problems, day, _periods, self.week.get(day, "")))},
            "holidays": _read(problems, "holidays", _holidays, self.holidays) or [],
            "one_off_days": _read(problems, "one_off_days", _one_off_days, self.one_off_days) or [],
            "zone_mode": self.zone_mode,
            "zone": self.zone.strip() or None,
        }
        try:
            checked = Schedule.model_validate(document)
        except ValidationError as error:
            problems += [_problem(item) for item in error.errors(include_url=False, include_input=False)]
        if problems:
            raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)
        return checked


def _read(
    problems: list[FieldProblem], name: str, read: Callable[[str], list[dict[str, Any]]], text: str
) -> list[dict[str, Any]] | None:
    try:
        if len(text) > _LONGEST_TEXT:
            raise ValueError("this is too long")
        return read(text)
    except ValueError as error:
        problems.append(FieldProblem(name, str(error)))
        return None


def _periods(text: str) -> list[dict[str, Any]]:
    return [_period(part.strip()) for part in re.split(r"[,;]", text) if part.strip() and part.strip().lower() != CLOSED]


def _period(text: str) -> dict[str, Any]:
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text[:40]}" is no period: write it as 09:00-13:00, several with commas between them')
    return {"start": _clock(match[1]), "end": _clock(match[2])}


def _clock(text: str) -> str:
    """ "9" and "9:00" are "09:00"."""
    hours, _, minutes = text.partition(":")
    return f"{int(hours):02}:{minutes or '00'}"


def _holidays(text: str) -> list[dict[str, Any]]:
    found = []
    for number, line in _lines(text):
        match = re.fullmatch(rf"({_DAY})(\s+{EVERY_YEAR}\b)?\s*(.*)", line)
        if match is None:
            raise ValueError(f'line {number}: write the day first, for example "2026-05-09 {EVERY_YEAR} Victory Day"')
        found.append({"day": match[1], "every_year": match[2] is not None, "name": match[3].strip()})
    return found


def _one_off_days(text: str) -> list[dict[str, Any]]:
    found = []
    for number, line in _lines(text):
        match = re.fullmatch(rf"({_DAY})\s+(.+)", line)
        if match is None:
            raise ValueError(f'line {number}: write the day and its periods, for example "2026-12-31 10:00-15:00", or "{CLOSED}"')
        try:
            found.append({"day": match[1], "periods": _periods(match[2])})
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return found


def _lines(text: str) -> Iterable[tuple[int, str]]:
    return ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _problem(item: Any) -> FieldProblem:
    """A problem of the model at the field of the form."""
    where = [str(part) for part in item["loc"]]
    message = item["msg"].removeprefix("Value error, ")
    if where[:1] == ["week"] and len(where) > 1:
        return FieldProblem(where[1], message)
    if where[:1] in (["holidays"], ["one_off_days"]) and len(where) > 1:
        return FieldProblem(where[0], f"entry {int(where[1]) + 1}: {message}")
    return FieldProblem(where[0] if where else "one_off_days" if "one-off" in message else "holidays", message)


def _periods_text(periods: Iterable[Period]) -> str:
    written = (period.model_dump(mode="json") for period in periods)
    return ", ".join(f"{one['start']}-{one['end']}" for one in written)
