"""Voicemail on telephony in memory: the moments that a real call can hardly be brought to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.calls import keeping
from controller.calls.keeping import VoicemailDraft, VoicemailKeeper
from controller.clock import SystemClock
from controller.errors import StorageError, TelephonyError, TelephonyUnavailable
from controller.notices.voicemails import LeftVoicemail
from controller.settings import Settings
from controller.storage.database import Database
from controller.storage.outbox import list_letters
from controller.storage.voicemails import Voicemail, list_voicemails
from controller.telephony.fake_people import FakeCaller
from ivr.graph import Scenario
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.soundfiles import wav_file
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, node, scenario

SPEECH = b"\x00\x20\x00\xe0" * 4000
THANKS = "sound:en/auth-thankyou"


def box(**parameters: Any) -> Scenario:
    voicemail = {"mail_to": ["office@example.com"], "max_silence_seconds": 1, **parameters}
    return scenario(
        "box", box=node("voicemail", {"next": "thanks"}, **voicemail), thanks=message({"next": "end"}, "thank-you"), end=hang_up()
    )


def is_recorded(center: CallCenter, caller: FakeCaller) -> bool:
    line = center.telephony.lines.get(caller.channel)
    return line is not None and line.message is not None


async def recorded_call(center: CallCenter) -> FakeCaller:
    center.serves("100", box())
    caller = center.telephony.call("100", caller="+74950000001")
    await until(lambda: is_recorded(center, caller))
    return caller


async def kept(database: Database, count: int = 1) -> Sequence[Voicemail]:
    """The voicemails, once there are so many."""
    found: list[Voicemail] = []
    for _ in range(500):
        found = list(await database.read(list_voicemails))
        if len(found) == count:
            break
    assert len(found) == count
    return found


def notes(folder: Path) -> list[Path]:
    """What waits to be stored."""
    return list((folder / "voicemails").glob("*"))


async def test_a_message_is_kept_once_with_its_length_and_no_note_of_it_is_left(center: CallCenter, tmp_path: Path) -> None:
    caller = await recorded_call(center)
    caller.speaks()
    await until(lambda: bool(notes(tmp_path)) and caller.spoken_seconds(0) > 0.3)
    caller.hangup()
    (voicemail,) = await kept(center.database)
    assert voicemail.path is not None and (tmp_path / voicemail.path).is_file()
    (record,) = await center.at_rest()
    assert (voicemail.id, voicemail.call_id) == (f"{record.call.id}-1", record.call.id)
    assert voicemail.arrived_at == record.call.started_at
    await until(lambda: notes(tmp_path) == [])


async def test_a_refused_recording_leads_on_with_a_letter_that_says_so(center: CallCenter) -> None:
    center.telephony.fail_next("record_message", TelephonyError("no"))
    center.serves("100", box())
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert THANKS in caller.heard
    (voicemail,) = await kept(center.database)
    assert voicemail.failed and voicemail.path is None
    (letter,) = await center.database.read(list_letters)
    assert "could not be recorded" in letter.body


async def test_a_recording_that_asterisk_no_longer_makes_is_over(center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await recorded_call(center)
    monkeypatch.setattr(center.telephony.mailboxes, "deliver", lambda event: None)
    await center.telephony.stop_message(center.telephony.lines[caller.channel].message.name)  # type: ignore[union-attr]
    monkeypatch.undo()
    center.telephony.reconnect()
    await until(lambda: is_over(caller))
    assert THANKS in caller.heard
    await kept(center.database)


async def test_a_recording_whose_end_is_never_reported_ends_by_the_clock(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.calls.messages.OVERDUE_SECONDS", -4.8)
    center.serves("100", box(max_seconds=5, max_silence_seconds=30))
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert THANKS in caller.heard
    await kept(center.database)


async def test_a_call_that_breaks_gives_its_voicemail_and_goes_to_the_fallback(center: CallCenter) -> None:
    caller = await recorded_call(center)
    center.telephony.fail_next("play", TelephonyError("broken"))
    caller.press("#")
    await until(lambda: caller.continued_at == "fallback,s")
    await kept(center.database)


async def test_the_database_is_away_and_the_voicemail_is_stored_when_it_is_back(
    center: CallCenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.01)
    run, away = center.database.run, True

    async def failing(*arguments: Any, **named: Any) -> Any:
        if away:
            raise StorageError("the database is away")
        return await run(*arguments, **named)

    monkeypatch.setattr(center.database, "run", failing)
    keeper = center.voicemails
    keeper.keep(draft())
    await until(lambda: keeper.waiting == 1)
    assert [path.name for path in notes(tmp_path)] == ["01CALL-1.json"]
    away = False
    keeper.keep(draft(id="01CALL-2"))
    await until(lambda: keeper.waiting == 0)
    assert {one.id for one in await kept(center.database, 2)} >= {"01CALL-2"}
    await until(lambda: notes(tmp_path) == [])


def draft(id: str = "01CALL-1", recording: str | None = None) -> VoicemailDraft:
    left = LeftVoicemail(
        id, "01CALL", "Evening", "box", "+49301", "100", SystemClock().now(), recipients=("office@example.com", "b@example.com")
    )
    return VoicemailDraft(left, recording=recording)


def new_keeper(database: Database, folder: Path, recorded: list[bool | Exception]) -> VoicemailKeeper:
    """Another process on the same data; `recorded` is what Asterisk answers to each question whether it still records."""

    async def is_recording(_: str) -> bool:
        answer = recorded.pop(0) if recorded else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    return VoicemailKeeper(database, SystemClock(), is_recording, Settings.load({"ATTENDANT_DATA_DIR": str(folder)}))


async def test_what_a_killed_process_left_is_kept_by_the_next_one_when_asterisk_has_completed_it(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 0.001)
    killed = new_keeper(sqlite_database, tmp_path, [])
    killed.expect(draft(recording="voicemail/one"))
    killed.expect(draft("01CALL-2"))
    await killed.close(5)
    (tmp_path / "recordings/voicemail").mkdir(parents=True)
    wav_file(tmp_path / "recordings/voicemail/one.wav", SPEECH)
    assert await sqlite_database.read(list_voicemails) == []

    questions: list[bool | Exception] = [TelephonyUnavailable("not yet"), True, True]
    again = new_keeper(sqlite_database, tmp_path, questions)
    task = asyncio.create_task(again.run())
    silent, spoken = await kept(sqlite_database, 2)
    assert questions == []
    assert (spoken.path, spoken.recipients) == ("recordings/voicemail/one.wav", ["office@example.com", "b@example.com"])
    assert spoken.length_seconds == pytest.approx(1.0)
    assert silent.path is None and not silent.failed
    assert len(await sqlite_database.read(list_letters)) == 4
    await until(lambda: notes(tmp_path) == [])
    task.cancel()
    await again.close(1)


async def test_a_note_that_cannot_be_read_is_put_aside(
    sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "voicemails").mkdir()
    (tmp_path / "voicemails/01.json").write_text(json.dumps({"voicemail": {}}))
    keeper = new_keeper(sqlite_database, tmp_path, [])
    keeper.keep(draft())

    task = asyncio.create_task(keeper.run())
    await kept(sqlite_database)
    await until(lambda: (tmp_path / "voicemails/01.unreadable").exists())
    assert "is no voicemail" in caplog.text
    task.cancel()
    await keeper.close(1)


async def test_without_a_place_for_notes_a_voicemail_is_stored_all_the_same(
    sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "voicemails").write_text("where a folder should be")
    keeper = new_keeper(sqlite_database, tmp_path, [])
    keeper.keep(draft())
    await kept(sqlite_database)
    assert "can't be noted" in caplog.text
    await keeper.close(1)
