"""Calling back on telephony in memory, with a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from controller.actions.callbacks import cancel_callback
from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.costs import RateDraft, create_rate
from controller.callbacks import CallbackKeeper, CallbackRules
from controller.calls import hours
from controller.calls.numbers import OwnHours, Route
from controller.costs import UNIT
from controller.errors import StorageError, TelephonyError, TelephonyUnavailable
from controller.ids import CallId
from controller.routing import OwnNumber
from controller.schedules import Schedule
from controller.storage.callbacks import Callback, add_callback, claim_callback, get_callback
from controller.storage.calls import CallDetail
from controller.storage.database import Database
from controller.storage.journal_changes import CallStarted
from controller.telephony.fake_people import FakePhone
from tests.controller.calls.conftest import CallCenter
from tests.fixtures.callbacks import callback
from tests.fixtures.clocks import EAST, EASTERN_NUMBER, MOBILE_NUMBER, WESTERN_NUMBER, open_in_the_east
from tests.fixtures.databases import sqlite_database
from tests.fixtures.waiting import until
from tests.ivr.builders import group, hang_up, scenario

__all__ = ["sqlite_database"]

RULES = CallbackRules(attempts=2, retry_seconds=0.05, ring_seconds=1)
CALLER = "74951112233"
LIVE = scenario(start=group({"failed": "end"}), end=hang_up())


class CallbackCenter(CallCenter):
    """One group, Sales, with the operator 2001; calls outside go through a trunk."""

    def __init__(self, database: Database, recordings: Path) -> None:
        super().__init__(database, recordings)
        self.keeper = CallbackKeeper(self.tools, self.arrivals, RULES)
        self.serves("8000", LIVE)

    @property
    def operator(self) -> FakePhone:
        return self.telephony.phone("PJSIP/2001")

    @property
    def caller(self) -> FakePhone:
        """The phone of who is called back."""
        return self.telephony.phone(f"PJSIP/{CALLER}@trunk-1")

    async def asks(self, **values: Any) -> int:
        """Somebody has asked for a callback; returns its id."""
        kept = await self.database.run(add_callback, callback(datetime.now(UTC), **values))
        self.keeper.wake()
        return kept.id

    async def state(self, id: int) -> Callback:
        return await self.database.read(get_callback, id)

    async def becomes(self, id: int, state: str, detail: str | None = None) -> Callback:
        async with asyncio.timeout(8):
            while True:
                found = await self.state(id)
                if found.state == state and detail in (None, found.detail):
                    return found
                await asyncio.sleep(0.005)

    async def all_free(self) -> list[CallDetail]:
        """Nobody is kept, waits or talks any more; gives the records."""
        await until(lambda: not self.distributor.engaged and not self.distributor.absent and not self.distributor.waiting)
        return await self.at_rest()


@pytest.fixture
async def center(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[CallbackCenter]:
    made = CallbackCenter(sqlite_database, tmp_path)
    made.people.set([], ["trunk-1"])
    await made.journal.start()
    await made.lookups.start()
    await made.has_group("Sales", ["2001"])
    await made.keeper.resume()
    tasks = [asyncio.create_task(work()) for work in (made.distributor.run, made.arrivals.run, made.keeper.run)]
    yield made
    await made.keeper.close()
    await made.arrivals.close(1)
    await made.keeper.settle(1)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await made.lookups.stop()
    await made.journal.stop()


async def test_he_is_called_when_an_operator_is_free_and_they_talk(center: CallbackCenter) -> None:
    center.caller.answers()
    id = await center.asks()
    await until(lambda: len(center.distributor.absent) == 1)
    assert center.caller.rung == 0
    center.operator.answers()
    await until(lambda: center.operator.channel is not None and len(center.telephony.bridges) == 1)
    (talking,) = center.telephony.bridges.values()
    assert talking == {center.caller.channel, center.operator.channel}
    center.caller.hangup()
    kept = await center.becomes(id, "done")
    (record,) = await center.all_free()
    assert record.call.id == kept.last_call_id
    assert (record.call.caller_number, record.call.called_number, record.call.line_name) == (CALLER, "8000", "Main line")
    assert (record.call.outcome, record.call.ended_by) == ("talked", "caller")
    assert [(step.node, step.exit) for step in record.steps] == [("please_hold", "next"), ("called_back", None)]
    assert [leg.operator_extension for leg in record.legs] == ["2001"]


async def test_the_operator_is_kept_for_him_while_he_is_called(center: CallbackCenter) -> None:
    center.operator.silent()
    center.caller.silent()
    await center.asks()
    await until(lambda: center.caller.rung == 1)
    newcomer = center.telephony.call("8000")
    await until(lambda: len(center.distributor.waiting) == 1)
    assert (center.operator.rung, list(center.distributor.engaged)) == (0, ["2001"])
    center.caller.hangup()
    await until(lambda: center.operator.rung == 1)
    center.operator.pick_up()
    await until(lambda: len(center.telephony.bridges) == 1)
    newcomer.hangup()


async def test_who_does_not_answer_is_called_again_and_then_no_more(center: CallbackCenter) -> None:
    center.operator.silent()
    center.caller.busy()
    id = await center.asks()
    failed = await center.becomes(id, "failed")
    assert (failed.attempts, failed.detail) == (2, "he did not answer (cause 17, SIP 486)")
    assert (center.caller.rung, center.operator.rung) == (2, 0)
    assert await center.all_free() == []


async def test_who_hangs_up_before_an_operator_has_answered_is_not_called_again(center: CallbackCenter) -> None:
    center.operator.silent()
    center.caller.answers()
    id = await center.asks()
    await until(lambda: center.operator.rung == 1)
    center.caller.hangup()
    failed = await center.becomes(id, "failed")
    assert (failed.attempts, failed.detail) == (1, "he hung up before anybody had answered him")
    (record,) = await center.all_free()
    assert record.call.outcome == "abandoned"


async def test_whom_nobody_took_is_told_so_and_called_again(center: CallbackCenter) -> None:
    center.operator.refuses()
    center.caller.answers()
    id = await center.asks()
    failed = await center.becomes(id, "failed")
    assert (failed.attempts, failed.detail) == (2, "nobody took the call")
    first, second = await center.all_free()
    assert [step.exit for step in first.steps] == [step.exit for step in second.steps] == ["next", "failed", "next", None]


async def test_places_are_by_the_moment_they_were_taken(center: CallbackCenter) -> None:
    now = datetime.now(UTC)
    center.caller.silent()
    late = await center.asks(number="+74951110000", place_at=now)
    early = await center.asks(place_at=now - timedelta(minutes=3))
    await until(lambda: len(center.distributor.absent) == 2)
    center.operator.silent()
    await until(lambda: center.caller.rung == 1)
    assert ((await center.state(early)).state, (await center.state(late)).state) == ("calling", "waiting")


async def test_who_is_cancelled_leaves_the_line(center: CallbackCenter) -> None:
    id = await center.asks()
    await until(lambda: len(center.distributor.absent) == 1)
    await center.database.run(cancel_callback, id, acting_user="ann", at=datetime.now(UTC))
    center.keeper.wake()
    await until(lambda: center.distributor.absent == ())


async def test_nobody_is_called_outside_working_time(center: CallbackCenter) -> None:
    never = Route("Night line", None, LIVE, 1, hours=OwnHours("Never", Schedule()))
    center.arrivals.set_routes({"8001": never})
    center.operator.silent()
    closed = await center.asks(called_number="8001")
    center.caller.silent()
    await center.asks(number="+74951110000", caller_number=CALLER, called_number="8002")
    await until(lambda: center.caller.rung == 1)
    assert (await center.state(closed)).state == "waiting"


@pytest.mark.covers("PRJ-26")
@pytest.mark.parametrize(("number", "zone"), [(EASTERN_NUMBER, None), (MOBILE_NUMBER, EAST)], ids=["his number", "his contact"])
async def test_where_callers_clocks_decide_he_is_called_when_it_is_working_time_where_he_is(
    center: CallbackCenter, number: str, zone: str | None
) -> None:
    now = datetime.now(UTC)
    route = Route("Main line", None, LIVE, 1, hours=OwnHours("Day", open_in_the_east(now)))
    center.arrivals.set_routes({"8000": route})
    if zone is not None:
        known = ContactDraft("Ann", [f"+{number}"], time_zone=zone)
        await center.database.run(create_contact, known, None, acting_user="ann", at=now)
    center.operator.silent()
    center.caller.silent()
    asleep = await center.asks(number=f"+{WESTERN_NUMBER}", place_at=now - timedelta(minutes=1))
    awake = center.telephony.phone(f"PJSIP/{number}@trunk-1").silent()
    await center.asks(number=f"+{number}")
    await until(lambda: awake.rung == 1)
    assert ((await center.state(asleep)).state, center.caller.rung) == ("waiting", 0)


@pytest.mark.covers("PRJ-26")
@pytest.mark.parametrize("answers", [False, True], ids=["no answer", "an error"])
async def test_an_address_book_that_can_not_be_read_keeps_nobody_from_being_called_back(
    center: CallbackCenter, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = center.database.read

    async def holds_contacts(work: Any, *arguments: Any) -> Any:
        if work is not hours.zones_of_callers:
            return await read(work, *arguments)
        if answers:
            raise StorageError("no such table: contacts")
        await asyncio.Event().wait()

    monkeypatch.setattr(center.database, "read", holds_contacts)
    monkeypatch.setattr(hours, "KNOWN_WITHIN", 0.05)
    by_callers_clock = Route("Main line", None, LIVE, 1, hours=OwnHours("Day", open_in_the_east(datetime.now(UTC))))
    center.arrivals.set_routes({"8000": by_callers_clock, "8001": Route("Night line", None, LIVE, 1)})
    center.operator.silent()
    asleep = await center.asks(number=f"+{WESTERN_NUMBER}")
    center.caller.silent()
    await center.asks(number="+74951110000", caller_number=CALLER, called_number="8001")
    await until(lambda: center.caller.rung == 1)
    assert (await center.state(asleep)).state == "waiting"


async def test_who_has_waited_too_long_is_called_no_more(center: CallbackCenter) -> None:
    id = await center.asks(opened_at=datetime.now(UTC) - timedelta(hours=25))
    expired = await center.becomes(id, "expired")
    assert expired.detail == "his turn did not come in 24 hours"


async def test_without_a_way_outside_the_attempt_does_not_count(center: CallbackCenter) -> None:
    center.people.set([], [])
    center.operator.silent()
    id = await center.asks()
    await until(lambda: "2001" not in center.distributor.engaged)
    await center.becomes(id, "waiting", "there is no way to call outside")
    center.caller.answers()
    center.people.set([], ["trunk-1"])
    await until(lambda: center.operator.rung == 1)
    assert (await center.state(id)).attempts == 1


async def test_a_number_that_may_not_be_shown_is_not_and_the_attempt_does_not_count(center: CallbackCenter) -> None:
    center.lines.set([OwnNumber("8000", outgoing=False)], {})
    center.operator.silent()
    center.caller.answers()
    id = await center.asks()
    await center.becomes(id, "waiting", "outgoing calls are switched off for 8000, which would be shown")
    center.lines.set([OwnNumber("8000", channels=1)], {})
    await until(lambda: center.caller.rung == 1 and center.lines.in_use == {"8000": 1})
    assert (await center.state(id)).attempts == 1


async def test_an_asterisk_that_is_away_frees_the_operator_and_the_attempt_does_not_count(center: CallbackCenter) -> None:
    center.operator.silent()
    center.caller.answers()
    center.telephony.fail_next("dial", TelephonyUnavailable("away"))
    id = await center.asks()
    await until(lambda: center.caller.rung == 1)
    assert (await center.state(id)).attempts == 1


async def test_a_database_that_is_away_frees_the_operator(center: CallbackCenter) -> None:
    center.caller.answers()
    id = await center.asks()
    await until(lambda: len(center.distributor.absent) == 1)
    await rename(center, "callbacks", "lost")
    center.operator.answers()
    await until(lambda: center.distributor.absent == () and not center.distributor.engaged)
    newcomer = center.telephony.call("8000")
    await until(lambda: len(center.telephony.bridges) == 1)
    assert (newcomer.state, center.caller.rung) == ("answered", 0)
    newcomer.hangup()
    await rename(center, "lost", "callbacks")
    await until(lambda: center.caller.rung == 1)
    assert (await center.state(id)).attempts == 1


async def rename(center: CallbackCenter, table: str, to: str) -> None:
    await center.database.run(lambda session: session.execute(text(f"ALTER TABLE {table} RENAME TO {to}")))


@pytest.mark.parametrize(
    ("recorded", "talked", "state", "attempts"),
    [(False, False, "waiting", 0), (True, False, "waiting", 1), (True, True, "done", 1)],
)
async def test_what_a_controller_left_that_died_is_put_in_order(
    center: CallbackCenter, recorded: bool, talked: bool, state: str, attempts: int
) -> None:
    now = datetime.now(UTC)
    id = await center.asks(due_at=now)
    assert await center.database.run(claim_callback, id, CallId("01BACK"), now + timedelta(seconds=1))
    if recorded:
        center.journal.record(CallStarted(CallId("01BACK"), now, CALLER, "", "8000", "Main line", "en", None))
        await center.journal.flush()
    if talked:
        leg = "INSERT INTO call_legs (id, call_id, operator_name, operator_extension, number, started_at, talk_started_at)"
        moment = now.strftime("%Y-%m-%d %H:%M:%S.%f")
        values = f"VALUES ('01BACK-op1', '01BACK', '', '2001', '2001', '{moment}', '{moment}')"
        await center.database.run(lambda session: session.execute(text(f"{leg} {values}")))
    await center.keeper.resume()
    found = await center.state(id)
    assert (found.state, found.attempts) == (state, attempts)


async def has_rate(center: CallbackCenter) -> None:
    today = datetime.now(UTC)
    draft = RateDraft("7495", UNIT, today.date() - timedelta(days=1))
    await center.database.run(create_rate, draft, acting_user="test", at=today)


async def test_the_line_to_who_is_called_back_costs_what_a_call_to_him_costs(center: CallbackCenter) -> None:
    await has_rate(center)
    center.caller.answers()
    center.operator.answers()
    id = await center.asks()
    await until(lambda: len(center.telephony.bridges) == 1)
    center.caller.hangup()
    await center.becomes(id, "done")
    (record,) = await center.all_free()
    line = record.client_leg
    assert line is not None and (line.number, line.trunk_id, line.cost) == (CALLER, 1, UNIT)
    assert line.answered_at is not None and line.ended_at is not None and line.cause == 16
    assert (record.cost, [leg.operator_extension for leg in record.legs]) == (UNIT, ["2001"])


async def test_what_a_line_costs_that_the_dialplan_goes_on_with_is_not_known(center: CallbackCenter) -> None:
    await has_rate(center)
    center.caller.answers()
    center.operator.answers()
    center.telephony.fail_next("play", TelephonyError("refused"))
    await center.asks()
    await until(lambda: center.caller.rung == 1)
    record = next(one for one in await center.all_free() if one.call.outcome == "handed_over")
    assert record.client_leg is not None and record.client_leg.ended_at is not None
    assert (record.client_leg.cost, record.cost) == (None, None)
