"""What follows from calls that are over: missed calls with their letters, and the end of missed calls of who was reached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.bus import MemoryBus, MissedCallsChanged
from controller.ids import CallId, ChannelId
from controller.missed import MissedCallKeeper, keeper
from controller.notices import LeftVoicemail, store_voicemail
from controller.schedules.calendar import WEEKDAYS
from controller.settings import Settings
from controller.storage import Database
from controller.storage.callbacks import add_callback, close_callback, get_callback
from controller.storage.calls import Outcome, close_open_calls, ids_to_follow_up
from controller.storage.desks import Desk
from controller.storage.journal_changes import (
    CallEnded,
    CallStarted,
    Change,
    LegConnected,
    LegEnded,
    LegStarted,
    RoutingDecided,
    StepEntered,
    StepLeft,
)
from controller.storage.journal_rows import write_changes
from controller.storage.missed_calls import MissedFilters, MissedView, Owner, list_missed_calls
from controller.storage.numbers import InboundNumber
from controller.storage.operators import Operator
from controller.storage.outbox import OutboxLetter, list_letters
from controller.storage.rates import Pricing
from controller.storage.users import User
from tests.controller.storage.call_changes import NOON, second
from tests.fixtures.callbacks import callback
from tests.fixtures.databases import database

__all__ = ["database"]

CALLER = "+79161234567"
OPEN = {"week": {day: [{"start": "00:00", "end": "24:00"}] for day in WEEKDAYS}}


class Office:
    """The line 8000, for whose missed calls "boss" is responsible. Phone 2001 is eve's, 2002 is nobody's."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.moment = second(300)
        self.bus = MemoryBus()
        settings = Settings.load({"ATTENDANT_DATA_DIR": str(folder), "ATTENDANT_TIME_ZONE": "UTC"})
        self.keeper = MissedCallKeeper(database, self.bus, self, settings)
        with database.session() as session:
            for login in ("boss", "eve"):
                email = f"{login}@example.com"
                session.add(User(login=login, password_hash="", role="operator", created_at=NOON, email=email))
            for extension in ("2001", "2002"):
                session.add(Operator(extension=extension, name=f"Operator {extension}", sip_secret=""))
            session.flush()
            session.add(Desk(user_id=2, operator_id=1))
            session.add(InboundNumber(number="8000", line_name="Main line", responsible_id=1))

    def now(self) -> Any:
        return self.moment

    def change(self, table: type[Any], id: int, **values: Any) -> None:
        with self.database.session() as session:
            session.get_one(table, id).sqlmodel_update(values)

    def happens(self, *changes: Change | Sequence[Change]) -> None:
        """The journal stores it."""
        flat = [one for some in changes for one in (some if isinstance(some, Sequence) else (some,))]
        with self.database.engine.begin() as connection:
            write_changes(connection, flat, Pricing())

    async def missed(self) -> list[MissedView]:
        """What was missed, newest first, once all calls are followed up."""
        await self.keeper.follow_up_all()
        return await self.database.read(list_missed_calls, MissedFilters())

    async def letters(self) -> list[OutboxLetter]:
        return list(await self.database.read(list_letters))


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    yield Office(database, tmp_path)


def call(id: str, *between: Change, at: float = 0, outcome: Outcome = "abandoned", **changed: Any) -> list[Change]:
    """Somebody calls 8000, and it ends after half a minute."""
    begin = CallStarted(
        **{
            "call": CallId(id),
            "at": second(at),
            "caller_number": CALLER,
            "caller_name": "",
            "called_number": "8000",
            "line_name": "Main line",
            "language": "en",
            "scenario_version_id": 1,
            **changed,
        }
    )
    return [begin, *between, CallEnded(CallId(id), second(at + 30), "caller", 16, outcome)]


def rung(id: str, extension: str, leg: int = 1, at: float = 5) -> list[Change]:
    """An operator's phone rings in vain."""
    channel, operator = ChannelId(f"{id}-op{leg}"), int(extension) - 2000
    name = f"Operator {extension}"
    return [
        LegStarted(CallId(id), channel, second(at), operator, name, extension, extension),
        LegEnded(CallId(id), channel, second(at + 2), 19),
    ]


def talks(id: str, at: float = 5) -> list[Change]:
    leg = ChannelId(f"{id}-op1")
    return [
        LegStarted(CallId(id), leg, second(at), 1, "Operator 2001", "2001"),
        LegConnected(CallId(id), leg, second(at + 1)),
        LegEnded(CallId(id), leg, second(at + 20), 16),
    ]


def step(id: str, operation: str, exit: str | None, visit: int = 1, node: str = "node") -> list[Change]:
    return [
        StepEntered(CallId(id), visit, second(1), node, "", operation),
        StepLeft(CallId(id), visit, second(2), exit),
    ]


def nobody_found(id: str, *why: str) -> RoutingDecided:
    left_out = tuple((f"200{place}", state, None) for place, state in enumerate(why, start=1))
    return RoutingDecided(CallId(id), 1, second(5), "nobody", "Sales", "ring_all", 1, (), (), left_out)


@pytest.mark.covers("SKZ-26", "SKZ-27")
async def test_t35_a_call_missed_in_working_time_is_told_to_the_operator_who_was_rung_first(office: Office) -> None:
    office.happens(call("c1", *rung("c1", "2001"), *rung("c1", "2002", leg=2, at=8), hours="open"))
    (missed,) = await office.missed()
    assert (missed.row.kind, missed.row.offered_to, missed.owner) == ("working_time", "2001", Owner(operator="2001"))
    (letter,) = await office.letters()
    assert (letter.recipient, letter.subject) == ("eve@example.com", f"Missed call from {CALLER}, 2026-05-04 12:00 UTC")
    assert "offered to Operator 2001 (2001) first" in letter.body and "8000, Main line" in letter.body and "0:30" in letter.body


@pytest.mark.covers("SKZ-26")
@pytest.mark.parametrize("why", ["no user", "no address", "disabled"])
async def test_the_responsible_is_told_where_the_operator_rung_first_has_no_address(office: Office, why: str) -> None:
    if why == "no address":
        office.change(User, 2, email=None)
    if why == "disabled":
        office.change(User, 2, disabled=True)
    first, then = ("2002", "2001") if why == "no user" else ("2001", "2002")
    office.happens(call("c1", *rung("c1", first), *rung("c1", then, leg=2, at=8)))
    (missed,) = await office.missed()
    assert missed.owner == Owner(operator=first)
    assert [letter.recipient for letter in await office.letters()] == ["boss@example.com"]


@pytest.mark.covers("SKZ-26")
@pytest.mark.parametrize("found_by", ["the number's schedule", "a schedule on the way"])
async def test_t35_a_call_missed_off_hours_is_told_to_the_responsible_whoever_was_rung(office: Office, found_by: str) -> None:
    way: list[Change] = []
    if found_by == "a schedule on the way":
        way = [*step("c1", "schedule", "open"), *step("c1", "schedule", "holiday", visit=2)]
    hours = "open" if way else "closed"
    office.happens(call("c1", *way, *rung("c1", "2001"), outcome="ended", hours=hours))
    (missed,) = await office.missed()
    assert (missed.row.kind, missed.owner) == ("off_hours", Owner(user="boss"))
    (letter,) = await office.letters()
    assert letter.recipient == "boss@example.com" and "outside of working time" in letter.body


@pytest.mark.covers("SKZ-26")
async def test_t35_a_call_that_came_while_no_operator_was_there_is_told_to_the_responsible(office: Office) -> None:
    office.happens(call("c1", nobody_found("c1", "offline", "offline"), outcome="ended"))
    office.happens(call("c2", nobody_found("c2", "offline", "already_offered"), at=60))
    waiting, alone = await office.missed()
    assert (alone.row.kind, alone.owner) == ("nobody_present", Owner(user="boss"))
    assert (waiting.row.kind, waiting.owner) == ("working_time", Owner(user="boss"))
    told = [(letter.recipient, letter.body.splitlines()[0]) for letter in await office.letters()]
    assert sorted(told) == [
        ("boss@example.com", f"{CALLER} called and spoke to nobody. No phone was rung."),
        ("boss@example.com", f"{CALLER} called, and no operator was there."),
    ]


async def test_who_has_no_address_at_all_is_not_written_to_and_the_call_is_listed(office: Office) -> None:
    office.change(User, 1, email=None)
    office.happens(call("c1"))
    office.change(InboundNumber, 1, responsible_id=None)
    office.happens(call("c2", caller_number="anonymous"))
    rows = [(one.row.call_id, one.row.number, one.owner, one.row.recipient) for one in await office.missed()]
    assert rows == [("c2", "", None, ""), ("c1", CALLER, None, "")]
    assert await office.letters() == []


@pytest.mark.covers("UIS-44")
@pytest.mark.parametrize(
    "changed",
    [
        {"line_name": ""},
        {"direction": "internal"},
        {"direction": "outbound", "outcome": "refused"},
        {"caller_number": "2002"},
        {"outcome": "talked"},
    ],
    ids=["not our number", "a colleague", "a call of ours", "a colleague who dials our number", "he talked"],
)
async def test_what_is_no_lost_caller_is_not_listed(office: Office, changed: dict[str, Any]) -> None:
    office.happens(call("c1", **changed))
    assert await office.missed() == [] and await office.letters() == []
    assert await office.database.read(ids_to_follow_up, 9) == []


@pytest.mark.covers("UIS-44")
async def test_who_is_kept_elsewhere_or_is_not_wanted_is_not_lost(office: Office) -> None:
    asked = await office.database.run(add_callback, callback(NOON, call_id="c3", last_call_id="c4"))
    office.happens(
        call("c1", *step("c1", "voicemail", None)),
        call("c2", *step("c2", "callback_offer", "accepted"), caller_number="+79990000002"),
        call("c3", *step("c3", "callback_offer", None), caller_number="+79990000003"),
        call("c4", caller_number="+79990000004"),
        call("c5", *step("c5", "caller_list", "blocked"), caller_number="+79990000005"),
        call("c6", caller_number=asked.number),
        call("c8", *step("c8", "hang_up", None, node="blocked_caller"), scenario_version_id=None, caller_number="+79990000008"),
    )
    assert await office.missed() == []
    await office.database.run(close_callback, asked.id, "cancelled", "", NOON)
    assert (await office.database.read(get_callback, asked.id)).state == "cancelled"
    office.happens(call("c7", caller_number=asked.number))
    assert [one.row.call_id for one in await office.missed()] == ["c7"]


async def test_a_node_of_a_scenario_may_be_called_as_that_of_blocked_callers(office: Office) -> None:
    office.happens(call("c1", *step("c1", "menu", None, node="blocked_caller")))
    assert [one.row.call_id for one in await office.missed()] == ["c1"]


@pytest.mark.covers("UIS-44", "SKZ-27")
@pytest.mark.parametrize("direction", ["inbound", "outbound"])
async def test_who_is_spoken_to_later_has_been_called_back(office: Office, direction: str) -> None:
    office.happens(call("c1"), call("c2", at=40), call("c3", at=50, caller_number="+79990000003"))
    assert [one.row.status for one in await office.missed()] == ["open"] * 3
    reached: dict[str, Any] = {"direction": direction, "caller_number": CALLER.removeprefix("+"), "outcome": "talked"}
    office.happens(call("c4", *talks("c4", at=105), at=100, **reached), call("c5", at=200))
    found = {one.row.call_id: one.row for one in await office.missed()}
    assert {id: row.status for id, row in found.items()} == {
        "c1": "called_back",
        "c2": "called_back",
        "c3": "open",
        "c5": "open",
    }
    closed = found["c1"]
    assert (closed.closed_by_call, closed.closed_by, closed.closed_at) == ("c4", "", office.moment)


async def test_a_conversation_that_began_before_makes_up_for_nothing(office: Office) -> None:
    office.happens(call("c2", at=40), call("c1", *talks("c1"), outcome="talked"))
    (missed,) = await office.missed()
    assert (missed.row.call_id, missed.row.status) == ("c2", "open")


async def test_each_call_is_followed_up_once_and_told_once(office: Office) -> None:
    office.happens(call("c1"))
    async with office.bus.subscribe() as notices:
        for _ in range(3):
            await office.missed()
        office.happens(call("c2", at=60))
        await office.missed()
        assert [await anext(notices) for _ in range(2)] == [MissedCallsChanged()] * 2
    assert len(await office.letters()) == 2


@pytest.mark.covers("SKZ-27")
async def test_a_controller_that_dies_between_the_end_of_a_call_and_the_letter_is_made_up_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    office.happens(call("c1"))
    with monkeypatch.context() as patched:
        patched.setattr(keeper, "mark_followed_up", dies)
        with pytest.raises(KeyboardInterrupt), office.database.session() as session:
            keeper.follow_up(session, ["c1"], keeper.NoticeRules("en", ZoneInfo("UTC"), None), NOON)
    assert await office.letters() == []
    assert [one.row.call_id for one in await office.missed()] == ["c1"]
    assert len(await office.letters()) == 1


async def test_calls_that_a_dead_controller_left_open_are_followed_up(office: Office) -> None:
    waiting, talking = call("c1", *rung("c1", "2001")), call("c2", *talks("c2"), at=60, caller_number="+79990000002")
    office.happens(waiting[:-1], [change for change in talking if not isinstance(change, CallEnded | LegEnded)])
    assert await office.missed() == []
    with office.database.session() as session:
        close_open_calls(session, second(120), frozenset())
    assert [(one.row.call_id, one.owner) for one in await office.missed()] == [("c1", Owner(operator="2001"))]


@pytest.mark.parametrize("found", [True, False])
async def test_a_caller_cut_off_in_a_voicemail_is_lost_only_if_nothing_of_it_is_found(office: Office, found: bool) -> None:
    office.happens(call("c1", *step("c1", "voicemail", None), outcome="lost"), call("c2", at=10))
    assert [one.row.call_id for one in await office.missed()] == ["c2"]
    if found:
        left = LeftVoicemail("01VOICE", "c1", "Evening", "box", CALLER, "8000", NOON)
        await office.database.run(store_voicemail, left, language="en", zone=ZoneInfo("UTC"), at=NOON)
    office.moment += timedelta(hours=1)
    assert [one.row.call_id for one in await office.missed()] == (["c2"] if found else ["c2", "c1"])
    assert await office.database.read(ids_to_follow_up, 9) == []


async def test_a_call_that_can_not_be_followed_up_holds_up_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores = keeper.store_missed_call

    def fails_for_one(session: Any, missed: Any, **how: Any) -> None:
        if missed.call_id == "c1":
            raise ValueError("of this call")
        stores(session, missed, **how)

    monkeypatch.setattr(keeper, "store_missed_call", fails_for_one)
    office.happens(call("c1"), call("c2", at=10))
    assert [one.row.call_id for one in await office.missed()] == ["c2"]
    assert "call c1 can't be followed up" in caplog.text


async def test_a_call_that_ends_is_followed_up_at_once(office: Office) -> None:
    running = asyncio.create_task(office.keeper.run())
    async with asyncio.timeout(8), office.bus.subscribe() as notices:
        office.happens(call("c1"))
        office.keeper.wake()
        assert await anext(notices) == MissedCallsChanged()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_letters_are_written_in_russian_too(office: Office, tmp_path: Path) -> None:
    settings = Settings.load({"ATTENDANT_DATA_DIR": str(tmp_path), "ATTENDANT_LANGUAGE": "ru"})
    office.keeper = MissedCallKeeper(office.database, office.bus, office, settings)
    office.happens(
        call("c1", *rung("c1", "2001"), caller_name="Иван"),
        call("c2", *step("c2", "schedule", "closed"), at=1),
        call("c3", nobody_found("c3", "offline"), at=2),
        call("c4", at=3, caller_number=""),
    )
    await office.missed()
    letters = {letter.dedupe_key: letter for letter in await office.letters()}
    assert letters["missed_call:c1"].subject.startswith(f"Пропущенный звонок: {CALLER}, 2026-05-04 ")
    assert "Первым звонок был предложен оператору: Operator 2001 (2001)." in letters["missed_call:c1"].body
    assert f"{CALLER}, Иван" in letters["missed_call:c1"].body
    assert "в нерабочее время" in letters["missed_call:c2"].body
    assert "операторов на месте не было" in letters["missed_call:c3"].body
    assert letters["missed_call:c4"].subject.startswith("Пропущенный звонок: номер скрыт")
