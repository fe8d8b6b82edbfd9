"""Who is asking: people by a session cookie on pages, programs by a bearer token under /api/v1. Neither works for the other.

A session is a row in the database; the cookie holds its random name alone. Its own name carries the port, because browsers
send cookies to every port of a host and two installations may share one.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from controller.actions.users import (
    end_web_session,
    note_token_use,
    start_web_session,
    verify_login,
    verify_token,
    web_session_user,
)
from controller.storage import Session
from controller.storage.desks import sees_team
from controller.storage.missed_calls import count_open_missed_calls
from controller.storage.users import ApiToken, User
from controller.storage.voicemails import count_unheard
from web.errors import WebError
from web.login_limits import LoginLimits, Permit
from web.openapi import View
from web.services import WebServices, services

SESSION_LIFETIME = timedelta(hours=12)
NO_TEAM: Final = "You have no access to the team; an administrator gives it on the page Team."
_TOKEN_USE_NOTED_EVERY = timedelta(minutes=1)
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\\]{0,500}")


@dataclass(frozen=True, slots=True)
class LoginDesk:
    """Where passwords are checked: limited in rate, and few at once, for each check takes 64 MB and a core."""

    limits: LoginLimits
    turns: asyncio.Semaphore

    async def check(self, request: Request, login: str, password: str) -> User | None:
        """The user whose password this is.

        Raises WebError 429 when there were too many tries.
        """
        address = request.client.host if request.client else ""
        permit = self.limits.ask(address, login)
        if not isinstance(permit, Permit):
            wait = math.ceil(permit)
            message = f"Too many failed log-ins. Try again in {_in_words(wait)}."
            raise WebError(429, "too_many_logins", message, headers={"Retry-After": str(wait)})
        async with self.turns:
            user = await services(request).database.read(verify_login, login, password)
        if user is not None:
            permit.succeeded()
        return user


def make_login_desk(given: WebServices) -> LoginDesk:
    """The desk of one application."""
    return LoginDesk(LoginLimits(given.monotonic), asyncio.Semaphore(2))


def login_desk(request: Request) -> LoginDesk:
    """The desk of the application that serves this request."""
    return cast(LoginDesk, request.app.state.login_desk)


def for_people(view: View) -> View:
    """A page for those who have logged in; others are sent to the log-in page."""

    async def guarded(request: Request) -> Response:
        user = await session_user(request)
        if user is None:
            return _to_login(request)
        request.state.user = user
        request.state.health = await services(request).health()
        request.state.waiting, request.state.sees_team = await services(request).database.read(_surroundings, user)
        return await view(request)

    return guarded


def for_configuring(view: View) -> View:
    """A page on which is changed how calls are served; who may not change it is told so (SKZ-58, SKZ-59)."""

    async def guarded(request: Request) -> Response:
        if not request.state.user.may_configure:
            message = "Only administrators and supervisors may change how calls are served."
            raise WebError(403, "forbidden", message)
        return await view(request)

    return for_people(guarded)


def for_the_team(view: View) -> View:
    """A page that lists employees: refused to who has no access to the team (SKZ-67)."""

    async def guarded(request: Request) -> Response:
        if not request.state.sees_team:
            raise WebError(403, "forbidden", NO_TEAM)
        return await view(request)

    return for_people(guarded)


def for_programs(view: View) -> View:
    """An address of the API for holders of a token."""

    async def guarded(request: Request) -> Response:
        request.state.token = await _token(request)
        return await view(request)

    return guarded


def administrators_only(request: Request) -> None:
    """Raises WebError 403 for any other user."""
    if request.state.user.role != "administrator":
        raise WebError(403, "forbidden", "Only administrators may do this.")


def sees_costs(request: Request) -> bool:
    """Whether the person who asks is shown what calls cost."""
    return bool(request.state.user.role == "administrator")


def acting_user(request: Request) -> str:
    """Whom the audit log names."""
    token: ApiToken | None = getattr(request.state, "token", None)
    return f"token {token.name}" if token is not None else str(request.state.user.login)


def may_hear(request: Request) -> bool:
    """Whether who asks may hear what was recorded of callers."""
    token: ApiToken | None = getattr(request.state, "token", None)
    return token.hears_recordings if token is not None else bool(request.state.user.may_hear_recordings)


def check_hearing(request: Request) -> None:
    """Raises WebError 403 for those who may not hear recordings."""
    if not may_hear(request):
        message = "Hearing recordings needs a permission; an administrator gives it: `python -m controller recordings allow`."
        raise WebError(403, "forbidden", message)


async def session_user(request: HTTPConnection) -> User | None:
    """Who is logged in with this browser."""
    given = services(request)
    token = request.cookies.get(_cookie_name(given))
    return await given.database.read(web_session_user, token, given.clock.now()) if token else None


async def log_in(request: Request, user: User, response: Response) -> None:
    """Begin a session and put its cookie on the response; a session that this browser had ends."""
    given = services(request)
    before = request.cookies.get(_cookie_name(given))
    token = await given.database.run(_begin_session, user.id, before, given.clock.now())
    response.set_cookie(
        _cookie_name(given),
        token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        secure=given.settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


async def log_out(request: Request, response: Response) -> None:
    """End this browser's session, if it has one."""
    given = services(request)
    token = request.cookies.get(_cookie_name(given))
    if token:
        await given.database.run(end_web_session, token)
    response.delete_cookie(_cookie_name(given), secure=given.settings.secure_cookies, httponly=True, samesite="lax")


def local_path(address: str | None) -> str:
    """`address` if it is a path of this site, else the first page: nobody is sent elsewhere after logging in."""
    return address if address and _LOCAL_PATH.fullmatch(address) else "/live"


def _surroundings(session: Session, user: User) -> tuple[dict[str, tuple[int, str]], bool]:
    """How many there are on a page that nobody has dealt with, and what they are, by the page's address; and whether the user
    sees the team.
    """
    waiting = {
        "/missed-calls": (count_open_missed_calls(session), "open"),
        "/voicemails": (count_unheard(session), "not heard"),
    }
    return waiting, sees_team(session, user)


def _begin_session(session: Session, user_id: int, before: str | None, at: datetime) -> str:
    if before:
        end_web_session(session, before)
    return start_web_session(session, user_id, SESSION_LIFETIME, at=at)


async def _token(request: Request) -> ApiToken:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    given, now = services(request), services(request).clock.now()
    token = await given.database.read(verify_token, value.strip()) if scheme.lower() == "bearer" and value.strip() else None
    if token is None:
        message = "Send a valid token as Authorization: Bearer TOKEN; `python -m controller token create --name NAME` makes one."
        raise WebError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})
    if token.last_used_at is None or now - token.last_used_at > _TOKEN_USE_NOTED_EVERY:
        await given.database.run(note_token_use, token.id, at=now)
    return token


def _to_login(request: Request) -> Response:
    if request.url.path in ("/live/events", "/desk/events", "/desk/telephone.json"):
        raise WebError(401, "unauthorized", "Log in first.")
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    wanted = f"?next={quote(asked, safe='/')}" if request.method == "GET" and asked != "/" else ""
    return RedirectResponse(f"/login{wanted}", status_code=303)


def _cookie_name(given: WebServices) -> str:
    prefix = "__Host-" if given.settings.secure_cookies else ""
    return f"{prefix}attendant_{given.settings.http_port}"


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
