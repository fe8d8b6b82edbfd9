"""A browser's way to Asterisk: the websocket for SIP, beside ARI on the HTTP server that only the controller reaches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from controller.errors import TelephonyUnavailable

PROTOCOL: Final = "sip"
"""The websocket's sub-protocol (RFC 7118): every text frame is one SIP message."""
LARGEST_FRAME: Final = 64 * 1024
"""Bytes of a message; those of a call are about two thousand."""
CONNECT_LIMIT: Final = 5.0
HEARTBEAT: Final = 20.0
"""Seconds between two signs of life."""


class SipSocket:
    """One open websocket. `open_sip_socket` makes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, message: str) -> None:
        """Raises TelephonyUnavailable."""
        try:
            await self._socket.send_str(message)
        except (aiohttp.ClientError, OSError) as error:
            raise TelephonyUnavailable(f"Asterisk does not take SIP over its websocket: {error}") from error

    async def receive(self) -> str:
        """The next message. Raises TelephonyUnavailable: there will be none."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise TelephonyUnavailable(f"Asterisk closed its websocket ({self._socket.close_code or message.type.name})")
        return str(message.data)


@asynccontextmanager
async def open_sip_socket(base_url: str) -> AsyncIterator[SipSocket]:
    """A socket of the Asterisk whose ARI is at `base_url`. Raises TelephonyUnavailable."""
    url = f"{base_url.rstrip('/')}/ws"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_LIMIT)) as session:
        try:
            socket = await session.ws_connect(url, protocols=(PROTOCOL,), heartbeat=HEARTBEAT, max_msg_size=LARGEST_FRAME)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TelephonyUnavailable(f"can't reach Asterisk at {url}: {error or type(error).__name__}") from error
        async with socket:
            yield SipSocket(socket)
