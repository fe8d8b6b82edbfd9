"""Schedules by name, guarded by what uses them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.schedules import change_schedule, create_schedule, delete_schedule
from controller.errors import InvalidInput, NotFound, Refused
from controller.schedules import Schedule
from controller.storage import Database
from controller.storage.scenarios import StoredScenario
from controller.storage.schedules import find_schedule, list_schedules, schedule_names

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
OFFICE = Schedule.model_validate({"week": {"monday": [{"start": "09:00", "end": "18:00"}]}})


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def scenario_with(session: Session, schedule: str) -> None:
    """A scenario whose draft branches on a schedule."""
    draft = {"schema_version": 1, "start": "s", "nodes": {"s": {"operation": {"type": "schedule", "schedule": schedule}}}}
    session.add(StoredScenario(name="Evening", draft=draft, updated_at=NOON))
    session.flush()


def test_a_schedule_is_kept_as_it_was_given_and_replaced(session: Session) -> None:
    id = create_schedule(session, " Office ", OFFICE, **BY_ANN).id
    found = find_schedule(session, "Office")
    assert found is not None and Schedule.model_validate(found.document) == OFFICE
    change_schedule(session, id, "Shop", Schedule(), **BY_ANN)
    assert schedule_names(session) == {"Shop"}
    assert Schedule.model_validate(list_schedules(session)[0].document) == Schedule()


def test_a_name_is_used_once_and_is_a_name(session: Session) -> None:
    create_schedule(session, "Office", OFFICE, **BY_ANN)
    other = create_schedule(session, "Shop", OFFICE, **BY_ANN).id
    for again in (
        lambda: create_schedule(session, "Office", OFFICE, **BY_ANN),
        lambda: change_schedule(session, other, "Office", OFFICE, **BY_ANN),
    ):
        with pytest.raises(Refused, match="already"):
            again()
    with pytest.raises(InvalidInput):
        create_schedule(session, " ", OFFICE, **BY_ANN)


def test_one_in_use_may_be_changed_but_neither_removed_nor_renamed(session: Session) -> None:
    id = create_schedule(session, "Office", OFFICE, **BY_ANN).id
    scenario_with(session, "Office")
    change_schedule(session, id, "Office", Schedule(), **BY_ANN)
    for change in (
        lambda: delete_schedule(session, id, **BY_ANN),
        lambda: change_schedule(session, id, "Shop", OFFICE, **BY_ANN),
    ):
        with pytest.raises(Refused, match='used by the scenario "Evening"'):
            change()
    assert schedule_names(session) == {"Office"}


def test_one_that_nothing_uses_is_removed(session: Session) -> None:
    id = create_schedule(session, "Office", OFFICE, **BY_ANN).id
    scenario_with(session, "Another")
    delete_schedule(session, id, **BY_ANN)
    with pytest.raises(NotFound):
        delete_schedule(session, id, **BY_ANN)
