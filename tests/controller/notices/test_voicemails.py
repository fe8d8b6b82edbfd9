"""A voicemail and its letter."""

from __future__ import annotations

import wave
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.notices import LeftVoicemail, open_sender, store_voicemail
from controller.settings import Settings
from controller.storage import Database
from controller.storage.outbox import OutboxLetter, list_letters
from controller.storage.voicemails import find_voicemail, list_voicemails
from tests.fixtures.mail import MailServer

ARRIVED = datetime(2026, 5, 4, 21, 30, tzinfo=UTC)
STORED: Any = {"language": "en", "zone": ZoneInfo("Europe/Moscow"), "at": ARRIVED + timedelta(minutes=3)}
SPOKEN = LeftVoicemail(
    id="01VOICE",
    call_id="01CALL",
    scenario="Evening",
    node="voicemail",
    caller_number="+74951112233",
    called_number="8000",
    arrived_at=ARRIVED,
    path="recordings/01VOICE.wav",
    length_seconds=65.4,
    recipients=("office@example.com",),
)
SILENT = replace(SPOKEN, path=None, length_seconds=0)


async def letters(database: Database) -> list[OutboxLetter]:
    return list(await database.read(list_letters))


async def sent(database: Database, server: MailServer, folder: Path) -> Any:
    """The one letter that comes out at the other end."""

    class Clock:
        def now(self) -> datetime:
            return STORED["at"]

    await server.start()
    settings = Settings.load(
        {
            "ATTENDANT_DATA_DIR": str(folder),
            "ATTENDANT_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
            "ATTENDANT_MAIL_FROM": "pbx@example.com",
        }
    )
    assert await open_sender(settings, database, Clock()).send_due() == 1
    return server.letters[0]


def record(folder: Path, seconds: float) -> None:
    (folder / "recordings").mkdir()
    with wave.open(str(folder / "recordings/01VOICE.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(int(seconds * 16_000)))


@pytest.mark.covers("UIS-10", "UIS-11")
async def test_the_letter_names_the_caller_and_the_arrival_and_has_the_recording(
    database: Database, mail_server: MailServer, tmp_path: Path
) -> None:
    record(tmp_path, 2)
    await database.run(store_voicemail, SPOKEN, **STORED)
    letter = await sent(database, mail_server, tmp_path)
    assert letter["Subject"] == "Voicemail from +74951112233, 2026-05-05 00:30 MSK"
    (part,) = letter.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("audio/wav", "voicemail-20260505-0030-74951112233.wav")
    assert part.get_content() == (tmp_path / "recordings/01VOICE.wav").read_bytes()
    assert "left a message of 1:05" in letter.get_body().get_content()


@pytest.mark.covers("UIS-11")
async def test_t_15_a_caller_who_said_nothing_has_a_letter_with_number_and_arrival_time(
    database: Database, mail_server: MailServer, tmp_path: Path
) -> None:
    await database.run(store_voicemail, SILENT, **STORED)
    letter = await sent(database, mail_server, tmp_path)
    assert letter["Subject"] == "Voicemail from +74951112233, 2026-05-05 00:30 MSK"
    assert list(letter.iter_attachments()) == []
    assert "left no message" in letter.get_body().get_content()


@pytest.mark.covers("UIS-10")
async def test_half_an_hour_is_too_large_for_a_letter_which_says_where_it_is(
    database: Database, mail_server: MailServer, tmp_path: Path
) -> None:
    record(tmp_path, 30 * 60)
    await database.run(store_voicemail, replace(SPOKEN, length_seconds=1800), **STORED)
    letter = await sent(database, mail_server, tmp_path)
    assert list(letter.iter_attachments()) == []
    said = letter.get_body().get_content()
    assert "30:00" in said and "28.8 MB" in said and str(tmp_path / "recordings/01VOICE.wav") in said


async def test_a_recording_that_disappeared_is_told_of(database: Database, mail_server: MailServer, tmp_path: Path) -> None:
    await database.run(store_voicemail, SPOKEN, **STORED)
    letter = await sent(database, mail_server, tmp_path)
    assert list(letter.iter_attachments()) == []
    assert "is not there any more" in letter.get_body().get_content()


async def test_letters_are_written_in_the_language_asked_for(database: Database) -> None:
    await database.run(store_voicemail, SPOKEN, **{**STORED, "language": "ru"})
    await database.run(store_voicemail, replace(SILENT, id="02", caller_number=""), **{**STORED, "language": "ru"})
    silent, spoken = await letters(database)
    assert spoken.subject == "Голосовое сообщение: +74951112233, 2026-05-05 00:30 MSK"
    assert "оставил сообщение длиной 1:05" in spoken.body
    assert silent.subject == "Голосовое сообщение: номер скрыт, 2026-05-05 00:30 MSK"
    assert "не оставил сообщения" in silent.body


async def test_each_address_gets_a_letter_of_its_own_once(database: Database) -> None:
    both = replace(SPOKEN, recipients=("office@example.com", "boss@example.com", " office@example.com", ""))
    await database.run(store_voicemail, both, **STORED)
    assert [letter.recipient for letter in await letters(database)] == ["boss@example.com", "office@example.com"]
    kept = await database.read(find_voicemail, SPOKEN.id)
    assert kept is not None and kept.recipients == ["office@example.com", "boss@example.com"]


@pytest.mark.parametrize(("language", "said"), [("en", "could not be recorded"), ("ru", "не удалось записать")])
async def test_a_message_that_could_not_be_recorded_is_told_of(database: Database, language: str, said: str) -> None:
    await database.run(store_voicemail, replace(SILENT, failed=True), **{**STORED, "language": language})
    (letter,) = await letters(database)
    assert said in letter.body and letter.attachments == []


async def test_a_withheld_number_is_said_to_be_so(database: Database) -> None:
    await database.run(store_voicemail, replace(SPOKEN, caller_number=""), **STORED)
    (letter,) = await letters(database)
    assert letter.subject.startswith("Voicemail from a withheld number, ")
    assert letter.attachments[0]["name"] == "voicemail-20260505-0030-withheld.wav"


async def test_a_caller_number_adds_neither_header_nor_folder(database: Database) -> None:
    await database.run(store_voicemail, replace(SPOKEN, caller_number="1\r\nBcc: x@y.z/../.."), **STORED)
    (letter,) = await letters(database)
    assert "\n" not in letter.subject
    assert letter.attachments[0]["name"] == "voicemail-20260505-0030-1Bccxyz.wav"


async def test_told_of_twice_it_is_kept_once(database: Database) -> None:
    for _ in range(2):
        await database.run(store_voicemail, SPOKEN, **STORED)
    assert len(await letters(database)) == len(await database.read(list_voicemails)) == 1


async def test_without_an_address_it_is_kept_without_a_letter_and_with_a_bad_one_too(database: Database) -> None:
    await database.run(store_voicemail, replace(SPOKEN, recipients=()), **STORED)
    assert await letters(database) == []
    await database.run(store_voicemail, replace(SPOKEN, id="02", recipients=("nonsense",)), **STORED)
    assert [letter.state for letter in await letters(database)] == ["given_up"]
    kept = await database.read(find_voicemail, "02")
    assert kept is not None and (kept.arrived_at, kept.path, kept.heard_at) == (ARRIVED, SPOKEN.path, None)
