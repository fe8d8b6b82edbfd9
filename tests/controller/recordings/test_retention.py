"""Recordings are kept as long as the installation wants, and no longer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.errors import StorageError
from controller.recordings import Purge, keep_purging, purge, retention
from controller.recordings.retention import is_due
from controller.storage import Database
from controller.storage.calls import Call
from controller.storage.recordings import Recording, recordings_since_before

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


def keep(database: Database, folder: Path, days: float, path: str, ended: bool = True) -> Path:
    """A recording of so many days ago, with its file."""
    at, id = days_ago(days), path.replace("/", "-")
    with database.session() as session:
        facts = {"caller_number": "", "caller_name": "", "called_number": "8000", "line_name": "", "language": "en"}
        session.add(Call(id=id, started_at=at, **facts))
        session.flush()
        session.add(Recording(id=id, call_id=id, path=path, started_at=at, ended_at=at if ended else None))
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"RIFF")
    return file


def left(database: Database) -> list[str]:
    with database.session(read_only=True) as session:
        return [one.path for one in recordings_since_before(session, NOON + timedelta(days=1), (), 100)]


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
    tried: asyncio.Queue[int] = asyncio.Queue()

    class Clock:
        def now(self) -> datetime:
            return NOON

    async def failing(_database: Database, _folder: Path, days: int, _now: datetime) -> Purge:
        tried.put_nowait(days)
        raise StorageError("away")

    monkeypatch.setattr(retention, "purge", failing)
    monkeypatch.setattr(retention, "PURGE_EVERY_SECONDS", 0.0)
    task = asyncio.create_task(keep_purging(sqlite_database, tmp_path, DAYS, Clock()))
    assert [await tried.get() for _ in range(3)] == [DAYS] * 3
    task.cancel()
