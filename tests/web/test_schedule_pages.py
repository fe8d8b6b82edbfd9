"""Schedules, as people see and type them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.actions.scenarios import create_scenario
from controller.errors import InvalidInput
from controller.schedules import WEEKDAYS, Schedule
from tests.fixtures.web import NOON, Site
from web.schedule_forms import ScheduleText

ATTACK = "<script>alert('x')</script>\"'"
OFFICE = {
    "name": "Office",
    "monday": "9-13, 14:00 – 18:00",
    "friday": "09:00-24:00",
    "holidays": "2026-05-09 every year Victory Day\n\n2026-06-04 Mourning",
    "one_off_days": "2026-12-31 10:00-15:00\n2027-01-09 closed",
    "zone_mode": "fixed",
    "zone": "Europe/Moscow",
}


def errors(page: str) -> dict[str, str]:
    return {name: said for name, said in re.findall(r'class="field-error" id="(\w+)-error">([^<]+)<', page)}


async def create(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    return await client.post("/schedules/new", data={**OFFICE, **changed})


@pytest.mark.covers("SKZ-28")
async def test_a_schedule_is_typed_shown_changed_and_deleted(site: Site) -> None:
    client = await site.browser()
    assert "No schedules yet" in (await client.get("/schedules")).text
    assert (await create(client)).headers["location"] == "/schedules"
    stored: dict[str, Any] = (await site.program().get("/api/v1/schedules/1")).json()["schedule"]
    assert stored["week"] == {
        "monday": [{"start": "09:00", "end": "13:00"}, {"start": "14:00", "end": "18:00"}],
        "friday": [{"start": "09:00", "end": "24:00"}],
    }
    assert [(one["day"], one["every_year"], one["name"]) for one in stored["holidays"]] == [
        ("2026-05-09", True, "Victory Day"),
        ("2026-06-04", False, "Mourning"),
    ]
    assert [len(one["periods"]) for one in stored["one_off_days"]] == [1, 0]
    page = (await client.get("/schedules/1")).text
    for shown in (
        'value="09:00-13:00, 14:00-18:00"',
        "2026-05-09 every year Victory Day",
        "2027-01-09 closed",
        'value="Europe/Moscow"',
    ):
        assert shown in page, shown
    assert (await client.post("/schedules/1", data={**OFFICE, "name": "Shop", "monday": ""})).status_code == 303
    assert "Shop" in (await client.get("/schedules")).text
    assert (await client.post("/schedules/1/delete")).status_code == 303
    assert "No schedules yet" in (await client.get("/schedules")).text


@pytest.mark.covers("SKZ-28")
async def test_it_shows_how_it_stands_and_when_that_changes_in_the_installations_zone(site: Site) -> None:
    client = await site.in_zone("Europe/Berlin").browser()
    await create(client)  # NOON is a Monday, 15:00 in Moscow
    for path in ("/schedules", "/schedules/1"):
        page = re.sub(r"<[^>]+>", " ", (await client.get(path)).text)
        assert re.search(r"Open\s.*Closed\s+2026-05-04 17:00:00", page, re.S) and "Europe/Moscow" in page, path


async def test_a_preview_saves_nothing_and_loses_nothing(site: Site) -> None:
    client = await site.browser()
    answer = await create(client, do="preview", monday="", name="")
    assert answer.status_code == 200 and "Preview, not saved" in answer.text and "9-13" not in answer.text
    assert re.search(r"Now</dt><dd><span class=\"badge quiet\">.*Closed</span>", answer.text)
    assert "2026-05-08 06:00:00" in answer.text and "2026-06-04 Mourning" in answer.text
    assert (await site.program().get("/api/v1/schedules")).json() == {"schedules": []}
    never = await create(client, do="preview", monday="", friday="", one_off_days="", holidays="")
    assert "none within a year" in never.text


async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(site: Site) -> None:
    client = await site.browser()
    wrong = {
        "name": "x" * 65,
        "monday": "from nine to five",
        "tuesday": "18:00-09:00",
        "wednesday": "25:00-26:00",
        "thursday": "09:00-12:00, 11:00-13:00",
        "holidays": "Victory Day",
        "one_off_days": "2026-12-31 late",
        "zone": "Mars/Olympus",
    }
    for name, text in wrong.items():
        answer = await create(client, **{name: text})
        assert answer.status_code == 422 and list(errors(answer.text)) == [name], (name, errors(answer.text))
        assert text in answer.text and "Victory Day" in answer.text
    both = await create(client, monday="nonsense", holidays="2026-02-30")
    assert set(errors(both.text)) == {"monday", "holidays"}
    twice = await create(client, holidays="2026-05-09\n2026-05-09")
    assert "given twice" in errors(twice.text)["holidays"]
    assert (await create(client, zone_mode="moon")).status_code == 422
    assert (await create(client, holidays="2026-01-01\n" * 2000)).status_code == 422
    assert (await site.program().get("/api/v1/schedules")).json() == {"schedules": []}


async def test_a_name_that_is_taken_is_refused_above_the_form(site: Site) -> None:
    client = await site.browser()
    await create(client)
    answer = await create(client, monday="10-11")
    assert answer.status_code == 409 and "there is already a schedule" in answer.text.lower() and 'value="10-11"' in answer.text


async def test_a_schedule_that_a_scenario_uses_is_neither_deleted_nor_renamed(site: Site) -> None:
    client = await site.browser()
    await create(client)
    branch = {"operation": {"type": "schedule", "schedule": "Office"}, "links": {}}
    with site.database.session() as session:
        create_scenario(
            session, "Evening", {"schema_version": 1, "start": "a", "nodes": {"a": branch}}, acting_user="test", at=NOON
        )
    assert "Used by the scenario &#34;Evening&#34;" in (await client.get("/schedules/1")).text
    for answer in (
        await client.post("/schedules/1/delete"),
        await client.post("/schedules/1", data={**OFFICE, "name": "Shop"}),
    ):
        assert answer.status_code == 409 and "it is used by the scenario" in answer.text
    assert "Office" in (await client.get("/schedules")).text
    assert (await client.post("/schedules/1", data={**OFFICE, "monday": "10-11"})).status_code == 303


async def test_names_are_text(site: Site) -> None:
    client = await site.browser()
    assert (await create(client, name=ATTACK, holidays=f"2026-05-09 {ATTACK}")).status_code == 303
    for path in ("/schedules", "/schedules/1"):
        page = (await client.get(path)).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page
    page = (await create(client, monday=ATTACK, zone=ATTACK)).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("id", ["7", "99999999999999999999"])
async def test_a_schedule_that_is_not_there_is_not_found(site: Site, id: str) -> None:
    client = await site.browser()
    assert (await client.get(f"/schedules/{id}")).status_code == 404
    assert (await client.post(f"/schedules/{id}", data=OFFICE)).status_code == 404
    assert (await client.post(f"/schedules/{id}/delete")).status_code == 404


periods = st.sets(st.integers(0, 96), min_size=2, max_size=8).map(
    lambda cuts: [
        {"start": f"{a // 4:02}:{a % 4 * 15:02}", "end": f"{b // 4:02}:{b % 4 * 15:02}"}
        for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)
    ]
)
days = st.integers(0, 400).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
names = st.text(st.characters(categories=("L", "N")), max_size=20).filter(lambda name: not name.startswith("every"))
schedules = st.builds(
    lambda week, holidays, special, mode: Schedule.model_validate(
        {
            "week": week,
            "holidays": [{"day": day, "every_year": yearly, "name": name} for day, (yearly, name) in holidays.items()],
            "one_off_days": [{"day": day, "periods": hours} for day, hours in special.items()],
            "zone_mode": mode,
        }
    ),
    st.dictionaries(st.sampled_from(WEEKDAYS), periods, max_size=4),
    st.dictionaries(days, st.tuples(st.booleans(), names), max_size=4),
    st.dictionaries(days, st.just([]) | periods, max_size=4),
    st.sampled_from(["fixed", "operator", "contact"]),
)


@given(schedules)
@settings(max_examples=100)
def test_what_is_shown_to_be_changed_means_what_was_stored(schedule: Schedule) -> None:
    assert ScheduleText.of("Office", schedule).schedule() == schedule


@given(st.dictionaries(st.sampled_from([*WEEKDAYS, "holidays", "one_off_days", "zone", "zone_mode"]), st.text(max_size=60)))
def test_whatever_is_typed_is_a_schedule_or_a_refusal_that_names_a_field(typed: dict[str, str]) -> None:
    try:
        ScheduleText.typed(typed).schedule()
    except InvalidInput as refused:
        assert {problem.field for problem in refused.problems} <= {*WEEKDAYS, "holidays", "one_off_days", "zone", "zone_mode"}
