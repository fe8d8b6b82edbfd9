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
from controller.storage.contacts import BlockedNumber, ContactView, contact_view, get_blocked, list_blocked, list_contacts
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
    return ModelResponse(contact_model(await store_contact(request, await read_json(request, ContactChange))), 201)


async def put_contact(request: Request) -> Response:
    """Replace a contact."""
    return ModelResponse(contact_model(await replace_contact(request, await read_json(request, ContactChange))))


async def remove_contact(request: Request) -> Response:
    """Remove a contact."""
    await drop_contact(request)
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
    return ModelResponse(block_model(await store_block(request, await read_json(request, BlockChange))), 201)


async def put_blocked_number(request: Request) -> Response:
    """Replace an entry of the block list."""
    return ModelResponse(block_model(await replace_block(request, await read_json(request, BlockChange))))


async def remove_blocked_number(request: Request) -> Response:
    """Take an entry off the block list."""
    await drop_block(request)
    return Response(status_code=204)


async def store_contact(request: Request, new: ContactChange) -> ContactView:
    """A new contact. Raises as `create_contact`."""
    given, by = services(request), acting_user(request)
    region, now = given.settings.phone_region, given.clock.now()
    return await given.database.run(create_contact, new.draft(), region, acting_user=by, at=now)


async def replace_contact(request: Request, new: ContactChange) -> ContactView:
    """Replace the contact of the address. Raises as `change_contact`."""
    given, by = services(request), acting_user(request)
    region, now = given.settings.phone_region, given.clock.now()
    return await given.database.run(change_contact, number_id(request), new.draft(), region, acting_user=by, at=now)


async def drop_contact(request: Request) -> None:
    """Remove the contact of the address."""
    given = services(request)
    await given.database.run(delete_contact, number_id(request), acting_user=acting_user(request), at=given.clock.now())


async def store_block(request: Request, new: BlockChange) -> BlockedNumber:
    """A new entry of the block list. Raises as `block_number`."""
    given, by = services(request), acting_user(request)
    region, now = given.settings.phone_region, given.clock.now()
    entry = await given.database.run(block_number, new.draft(), region, acting_user=by, at=now)
    await given.directory_changed()
    return entry


async def replace_block(request: Request, new: BlockChange) -> BlockedNumber:
    """Replace the entry of the address. Raises as `change_block`."""
    given, by = services(request), acting_user(request)
    region, now = given.settings.phone_region, given.clock.now()
    entry = await given.database.run(change_block, number_id(request), new.draft(), region, acting_user=by, at=now)
    await given.directory_changed()
    return entry


async def drop_block(request: Request) -> None:
    """Take the entry of the address off the block list."""
    given = services(request)
    await given.database.run(unblock_number, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()
