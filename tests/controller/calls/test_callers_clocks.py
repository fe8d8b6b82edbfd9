"""Numbers that go by the clock of who calls, on telephony in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.calls import arrivals, hours
from controller.calls.blocking import BlockList
from controller.calls.numbers import OwnHours, Route
from controller.errors import StorageError
from controller.storage.calls import BLOCKED_CALLER
from controller.storage.contacts import BlockEntry
from controller.telephony.causes import BUSY
from controller.telephony.fake_people import FakeCaller
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.clocks import EAST, EASTERN_NUMBER, MOBILE_NUMBER, WESTERN_NUMBER, open_in_the_east
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, node, scenario

NUMBER = "100"
OPEN, CLOSED = "sound:en/hello", "sound:en/vm-goodbye"


@pytest.fixture
def serving(center: CallCenter) -> CallCenter:
    """One scenario serves in working time, another off-hours."""
    open_, closed = (
        ScenarioBundle(scenario(start=message({"next": "end"}, name), end=hang_up())) for name in ("greeting", "goodbye")
    )
    own = OwnHours("Day", open_in_the_east(datetime.now(UTC)))
    off_hours = Route("Line", None, closed, 2, hours=own)
    center.arrivals.set_routes({NUMBER: Route("Line", None, open_, 1, hours=own, off_hours=off_hours)})
    return center


async def heard(center: CallCenter, *numbers: str) -> list[list[str]]:
    """What callers from these numbers hear who call at once."""
    callers = [center.telephony.call(NUMBER, caller=number) for number in numbers]
    await until(lambda: all(is_over(caller) for caller in callers))
    assert len(await center.at_rest()) >= len(callers)
    return [caller.heard for caller in callers]


@pytest.mark.covers("PRJ-26")
async def test_of_callers_at_the_same_moment_each_is_served_as_the_clock_where_he_is_says(serving: CallCenter) -> None:
    callers = (EASTERN_NUMBER, WESTERN_NUMBER, MOBILE_NUMBER, "anonymous")
    assert await heard(serving, *callers) == [[OPEN], [CLOSED], [CLOSED], [CLOSED]]
    hours = {record.call.caller_number: record.call.hours for record in await serving.at_rest()}
    assert [hours[caller] for caller in callers] == ["open", "closed", "closed", "closed"]


async def test_the_zone_of_the_contact_goes_before_that_of_his_number(serving: CallCenter) -> None:
    away = (
        ContactDraft("Ann", [f"+{MOBILE_NUMBER}"], time_zone=EAST),
        ContactDraft("Bob", [f"+{EASTERN_NUMBER}"], time_zone="UTC"),
    )
    for draft in away:
        await serving.database.run(create_contact, draft, None, acting_user="test", at=datetime.now(UTC))
    assert await heard(serving, MOBILE_NUMBER, EASTERN_NUMBER) == [[OPEN], [CLOSED]]


@pytest.mark.parametrize("error", [StorageError("disk I/O error"), TimeoutError(), ZeroDivisionError("a bug")])
async def test_where_contacts_can_not_be_read_the_number_says_where_he_is(
    serving: CallCenter, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> Any:
        raise error

    monkeypatch.setattr(hours, "zones_of_callers", fails)
    assert await heard(serving, EASTERN_NUMBER, WESTERN_NUMBER) == [[OPEN], [CLOSED]]
    assert "is not known" in caplog.text


def block(center: CallCenter, beginning: str) -> None:
    """Callers whose numbers begin so are told that it is busy."""
    center.arrivals.set_block_list(BlockList([BlockEntry(1, f"+{beginning}", "prefix", "busy")]))


@pytest.fixture
def held(serving: CallCenter, monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.Event]:
    """The database is asked for contacts, and answers when the event is set."""
    answers = asyncio.Event()
    read = serving.database.read

    async def slowly(work: Any, *arguments: Any) -> Any:
        if work is hours.zones_of_callers:
            await answers.wait()
        return await read(work, *arguments)

    monkeypatch.setattr(serving.database, "read", slowly)
    yield answers


def rings(center: CallCenter) -> FakeCaller:
    caller = center.telephony.call(NUMBER, caller=EASTERN_NUMBER)
    assert center.arrivals.live == 1 and caller.channel in center.telephony.mailboxes.expected
    return caller


async def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    serving: CallCenter, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours, "KNOWN_WITHIN", 0.05)
    caller = rings(serving)
    await until(lambda: is_over(caller))
    assert caller.heard == [OPEN] and not held.is_set()
    await serving.at_rest()


async def test_who_hangs_up_before_it_is_known_where_he_is_is_on_record_and_leaves_nothing(
    serving: CallCenter, held: asyncio.Event
) -> None:
    rings(serving).hangup()
    held.set()
    (record,) = await serving.at_rest()
    assert (record.call.answered_at, record.call.ended_by) == (None, "caller") and not serving.lines.in_use


async def test_a_controller_that_leaves_meanwhile_sends_him_on(serving: CallCenter, held: asyncio.Event) -> None:
    caller = rings(serving)
    leaving = asyncio.create_task(serving.arrivals.close(5))
    await asyncio.sleep(0)
    held.set()
    await leaving
    assert caller.continued_at is not None


@pytest.mark.covers("UIS-43")
async def test_who_is_blocked_is_refused_whatever_his_clock_says_and_no_address_book_is_asked(
    serving: CallCenter, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours, "KNOWN_WITHIN", 3600.0)
    block(serving, EASTERN_NUMBER)
    caller = serving.telephony.call(NUMBER, caller=EASTERN_NUMBER)
    await until(lambda: caller.ended_with == BUSY)
    assert not held.is_set()
    (record,) = await serving.at_rest()
    assert [step.node for step in record.steps] == [BLOCKED_CALLER]


@pytest.mark.covers("UIS-43")
async def test_where_only_one_of_two_scenarios_asks_the_block_list_his_clock_decides(serving: CallCenter) -> None:
    links = {exit: "end" for exit in ("blocked", "known", "unknown")}
    asks = ScenarioBundle(scenario("who", who=node("caller_list", links), end=hang_up()))
    route = serving.arrivals.routes[NUMBER]
    serving.arrivals.set_routes({NUMBER: replace(route, bundle=asks)})
    block(serving, "7")
    callers = [serving.telephony.call(NUMBER, caller=number) for number in (EASTERN_NUMBER, WESTERN_NUMBER)]
    await until(lambda: all(is_over(caller) for caller in callers))
    assert sorted(record.steps[0].node for record in await serving.at_rest()) == [BLOCKED_CALLER, "who"]


async def test_a_call_that_can_not_be_begun_is_sent_on_and_nothing_is_left_of_it(
    serving: CallCenter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(arrivals, "state_now", fails)
    caller = serving.telephony.call(NUMBER, caller=EASTERN_NUMBER)
    await until(lambda: caller.continued_at is not None)
    assert "could not be begun; it is sent on" in caplog.text
    assert (serving.arrivals.live, serving.telephony.mailboxes.expected, dict(serving.lines.in_use)) == (0, frozenset(), {})
