"""Recordings are kept as long as the installation wants, and no longer."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from controller.errors import StorageError
from controller.recordings import Purge, keep_purging, purge, retention
from controller.recordings.retention import is_due
from controller.storage import Database
from controller.storage.calls import Call
from controller.storage.campaigns import Campaign
from controller.storage.numbers import InboundNumber
from controller.storage.recordings import Recording
from controller.storage.retention import recordings_since_before

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAYS = 30
pytestmark = pytest.mark.covers("SKZ-52")


def days_ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


@pytest.mark.parametrize(
    ("started", "ended", "due"),
    [
        (31, 31, True),
        (30, 30, False),
        (30.001, 30.001, True),
        (31, 29, False),
        (31, None, True),
        (29, None, False),
        (-1, -1, False),
    ],
)
def test_what_is_older_than_that_many_days_is_due(started: float, ended: float | None, due: bool) -> None:
    assert is_due(days_ago(started), None if ended is None else days_ago(ended), NOON, DAYS) is due


def keep(database: Database, folder: Path, days: float, path: str, ended: bool = True, number: str = "8000") -> Path:
    """A recording of so many days ago, with its file, of a call to a number."""
    at, id = days_ago(days), path.replace("/", "-")
    with database.session() as session:
        facts = {"caller_number": "", "caller_name": "", "called_number": number, "line_name": "", "language": "en"}
        session.add(Call(id=id, started_at=at, **facts))
        session.flush()
        session.add(Recording(id=id, call_id=id, path=path, started_at=at, ended_at=at if ended else None))
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"RIFF")
    return file


def left(database: Database) -> list[str]:
    with database.session(read_only=True) as session:
        return list(session.exec(select(Recording.path).order_by(col(Recording.path))))


def own_days(database: Database, **numbers: int | None) -> None:
    with database.session() as session:
        for number, days in numbers.items():
            session.add(InboundNumber(number=number.removeprefix("n"), line_name=number, recordings_days=days))


async def test_the_days_of_a_number_go_before_those_of_the_installation(database: Database, tmp_path: Path) -> None:
    own_days(database, n8001=7, n8002=365, n8003=None)
    for number in ("8001", "8002", "8003", "8099"):
        for days in (6, 8, 31, 366):
            keep(database, tmp_path / "files", days, f"{number}-{days:03}.wav", number=number)
    assert await purge(database, tmp_path / "files", DAYS, NOON) == Purge(removed=3 + 1 + 2 + 2, kept=0)
    assert left(database) == [
        "8001-006.wav",
        *(f"8002-{days}.wav" for days in ("006", "008", "031")),
        *(f"{number}-{days}.wav" for number in ("8003", "8099") for days in ("006", "008")),
    ]
    assert sorted(os.listdir(tmp_path / "files")) == left(database)


async def test_the_days_of_a_campaign_count_for_those_of_its_numbers_that_have_none_of_their_own(
    database: Database, tmp_path: Path
) -> None:
    own_days(database, n8001=None, n8002=365, n8003=None, n8004=None)
    with database.session() as session:
        for name, days, numbers in (("Spring", 7, ("8001", "8002")), ("Autumn", None, ("8003",))):
            campaign = Campaign(name=name, recordings_days=days)
            session.add(campaign)
            session.flush()
            for row in session.exec(select(InboundNumber).where(col(InboundNumber.number).in_(numbers))):
                row.campaign_id = campaign.id
    for number in ("8001", "8002", "8003", "8004"):
        for days in (6, 8, 31):
            keep(database, tmp_path, days, f"{number}-{days:03}.wav", number=number)
    assert await purge(database, tmp_path, DAYS, NOON) == Purge(removed=2 + 0 + 1 + 1, kept=0)
    assert left(database) == [
        "8001-006.wav",
        *(f"8002-{days}.wav" for days in ("006", "008", "031")),
        *(f"{number}-{days}.wav" for number in ("8003", "8004") for days in ("006", "008")),
    ]


async def test_where_the_installation_keeps_recordings_for_ever_a_number_may_not(database: Database, tmp_path: Path) -> None:
    own_days(database, n8001=7, n8002=None)
    for number in ("8001", "8002", "8099"):
        keep(database, tmp_path, 9999, f"{number}.wav", number=number)
    assert await purge(database, tmp_path, None, NOON) == Purge(removed=1, kept=0)
    assert left(database) == ["8002.wav", "8099.wav"]


async def test_a_file_that_can_not_be_deleted_is_tried_once_whatever_days_it_has(database: Database, tmp_path: Path) -> None:
    own_days(database, n8001=7)
    for number, days in (("8001", 8), ("8002", 31)):
        stubborn = keep(database, tmp_path, days, f"{number}.wav", number=number)
        stubborn.unlink()
        (stubborn / "a-folder-in-its-place").mkdir(parents=True)
    assert await purge(database, tmp_path, DAYS, NOON) == Purge(removed=0, kept=2)


async def test_old_recordings_go_with_file_and_row_and_empty_folders(database: Database, tmp_path: Path) -> None:
    old = keep(database, tmp_path, 31, "2026/04/03/a.wav")
    unfinished = keep(database, tmp_path, 40, "2026/03/25/b.wav", ended=False)
    new = keep(database, tmp_path, 29, "2026/04/05/c.wav")
    assert await purge(database, tmp_path, DAYS, NOON) == Purge(removed=2, kept=0)
    assert not old.parent.exists() and not unfinished.parent.parent.exists() and new.exists()
    assert left(database) == ["2026/04/05/c.wav"]
    assert await purge(database, tmp_path, DAYS, NOON) == Purge(0, 0)


async def test_a_row_whose_file_is_gone_already_goes_as_well(sqlite_database: Database, tmp_path: Path) -> None:
    keep(sqlite_database, tmp_path, 31, "a.wav").unlink()
    assert await purge(sqlite_database, tmp_path, DAYS, NOON) == Purge(removed=1, kept=0)
    assert left(sqlite_database) == []


async def test_a_file_that_can_not_be_deleted_keeps_its_row_and_holds_up_no_other(
    sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = keep(sqlite_database, tmp_path, 40, "a.wav")
    stubborn.unlink()
    (stubborn / "a-folder-in-its-place").mkdir(parents=True)
    keep(sqlite_database, tmp_path, 31, "b.wav")
    assert await purge(sqlite_database, tmp_path, DAYS, NOON) == Purge(removed=1, kept=1)
    assert left(sqlite_database) == ["a.wav"] and "can't be deleted" in caplog.text


async def test_nothing_outside_of_the_folder_is_deleted(sqlite_database: Database, tmp_path: Path) -> None:
    outside = keep(sqlite_database, tmp_path / "recordings", 31, "../precious.wav")
    assert await purge(sqlite_database, tmp_path / "recordings", DAYS, NOON) == Purge(removed=0, kept=1)
    assert outside.exists()


async def test_more_than_one_batch_goes(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        keep(sqlite_database, tmp_path, 31, f"{number}.wav")
    assert await purge(sqlite_database, tmp_path, DAYS, NOON) == Purge(removed=5, kept=0)


async def test_it_goes_on_for_ever_and_waits_for_a_database_that_is_away(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: asyncio.Queue[int | None] = asyncio.Queue()

    class Clock:
        def now(self) -> datetime:
            return NOON

    async def failing(_database: Database, _folder: Path, days: int | None, _now: datetime) -> Purge:
        tried.put_nowait(days)
        raise StorageError("away")

    monkeypatch.setattr(retention, "purge", failing)
    monkeypatch.setattr(retention, "PURGE_EVERY_SECONDS", 0.0)
    task = asyncio.create_task(keep_purging(sqlite_database, tmp_path, DAYS, Clock()))
    assert [await tried.get() for _ in range(3)] == [DAYS] * 3
    task.cancel()


@pytest.mark.parametrize("days", [None, 7])
def test_old_recordings_are_found_without_reading_all(sqlite_database: Database, days: int | None) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_database.session() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *about: asked.append((about[2], about[3])))
        recordings_since_before(session, NOON, (), 10, own_days=days)
        query, values = asked[0]
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
    assert not any(re.match("SCAN (recordings|calls)", step) for step in plan), plan
