"""Coming in and going out, and one's own account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.desks import link_user
from controller.actions.users import change_password, set_email
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage import Session
from controller.storage.desks import linked_operators, operator_of
from controller.storage.operators import list_operators
from controller.storage.users import User, list_users
from web.errors import WebError
from web.forms import errors_by_field, read_form, status_of
from web.rendering import page
from web.security import acting_user, administrators_only, local_path, log_in, log_out, login_desk, session_user
from web.services import services


class LoginForm(BaseModel):
    """The fields of the log-in page."""

    login: str = ""
    password: str = ""
    next: str = ""


class LinkForm(BaseModel):
    """A user, and the extension of the operator's phone that is his; empty: none."""

    login: str = ""
    extension: str = ""


class EmailForm(BaseModel):
    """A user, oneself if nobody is named, and where his notices go; empty: nowhere."""

    login: str = ""
    email: str = ""


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
    return await _account_page(request, done=request.query_params.get("done") == "1")


async def change_own_password(request: Request) -> Response:
    """Set a new password; other browsers are logged out, this one stays in."""
    form = await read_form(request, PasswordForm)
    user: User = request.state.user
    if form.new != form.again:
        return await _account_page(request, errors={"again": "The two are not the same."}, status_code=422)
    try:
        if await login_desk(request).check(request, user.login, form.current) is None:
            return await _account_page(request, errors={"current": "This is not your password."}, status_code=422)
        given = services(request)
        await given.database.run(_set_password, user.login, form.new, given.clock.now())
    except WebError as refused:
        return await _account_page(request, error=refused.message, status_code=refused.status, headers=refused.headers)
    except InvalidInput as refused:
        return await _account_page(request, errors={"new": _first(refused.problems)}, status_code=422)
    response = RedirectResponse("/account?done=1", status_code=303)
    await log_in(request, user, response)
    return response


async def link_phone(request: Request) -> Response:
    """An administrator says whose an operator's phone is."""
    administrators_only(request)
    given, form = services(request), await read_form(request, LinkForm)
    by, now = acting_user(request), given.clock.now()
    try:
        await given.database.run(link_user, form.login, form.extension or None, acting_user=by, at=now)
    except Refused as refused:
        message = next(iter(errors_by_field(refused).values()))
        return await _account_page(request, link_error=message, status_code=status_of(refused))
    return RedirectResponse("/account#people", status_code=303)


async def change_email(request: Request) -> Response:
    """Say where one's own notices go; administrators say it of anybody."""
    given, form, user = services(request), await read_form(request, EmailForm), request.state.user
    if form.login not in ("", user.login):
        administrators_only(request)
    by, now = acting_user(request), given.clock.now()
    try:
        await given.database.run(set_email, form.login or user.login, form.email or None, acting_user=by, at=now)
    except InvalidInput as refused:
        message = _first(refused.problems)
        shown: dict[str, Any] = {"link_error": f"{form.login}: {message}"} if form.login else {"errors": {"email": message}}
        return await _account_page(request, status_code=422, **shown)
    return RedirectResponse("/account#people" if form.login else "/account", status_code=303)


def _set_password(session: Session, login: str, password: str, at: datetime) -> None:
    change_password(session, login, password, acting_user=login, at=at)


def _login_page(
    request: Request, form: LoginForm, error: str = "", status_code: int = 200, headers: dict[str, str] | None = None
) -> Response:
    context = {"login": form.login[:64], "next": local_path(form.next), "error": error}
    return page(request, "login.html", context, status_code, headers)


async def _account_page(
    request: Request, *, status_code: int = 200, headers: dict[str, str] | None = None, **shown: Any
) -> Response:
    user: User = request.state.user
    people = await services(request).database.read(_people, user)
    context = {"done": False, "error": "", "errors": {}, "link_error": "", **people, **shown}
    return page(request, "account.html", context, status_code, headers)


def _people(session: Session, user: User) -> dict[str, Any]:
    """The user's own phone, and for administrators everybody's."""
    is_administrator = user.role == "administrator"
    return {
        "phone": operator_of(session, user.id),
        "people": list_users(session) if is_administrator else None,
        "operators": list_operators(session) if is_administrator else (),
        "linked": linked_operators(session),
    }


def _first(problems: tuple[FieldProblem, ...]) -> str:
    return problems[0].message[:1].upper() + problems[0].message[1:] + "."
