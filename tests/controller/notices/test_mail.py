"""One letter through a real SMTP server, in every way that servers ask for and fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from controller.errors import LetterDeferred, LetterRefused, MailError, MailUnavailable, SettingsError
from controller.notices.mail import Mailer
from controller.settings import SmtpServer
from tests.fixtures.mail import USER, MailServer

LETTER = b"Subject: Hello\r\n\r\nBody\r\n"


async def send(mailer: Mailer) -> None:
    await mailer.send("office@example.com", LETTER)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [False, True])
async def test_a_letter_goes_through_however_the_server_wants_it(mail_server: MailServer, security: Any, login: bool) -> None:
    await mail_server.start(security, login)
    await send(Mailer(mail_server.address(security, login), "a@example.com", mail_server.authority))
    assert mail_server.recipients == ["office@example.com"]
    assert mail_server.letters[0]["Subject"] == "Hello"
    assert mail_server.logged_in == ([USER] if login else [])


async def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(mail_server: MailServer) -> None:
    for security in ("starttls", "tls"):
        await mail_server.start(security)
        with pytest.raises(MailUnavailable, match="certificate"):
            await send(Mailer(mail_server.address(security), "a@example.com"))
        await mail_server.stop()
    assert mail_server.letters == []


async def test_a_server_without_starttls_gets_nothing_in_clear(mail_server: MailServer) -> None:
    await mail_server.start("none")
    with pytest.raises(MailUnavailable, match="STARTTLS"):
        await send(Mailer(mail_server.address("starttls"), "a@example.com", mail_server.authority))


async def test_a_wrong_password_is_the_servers_trouble_not_the_letters(mail_server: MailServer) -> None:
    await mail_server.start("starttls", login=True)
    with pytest.raises(MailUnavailable, match="535") as failed:
        await send(Mailer(mail_server.address("starttls", True, "wrong-one"), "a@example.com", mail_server.authority))
    assert "wrong-one" not in str(failed.value)


async def test_a_server_that_wants_a_login_and_gets_none_is_the_servers_trouble(mail_server: MailServer) -> None:
    await mail_server.start("starttls", login=True)
    with pytest.raises(MailUnavailable, match="530"):
        await send(Mailer(mail_server.address("starttls"), "a@example.com", mail_server.authority))


@pytest.mark.parametrize(
    ("command", "answer", "kind"),
    [
        ("RCPT", "550 5.1.1 No such user", LetterRefused),
        ("RCPT", "450 4.2.1 Mailbox busy", LetterDeferred),
        ("RCPT", "452 4.2.2 Mailbox full", LetterDeferred),
        ("DATA", "554 5.7.1 Looks like spam", LetterRefused),
        ("DATA", "552 5.3.4 Too large", LetterRefused),
        ("DATA", "451 4.3.0 Try later", LetterDeferred),
        ("MAIL", "552 5.3.4 Too large", LetterRefused),
        ("MAIL", "550 5.1.8 Who are you?", MailUnavailable),
        ("MAIL", "451 4.3.0 Try later", MailUnavailable),
    ],
)
async def test_what_the_server_answers_decides(mail_server: MailServer, command: str, answer: str, kind: type[MailError]) -> None:
    await mail_server.start()
    mail_server.answers[command] = answer
    with pytest.raises(MailError, match=answer[4:].replace("?", r"\?")) as failed:
        await send(Mailer(mail_server.address(), "a@example.com"))
    assert type(failed.value) is kind


async def test_a_letter_larger_than_the_server_takes_is_refused(mail_server: MailServer) -> None:
    await mail_server.start(max_size=1000)
    with pytest.raises(LetterRefused, match="552"):
        await Mailer(mail_server.address(), "a@example.com").send("office@example.com", LETTER + b"x" * 2000)


async def test_a_server_that_is_not_there_is_unavailable(mail_server: MailServer) -> None:
    await mail_server.start()
    await mail_server.stop()
    with pytest.raises(MailUnavailable):
        await send(Mailer(mail_server.address(), "a@example.com"))


async def test_a_name_that_is_nobodys_is_unavailable() -> None:
    with pytest.raises(MailUnavailable):
        await send(Mailer(SmtpServer("mail.invalid", 25, "none"), "a@example.com"))


async def test_a_server_that_hangs_is_left_in_time(mail_server: MailServer) -> None:
    await mail_server.start()
    mail_server.hangs = asyncio.Event()
    with pytest.raises(MailUnavailable):
        await send(Mailer(mail_server.address(), "a@example.com", answer_seconds=0.2))
    mail_server.hangs.set()


async def test_a_server_that_says_nothing_at_all_is_left_in_time() -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(MailUnavailable):
            await send(Mailer(SmtpServer("127.0.0.1", port, "none"), "a@example.com", answer_seconds=0.2))
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_server_that_breaks_off_in_the_middle_is_unavailable(mail_server: MailServer) -> None:
    await mail_server.start()
    mail_server.breaks_off = True
    with pytest.raises(MailUnavailable):
        await send(Mailer(mail_server.address(), "a@example.com"))


def test_a_file_of_certificates_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    for file in (tmp_path / "none.pem", tmp_path / "bad.pem"):
        with pytest.raises(SettingsError, match=file.name):
            Mailer(SmtpServer("localhost", 465, "tls"), "a@example.com", file)
