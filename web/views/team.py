"""The team: who works here, how everybody is at the moment, and calls among colleagues (SKZ-54 to SKZ-64)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.operators import LONGEST_RING, MOST_NUMBERS
from controller.errors import InvalidInput, Refused
from controller.schedules import zone_of
from controller.storage import Session
from controller.storage.desks import operator_of
from controller.storage.groups import list_groups
from controller.storage.operator_states import OperatorNow, OperatorStateChange, operator_now, operators_now, state_changes
from controller.storage.operators import Operator, get_operator, operator_view, operator_views
from web.forms import errors_by_field, form_fields, status_of
from web.operator_forms import FIELDS, OperatorText
from web.people_models import OperatorItem, SipAccountModel, operator_item
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.sip_qr import qr_code
from web.state_models import StateModel, state_model
from web.views.api_people import drop_operator, new_sip_account, replace_operator, sip_account, store_operator
from web.views.api_states import place_call
from web.views.places import number_id
from web.words import CALL_MODE_WORDS
from web.zones import zone_names

_SHOWN_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the team; `can_be_called` by a click of the user who looks."""

    operator: OperatorItem
    state: StateModel
    groups: Sequence[str]
    can_be_called: bool


async def show_team(request: Request) -> Response:
    """Everybody, and how he is."""
    return await _team_page(request)


async def call_colleague(request: Request) -> Response:
    """The user's own phone is to be rung, and then the colleague's."""
    given = services(request)
    colleague = await given.database.read(get_operator, number_id(request))
    own = await given.database.read(operator_of, request.state.user.id)
    try:
        if own is None:
            raise Refused("this account is not linked to an operator's phone")
        await place_call(request, own.extension, colleague.extension)
    except Refused as refused:
        return await _team_page(request, refused=refused)
    return RedirectResponse(f"/team?called={colleague.extension}", status_code=303)


async def show_operator(request: Request) -> Response:
    """One operator: what is known of him."""
    return await _operator_page(request)


async def show_new_operator(request: Request) -> Response:
    """An empty form."""
    administrators_only(request)
    return _form_page(request, OperatorText())


async def add_operator(request: Request) -> Response:
    """A new operator was sent; his SIP account is shown this once."""
    administrators_only(request)
    text = OperatorText.typed(await form_fields(request))
    try:
        operator = await store_operator(request, text.new())
    except InvalidInput as refused:
        return _form_page(request, text, refused=text.explained(refused))
    except Refused as refused:
        return _form_page(request, text, refused=refused)
    return _account_page(request, operator, sip_account(request, operator), is_new=True)


async def show_operator_form(request: Request) -> Response:
    """One operator, to be changed."""
    administrators_only(request)
    operator = await _load(request)
    return _form_page(request, OperatorText.of(operator), operator)


async def change_operator(request: Request) -> Response:
    """A changed operator was sent."""
    administrators_only(request)
    operator, text = await _load(request), OperatorText.typed(await form_fields(request))
    try:
        await replace_operator(request, text.change())
    except InvalidInput as refused:
        return _form_page(request, text, operator, text.explained(refused))
    return RedirectResponse(f"/team/{operator.id}", status_code=303)


async def take_away(request: Request) -> Response:
    """An operator is to be deleted."""
    administrators_only(request)
    try:
        await drop_operator(request)
    except Refused as refused:
        return await _operator_page(request, refused=refused)
    return RedirectResponse("/team", status_code=303)


async def renew_secret(request: Request) -> Response:
    """His phone gets a new secret, which is shown this once."""
    administrators_only(request)
    operator, account = await new_sip_account(request)
    return _account_page(request, operator, account, is_new=False)


async def _load(request: Request) -> OperatorItem:
    return operator_item(await services(request).database.read(operator_view, number_id(request)))


async def _team_page(request: Request, refused: Refused | None = None) -> Response:
    members, own = await services(request).database.read(_team, request.state.user.id)
    called = request.query_params.get("called", "")
    context = {
        "members": members,
        "own": own,
        "called": next((one.operator for one in members if one.operator.extension == called), None),
        "error": "" if refused is None else str(refused)[:1].upper() + str(refused)[1:],
    }
    return page(request, "team.html", context, 200 if refused is None else 409)


async def _operator_page(request: Request, refused: Refused | None = None) -> Response:
    given = services(request)
    member, changes = await given.database.read(_one, number_id(request), request.state.user.id)
    zone = zone_of(member.operator.time_zone) or given.settings.zone
    context: dict[str, Any] = {
        "member": member,
        "changes": changes,
        "call_modes": CALL_MODE_WORDS,
        "local_time": f"{given.clock.now().astimezone(zone):%H:%M}",
        "error": "" if refused is None else str(refused)[:1].upper() + str(refused)[1:],
    }
    return page(request, "operator.html", context, 200 if refused is None else 409)


def _account_page(request: Request, operator: Operator, account: SipAccountModel, *, is_new: bool) -> Response:
    picture = None if operator.call_mode == "browser" else qr_code(account, operator.name)
    context = {"operator": operator, "account": account, "is_new": is_new, "qr_code": picture}
    return page(request, "sip_account.html", context)


def _form_page(
    request: Request, text: OperatorText, operator: OperatorItem | None = None, refused: Refused | None = None
) -> Response:
    settings = services(request).settings
    context = {
        "operator": operator,
        "form": {name: text.fields.get(name, "") for name in FIELDS},
        "switched": text.switched,
        "errors": errors_by_field(refused),
        "extension_pattern": settings.extension_pattern,
        "call_modes": CALL_MODE_WORDS,
        "longest_ring": LONGEST_RING,
        "most_numbers": MOST_NUMBERS,
        "zones": zone_names(),
        "installation_zone": settings.time_zone,
    }
    return page(request, "operator_form.html", context, status_of(refused))


def _team(session: Session, user_id: int) -> tuple[list[Member], Operator | None]:
    own = operator_of(session, user_id)
    items = {view.extension: operator_item(view) for view in operator_views(session)}
    groups: dict[str, list[str]] = {}
    for group in list_groups(session):
        for member in group.members:
            groups.setdefault(member.extension, []).append(group.name)
    return [_member(now, items[now.operator.extension], groups, own) for now in operators_now(session)], own


def _one(session: Session, id: int, user_id: int) -> tuple[Member, Sequence[OperatorStateChange]]:
    operator, own = get_operator(session, id), operator_of(session, user_id)
    item = operator_item(operator_view(session, id))
    groups = [group.name for group in list_groups(session) if item.extension in (member.extension for member in group.members)]
    member = _member(operator_now(session, operator), item, {item.extension: groups}, own)
    return member, state_changes(session, id, _SHOWN_CHANGES)


def _member(now: OperatorNow, item: OperatorItem, groups: dict[str, list[str]], own: Operator | None) -> Member:
    state = state_model(now)
    callable_ = own is not None and own.extension != item.extension and state.state == "available"
    return Member(item, state, groups.get(item.extension, ()), callable_)
