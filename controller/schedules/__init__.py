"""Schedules: when something is open. Pure: the moment and the zone are always given."""

from controller.schedules.calendar import (
    WEEKDAYS,
    HolidayDate,
    OneOffDay,
    Period,
    Schedule,
    State,
    Weekday,
    WorkingTime,
    ZoneMode,
    next_change,
    next_opening,
    state_at,
    zone_for,
    zone_named,
    zone_of,
    zone_of_caller,
)

__all__ = [
    "WEEKDAYS",
    "HolidayDate",
    "OneOffDay",
    "Period",
    "Schedule",
    "State",
    "Weekday",
    "WorkingTime",
    "ZoneMode",
    "next_change",
    "next_opening",
    "state_at",
    "zone_for",
    "zone_named",
    "zone_of",
    "zone_of_caller",
]
