"""Recordings of which Asterisk could write nothing."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pytest

from controller.ids import CallId
from controller.recordings import writing
from controller.recordings.writing import WrittenCheck

pytestmark = pytest.mark.covers("SKZ-52")


async def unwritten(folder: Path, *names: str) -> list[str]:
    """The ids that are told, once the last of the names was looked at: of that one nothing is there."""
    told: asyncio.Queue[str] = asyncio.Queue()
    check = WrittenCheck(folder, lambda call, recording: told.put_nowait(recording))
    task = asyncio.create_task(check.run())
    for name in (*names, "last"):
        check.look_at(CallId("01CALL"), PurePosixPath(f"{name}.wav"))
    found = [await told.get()]
    while found[-1] != "last":
        found.append(await told.get())
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return found[:-1]


async def test_what_is_missing_or_empty_is_told_and_removed_and_what_holds_sound_or_silence_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "COMPLETED_SECONDS", 0.0)
    files = {"empty.wav": 0, "silence.wav": 44, "sound.wav": 1000, "bare.raw": 0, "bare-sound.raw": 4}
    for name, size in files.items():
        (tmp_path / name).write_bytes(bytes(size))
    names = ("empty", "silence", "sound", "bare", "bare-sound", "missing")
    assert await unwritten(tmp_path, *names) == ["empty", "bare", "missing"]
    assert sorted(os.listdir(tmp_path)) == ["bare-sound.raw", "silence.wav", "sound.wav"]
    assert "01CALL: nothing could be written into its recording missing.wav" in caplog.text


async def test_who_stops_looks_at_the_rest_and_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "sound.wav").write_bytes(bytes(1000))
    told: list[str] = []
    check = WrittenCheck(tmp_path, lambda call, recording: told.append(recording))
    for name in ("empty", "sound", "missing"):
        check.look_at(CallId("01CALL"), PurePosixPath(f"{name}.wav"))
    task = asyncio.create_task(check.run())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await check.close(0)
    assert told == ["empty", "missing"] and sorted(os.listdir(tmp_path)) == ["empty.wav", "sound.wav"]


async def test_who_stops_waits_for_what_asterisk_still_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "late.wav"
    written = writing._is_written

    def looked_at(path: Path) -> bool:
        """Asterisk completes it after the first look."""
        found = written(path)
        file.write_bytes(bytes(44))
        return found

    monkeypatch.setattr(writing, "_is_written", looked_at)
    told: list[str] = []
    check = WrittenCheck(tmp_path, lambda call, recording: told.append(recording))
    check.look_at(CallId("01CALL"), PurePosixPath("late.wav"))
    await check.close(0)
    assert told == []


async def test_of_too_many_at_once_it_is_said_which_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 1)
    monkeypatch.setattr(writing, "COMPLETED_SECONDS", 0.0)
    assert await unwritten(tmp_path) == []
    check = WrittenCheck(tmp_path, lambda call, recording: None)
    for name in ("first", "second"):
        check.look_at(CallId("01CALL"), PurePosixPath(f"{name}.wav"))
    assert "01CALL: whether its recording second.wav was written is not looked at" in caplog.text
    assert "first.wav" not in caplog.text
