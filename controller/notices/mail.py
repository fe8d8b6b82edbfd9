"""SMTP: one letter over one connection. All that the library raises ends here, in three kinds (see `controller.errors`).

What the server says about a letter decides by its code: 4xx later, 5xx never (RFC 5321, 4.2.1). What it says before it has seen
the letter (connection, TLS, login, our own sender address) concerns every letter, and is never a letter's end.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from controller.errors import LetterDeferred, LetterRefused, MailUnavailable, SettingsError
from controller.settings import SmtpServer

ANSWER_SECONDS: Final = 30.0
"""How long one answer of the server may take."""
LETTER_SECONDS: Final = 300.0
"""How long a letter may take with all its attachments."""
_TOO_LARGE = 552
_LONGEST_REASON = 300


class Mailer:
    """Sends letters from `sender` through one server.

    `ca_file` has the certificates to trust instead of the system's. Raises SettingsError when that can't be read.
    """

    def __init__(
        self, server: SmtpServer, sender: str, ca_file: Path | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._server = server
        self._sender = sender
        self._answer_seconds = answer_seconds
        try:
            self._tls = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise SettingsError(f"ATTENDANT_SMTP_CA_FILE={ca_file}: {error.strerror or error}") from None

    async def send(self, recipient: str, message: bytes) -> None:
        """Hand a whole message (RFC 5322) to the server. Raises MailUnavailable, LetterDeferred, LetterRefused."""
        try:
            async with asyncio.timeout(LETTER_SECONDS), self._connection() as connection:
                await connection.sendmail(self._sender, [recipient], message)
        except SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise _about_the_letter(refusal.code, refusal.message) from None
        except SMTPDataError as error:
            raise _about_the_letter(error.code, error.message) from None
        except SMTPSenderRefused as error:
            if error.code == _TOO_LARGE:
                raise _about_the_letter(error.code, error.message) from None
            raise MailUnavailable(f"the sender {self._sender} was refused: {_answer(error.code, error.message)}") from None
        except SMTPResponseException as error:
            raise MailUnavailable(_answer(error.code, error.message)) from None
        except (SMTPException, OSError, ValueError) as error:
            # Among the OSErrors are TimeoutError and those of TLS.
            raise MailUnavailable(_one_line(str(error)) or f"no answer in {self._answer_seconds:g} s") from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        server = self._server
        connection = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            timeout=self._answer_seconds,
            use_tls=server.security == "tls",
            # False: never; True: or nothing is sent. Left to itself the library would go on in clear.
            start_tls=server.security == "starttls",
            tls_context=self._tls if server.security != "none" else None,
        )
        try:
            await connection.connect()
            yield connection
            # The letter is accepted by now: whatever happens to the farewell, it was sent.
            with suppress(SMTPException, OSError):
                await connection.quit()
        finally:
            connection.close()


def _about_the_letter(code: int, message: str) -> LetterRefused | LetterDeferred:
    kind = LetterRefused if 500 <= code < 600 else LetterDeferred
    return kind(_answer(code, message))


def _answer(code: int, message: str) -> str:
    return _one_line(f"the mail server says {code} {message}")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_REASON]
