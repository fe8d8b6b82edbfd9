"""Groups of operators: who belongs to them, whom they ring, and on what terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.groups import HIGHEST_LEVEL, HIGHEST_WEIGHT, SHORTEST_PAUSE, users_of_group
from controller.errors import InvalidInput, Refused
from controller.storage import Session
from controller.storage.groups import GroupView, get_group, group_view, list_groups
from controller.storage.operators import Operator, list_operators
from web.forms import errors_by_field, form_items, status_of
from web.group_forms import GroupText
from web.people_models import MOST_MEMBERS, TERM_LIMITS, GroupModel, group_model
from web.rendering import page
from web.services import services
from web.views.api_people import drop_group, replace_group, store_group
from web.views.places import number_id
from web.words import STRATEGY_WORDS

_MOST_FIELDS = 3 * MOST_MEMBERS + 40
_NEW: Final = {"strategy": "ring_all", "ring_seconds": "20", "wrap_up_seconds": "0", "priority": "0"}


@dataclass(frozen=True, slots=True)
class _Stored:
    """A group as it is, and what uses it."""

    group: GroupModel
    users: Sequence[str]


async def show_groups(request: Request) -> Response:
    """All groups."""
    groups = await services(request).database.read(_list)
    return page(request, "groups.html", {"groups": groups, "strategies": STRATEGY_WORDS})


async def show_new_group(request: Request) -> Response:
    """An empty form."""
    return await _form_page(request, GroupText(_NEW, frozenset({"announce_place", "announce_wait"})))


async def add_group(request: Request) -> Response:
    """A new group was sent, or a button of its members was pressed."""
    return await _sent(request, None)


async def show_group(request: Request) -> Response:
    """One group, to be changed."""
    stored = await _load(request)
    return await _form_page(request, GroupText.of(stored.group), stored)


async def change_group(request: Request) -> Response:
    """A changed group was sent, or a button of its members was pressed."""
    return await _sent(request, await _load(request))


async def take_away(request: Request) -> Response:
    """A group is to be deleted."""
    stored = await _load(request)
    try:
        await drop_group(request)
    except Refused as refused:
        return await _form_page(request, GroupText.of(stored.group), stored, refused=refused)
    return RedirectResponse("/groups", status_code=303)


async def _sent(request: Request, stored: _Stored | None) -> Response:
    items = await form_items(request, _MOST_FIELDS)
    given, text = dict(items), GroupText.typed(items)
    button = given.get("do", "save")
    if button != "save":
        return await _form_page(request, text.after(button, given.get("new_member", "")), stored, pressed=button)
    try:
        await (store_group(request, text.change()) if stored is None else replace_group(request, text.change()))
    except InvalidInput as refused:
        return await _form_page(request, text, stored, refused=text.explained(refused))
    except Refused as refused:
        return await _form_page(request, text, stored, refused=refused)
    return RedirectResponse("/groups", status_code=303)


async def _form_page(
    request: Request, text: GroupText, stored: _Stored | None = None, *, refused: Refused | None = None, pressed: str = ""
) -> Response:
    operators: Sequence[Operator] = await services(request).database.read(list_operators)
    chosen = {one.extension for one in text.members}
    context = {
        "group": None if stored is None else stored.group,
        "users": () if stored is None else stored.users,
        "form": {name: text.fields.get(name, "") for name in GroupText.typed(()).fields},
        "switched": text.switched,
        "members": text.members,
        "names": {operator.extension: operator.name for operator in operators},
        "others": [operator for operator in operators if operator.extension not in chosen],
        "pressed": pressed,
        "errors": errors_by_field(refused),
        "strategies": STRATEGY_WORDS,
        "shortest_pause": SHORTEST_PAUSE,
        "longest": {**TERM_LIMITS, "weight": HIGHEST_WEIGHT, "level": HIGHEST_LEVEL},
    }
    return page(request, "group.html", context, status_of(refused))


async def _load(request: Request) -> _Stored:
    view, users = await services(request).database.read(_one, number_id(request))
    return _Stored(group_model(view), users)


def _one(session: Session, id: int) -> tuple[GroupView, list[str]]:
    return group_view(session, id), users_of_group(session, get_group(session, id))


def _list(session: Session) -> list[tuple[GroupModel, list[str]]]:
    return [(group_model(view), users_of_group(session, get_group(session, view.id))) for view in list_groups(session)]
