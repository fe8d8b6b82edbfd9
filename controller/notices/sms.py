"""Short messages through a gateway of the installation's choice: whoever takes POST {"to", "text"} as JSON (SKZ-10)."""

from __future__ import annotations

import logging
from typing import Final

import aiohttp

from controller.errors import Refused
from controller.notices.letters import write_letter

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 10.0
"""Seconds that the gateway has."""
_OK: Final = range(200, 300)


class SmsGateway:
    """Sends through the gateway at this address, which may hold its key."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def send_code(self, number: str, code: str, language: str) -> None:
        """Send the code that confirms a number. Raises Refused: the gateway did not take it."""
        text, _ = write_letter("confirmation_code", language, {"code": code})
        await self._send(number, text)

    async def _send(self, number: str, text: str) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)) as session,
                session.post(self._address, json={"to": number, "text": text}, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The message of the error may repeat the address, which may hold a key.
            log.warning("the SMS gateway can't be reached: %s", type(error).__name__)
            raise Refused("the message was not sent: the SMS gateway can't be reached") from None
        if status not in _OK:
            log.warning("the SMS gateway answered %d", status)
            raise Refused(f"the message was not sent: the SMS gateway answered {status}")
