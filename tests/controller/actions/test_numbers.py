"""Numbers and what serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from controller.actions.groups import create_group, delete_group
from controller.actions.numbers import (
    NumberSettings,
    add_number,
    change_all_numbers,
    change_number,
    create_number,
    remove_number,
)
from controller.actions.prompts import remove_prompt, uses_of_prompt
from controller.actions.scenarios import KnownPrompts, create_scenario, delete_scenario
from controller.actions.schedules import change_schedule, create_schedule, delete_schedule
from controller.errors import InvalidInput, NotFound, Refused
from controller.schedules import Schedule
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.forwarding import Forwarding
from controller.storage.groups import Group
from controller.storage.numbers import NumberView, find_number, get_number, list_numbers, number_views
from controller.storage.prompts import StoredPrompt
from controller.storage.scenarios import StoredScenario, find_scenario
from controller.storage.users import User
from ivr.lines import STANDARD_PROMPTS, LinePrompts
from ivr.prompts import PromptRef

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
LANGUAGES = ("en", "ru")
KNOWN = KnownPrompts(
    frozenset((str(prompt), language) for prompt in STANDARD_PROMPTS.by_slot().values() for language in LANGUAGES),
    frozenset(LANGUAGES),
)
FULL = NumberSettings(
    "ru",
    "Day",
    "Night",
    "Office",
    "Sales",
    45,
    LinePrompts(None, waiting=PromptRef("melody")),
    Forwarding("own", attempts=2),
    "boss",
    30,
)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        for name in ("Day", "Night"):
            create_scenario(session, name, **BY_ANN)
        create_schedule(session, "Office", Schedule(), **BY_ANN)
        create_group(session, "Sales", **BY_ANN)
        session.add(User(login="boss", password_hash="", role="supervisor", created_at=NOON))
        session.add(own_prompt("melody"))
        session.flush()
        yield session


def own_prompt(name: str) -> StoredPrompt:
    sound: dict[str, Any] = {"original_name": "", "original_format": "wav", "length_seconds": 1, "loudness": -20, "waveform": []}
    return StoredPrompt(
        name=name,
        language="en",
        title=name.title(),
        kind="uploaded",
        content_hash="",
        created_at=NOON,
        updated_at=NOON,
        **sound,
    )


def settings_of(view: NumberView) -> NumberSettings:
    row = view.row
    return NumberSettings(
        row.language,
        view.scenario,
        view.off_hours_scenario,
        view.schedule,
        view.group,
        row.longest_wait,
        LinePrompts.read(row.prompts),
        Forwarding.read(row.forwarding),
        view.responsible,
        row.recordings_days,
    )


def create(session: Session, number: str = "8000", settings: NumberSettings = FULL) -> int:
    return create_number(session, number, f"Line {number}", settings, KNOWN, **BY_ANN).id


@pytest.mark.covers("SKZ-19", "SKZ-26", "SKZ-28", "SKZ-40", "SKZ-41", "SKZ-47", "UIS-42")
def test_a_number_keeps_its_whole_record(session: Session) -> None:
    view = get_number(session, create(session))
    assert (view.row.number, view.row.line_name, settings_of(view)) == ("8000", "Line 8000", FULL)
    change_number(session, view.row.id, "+8000", "Main", NumberSettings(), KNOWN, **BY_ANN)
    changed = get_number(session, view.row.id)
    assert (changed.row.number, changed.row.line_name, settings_of(changed)) == ("+8000", "Main", NumberSettings())


def test_a_new_number_has_standard_settings(session: Session) -> None:
    added = add_number(session, "8000", "Main", **BY_ANN)
    assert settings_of(get_number(session, added.id)) == NumberSettings()


@pytest.mark.covers("SKZ-30")
def test_t44_settings_saved_for_all_numbers_reach_every_one_and_for_this_number_only_this(session: Session) -> None:
    one, other = create(session, "8001", NumberSettings()), create(session, "8002", NumberSettings())
    change_number(session, one, "8001", "Line 8001", FULL, KNOWN, **BY_ANN)
    assert [settings_of(view) for view in number_views(session)] == [FULL, NumberSettings()]
    change_number(session, other, "8002", "Renamed", replace(FULL, longest_wait=9), KNOWN, for_all=True, **BY_ANN)
    assert [settings_of(view) for view in number_views(session)] == [replace(FULL, longest_wait=9)] * 2
    assert [(row.number, row.line_name) for row in list_numbers(session)] == [("8001", "Line 8001"), ("8002", "Renamed")]
    change_all_numbers(session, FULL, KNOWN, **BY_ANN)
    assert [settings_of(view) for view in number_views(session)] == [FULL] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scenario": "None"}, "scenario"),
        ({"off_hours_scenario": "None"}, "off_hours_scenario"),
        ({"schedule": None}, "off_hours_scenario"),
        ({"schedule": "None"}, "schedule"),
        ({"group": "None"}, "group"),
        ({"language": "xx"}, "language"),
        ({"longest_wait": 0}, "longest_wait"),
        ({"longest_wait": 3601}, "longest_wait"),
        ({"recordings_days": 0}, "recordings_days"),
        ({"recordings_days": 36_501}, "recordings_days"),
        ({"responsible": "nobody"}, "responsible"),
        ({"prompts": LinePrompts(off_hours=PromptRef("none"))}, "prompts.off_hours"),
        ({"prompts": LinePrompts(arrival=PromptRef("melody", "ru"))}, "prompts.arrival"),
    ],
)
def test_what_is_not_there_is_named_with_its_field_and_nothing_is_saved(
    session: Session, wrong: dict[str, Any], field: str
) -> None:
    id, settings = create(session, settings=NumberSettings()), replace(FULL, **wrong)
    attempts: list[Callable[[], object]] = [
        lambda: create(session, "8001", settings),
        lambda: change_number(session, id, "8000", "Main", settings, KNOWN, for_all=True, **BY_ANN),
        lambda: change_all_numbers(session, settings, KNOWN, **BY_ANN),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidInput) as refused:
            attempt()
        assert [problem.field for problem in refused.value.problems] == [field]
    assert find_number(session, "8001") is None and settings_of(get_number(session, id)) == NumberSettings()


def test_every_wrong_field_is_named_at_once(session: Session) -> None:
    wrong = NumberSettings("xx", "None", group="None", longest_wait=0, prompts=LinePrompts(waiting=PromptRef("none")))
    with pytest.raises(InvalidInput) as refused:
        create(session, settings=wrong)
    assert {problem.field for problem in refused.value.problems} == {
        *("language", "scenario", "group", "longest_wait", "prompts.waiting"),
    }


def test_a_number_is_there_once_and_is_a_number(session: Session) -> None:
    create(session, "8000")
    other = create(session, "8001")
    with pytest.raises(Refused, match="8000 is there already"):
        create(session, "8000")
    with pytest.raises(Refused, match="8000 is there already"):
        change_number(session, other, "8000", "Main", FULL, KNOWN, **BY_ANN)
    for bad in ("", "12a", "1" * 21, "80\r\n00"):
        with pytest.raises(InvalidInput, match="number"):
            change_number(session, other, bad, "Main", FULL, KNOWN, **BY_ANN)


def test_a_number_is_removed_and_what_it_used_stays(session: Session) -> None:
    id = create(session)
    remove_number(session, id, **BY_ANN)
    for missing in (
        lambda: remove_number(session, id, **BY_ANN),
        lambda: get_number(session, id),
        lambda: change_number(session, id, "8000", "Main", FULL, KNOWN, **BY_ANN),
    ):
        with pytest.raises(NotFound):
            missing()
    assert list_audit(session)[0].action == "number.remove"
    assert create(session) is not None


def test_a_prompt_of_a_number_is_in_use_and_stays(session: Session) -> None:
    id = create(session)
    assert uses_of_prompt(session, "melody", "en") == ["number 8000 (waiting)"]
    with pytest.raises(Refused, match=r"number 8000 \(waiting\)"):
        remove_prompt(session, "melody", "en", **BY_ANN)
    change_number(session, id, "8000", "Main", NumberSettings(), KNOWN, **BY_ANN)
    remove_prompt(session, "melody", "en", **BY_ANN)


def test_a_schedule_of_a_number_may_be_renamed_but_not_removed(session: Session) -> None:
    id = create(session)
    schedule_id = get_number(session, id).row.schedule_id
    assert schedule_id is not None
    change_schedule(session, schedule_id, "Shop", Schedule(), **BY_ANN)
    assert get_number(session, id).schedule == "Shop"
    with pytest.raises(Refused, match="used by the number 8000"):
        delete_schedule(session, schedule_id, **BY_ANN)


def test_a_group_that_answers_a_number_is_not_removed(session: Session) -> None:
    id = create(session)
    group_id = get_number(session, id).row.group_id
    assert group_id is not None
    with pytest.raises(Refused, match="used by the number 8000"):
        delete_group(session, group_id, **BY_ANN)
    remove_number(session, id, **BY_ANN)
    delete_group(session, group_id, **BY_ANN)


def test_a_scenario_that_answers_a_number_off_hours_alone_is_not_removed(session: Session) -> None:
    create(session)
    for name in ("Day", "Night"):
        scenario = find_scenario(session, name)
        assert scenario is not None
        with pytest.raises(Refused, match="8000"):
            delete_scenario(session, scenario.id, **BY_ANN)


def test_a_number_outlives_a_group_and_scenarios_that_are_gone(session: Session) -> None:
    id = create(session)
    for table in (Group, StoredScenario):
        for row in session.exec(select(table)):
            session.delete(row)
    session.flush()
    session.expire_all()
    view = get_number(session, id)
    assert (view.group, view.scenario, view.off_hours_scenario, view.schedule) == (None, None, None, "Office")
