"""Schedules as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime, tzinfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from controller.schedules import Schedule, State, ZoneMode, next_opening, state_at, zone_for
from controller.storage.schedules import StoredSchedule


class ScheduleChange(BaseModel):
    """A schedule to be stored."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    schedule: Schedule


class ScheduleModel(BaseModel):
    """A stored schedule."""

    id: int
    name: str
    schedule: Schedule
    updated_at: datetime


class ScheduleList(BaseModel):
    """All schedules, by name."""

    schedules: list[ScheduleModel]


class StateQuery(BaseModel):
    """The moment to look at."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime | None = Field(None, description="default: now")


class ScheduleState(BaseModel):
    """How a schedule is at a moment by the clock of `zone`, whatever its zone mode. Times are UTC."""

    at: datetime
    state: State
    zone: str = Field(description="the clock of this answer: the schedule's own zone, or else the installation's")
    zone_mode: ZoneMode = Field(
        description="whose clock decides for calls. fixed: that of `zone`. operator, contact: each one's own; that of `zone` is"
        " for those whose own is not known, so for others it may be open when it is closed here, and the other way round"
    )
    next_opening: datetime | None = Field(description="`at` itself when it is open; null when it does not open within a year")


def schedule_model(stored: StoredSchedule) -> ScheduleModel:
    """One schedule."""
    return ScheduleModel(
        id=stored.id, name=stored.name, schedule=Schedule.model_validate(stored.document), updated_at=stored.updated_at
    )


def schedule_state(stored: StoredSchedule, at: datetime, installation: tzinfo) -> ScheduleState:
    """How it is at a moment, by its own zone's clock."""
    schedule = Schedule.model_validate(stored.document)
    zone = zone_for(schedule, installation)
    state, opening = state_at(schedule, at, zone), next_opening(schedule, at, zone)
    return ScheduleState(at=at, state=state, zone=str(zone), zone_mode=schedule.zone_mode, next_opening=opening)
