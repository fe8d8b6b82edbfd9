"""The question and the answer of an HTTP lookup (UIS-45).

POST {"caller", "called", "call"} as JSON; the answer is {"exit": NAME} or {"operator": EXTENSION}, as application/json with
status 200, of at most MAX_ANSWER bytes. Redirects are not followed. Whatever else comes is a failure with its reason, never an
exception: a call goes on by its fallback exit.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yarl import URL

from controller.lookups.addresses import InternalAddress, OutsideResolver, is_internal

log = logging.getLogger(__name__)

MAX_ANSWER: Final = 64 * 1024
MAX_CONNECTIONS: Final = 50
MAX_LIMIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Exactly one is set: the exit to take, the operator (extension) to ring, or why there is no answer."""

    exit: str | None = None
    operator: str | None = None
    failed: str | None = None


class _Answer(BaseModel):
    """What is read of the answer; anything else in it is passed over."""

    model_config = ConfigDict(strict=True)

    exit: str | None = Field(None, min_length=1, max_length=64)
    operator: str | None = Field(None, pattern=r"^[0-9]{1,20}$")


class _Unusable(Exception):
    """The answer can't be used; the message says why."""


class LookupClient:
    """Asks other systems: `start`, `look_up`, `stop`. With `allow_internal` hosts inside may be asked too."""

    def __init__(self, *, allow_internal: bool = False) -> None:
        self._allow_internal = allow_internal
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        resolver = None if self._allow_internal else OutsideResolver()
        # Names are resolved for each question: they may point elsewhere by the next call.
        connector = aiohttp.TCPConnector(resolver=resolver, limit=MAX_CONNECTIONS, use_dns_cache=False, force_close=True)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def look_up(self, url: str, *, caller: str, called: str, call: str, limit: float) -> LookupResult:
        """Ask, for at most `limit` seconds in all (MAX_LIMIT_SECONDS at most). Never raises but when cancelled."""
        assert self._session is not None, "the client was not started"
        limit = min(limit, MAX_LIMIT_SECONDS)
        host: str | None = None
        try:
            checked = self._checked(url)
            host = checked.host
            async with asyncio.timeout(limit):
                return await self._ask(self._session, checked, {"caller": caller, "called": called, "call": call})
        except TimeoutError:
            reason = f"no answer in {limit:g} s"
        except (_Unusable, InternalAddress) as error:
            reason = str(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            inside = _cause(error, InternalAddress)
            reason = str(inside) if inside is not None else f"the request failed: {type(error).__name__}"
        # The address itself may hold a password.
        log.warning("lookup for call %s at %s: %s", call, host or "?", reason)
        return LookupResult(failed=reason)

    def _checked(self, address: str) -> URL:
        # What is checked is what the request is made with: two readings of one address may differ.
        try:
            url = URL(address)
            host = url.raw_host
        except ValueError:
            host = None
        if host is None or url.scheme not in ("http", "https"):
            raise _Unusable("the address is none of http:// or https://")
        # Literal addresses don't pass the resolver.
        if not self._allow_internal and is_internal(host):
            raise InternalAddress(f"{host} is an internal address")
        return url

    async def _ask(self, session: aiohttp.ClientSession, url: URL, question: dict[str, str]) -> LookupResult:
        headers = {"Accept": "application/json"}
        async with session.post(url, json=question, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise _Unusable(f"it was answered with status {answer.status}")
            if answer.content_type != "application/json":
                raise _Unusable(f"the answer is {answer.content_type[:60]}, not application/json")
            return _read(await _body(answer))


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(8192):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise _Unusable(f"the answer is larger than {MAX_ANSWER} bytes")
    return bytes(body)


def _read(body: bytes) -> LookupResult:
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _Unusable(f"the answer can't be used: {where}{': ' if where else ''}{first['msg']}") from None
    if (answer.exit is None) == (answer.operator is None):
        raise _Unusable("the answer names neither an exit nor an operator" if answer.exit is None else "the answer names both")
    return LookupResult(answer.exit, answer.operator)


def _cause(error: BaseException | None, kind: type[OSError]) -> OSError | None:
    """The error of this kind behind another one."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or getattr(error, "os_error", None)
    return error
