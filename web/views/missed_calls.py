"""Missed calls, as people deal with them: whose they are, what became of them, and the way back to the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.calls import note_outgoing_call
from controller.actions.missed_calls import LONGEST_NOTE
from controller.errors import InvalidInput, Refused
from controller.storage import Session
from controller.storage.desks import operator_of
from controller.storage.missed_calls import Mine, MissedFilters, MissedStatus
from controller.storage.operators import Operator, list_operators
from controller.storage.users import User, list_users
from web.forms import checked, errors_by_field, form_fields, read_query
from web.hidden_numbers import as_meant
from web.missed_models import MissedCallChange, MissedCallModel, OwnerModel
from web.rendering import page
from web.security import acting_user
from web.services import services
from web.views.api_missed_calls import change, load, load_one
from web.views.operators import can_be_chosen

Shown: TypeAlias = Literal["open", "mine", "done"]
_USER: Final = "user:"
_OPERATOR: Final = "operator:"


class ShownQuery(BaseModel):
    """Which missed calls the page shows: those that nobody has dealt with, of them one's own, or those that are done."""

    show: Shown = "open"
    limit: int = Field(50, ge=1, le=200)
    before: str | None = Field(None, max_length=64)


@dataclass(frozen=True, slots=True)
class _People:
    """Whose a missed call may be."""

    users: Sequence[User]
    operators: Sequence[Operator]


async def show_missed_calls(request: Request) -> Response:
    """Missed calls, those that arrived last first."""
    return await _list_page(request)


async def show_missed_call(request: Request) -> Response:
    """One missed call, to be changed."""
    missed = await load_one(request)
    return await _form_page(request, missed, _fields(missed))


def _fields(missed: MissedCallModel) -> dict[str, str]:
    """The form's fields as they are for a stored one."""
    owner = missed.owner
    written = "" if owner is None else f"{_USER}{owner.user}" if owner.user is not None else f"{_OPERATOR}{owner.operator}"
    return {"owner": written, "status": missed.status, "note": missed.note}


async def change_missed_call(request: Request) -> Response:
    """A changed one was sent."""
    fields = await as_meant(request, await form_fields(request), _fields(await load_one(request)))
    try:
        await change(request, _changed(fields))
    except InvalidInput as refused:
        return await _form_page(request, await load_one(request), fields, refused)
    return RedirectResponse("/missed-calls", status_code=303)


async def set_done(request: Request) -> Response:
    """Somebody has dealt with it."""
    await change(request, MissedCallChange(status="done"))
    return _back(request)


async def set_open(request: Request) -> Response:
    """It is to be dealt with after all."""
    await change(request, MissedCallChange(status="open"))
    return _back(request)


async def call_back(request: Request) -> Response:
    """Call the user's own phone, and then whom he has missed; his desk shows that call."""
    given, missed = services(request), await load_one(request)
    operator = await given.database.read(operator_of, request.state.user.id)
    try:
        if operator is None:
            raise Refused("no operator's phone is yours: you can't be called before the caller is")
        call = given.place_call(operator.extension, missed.caller_number, None)
    except Refused as refused:
        return await _list_page(request, refused)
    by, now = acting_user(request), given.clock.now()
    await given.database.run(note_outgoing_call, call, operator.extension, missed.caller_number, acting_user=by, at=now)
    return RedirectResponse("/desk", status_code=303)


async def mine(request: Request) -> MissedFilters:
    """Those that the user has to deal with."""
    user: User = request.state.user
    operator = await services(request).database.read(operator_of, user.id)
    return MissedFilters(closed=False, mine=Mine(user.id, None if operator is None else operator.id))


async def _list_page(request: Request, refused: Refused | None = None) -> Response:
    """The page; with what was refused."""
    given, query = services(request), read_query(request, ShownQuery)
    filters = await mine(request) if query.show == "mine" else MissedFilters(closed=query.show == "done")
    found = await load(request, filters, query.limit + 1, query.before)
    shown = found[: query.limit]
    context = {
        "missed": shown,
        "show": query.show,
        "may_call": await given.database.read(operator_of, request.state.user.id) is not None,
        "there_are_any": bool(found) or bool(await load(request, MissedFilters(), 1)),
        "mail_server_set": given.settings.smtp_url is not None,
        "here": _query(query),
        "first_page": _address(query, None) if query.before else None,
        "next_page": _address(query, shown[-1].id) if len(found) > query.limit else None,
        "error": str(refused) if refused else "",
    }
    return page(request, "missed_calls.html", context, 409 if refused else 200)


async def _form_page(
    request: Request, missed: MissedCallModel, fields: Mapping[str, str], refused: InvalidInput | None = None
) -> Response:
    people = await services(request).database.read(_people)
    owner = missed.owner or OwnerModel()
    operators = await can_be_chosen(request, people.operators, () if owner.operator is None else (owner.operator,))
    may_see_all, login = request.state.sees_team, request.state.user.login
    users = [user for user in people.users if may_see_all or user.login in (login, owner.user)]
    context: dict[str, Any] = {
        "missed": missed,
        "form": {name: fields.get(name, "") for name in ("owner", "status", "note")},
        "errors": errors_by_field(refused),
        "users": [(f"{_USER}{user.login}", user) for user in users],
        "operators": [(f"{_OPERATOR}{operator.extension}", operator) for operator in operators],
        "statuses": get_args(MissedStatus),
        "longest_note": LONGEST_NOTE,
        "may_call": await services(request).database.read(operator_of, request.state.user.id) is not None,
    }
    return page(request, "missed_call.html", context, 200 if refused is None else 422)


def _changed(fields: Mapping[str, str]) -> MissedCallChange:
    """What the form means. Raises InvalidInput."""
    written, owner = fields.get("owner", ""), None
    if written:
        named = written.removeprefix(_OPERATOR)
        owner = OwnerModel(operator=named[:64]) if named != written else OwnerModel(user=written.removeprefix(_USER)[:64])
    # A form's line breaks are two characters each, which nobody has typed.
    note = fields.get("note", "").replace("\r\n", "\n")
    return checked(MissedCallChange, {"owner": owner, "status": fields.get("status", ""), "note": note})


def _people(session: Session) -> _People:
    return _People([user for user in list_users(session) if not user.disabled], list_operators(session))


def _back(request: Request) -> Response:
    return RedirectResponse(f"/missed-calls{_query(read_query(request, ShownQuery))}", status_code=303)


def _address(query: ShownQuery, before: str | None) -> str:
    return f"/missed-calls{_query(query.model_copy(update={'before': before}))}"


def _query(query: ShownQuery) -> str:
    """The filter and the page as a query string."""
    given = {"show": "" if query.show == "open" else query.show, "before": query.before or ""}
    text = urlencode({name: value for name, value in given.items() if value})
    return f"?{text}" if text else ""
