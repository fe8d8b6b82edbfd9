"""The outbox: letters are put into the database together with what they tell of, and sent from there until they are through.

Rules:
- A letter is claimed, then sent, then marked. A crash in between sends it again, under the same Message-ID: at least once.
- Trouble with the server stops the round for a while, and is no letter's end; trouble with a letter leaves the others alone.
- After GIVEN_UP_AFTER of trying a letter is given up. It stays, and can be asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from ulid import ULID

from controller.addresses import email_address
from controller.clock import Clock
from controller.errors import LetterDeferred, LetterRefused, MailError, MailUnavailable
from controller.notices.composing import Envelope, compose
from controller.notices.letters import Letter
from controller.notices.mail import LETTER_SECONDS, Mailer
from controller.settings import Settings
from controller.storage import Database, Session
from controller.storage.outbox import (
    OutboxLetter,
    claim_due_letter,
    delete_sent_before,
    find_by_occasion,
    mark_deferred,
    mark_given_up,
    mark_sent,
)

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 5.0
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=4)
GIVEN_UP_AFTER: Final = timedelta(days=3)
LONGEST_SERVER_PAUSE: Final = timedelta(minutes=15)
SENT_KEPT: Final = timedelta(days=90)
_TIDIED_EVERY: Final = timedelta(hours=1)
_CLAIM: Final = timedelta(seconds=2 * LETTER_SECONDS)


def enqueue(session: Session, letter: Letter, *, at: datetime) -> str:
    """Put a letter into the outbox, in the caller's transaction; returns its id, or that of the letter for the same occasion.

    A recipient that is no address raises nothing, because what the letter tells of must be kept: it is put in as given up.
    """
    before = find_by_occasion(session, letter.dedupe_key) if letter.dedupe_key is not None else None
    if before is not None:
        return before.id
    row = OutboxLetter(
        id=str(ULID.from_datetime(at)),
        kind=letter.kind,
        language=letter.language,
        recipient=letter.recipient,
        subject=_one_line(letter.subject),
        body=_encodable(letter.body),
        attachments=[asdict(attachment) for attachment in letter.attachments],
        created_at=at,
        due_at=at,
        dedupe_key=letter.dedupe_key,
    )
    try:
        row.recipient = email_address(letter.recipient)
    except ValueError as error:
        row.recipient, row.given_up_at, row.last_error = _one_line(letter.recipient), at, f"no e-mail address: {error}"
    session.add(row)
    session.flush()
    return row.id


def open_sender(
    settings: Settings, database: Database, clock: Clock, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> OutboxSender:
    """The sender of this installation; without a mail server in the settings it only lets letters wait. Raises SettingsError."""
    mailer, envelope = None, None
    if settings.smtp_url is not None and settings.mail_from is not None:
        mailer = Mailer(settings.smtp_url, settings.mail_from, settings.smtp_ca_file)
        envelope = Envelope(settings.mail_from, settings.data_dir, settings.mail_attachment_mb * 1_000_000)
    return OutboxSender(database, clock, mailer, envelope, pause)


class OutboxSender:
    """Sends what is due. `run` belongs to whoever starts it; several processes may run one each."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        mailer: Mailer | None,
        envelope: Envelope | None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._mailer = mailer
        self._envelope = envelope
        self._pause = pause
        self._failures = 0
        self._not_before: datetime | None = None
        self._tidied_at: datetime | None = None
        self._trouble: str | None = None

    @property
    def configured(self) -> bool:
        """Whether there is a mail server at all."""
        return self._mailer is not None

    @property
    def trouble(self) -> str | None:
        """What is wrong with the mail server; None when nothing is known to be."""
        return self._trouble

    async def run(self) -> None:
        """Send letters when they are due, for ever."""
        while True:
            await self.send_due()
            await self._pause(POLL_SECONDS)

    async def send_due(self) -> int:
        """One round: what is due now, one letter after another; returns how many were sent."""
        sent = 0
        await self._tidy()
        while self._ready():
            now = self._clock.now()
            letter = await self._database.run(claim_due_letter, now, now + _CLAIM)
            if letter is None:
                break
            sent += await self._try(letter)
        return sent

    def _ready(self) -> bool:
        return self._mailer is not None and (self._not_before is None or self._clock.now() >= self._not_before)

    async def _try(self, letter: OutboxLetter) -> bool:
        try:
            await self._send(letter)
        except MailUnavailable as error:
            self._server_failed(error)
            await self._later(letter, error)
        except LetterRefused as error:
            self._server_works()
            log.warning("letter %s to %s was refused: %s", letter.id, letter.recipient, error)
            await self._database.run(mark_given_up, letter.id, self._clock.now(), str(error))
        except LetterDeferred as error:
            self._server_works()
            await self._later(letter, error)
        else:
            self._server_works()
            await self._database.run(mark_sent, letter.id, self._clock.now())
            log.info("letter %s to %s was sent", letter.id, letter.recipient)
            return True
        return False

    async def _send(self, letter: OutboxLetter) -> None:
        assert self._mailer is not None and self._envelope is not None
        try:
            message = await asyncio.to_thread(compose, letter, self._envelope)
        except Exception as error:
            # One letter that can't be written must not keep the others.
            log.exception("letter %s could not be written", letter.id)
            raise LetterDeferred(f"it could not be written: {error}") from error
        await self._mailer.send(letter.recipient, message)

    async def _later(self, letter: OutboxLetter, error: MailError) -> None:
        now = self._clock.now()
        if letter.first_tried_at is not None and now - letter.first_tried_at >= GIVEN_UP_AFTER:
            log.error("letter %s to %s is given up: %s", letter.id, letter.recipient, error)
            await self._database.run(mark_given_up, letter.id, now, str(error))
            return
        log.warning("letter %s to %s was not sent and is tried again: %s", letter.id, letter.recipient, error)
        await self._database.run(mark_deferred, letter.id, now + retry_after(letter.attempts), str(error))

    def _server_failed(self, error: MailUnavailable) -> None:
        self._trouble = str(error)
        self._not_before = self._clock.now() + min(FIRST_RETRY * (1 << min(self._failures, 10)), LONGEST_SERVER_PAUSE)
        self._failures += 1

    def _server_works(self) -> None:
        self._trouble, self._not_before, self._failures = None, None, 0

    async def _tidy(self) -> None:
        now = self._clock.now()
        if self._tidied_at is None or now - self._tidied_at >= _TIDIED_EVERY:
            self._tidied_at = now
            await self._database.run(delete_sent_before, now - SENT_KEPT)


def retry_after(attempts: int) -> timedelta:
    """How long a letter rests after so many attempts: 1, 2, 4 … minutes, at most LONGEST_RETRY."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, 20)), LONGEST_RETRY)


def _one_line(text: str) -> str:
    """No control character, so no further header: each becomes a blank."""
    return " ".join("".join(character if character.isprintable() else " " for character in _encodable(text)).split())[:200]


def _encodable(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()
