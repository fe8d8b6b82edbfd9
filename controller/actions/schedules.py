"""Schedules by name; what uses them keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from controller.actions.fields import checked_name
from controller.actions.usage import scenarios_that_name
from controller.errors import Refused
from controller.schedules import Schedule
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.numbers import numbers_of_schedule
from controller.storage.schedules import StoredSchedule, find_schedule, get_schedule


def create_schedule(session: Session, name: str, schedule: Schedule, *, acting_user: str, at: datetime) -> StoredSchedule:
    """Raises InvalidInput: a bad name; Refused: the name is taken."""
    name = checked_name("name", name)
    _name_is_free(session, name, None)
    stored = StoredSchedule(name=name, document=schedule.model_dump(mode="json"), updated_at=at)
    session.add(stored)
    add_audit(session, at, acting_user, "schedule.create", f"schedule {name}")
    session.flush()
    return stored


def change_schedule(
    session: Session, id: int, name: str, schedule: Schedule, *, acting_user: str, at: datetime
) -> StoredSchedule:
    """Replace what is in a schedule, and perhaps its name. The next decision uses it.

    Raises InvalidInput: a bad name; Refused: the name is taken, or a scenario uses the old one; NotFound.
    """
    stored = get_schedule(session, id)
    name = checked_name("name", name)
    if name != stored.name:
        _name_is_free(session, name, id)
        _is_unused(stored.name, "given another name", _scenarios(session, stored.name))
    before, stored.name = stored.name, name
    stored.document, stored.updated_at = schedule.model_dump(mode="json"), at
    add_audit(session, at, acting_user, "schedule.change", f"schedule {name}", before=before)
    session.flush()
    return stored


def delete_schedule(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Raises Refused: a scenario or a number uses it; NotFound."""
    stored = get_schedule(session, id)
    _is_unused(stored.name, "removed", users_of_schedule(session, stored))
    session.delete(stored)
    add_audit(session, at, acting_user, "schedule.delete", f"schedule {stored.name}")
    session.flush()


def users_of_schedule(session: Session, stored: StoredSchedule) -> list[str]:
    """The scenarios that branch on it, and the numbers whose own it is."""
    return [*_scenarios(session, stored.name), *(f"the number {row.number}" for row in numbers_of_schedule(session, stored.id))]


def _name_is_free(session: Session, name: str, id: int | None) -> None:
    found = find_schedule(session, name)
    if found is not None and found.id != id:
        raise Refused(f'there is already a schedule "{name}"')


def _is_unused(name: str, purpose: str, users: Sequence[str]) -> None:
    if users:
        raise Refused(f'the schedule "{name}" can\'t be {purpose}: it is used by {", ".join(users)}')


def _scenarios(session: Session, name: str) -> list[str]:
    return [f'the scenario "{user}"' for user in scenarios_that_name(session, "schedule", name)]
