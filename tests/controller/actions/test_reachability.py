"""Whether callers reach a number."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from controller.actions.reachability import Serving, bringing, serving
from controller.actions.scenarios import create_scenario, publish
from controller.actions.schedules import create_schedule
from controller.calls.numbers import NOT_IN_SERVICE, Route, load_routes
from controller.prompts import PromptLibrary
from controller.schedules import Schedule, State
from controller.storage import Database, Session
from controller.storage.groups import Group
from controller.storage.numbers import InboundNumber, NumberView, get_number
from controller.storage.trunks import Trunk
from ivr.serialization import to_data
from tests.fixtures.web import KNOWN, NOON
from tests.ivr.builders import hang_up, scenario

BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
HOURS: tuple[State | None, ...] = (None, "open", "closed")
WEEK = {"week": {"monday": [{"start": "00:00", "end": "24:00"}]}}


def furnish(session: Session) -> tuple[dict[str | None, int | None], dict[State | None, int | None]]:
    """The scenarios "day" and "night", and the draft "later"; schedules that are open and closed at NOON."""
    scenarios: dict[str | None, int | None] = {None: None}
    for name in ("day", "night", "later"):
        stored = create_scenario(session, name, to_data(scenario(name, **{name: hang_up()})), **BY)
        scenarios[name] = stored.id
        if name != "later":
            publish(session, stored.id, KNOWN, **BY)
    open_, closed = (
        create_schedule(session, name, Schedule.model_validate(document), **BY)
        for name, document in (("open", WEEK), ("closed", {}))
    )
    session.add(Group(id=1, name="Sales", strategy="ring_all", ring_seconds=20))
    session.flush()
    return scenarios, {None: None, "open": open_.id, "closed": closed.id}


def does(route: Route, hours: State | None) -> Serving:
    """What a call that takes this route meets."""
    start = str(route.bundle.root.start)
    if route.bundle is NOT_IN_SERVICE:
        return Serving("not_in_service")
    if route.scenario_version is not None:
        return Serving("off_hours_scenario" if hours == "closed" else "scenario", start)
    if hours == "closed":
        return Serving("off_hours_prompt")
    return Serving("group", "Sales") if "group" in route.bundle.root.nodes else Serving("no_answer_prompt")


@pytest.mark.covers("LNR-3")
def test_what_is_said_to_serve_a_number_is_what_its_calls_meet(sqlite_database: Database) -> None:
    with sqlite_database.session() as session:
        scenarios, schedules = furnish(session)
        cases = list(product(HOURS, scenarios, scenarios, (None, 1)))
        for place, (hours, day, night, group) in enumerate(cases):
            session.add(
                InboundNumber(
                    id=place + 1,
                    number=str(place),
                    line_name="",
                    scenario_id=scenarios[day],
                    off_hours_scenario_id=scenarios[night],
                    schedule_id=schedules[hours],
                    group_id=group,
                )
            )
        session.flush()
        routes = load_routes(session, {}, PromptLibrary())
        for place, (hours, *settings) in enumerate(cases):
            said, route = serving(get_number(session, place + 1), {"day", "night"}, hours), routes[str(place)]
            taken = route.off_hours if hours == "closed" and route.off_hours is not None else route
            assert said == does(taken, hours), (hours, settings)


def view(**columns: Any) -> NumberView:
    return NumberView(InboundNumber(number="8000", line_name="", **columns), "day", None, None, None, None, None)


@pytest.mark.covers("LNR-3", "PRJ-1")
def test_the_employees_of_its_campaign_serve_a_number_without_scenario_and_group() -> None:
    assert serving(view(), set(), None, "Spring") == Serving("campaign", "Spring")


@pytest.mark.covers("LNR-3", "LNR-1")
def test_nobody_is_served_while_incoming_calls_are_switched_off() -> None:
    assert serving(view(incoming=False), {"day"}, None) == Serving("refused")


@pytest.mark.covers("LNR-3")
def test_calls_come_through_the_number_s_own_trunk_or_through_any_that_brings_calls() -> None:
    ids = {"first": 1, "second": 2, "off": 3, "outbound": 4}
    changed: dict[str, dict[str, Any]] = {"off": {"enabled": False}, "outbound": {"inbound": False}}
    trunks = [Trunk(id=id, name=name, host="192.0.2.1", **changed.get(name, {})) for name, id in ids.items()]

    def names(trunk_id: int | None) -> list[str]:
        return [trunk.name for trunk in bringing(view(trunk_id=trunk_id), trunks)]

    assert names(None) == ["first", "second"]
    assert [names(id) for id in (2, 3, 4)] == [["second"], [], []]
