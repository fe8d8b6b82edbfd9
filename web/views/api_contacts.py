"""The address book and the block list in the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.contacts import (
    block_number,
    change_block,
    change_contact,
    create_contact,
    delete_contact,
    unblock_number,
)
from controller.storage.contacts import contact_view, get_blocked, list_blocked, list_contacts
from web.contact_models import (
    BlockChange,
    BlockList,
    ContactChange,
    ContactList,
    ContactQuery,
    PageQuery,
    block_model,
    contact_model,
)
from web.forms import read_json, read_query
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_contacts(request: Request) -> Response:
    """A page of contacts."""
    query = read_query(request, ContactQuery)
    found = await services(request).database.read(list_contacts, query.search, query.limit, query.after)
    return ModelResponse(ContactList(contacts=[contact_model(one) for one in found]))


async def get_one_contact(request: Request) -> Response:
    """One contact."""
    return ModelResponse(contact_model(await services(request).database.read(contact_view, number_id(request))))


async def post_contact(request: Request) -> Response:
    """Create a contact."""
    given, body = services(request), await read_json(request, ContactChange)
    by, now, region = acting_user(request), given.clock.now(), given.settings.phone_region
    created = await given.database.run(create_contact, body.draft(), region, acting_user=by, at=now)
    return ModelResponse(contact_model(created), 201)


async def put_contact(request: Request) -> Response:
    """Replace a contact."""
    given, body = services(request), await read_json(request, ContactChange)
    by, now, region = acting_user(request), given.clock.now(), given.settings.phone_region
    changed = await given.database.run(change_contact, number_id(request), body.draft(), region, acting_user=by, at=now)
    return ModelResponse(contact_model(changed))


async def remove_contact(request: Request) -> Response:
    """Remove a contact."""
    given = services(request)
    await given.database.run(delete_contact, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    return Response(status_code=204)


async def get_blocked_numbers(request: Request) -> Response:
    """A page of the block list."""
    query = read_query(request, PageQuery)
    found = await services(request).database.read(list_blocked, query.limit, query.after)
    return ModelResponse(BlockList(blocked=[block_model(one) for one in found]))


async def get_one_blocked_number(request: Request) -> Response:
    """One entry of the block list."""
    return ModelResponse(block_model(await services(request).database.read(get_blocked, number_id(request))))


async def post_blocked_number(request: Request) -> Response:
    """Put a number on the block list."""
    given, body = services(request), await read_json(request, BlockChange)
    by, now, region = acting_user(request), given.clock.now(), given.settings.phone_region
    return ModelResponse(block_model(await given.database.run(block_number, body.draft(), region, acting_user=by, at=now)), 201)


async def put_blocked_number(request: Request) -> Response:
    """Replace an entry of the block list."""
    given, body = services(request), await read_json(request, BlockChange)
    by, now, region = acting_user(request), given.clock.now(), given.settings.phone_region
    changed = await given.database.run(change_block, number_id(request), body.draft(), region, acting_user=by, at=now)
    return ModelResponse(block_model(changed))


async def remove_blocked_number(request: Request) -> Response:
    """Take an entry off the block list."""
    given = services(request)
    await given.database.run(unblock_number, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    return Response(status_code=204)
