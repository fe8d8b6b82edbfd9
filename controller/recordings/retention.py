"""Deletes recordings that are older than their number, its campaign, or else the installation, wants to keep them (SKZ-52).

The file goes first, then its row: a row whose file is gone is found again and removed, a file without a row never would be.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controller.clock import Clock
from controller.errors import AttendantError
from controller.storage.database import Database
from controller.storage.recordings import Recording, remove_recordings
from controller.storage.retention import days_of_numbers, recordings_since_before

log = logging.getLogger(__name__)

PURGE_EVERY_SECONDS: Final = 3600.0
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Purge:
    """What was done: recordings removed, and those whose files can't be deleted (they are tried again)."""

    removed: int
    kept: int


def is_due(started_at: datetime, ended_at: datetime | None, now: datetime, days: int) -> bool:
    """Whether a recording is older than `days` days, counted from its end, or from its beginning if no end is on record."""
    return now - (ended_at or started_at) > timedelta(days=days)


async def purge(database: Database, folder: Path, days: int | None, now: datetime) -> Purge:
    """Delete every recording that is due: `days` counts for calls to numbers without days of their own or their campaign,
    None is for ever.

    Raises StorageError.
    """
    removed, kept = 0, 0
    for own in (None, *await database.read(days_of_numbers)):
        limit = days if own is None else own
        if limit is not None:
            done = await _purge(database, folder, own, limit, now)
            removed, kept = removed + done.removed, kept + done.kept
    return Purge(removed, kept)


async def _purge(database: Database, folder: Path, own_days: int | None, days: int, now: datetime) -> Purge:
    removed, failed = 0, set[str]()
    while True:
        # One that is due began before as well.
        moment = now - timedelta(days=days)
        candidates = await database.read(recordings_since_before, moment, failed, BATCH, own_days=own_days)
        due = [one for one in candidates if is_due(one.started_at, one.ended_at, now, days)]
        if not due:
            return Purge(removed, len(failed))
        gone = await asyncio.to_thread(_delete_files, folder, due)
        failed |= {one.id for one in due} - gone
        await database.run(remove_recordings, gone)
        removed += len(gone)


async def keep_purging(database: Database, folder: Path, days: int | None, clock: Clock) -> None:
    """Purge now and then every PURGE_EVERY_SECONDS, for ever; a database that is away is waited for."""
    while True:
        try:
            done = await purge(database, folder, days, clock.now())
            if done.removed or done.kept:
                log.info("recordings that were kept long enough: %d deleted, %d can't be deleted", done.removed, done.kept)
        except AttendantError as error:
            log.warning("old recordings could not be deleted: %s", error)
        await asyncio.sleep(PURGE_EVERY_SECONDS)


def _delete_files(folder: Path, recordings: Iterable[Recording]) -> set[str]:
    """The ids of those whose file is gone now."""
    return {one.id for one in recordings if _delete_file(folder.resolve(), one.path)}


def _delete_file(root: Path, path: str) -> bool:
    file = (root / path).resolve()
    if not file.is_relative_to(root):
        log.error("the recording %s lies outside of %s and is left alone", path, root)
        return False
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("the recording %s can't be deleted: %s", file, error.strerror)
        return False
    with suppress(OSError):
        # The folders of a day, a month and a year go with the last file in them.
        for above in file.parents:
            if above == root:
                break
            above.rmdir()
    return True
