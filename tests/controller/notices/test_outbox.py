"""Letters from the database to a real SMTP server, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.notices import Attachment, Letter, OutboxSender, enqueue, open_sender
from controller.notices.outbox import GIVEN_UP_AFTER, SENT_KEPT, retry_after
from controller.settings import Settings
from controller.storage import Database
from controller.storage.outbox import OutboxCounts, OutboxLetter, claim_due_letter, count_letters, get_letter, list_letters
from tests.fixtures.mail import MailServer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Post:
    """An outbox with its sender, and a clock that the test moves."""

    def __init__(self, database: Database, server: MailServer, folder: Path) -> None:
        self.database, self.server, self.folder = database, server, folder
        self.moment = NOON
        self.sender: OutboxSender

    def now(self) -> datetime:
        return self.moment

    def open(self, **settings: str) -> OutboxSender:
        """A sender, as of a process that has just started."""
        server = {"ATTENDANT_SMTP_URL": f"smtp://127.0.0.1:{self.server.port}", "ATTENDANT_MAIL_FROM": "pbx@example.com"}
        given = Settings.load({"ATTENDANT_DATA_DIR": str(self.folder), **server, **settings})
        self.sender = open_sender(given, self.database, self)
        return self.sender

    async def write(self, number: int = 1, **parts: Any) -> str:
        plain = {
            "kind": "test",
            "language": "en",
            "recipient": "office@example.com",
            "subject": f"Letter {number}",
            "body": "Body\n",
        }
        return await self.database.run(enqueue, Letter(**{**plain, **parts}), at=self.moment)

    async def letter(self, id: str) -> OutboxLetter:
        return await self.database.read(get_letter, id)

    async def subjects(self) -> list[str]:
        return [letter["Subject"] for letter in self.server.letters]


@pytest.fixture
async def post(database: Database, mail_server: MailServer, tmp_path: Path) -> Post:
    await mail_server.start()
    made = Post(database, mail_server, tmp_path)
    made.open()
    return made


async def test_a_letter_is_sent_once_and_marked(post: Post) -> None:
    id = await post.write(
        subject="Голос: +7 495", body="Здравствуйте — это письмо.\n", recipient="офис@example.com".replace("офис", "office")
    )
    assert await post.sender.send_due() == 1
    assert await post.sender.send_due() == 0
    (letter,) = post.server.letters
    assert (letter["Subject"], letter["From"], letter["To"]) == ("Голос: +7 495", "pbx@example.com", "office@example.com")
    assert letter["Message-ID"] == f"<{id}@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().rstrip() == "Здравствуйте — это письмо."
    assert max(map(len, post.server.raw[0].split(b"\r\n"))) < 998 and post.server.raw[0].isascii()
    row = await post.letter(id)
    assert (row.state, row.sent_at, row.attempts) == ("sent", NOON, 1)


async def test_a_letter_is_there_only_if_what_it_tells_of_is(post: Post) -> None:
    def fails(session: Any) -> None:
        enqueue(session, Letter("test", "en", "a@b.c", "Lost", "Body"), at=NOON)
        raise RuntimeError("the rest did not work")

    with pytest.raises(RuntimeError):
        await post.database.run(fails)
    assert await post.sender.send_due() == 0


async def test_one_occasion_has_one_letter(post: Post) -> None:
    first = await post.write(dedupe_key="voicemail:1")
    assert await post.write(dedupe_key="voicemail:1") == first
    await post.sender.send_due()
    assert len(post.server.letters) == 1


async def test_no_server_in_the_settings_lets_letters_wait_and_counts_them(post: Post) -> None:
    id = await post.write()
    idle = open_sender(Settings.load({"ATTENDANT_DATA_DIR": str(post.folder)}), post.database, post)
    assert not idle.configured
    post.moment += timedelta(days=30)
    assert await idle.send_due() == 0
    assert await post.database.read(count_letters) == OutboxCounts(waiting=1, given_up=0)
    post.open()
    assert await post.sender.send_due() == 1
    assert (await post.letter(id)).state == "sent"


async def test_a_server_that_is_down_loses_nothing_and_is_not_asked_for_every_letter(post: Post) -> None:
    ids = [await post.write(number) for number in range(3)]
    await post.server.stop()
    assert await post.sender.send_due() == 0
    assert post.sender.trouble is not None and "connect" in post.sender.trouble.lower()
    attempts = [(await post.letter(id)).attempts for id in ids]
    assert attempts == [1, 0, 0]
    assert await post.sender.send_due() == 0
    assert [(await post.letter(id)).attempts for id in ids] == attempts, "the server rests for a minute"

    await post.server.start_again()
    post.moment += MINUTE
    assert await post.sender.send_due() == 3
    assert sorted(await post.subjects()) == ["Letter 0", "Letter 1", "Letter 2"]
    assert post.sender.trouble is None


async def test_a_recipient_refused_for_ever_is_given_up_at_once_and_keeps_nobody(post: Post) -> None:
    post.server.answers["nobody@example.com"] = "550 5.1.1 No such user"
    refused = await post.write(1, recipient="nobody@example.com")
    taken = await post.write(2)
    assert await post.sender.send_due() == 1
    row = await post.letter(refused)
    assert (row.state, row.given_up_at) == ("given_up", NOON)
    assert "No such user" in row.last_error
    assert (await post.letter(taken)).state == "sent"
    assert await post.database.read(count_letters) == OutboxCounts(waiting=0, given_up=1)
    assert [one.id for one in await post.database.read(list_letters, "given_up")] == [refused]


async def test_a_letter_not_taken_now_is_tried_after_growing_pauses_and_given_up_after_three_days(post: Post) -> None:
    post.server.answers["DATA"] = "451 4.3.0 Try later"
    id = await post.write()
    tries = []
    while (row := await post.letter(id)).state == "waiting":
        post.moment = row.due_at
        tries.append(post.moment - NOON)
        await post.sender.send_due()
    assert tries[:5] == [0 * MINUTE, 1 * MINUTE, 3 * MINUTE, 7 * MINUTE, 15 * MINUTE]
    assert tries[-1] - tries[-2] == timedelta(hours=4)
    assert GIVEN_UP_AFTER <= tries[-1] < GIVEN_UP_AFTER + timedelta(hours=4)
    assert (row.state, row.sent_at) == ("given_up", None) and "Try later" in row.last_error


def test_the_pauses_double_up_to_four_hours() -> None:
    assert [retry_after(attempts) / MINUTE for attempts in (1, 2, 3, 8, 9, 10_000)] == [1, 2, 4, 128, 240, 240]


async def test_a_crash_between_sending_and_marking_sends_it_again_under_the_same_id(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await post.write()

    def crash(*_: object) -> None:
        raise SystemError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr("controller.notices.outbox.mark_sent", crash)
        with pytest.raises(SystemError):
            await post.sender.send_due()
    post.open()
    assert await post.sender.send_due() == 0, "the claim of the one that died is still in force"
    post.moment = (await post.letter(id)).due_at
    assert await post.sender.send_due() == 1
    assert [letter["Message-ID"] for letter in post.server.letters] == [f"<{id}@example.com>"] * 2


async def test_two_senders_never_take_the_same_letter(post: Post) -> None:
    for number in range(20):
        await post.write(number)
    one, other = post.sender, post.open()
    assert sum(await asyncio.gather(one.send_due(), other.send_due())) == 20
    assert sorted(await post.subjects()) == sorted(f"Letter {number}" for number in range(20))


async def test_a_claim_is_over_when_its_time_is(post: Post) -> None:
    id = await post.write()
    assert (await post.database.run(claim_due_letter, NOON, NOON + MINUTE)) is not None
    assert await post.database.run(claim_due_letter, NOON, NOON + MINUTE) is None
    again = await post.database.run(claim_due_letter, NOON + MINUTE, NOON + 2 * MINUTE)
    assert again is not None and (again.id, again.attempts, again.first_tried_at) == (id, 2, NOON)


@pytest.mark.parametrize(
    "subject",
    ["Hi\r\nBcc: thief@example.com", "Hi\nBcc: a@b.c", "Hi\r\n\r\nBody", "Hi\0\x0b\x0c\x85\u2028Bcc: a@b.c", "Hi \udcff"],
)
async def test_a_subject_adds_no_header(post: Post, subject: str) -> None:
    await post.write(subject=subject)
    assert await post.sender.send_due() == 1
    (letter,) = post.server.letters
    assert letter["Bcc"] is None and letter["Subject"].startswith("Hi")
    assert post.server.recipients == ["office@example.com"]
    assert letter.get_content().strip() == "Body"


@pytest.mark.parametrize("recipient", ["a@b.c\r\nBcc: thief@example.com", "a@b.c, thief@example.com", "", "nobody", "<a@b.c>"])
async def test_a_recipient_that_is_no_address_is_kept_and_seen_but_never_used(post: Post, recipient: str) -> None:
    id = await post.write(recipient=recipient)
    assert await post.sender.send_due() == 0
    row = await post.letter(id)
    assert row.state == "given_up" and "no e-mail address" in row.last_error and "\n" not in row.recipient


async def test_a_file_goes_with_the_letter(post: Post) -> None:
    (post.folder / "sound.wav").write_bytes(b"RIFF" * 10)
    await post.write(attachments=(Attachment("sound.wav", "голос.wav", "audio/wav"),))
    await post.sender.send_due()
    (part,) = post.server.letters[0].iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == ("голос.wav", "audio/wav", b"RIFF" * 10)


@pytest.mark.parametrize("language", ["en", "ru", "fr"])
async def test_a_file_that_is_gone_or_too_large_or_outside_is_told_of_instead(post: Post, language: str) -> None:
    (post.folder / "large.wav").write_bytes(b"x" * 1_000_001)
    post.open(ATTENDANT_MAIL_ATTACHMENT_MB="1")
    files = ("gone.wav", "large.wav", "../../etc/passwd", "/etc/passwd")
    await post.write(language=language, attachments=tuple(Attachment(path, "sound.wav", "audio/wav") for path in files))
    assert await post.sender.send_due() == 1
    (letter,) = post.server.letters
    body = letter.get_body()
    assert body is not None and list(letter.iter_attachments()) == []
    said = body.get_content()
    assert str(post.folder / "large.wav") in said and "1.0" in said
    assert said.count({"ru": "больше нет"}.get(language, "not there any more")) == 3


async def test_a_letter_that_cannot_be_written_keeps_nobody(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    bad = await post.write(1, attachments=(Attachment("x", "x", "audio/wav"),))

    def spoil(session: Any) -> None:
        get_letter(session, bad).attachments = [{"nonsense": 1}]

    await post.database.run(spoil)
    await post.write(2)
    assert await post.sender.send_due() == 1
    assert "could not be written" in (await post.letter(bad)).last_error


async def test_letters_that_were_sent_long_ago_are_forgotten(post: Post) -> None:
    await post.write()
    await post.sender.send_due()
    post.moment += SENT_KEPT + MINUTE
    kept = await post.write(2)
    await post.sender.send_due()
    assert [letter.id for letter in await post.database.read(list_letters)] == [kept]


async def test_the_sender_goes_round_until_it_is_ended(post: Post) -> None:
    rounds: list[float] = []
    ended: Callable[[], bool] = lambda: len(rounds) == 3  # noqa: E731

    async def pause(seconds: float) -> None:
        rounds.append(seconds)
        await post.write(len(rounds))
        if ended():
            raise asyncio.CancelledError

    given = Settings.load(
        {"ATTENDANT_SMTP_URL": f"smtp://127.0.0.1:{post.server.port}", "ATTENDANT_MAIL_FROM": "pbx@example.com"}
    )
    with pytest.raises(asyncio.CancelledError):
        await open_sender(given, post.database, post, pause).run()
    assert await post.subjects() == ["Letter 1", "Letter 2"]
