"""Trunks: carriers and own PBXs, how they are now, and what to do when they are not well (SKZ-12 to SKZ-14, SKZ-16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.trunks import set_trunk_enabled
from controller.errors import Refused
from controller.storage import Session
from controller.storage.numbers import NumberView, number_views
from controller.storage.trunks import Trunk, get_trunk, list_trunks
from web.forms import checked, errors_by_field, form_fields, status_of
from web.people_models import TrunkChange, TrunkModel, trunk_model
from web.rendering import page
from web.security import acting_user
from web.services import services
from web.views.api_people import drop_trunk, replace_trunk, store_trunk
from web.views.places import number_id

CONNECTS_WITHIN: Final = 30.0
"""Seconds after saving until a trunk must be connected; Asterisk takes up to ten until it registers for the first time."""

_TEXTS: Final = ("name", "host", "port", "transport", "username", "secret", "domain", "caller_id", "position")
_CHECKS: Final = ("registers", "inbound", "clip_no_screening")


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of trunk: what is asked for, and what is given by the kind; `labels` replace a field's usual one."""

    title: str
    help: str
    fields: tuple[str, ...]
    given: Mapping[str, str]
    labels: Mapping[str, str]


_BOTH_WAYS: Final = {"registers": "on", "inbound": "on"}
TEMPLATES: Final[Mapping[str, Template]] = {
    "pbx": Template(
        "Own PBX",
        "Your telephone system, as one of whose phones Attendant logs in.",
        ("caller_id", "host", "username", "domain", "secret"),
        _BOTH_WAYS,
        {"caller_id": "Phone number in the PBX"},
    ),
    "registration": Template(
        "Carrier, by registration",
        "A carrier that gave you a login and a password, and sends calls to where you have registered.",
        ("host", "username", "secret", "domain", "caller_id"),
        _BOTH_WAYS,
        {},
    ),
    "address": Template(
        "Carrier, by address",
        "A carrier that knows you by your fixed address and asks for no login.",
        ("host", "transport", "caller_id"),
        {"inbound": "on"},
        {},
    ),
    "outbound": Template(
        "Outgoing calls only",
        "Calls go out through it and none come in: callers of its number are answered elsewhere, on a mobile phone for example. "
        "Where the carrier has such a setting, set inbound routing to “mobile only”.",
        ("host", "username", "secret", "domain", "caller_id"),
        {},
        {},
    ),
}
_GIVEN_TO_ALL: Final = {"port": "5060", "transport": "udp", "position": "1"}


async def show_trunks(request: Request) -> Response:
    """All trunks with their states."""
    given = services(request)
    found, states = await given.database.read(list_trunks), await given.trunk_states()
    context = {"trunks": [trunk_model(one, states) for one in found], "templates": TEMPLATES}
    return page(request, "trunks.html", context)


async def show_new_trunk(request: Request) -> Response:
    """The kinds of trunks, or an empty form of one kind."""
    kind = request.query_params.get("template", "")
    return await _form_page(request, {**_GIVEN_TO_ALL, "template": kind} if kind in TEMPLATES else {})


async def add_trunk(request: Request) -> Response:
    """A new trunk was sent."""
    fields = await form_fields(request)
    template = TEMPLATES.get(fields.get("template", ""))
    if template is None:
        return await _form_page(request, {})
    try:
        id = await store_trunk(request, _change({**_GIVEN_TO_ALL, **fields, **template.given}, enabled=True))
    except Refused as refused:
        return await _form_page(request, {**_GIVEN_TO_ALL, **fields}, refused=refused)
    return _followed(request, id)


async def show_trunk(request: Request) -> Response:
    """One trunk: its state, to be changed, disconnected or removed."""
    trunk = await services(request).database.read(get_trunk, number_id(request))
    texts = {name: str(getattr(trunk, name)) for name in _TEXTS if name != "secret"}
    checks = {name: "on" for name in _CHECKS if getattr(trunk, name)}
    return await _form_page(request, {**texts, **checks}, trunk)


async def change_trunk(request: Request) -> Response:
    """A changed trunk was sent."""
    trunk = await services(request).database.read(get_trunk, number_id(request))
    fields = await form_fields(request)
    try:
        await replace_trunk(request, _change(fields, enabled=trunk.enabled))
    except Refused as refused:
        return await _form_page(request, fields, trunk, refused)
    return _followed(request, trunk.id)


async def connect(request: Request) -> Response:
    """A trunk is to be used again."""
    return await _switch(request, enabled=True)


async def disconnect(request: Request) -> Response:
    """A trunk is not to be used any more, and keeps its settings."""
    return await _switch(request, enabled=False)


async def take_away(request: Request) -> Response:
    """A trunk is to be removed."""
    await drop_trunk(request)
    return RedirectResponse("/trunks", status_code=303)


async def _switch(request: Request, *, enabled: bool) -> Response:
    given, by = services(request), acting_user(request)
    trunk = await given.database.run(set_trunk_enabled, number_id(request), enabled, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return _followed(request, trunk.id)


def _followed(request: Request, id: int) -> Response:
    """The trunk's page, which says what becomes of the change made now."""
    now = int(services(request).clock.now().timestamp())
    return RedirectResponse(f"/trunks/{id}?changed={now}", status_code=303)


def _change(fields: Mapping[str, str], *, enabled: bool) -> TrunkChange:
    """What the form means. Raises InvalidInput."""
    data: dict[str, Any] = {name: fields.get(name, "").strip() for name in _TEXTS if name != "secret"}
    data |= {name: fields.get(name) == "on" for name in _CHECKS}
    return checked(TrunkChange, {**data, "secret": fields.get("secret") or None, "enabled": enabled})


async def _form_page(
    request: Request, fields: Mapping[str, str], trunk: Trunk | None = None, refused: Refused | None = None
) -> Response:
    given = services(request)
    shown = None if trunk is None else trunk_model(trunk, await given.trunk_states())
    kind = fields.get("template", "")
    context: dict[str, Any] = {
        "trunk": shown,
        "kind": kind,
        "template": TEMPLATES.get(kind),
        "templates": TEMPLATES,
        "form": {name: fields.get(name, "") for name in (*_TEXTS, *_CHECKS)},
        "errors": errors_by_field(refused),
        "now": given.clock.now(),
        "connecting": shown is not None and _connecting(request, shown),
        "numbers": [] if trunk is None else await given.database.read(_numbers_of, trunk.id),
    }
    return page(request, "trunk.html", context, status_of(refused))


def _connecting(request: Request, trunk: TrunkModel) -> bool:
    """It was changed a moment ago, and may yet become ready."""
    changed = request.query_params.get("changed", "")
    if trunk.state in ("ready", "disabled") or not (changed.isascii() and changed.isdigit() and len(changed) <= 12):
        return False
    return services(request).clock.now().timestamp() - int(changed) < CONNECTS_WITHIN


def _numbers_of(session: Session, trunk: int) -> list[NumberView]:
    return [view for view in number_views(session) if view.row.trunk_id == trunk]
