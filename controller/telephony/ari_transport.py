"""How requests reach Asterisk: over the websocket that its events come by.

`AriTransport` is the HTTP client that aioari is given. A request that travels over the open websocket costs Asterisk and us
half of what it costs over HTTP, needs no connection pool, and is logged in once. Only the API documents, which aioari
reads at its start, come over plain HTTP. Credentials go into a header, never into an address.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.telephony.port import REQUEST_LIMIT

log = logging.getLogger(__name__)

HEARTBEAT = 5.0
"""Seconds between pings; a frozen Asterisk is noticed within one and a half of them."""

LARGEST_FRAME = 64 * 1024 * 1024
"""Bytes; the list of some ten thousand channels."""

Frame = dict[str, Any]
_API_DOCS = "api-docs/"


class Reply:
    """Asterisk's answer, in the shape that aioari reads."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self.body = body

    async def text(self) -> str:
        return self.body


def refusal(status: int, text: str, request: str) -> TelephonyError:
    """The error that an answer of 400 or more means.

    Asterisk says 404 of a thing that is gone, 409 of a channel that is just leaving us; where the channel is a parameter,
    400 "Channel not found" and 422 "Channel not in Stasis application".
    """
    said = text.lower()
    if status in (404, 409) or (status == 400 and "not found" in said) or (status == 422 and "not in stasis" in said):
        return ChannelGone(f"{request}: {text or status}")
    return TelephonyError(f"Asterisk refused {request}: {status} {text}".rstrip())


def _message(body: str) -> str:
    """The text inside an error's body: {"message": …} or {"error": …}."""
    try:
        value = json.loads(body)
    except ValueError:
        return body[:200]
    return str(value.get("message") or value.get("error") or "")[:200] if isinstance(value, dict) else ""


class AriTransport:
    """One websocket to Asterisk and the requests under way on it."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self.root = base_url.rstrip("/") + "/ari/"
        self._credentials = aiohttp.encode_basic_auth(user, password, encoding="utf-8")
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._number = 0

    async def connect(self, app: str) -> None:
        """Open the websocket as the application `app`; raises TelephonyUnavailable."""
        try:
            await self.ws_connect(self.root + "events", {"app": app})
        except aiohttp.WSServerHandshakeError as error:
            hint = ": the ARI user or password is wrong" if error.status == 401 else ""
            raise TelephonyUnavailable(f"Asterisk refused the ARI connection ({error.status}){hint}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TelephonyUnavailable(f"can't reach Asterisk at {self.root}: {error or type(error).__name__}") from error

    async def ws_connect(self, url: str, params: Mapping[str, str] | None = None) -> aiohttp.ClientWebSocketResponse:
        """Open the websocket (aioari's name for it)."""
        self._socket = await self._http().ws_connect(url, params=params, heartbeat=HEARTBEAT, max_msg_size=LARGEST_FRAME)
        return self._socket

    async def read(self, on_event: Callable[[Frame], None]) -> str:
        """Give every event to `on_event` until the websocket closes; the reason is returned. Requests under way fail then."""
        socket = self._socket
        assert socket is not None
        try:
            while True:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data, on_event)
                elif message.type is not aiohttp.WSMsgType.BINARY:
                    return f"the connection to Asterisk closed ({message.extra or socket.close_code or message.type.name})"
        finally:
            self._socket = None
            self._fail_waiting()
            await socket.close()

    async def disconnect(self) -> None:
        """Close the websocket; `read` returns."""
        if self._socket is not None:
            await self._socket.close()

    async def close(self) -> None:
        """Close everything."""
        await self.disconnect()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request and wait for its answer; raises TelephonyError and its kinds (see `refusal`)."""
        path = url.partition("/ari/")[2]
        if path.startswith(_API_DOCS):
            return await self._get_document(path)
        frame = {"type": "RESTRequest", "method": method, "uri": path}
        if params:
            frame["query_strings"] = [{"name": name, "value": str(value)} for name, value in params.items()]  # type: ignore[assignment]
        if data:
            frame["content_type"] = "application/json"
            frame["message_body"] = data
        reply = await self._exchange(frame)
        if reply.status >= 400:
            raise refusal(reply.status, _message(reply.body), f"{method} {path}")
        return reply

    async def _exchange(self, frame: dict[str, str]) -> Reply:
        socket = self._socket
        if socket is None or socket.closed:
            raise TelephonyUnavailable("not connected to Asterisk")
        self._number += 1
        number = frame["request_id"] = str(self._number)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(REQUEST_LIMIT):
                await socket.send_str(json.dumps(frame))
                return await answer
        except TimeoutError:
            raise TelephonyUnavailable(f"no answer from Asterisk in {REQUEST_LIMIT:g} s: {frame['uri']}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TelephonyUnavailable(f"the connection to Asterisk broke: {error}") from error
        finally:
            self._waiting.pop(number, None)

    def _take(self, text: str, on_event: Callable[[Frame], None]) -> None:
        """One frame: an answer or an event. A broken one must not end the reading of the others."""
        try:
            frame = json.loads(text)
            if frame["type"] == "RESTResponse":
                self._answer(frame)
            else:
                on_event(frame)
        except Exception:
            log.exception("a frame from Asterisk could not be used: %.200s", text)

    def _answer(self, frame: Frame) -> None:
        answer = self._waiting.get(frame["request_id"])
        if answer is not None and not answer.done():
            answer.set_result(Reply(int(frame["status_code"]), frame.get("message_body") or ""))

    def _fail_waiting(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(TelephonyUnavailable("the connection to Asterisk closed before it answered"))

    async def _get_document(self, path: str) -> Reply:
        try:
            async with self._http().get(self.root + path) as response:
                text = await response.text()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TelephonyUnavailable(f"can't reach Asterisk at {self.root}: {error or type(error).__name__}") from error
        if response.status >= 400:
            raise refusal(response.status, _message(text), f"GET {path}")
        return Reply(response.status, text)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": self._credentials}, timeout=aiohttp.ClientTimeout(total=REQUEST_LIMIT)
            )
        return self._session
