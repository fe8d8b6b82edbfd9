"""What every request passes before a view sees it: size, origin; and what every answer carries.

Cross-origin protection is by what browsers say themselves, without tokens in forms: a request that changes something must not
come from another site. `Sec-Fetch-Site` decides; older browsers send `Origin`; what sends neither is no browser and carries no
victim's cookie.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.actions.packing import LARGEST_ARCHIVE_BYTES
from controller.prompts.facts import LARGEST_FILE_BYTES
from ivr.serialization import MAX_BYTES
from web.errors import WebError, answer_error, on_error

_FORM_BYTES = 64 * 1024  # what a form may hold beside its file
_UPLOADS = {
    re.compile(r"(/api/v1)?/prompts(/[^/]+/[^/]+/audio)?|/desk/ringtone"): LARGEST_FILE_BYTES + _FORM_BYTES,
    re.compile(r"(/api/v1)?/(scenarios/import|setup)"): LARGEST_ARCHIVE_BYTES + _FORM_BYTES,
}
"""Where larger bodies are taken, and how many bytes."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Puts the headers of a careful site on every answer; nothing but static files may be kept by caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class NoTraceback:
    """Answers an error that nobody foresaw, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_and_note(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if scope["type"] != "http" or began:
                raise
            response = await on_error(Request(scope), error)
            await response(scope, receive, send)


class SameOriginOnly:
    """Refuses a request that would change something and comes from another site."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS and _is_foreign(Headers(scope=scope)):
            refused = WebError(403, "cross_origin", "This request came from another site and was refused.")
            await answer_error(scope, receive, send, refused)
        else:
            await self._app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


class LimitedBody:
    """Reads the whole body before the view does, up to the size of the largest scenario document.

    Uploads of files alone may be larger. They are not read here but counted while the view reads them: so nobody fills
    the memory who has not even logged in.
    """

    def __init__(self, app: ASGIApp, most: int = MAX_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        allowed = next((bytes for path, bytes in _UPLOADS.items() if path.fullmatch(scope["path"])), None)
        is_upload = allowed is not None and headers.get("content-type", "").startswith("multipart/form-data")
        most = allowed if is_upload and allowed is not None else self._most
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > most:
            await answer_error(scope, receive, send, _too_large(most))
        elif is_upload:
            await self._app(scope, _counted(receive, most), send)
        elif (body := await self._read(receive)) is None:
            await answer_error(scope, receive, send, _too_large(most))
        else:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body; None when it is too large. A caller who left gives what came so far."""
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._most:
                return None
            if not message.get("more_body", False):
                return bytes(body)


def _too_large(most: int) -> WebError:
    return WebError(413, "too_large", f"The request is larger than {most:,} bytes; that is the most that is read.")


def _counted(receive: Receive, most: int) -> Receive:
    """A `receive` that raises WebError once more than `most` bytes of the body have come."""
    count = 0

    async def counted() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > most:
            raise _too_large(most)
        return message

    return counted


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then what comes after it."""
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay
