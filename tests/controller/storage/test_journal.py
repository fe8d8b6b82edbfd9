"""The journal stores what happens, in batches, and loses nothing when the database is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from controller.ids import CallId
from controller.storage import Database
from controller.storage.calls import CallDetail, CallFilters, get_call, list_calls
from controller.storage.journal import CallJournal
from controller.storage.journal_changes import CallStarted, Change, LegConnected, StepEntered, StepLeft
from controller.storage.journal_rows import write_changes
from controller.storage.rates import Pricing
from tests.controller.storage.call_changes import ended, second, started, talk
from tests.fixtures.databases import new_sqlite

CALL = "01J0000000000000000000CALL"


@asynccontextmanager
async def running(journal: CallJournal) -> AsyncIterator[CallJournal]:
    await journal.start()
    try:
        yield journal
    finally:
        await journal.stop()


async def stored(database: Database, call: str = CALL) -> CallDetail:
    return await database.read(get_call, call)


def record_all(journal: CallJournal, changes: Sequence[Change]) -> None:
    for change in changes:
        journal.record(change)


async def test_a_call_is_stored_with_its_steps_legs_and_recording(database: Database) -> None:
    async with running(CallJournal(database)) as journal:
        record_all(journal, talk(CALL))
        await journal.flush()
    found = await stored(database)
    assert (found.call.caller_number, found.call.outcome, found.call.ended_by, found.call.hangup_cause) == (
        "79161234567",
        "talked",
        "caller",
        16,
    )
    assert (found.call.started_at, found.call.answered_at, found.call.ended_at) == (second(0), second(1), second(42))
    assert [(step.node, step.exit, step.digits, step.prompts) for step in found.steps] == [
        ("menu", "1", "1", ["demo-menu:ru"]),
        ("sales", None, "", []),
    ]
    assert [(leg.operator_extension, leg.cause, leg.sip_status, leg.talk_started_at) for leg in found.legs] == [
        ("2009", 17, 486, None),
        ("2001", 16, None, second(12)),
    ]
    assert found.talk_leg is not None and found.talk_leg.operator_name == "Eve"
    assert found.talk_seconds(second(99)) == 30
    assert [(recording.path, recording.ended_at) for recording in found.recordings] == [(f"2026/05/04/{CALL}.wav", second(42))]


async def test_each_change_is_seen_as_soon_as_it_is_flushed(database: Database) -> None:
    async with running(CallJournal(database)) as journal:
        for change in talk(CALL):
            journal.record(change)
            await journal.flush()
            if isinstance(change, StepEntered):
                last = (await stored(database)).steps[-1]
                assert (last.node, last.left_at, last.exit) == (change.node, None, None)
            if isinstance(change, LegConnected):
                assert (await stored(database)).talk_seconds(second(20)) == 8
    found = await stored(database)
    assert [leg.talk_ended_at for leg in found.legs] == [None, second(42)]
    assert found.talk_seconds(second(99)) == 30


async def test_what_is_recorded_before_the_start_is_stored_after_it(sqlite_database: Database) -> None:
    journal = CallJournal(sqlite_database)
    journal.record(started(CALL))
    async with running(journal):
        await journal.flush()
    assert (await stored(sqlite_database)).call.outcome == "live"


async def test_stopping_stores_what_is_left(sqlite_database: Database) -> None:
    journal = CallJournal(sqlite_database)
    await journal.start()
    record_all(journal, talk(CALL))
    await journal.stop()
    assert (await stored(sqlite_database)).call.outcome == "talked"


async def test_whoever_asked_is_told_after_what_he_is_told_of_is_stored(sqlite_database: Database) -> None:
    told = asyncio.Event()
    async with running(CallJournal(sqlite_database, told.set)) as journal:
        journal.record(started(CALL))
        await told.wait()
        assert (await stored(sqlite_database)).call.id == CALL


async def test_a_thousand_calls_at_once_are_stored(database: Database) -> None:
    async with running(CallJournal(database)) as journal:
        for number in range(1000):
            record_all(journal, talk(f"call-{number:04}"))
        await journal.flush()
        assert journal.backlog == 0
    page = await database.read(list_calls, CallFilters(outcome="talked"), 200)
    assert len(page.calls) == 200
    assert all(len(found.steps) == len(found.legs) == 2 for found in page.calls)


async def test_nothing_is_lost_while_the_database_is_away(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    async with running(CallJournal(database, retry_seconds=0.001)) as journal:
        record_all(journal, talk("call-1"))
        await journal.flush()
        with away(database):
            record_all(journal, talk("call-2"))
            flushed = asyncio.create_task(journal.flush())
            await until_logged(caplog, "can't be stored")
            record_all(journal, talk("call-3"))
            assert journal.failing and not flushed.done()
        await flushed
        await journal.flush()
        assert not journal.failing
        assert journal.dropped == 0
    page = await database.read(list_calls, CallFilters())
    assert {(found.call.id, found.call.outcome) for found in page.calls} == {(f"call-{n}", "talked") for n in (1, 2, 3)}


async def test_when_too_much_waits_the_oldest_steps_go_first_and_loudly(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    journal = CallJournal(sqlite_database, bound=50)
    for number in range(4):
        record_all(journal, talk(f"call-{number}"))
    assert journal.backlog == 50
    assert journal.dropped == 10
    assert "were dropped" in caplog.text
    async with running(journal):
        await journal.flush()
    page = await sqlite_database.read(list_calls, CallFilters())
    assert [found.call.outcome for found in page.calls] == ["talked"] * 4
    assert page.calls[-1].steps == ()


async def test_the_bound_holds_even_without_steps(sqlite_database: Database) -> None:
    journal = CallJournal(sqlite_database, bound=20)
    for number in range(100):
        journal.record(started(f"call-{number}"))
    assert journal.backlog <= 20
    async with running(journal):
        await journal.flush()
    page = await sqlite_database.read(list_calls, CallFilters())
    assert {"call-98", "call-99"} < {found.call.id for found in page.calls}


async def test_a_change_that_is_refused_for_itself_does_not_hold_up_the_others(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(CallJournal(database)) as journal:
        journal.record(StepEntered(CallId("a call nobody began"), 1, second(0), "menu", "", "menu"))
        record_all(journal, talk(CALL))
        await journal.flush()
        assert journal.dropped == 1
    assert "a call nobody began" in caplog.text
    assert (await stored(database)).call.outcome == "talked"


@pytest.mark.parametrize("name", ["Bobby\0Tables", "half \ud83d of a pair", "line\nbreak", "Анна", "'; DROP TABLE calls; --"])
async def test_whatever_callers_call_themselves_is_stored(database: Database, name: str) -> None:
    async with running(CallJournal(database)) as journal:
        journal.record(CallStarted(CallId(CALL), second(0), "1", name, "8000", "Demo", "en", None))
        await journal.flush()
        assert journal.dropped == 0
    shown = (await stored(database)).call.caller_name
    assert len(shown) == len(name)
    assert shown.isprintable()


def test_writing_a_batch_again_changes_nothing(database: Database) -> None:
    changes = talk(CALL)
    for batch in (changes[:9], changes[:9], changes[9:], changes[9:]):
        with database.engine.begin() as connection:
            write_changes(connection, batch, Pricing())
    with database.session(read_only=True) as session:
        found = get_call(session, CALL)
        assert (found.call.outcome, found.talk_seconds(second(99)), len(found.steps)) == ("talked", 30, 2)


@st.composite
def interleaved(draw: st.DrawFn) -> list[list[Change]]:
    """Batches of what happens to several calls, each of which may stop anywhere."""
    calls = [talk(f"call-{number}", number) for number in range(draw(st.integers(1, 4)))]
    left = [list(call[: draw(st.integers(1, len(call)))]) for call in calls]
    mixed: list[Change] = []
    while any(left):
        mixed.append(draw(st.sampled_from([call for call in left if call])).pop(0))
    cuts = sorted(draw(st.sets(st.integers(1, len(mixed)))) | {0, len(mixed)})
    return [mixed[begin:end] for begin, end in pairwise(cuts)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=interleaved())
def test_however_changes_come_together_the_rows_are_those_of_one_at_a_time(tmp_path: Path, batches: list[list[Change]]) -> None:
    singly = [[change] for batch in batches for change in batch]
    assert rows_after(tmp_path, batches) == rows_after(tmp_path, singly)


def rows_after(folder: Path, batches: Sequence[Sequence[Change]]) -> list[list[tuple[object, ...]]]:
    database = new_sqlite(folder)
    for batch in batches:
        with database.engine.begin() as connection:
            write_changes(connection, batch, Pricing())
    with database.engine.connect() as connection:
        tables = ("calls", "call_steps", "call_legs", "recordings")
        rows = [sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))), key=repr) for table in tables]
    database.close()
    return rows


async def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Wait for a message of the journal."""
    logged = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                loop.call_soon_threadsafe(logged.set)

    listener = Listener()
    logging.getLogger().addHandler(listener)
    try:
        if words not in caplog.text:
            await logged.wait()
    finally:
        logging.getLogger().removeHandler(listener)


@contextmanager
def away(database: Database) -> Iterator[None]:
    """The database can't be used for a while: PostgreSQL lets nobody in, SQLite's file has lost its tables."""
    url = make_url(database._url)
    if url.get_backend_name() == "sqlite":
        with in_database(database, "ALTER TABLE calls RENAME TO away", "ALTER TABLE away RENAME TO calls"):
            yield
        return
    name = url.database
    server = Database(url.set(database="postgres").render_as_string(hide_password=False))
    shut = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
    thrown_out = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    with in_database(server, shut, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"):
        with server.engine.begin() as connection:
            connection.execute(text(thrown_out))
        yield
    server.close()


@contextmanager
def in_database(database: Database, before: str, after: str) -> Iterator[None]:
    engine = create_engine(database._url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(before))
    try:
        yield
    finally:
        with engine.connect() as connection:
            connection.execute(text(after))
        engine.dispose()


async def test_ending_a_call_that_is_unknown_does_nothing(sqlite_database: Database) -> None:
    async with running(CallJournal(sqlite_database)) as journal:
        record_all(journal, [ended("unknown"), StepLeft(CallId("unknown"), 1, second(1), None)])
        await journal.flush()
    assert (await sqlite_database.read(list_calls, CallFilters())).calls == ()
