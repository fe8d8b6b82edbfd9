"""The door that every answer to a person passes: who is no administrator gets it without the numbers that are hidden from him.

It stands here, and not in each page, so that no page that is yet to be made can forget it (LNR-11). Programs with a token are
the administrators' own and are shown all numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.hiding import restored, without
from controller.storage.hidden_numbers import hidden_in
from web.services import services

_WRITTEN: Final = ("text/html", "text/plain", "text/csv", "application/json")
"""What holds text for people; sounds and streams of states hold no number."""


def sees_all_numbers(request: Request) -> bool:
    """Whether who asks is shown hidden numbers: a program, or an administrator."""
    user = getattr(request.state, "user", None)
    return user is None or user.role == "administrator"


async def hidden_from(request: Request, text: str) -> frozenset[str]:
    """The digits of those numbers in a text that who asks is not shown."""
    given = services(request)
    if sees_all_numbers(request):
        return frozenset()
    return await given.database.read(hidden_in, text, given.settings.phone_region)


async def shown_to(request: Request, text: str) -> str:
    """The text as it is shown to who asks."""
    return without(text, await hidden_from(request, text))


async def as_meant(request: Request, fields: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The fields of a form that showed those of `before`, with the numbers that were hidden in it."""
    hidden = await hidden_from(request, "\n".join(before.values()))
    return {name: restored(value, before.get(name, ""), hidden) for name, value in fields.items()}


class HidesNumbers:
    """Takes hidden numbers out of every text that goes to a user who is no administrator, refusals and errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        request = Request(scope)
        start: Message | None = None
        body = bytearray()

        async def send_without(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and not sees_all_numbers(request) and _is_written(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await send_all(start, await shown_to(request, body.decode()))
                    start = None

        async def send_all(first: Message, text: str) -> None:
            content = text.encode()
            MutableHeaders(scope=first)["content-length"] = str(len(content))
            await send(first)
            await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, send_without)


def _is_written(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_WRITTEN)
