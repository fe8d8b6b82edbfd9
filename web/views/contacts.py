"""The address book: who calls, and whose manager answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.contacts import MOST_NUMBERS, MOST_TAGS
from controller.errors import InvalidInput, Refused
from controller.hiding import digits_of
from controller.storage.contacts import ContactView, contact_view, list_contacts
from controller.storage.operators import list_operators
from web.contact_models import ContactChange, ContactQuery
from web.forms import checked, errors_by_field, form_fields, read_query, status_of
from web.hidden_numbers import as_meant, hidden_from
from web.rendering import page
from web.services import services
from web.views.api_contacts import drop_contact, replace_contact, store_contact
from web.views.operators import can_be_chosen
from web.views.places import number_id
from web.zones import zone_names

_FIELDS = ("name", "position", "numbers", "tags", "owner", "time_zone")


async def show_contacts(request: Request) -> Response:
    """Contacts in the order they were made."""
    typed = request.query_params.get("search", "")
    errors: dict[str, str] = {}
    found: Sequence[ContactView] = ()
    query = ContactQuery()
    try:
        query = read_query(request, ContactQuery)
        found = await services(request).database.read(list_contacts, query.search, query.limit + 1, query.after)
    except InvalidInput as refused:
        errors = errors_by_field(refused)
    shown = found[: query.limit]
    operators = await services(request).database.read(list_operators)
    context = {
        "contacts": await _not_guessed(request, shown, query.search),
        "search": typed,
        "errors": errors,
        "owners": {operator.extension: operator.name for operator in operators},
        "first_page": _address(query.search, 0) if query.after else None,
        "next_page": _address(query.search, shown[-1].id) if len(found) > query.limit else None,
    }
    return page(request, "contacts.html", context, 422 if errors else 200)


async def show_new_contact(request: Request) -> Response:
    """An empty form; a number may come with the address."""
    numbers = request.query_params.get("number", "")[:40]
    return await _form_page(request, {"numbers": numbers})


async def add_contact(request: Request) -> Response:
    """A new contact was sent."""
    fields = await form_fields(request)
    try:
        await store_contact(request, _change(fields))
    except Refused as refused:
        return await _form_page(request, fields, refused=refused)
    return RedirectResponse("/contacts", status_code=303)


async def show_contact(request: Request) -> Response:
    """One contact, to be changed."""
    contact = await services(request).database.read(contact_view, number_id(request))
    return await _form_page(request, _fields(contact), contact)


async def change_contact(request: Request) -> Response:
    """A changed contact was sent."""
    contact = await services(request).database.read(contact_view, number_id(request))
    fields = await as_meant(request, await form_fields(request), _fields(contact))
    try:
        await replace_contact(request, _change(fields))
    except Refused as refused:
        return await _form_page(request, fields, contact, refused)
    return RedirectResponse("/contacts", status_code=303)


async def take_away(request: Request) -> Response:
    """A contact is to be deleted."""
    await drop_contact(request)
    return RedirectResponse("/contacts", status_code=303)


def _fields(contact: ContactView) -> dict[str, str]:
    """The form's fields as they are for a stored contact."""
    return {
        "name": contact.name,
        "position": contact.position,
        "numbers": "\n".join(contact.numbers),
        "tags": ", ".join(contact.tags),
        "owner": contact.owner or "",
        "time_zone": contact.time_zone or "",
    }


async def _not_guessed(request: Request, found: Sequence[ContactView], search: str) -> list[ContactView]:
    """Those that were not found by a number that is hidden from who asks: else he could search for its digits one by one."""
    hidden = await hidden_from(request, "\n".join(number for contact in found for number in contact.numbers))

    def is_seen(contact: ContactView) -> bool:
        seen = [number for number in contact.numbers if digits_of(number) not in hidden]
        return len(seen) == len(contact.numbers) or any(search.lower() in text.lower() for text in (contact.name, *seen))

    return [contact for contact in found if is_seen(contact)]


def _change(fields: Mapping[str, str]) -> ContactChange:
    """What the form means. Raises InvalidInput."""
    data = {
        "name": fields.get("name", ""),
        "position": fields.get("position", ""),
        "numbers": [line.strip() for line in fields.get("numbers", "").splitlines() if line.strip()],
        "tags": [tag.strip() for tag in fields.get("tags", "").split(",") if tag.strip()],
        "owner": fields.get("owner") or None,
        "time_zone": fields.get("time_zone", "").strip() or None,
    }
    return checked(ContactChange, data)


async def _form_page(
    request: Request, fields: Mapping[str, str], contact: ContactView | None = None, refused: Refused | None = None
) -> Response:
    owner = () if contact is None or contact.owner is None else (contact.owner,)
    operators = await services(request).database.read(list_operators)
    context: dict[str, Any] = {
        "contact": contact,
        "form": {name: fields.get(name, "") for name in _FIELDS},
        "errors": errors_by_field(refused),
        "operators": await can_be_chosen(request, operators, owner),
        "most_numbers": MOST_NUMBERS,
        "most_tags": MOST_TAGS,
        "zones": zone_names(),
    }
    return page(request, "contact.html", context, status_of(refused))


def _address(search: str, after: int) -> str:
    query = urlencode({name: value for name, value in (("search", search), ("after", after)) if value})
    return f"/contacts?{query}" if query else "/contacts"
