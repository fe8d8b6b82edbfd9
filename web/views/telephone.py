"""The telephone on an operator's own page (SKZ-72, SKZ-73): his account for it, and its way to Asterisk.

A page may speak there as long as its session lasts and the operator's call mode is "browser". The page that came last is the
telephone; the one before is told so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any, Final, cast
from urllib.parse import urlsplit

from pydantic import BaseModel
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from controller.errors import AttendantError, StorageError, TelephonyUnavailable
from controller.ids import BROWSER_DOMAIN
from controller.storage.desks import operator_of
from controller.storage.operators import Operator
from web.rendering import ModelResponse
from web.security import session_user
from web.services import SipSocket, services
from web.sip_messages import is_spoken_by

log = logging.getLogger(__name__)

PROTOCOL: Final = "sip"
LOOKED_AT_EVERY: Final = 5.0
"""Seconds between two looks whether the page may still speak."""


class Close(IntEnum):
    """Why the socket was closed, for the page."""

    GONE = 1000
    FAILED = 1011
    REFUSED = 4400
    """A message that is not the operator's."""
    CHANGED = 4401
    """The session is over, or the account is another one."""
    ELSEWHERE = 4409
    """Another window is the telephone now."""
    NO_ASTERISK = 4503


class TelephoneAccount(BaseModel):
    """How the page registers."""

    user: str
    password: str
    domain: str


class NoTelephone(BaseModel):
    """Why the page is no telephone."""

    message: str


class Telephones:
    """Which window of an operator is his telephone: the last that was opened."""

    def __init__(self) -> None:
        self._replaced: dict[str, asyncio.Event] = {}

    @contextmanager
    def only(self, extension: str) -> Iterator[asyncio.Event]:
        """Take the place of the window before; the event is set when another takes this one's."""
        if (before := self._replaced.get(extension)) is not None:
            before.set()
        mine = self._replaced[extension] = asyncio.Event()
        try:
            yield mine
        finally:
            if self._replaced.get(extension) is mine:
                del self._replaced[extension]


async def get_account(request: Request) -> Response:
    """How the page registers, or why it can't."""
    given = services(request)
    operator = await given.database.read(operator_of, request.state.user.id)
    trouble = given.no_telephone
    if operator is None:
        trouble = "This account is not linked to an operator's phone."
    elif operator.call_mode != "browser":
        trouble = "You telephone with something else: choose “This browser” as call mode."
    if operator is None or trouble is not None:
        return ModelResponse(NoTelephone(message=trouble or ""), 409)
    return ModelResponse(TelephoneAccount(user=operator.extension, password=operator.account_secret, domain=BROWSER_DOMAIN))


async def telephone(socket: WebSocket) -> None:
    """Carries the SIP of an operator's page to Asterisk and back, a message a frame."""
    try:
        operator = await _operator(socket) if _is_own(socket) else None
    except StorageError as error:
        log.error("a telephone in the browser was refused: %s", error)
        operator = None
    if operator is None or PROTOCOL not in socket.scope["subprotocols"]:
        await socket.close()
        return
    await socket.accept(PROTOCOL)
    code = await _carry(socket, operator)
    with suppress(RuntimeError, WebSocketDisconnect):  # it is closed already
        await socket.close(code)


def _is_own(socket: WebSocket) -> bool:
    """Whether a page of ours asks: browsers send cookies along with the sockets of any site."""
    origin = socket.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == socket.headers.get("host")


async def _operator(connection: HTTPConnection) -> Operator | None:
    """Who telephones with this browser; None when nobody may."""
    user = await session_user(connection)
    operator = None if user is None else await services(connection).database.read(operator_of, user.id)
    return operator if operator is not None and operator.call_mode == "browser" else None


async def _carry(socket: WebSocket, operator: Operator) -> Close:
    """Until one side ends, or may not go on."""
    open_socket, extension = services(socket).open_sip_socket, operator.extension
    telephones = cast(Telephones, socket.app.state.telephones)
    try:
        with telephones.only(extension) as replaced:
            async with open_socket() as asterisk:
                return await _first_of(
                    _to_asterisk(socket, asterisk, extension),
                    _from_asterisk(socket, asterisk),
                    _while_allowed(socket, operator),
                    _until(replaced),
                )
    except TelephonyUnavailable as error:
        log.warning("the telephone of %s in the browser: %s", extension, error)
        return Close.NO_ASTERISK
    except WebSocketDisconnect:
        return Close.GONE
    except AttendantError as error:
        log.error("the telephone of %s in the browser ends: %s", extension, error)
        return Close.FAILED


async def _first_of(*parts: Coroutine[Any, Any, Close]) -> Close:
    """The result or error of the part that ends first; the others are cancelled."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _to_asterisk(socket: WebSocket, asterisk: SipSocket, extension: str) -> Close:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return Close.GONE
        text = message.get("text")
        if text is None or not is_spoken_by(text, extension):
            log.warning("the telephone of %s in the browser sent what is no message of its own, and was closed", extension)
            return Close.REFUSED
        await asterisk.send(text)


async def _from_asterisk(socket: WebSocket, asterisk: SipSocket) -> Close:
    while True:
        await socket.send_text(await asterisk.receive())


async def _while_allowed(socket: WebSocket, began: Operator) -> Close:
    while True:
        await asyncio.sleep(LOOKED_AT_EVERY)
        operator = await _operator(socket)
        if operator is None or (operator.id, operator.account_secret) != (began.id, began.account_secret):
            return Close.CHANGED


async def _until(replaced: asyncio.Event) -> Close:
    await replaced.wait()
    return Close.ELSEWHERE
