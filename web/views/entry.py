"""Coming in and going out, and one's own account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.users import change_password
from controller.errors import FieldProblem, InvalidInput
from controller.storage import Session
from controller.storage.users import User
from web.errors import WebError
from web.forms import read_form
from web.rendering import page
from web.security import local_path, log_in, log_out, login_desk, session_user
from web.services import services


class LoginForm(BaseModel):
    """The fields of the log-in page."""

    login: str = ""
    password: str = ""
    next: str = ""


class PasswordForm(BaseModel):
    """The fields of the account page."""

    current: str = ""
    new: str = ""
    again: str = ""


async def show_login(request: Request) -> Response:
    """The log-in page."""
    wanted = local_path(request.query_params.get("next"))
    if await session_user(request) is not None:
        return RedirectResponse(wanted, status_code=303)
    return _login_page(request, LoginForm(next=wanted))


async def enter(request: Request) -> Response:
    """Log in."""
    form = await read_form(request, LoginForm)
    try:
        user = await login_desk(request).check(request, form.login, form.password)
    except WebError as refused:
        return _login_page(request, form, refused.message, refused.status, refused.headers)
    if user is None:
        return _login_page(request, form, "The login or the password is wrong.", 401)
    response = RedirectResponse(local_path(form.next), status_code=303)
    await log_in(request, user, response)
    return response


async def leave(request: Request) -> Response:
    """Log out."""
    response = RedirectResponse("/login", status_code=303)
    await log_out(request, response)
    return response


async def show_account(request: Request) -> Response:
    """One's own account."""
    return _account_page(request, done=request.query_params.get("done") == "1")


async def change_own_password(request: Request) -> Response:
    """Set a new password; other browsers are logged out, this one stays in."""
    form = await read_form(request, PasswordForm)
    user: User = request.state.user
    if form.new != form.again:
        return _account_page(request, errors={"again": "The two are not the same."}, status_code=422)
    try:
        if await login_desk(request).check(request, user.login, form.current) is None:
            return _account_page(request, errors={"current": "This is not your password."}, status_code=422)
        given = services(request)
        await given.database.run(_set_password, user.login, form.new, given.clock.now())
    except WebError as refused:
        return _account_page(request, error=refused.message, status_code=refused.status, headers=refused.headers)
    except InvalidInput as refused:
        return _account_page(request, errors={"new": _first(refused.problems)}, status_code=422)
    response = RedirectResponse("/account?done=1", status_code=303)
    await log_in(request, user, response)
    return response


def _set_password(session: Session, login: str, password: str, at: datetime) -> None:
    change_password(session, login, password, acting_user=login, at=at)


def _login_page(
    request: Request, form: LoginForm, error: str = "", status_code: int = 200, headers: dict[str, str] | None = None
) -> Response:
    context = {"login": form.login[:64], "next": local_path(form.next), "error": error}
    return page(request, "login.html", context, status_code, headers)


def _account_page(request: Request, *, status_code: int = 200, headers: dict[str, str] | None = None, **shown: Any) -> Response:
    context = {"done": False, "error": "", "errors": {}, **shown}
    return page(request, "account.html", context, status_code, headers)


def _first(problems: tuple[FieldProblem, ...]) -> str:
    return problems[0].message[:1].upper() + problems[0].message[1:] + "."
