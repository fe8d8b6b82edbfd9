"""Schedules: when something is open. Pure: the moment and the zone are always given."""

from controller.schedules.calendar import (
    HolidayDate,
    OneOffDay,
    Period,
    Schedule,
    State,
    ZoneMode,
    next_opening,
    state_at,
    zone_for,
)

__all__ = ["HolidayDate", "OneOffDay", "Period", "Schedule", "State", "ZoneMode", "next_opening", "state_at", "zone_for"]
