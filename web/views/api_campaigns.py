"""Campaigns and their leads in the API; what the pages do with them is done here as well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.campaigns import add_lead, change_campaign, create_campaign, delete_campaign, remove_lead
from controller.storage import Session
from controller.storage.campaigns import campaign_view, campaign_views, get_campaign
from controller.storage.contacts import owners_of
from controller.storage.leads import count_leads, list_leads
from controller.storage.numbers import numbers_by_campaign
from web.campaign_models import (
    CampaignChange,
    CampaignList,
    CampaignModel,
    LeadList,
    LeadModel,
    LeadQuery,
    NewLead,
    campaign_model,
    lead_model,
)
from web.forms import read_json, read_query
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_campaigns(request: Request) -> Response:
    """All campaigns."""
    return ModelResponse(CampaignList(campaigns=await services(request).database.read(all_campaigns)))


async def get_one_campaign(request: Request) -> Response:
    """One campaign."""
    return ModelResponse(await load_campaign(request))


async def post_campaign(request: Request) -> Response:
    """Create a campaign."""
    id = await store_campaign(request, await read_json(request, CampaignChange))
    return ModelResponse(await services(request).database.read(_campaign, id), 201)


async def put_campaign(request: Request) -> Response:
    """Replace a campaign."""
    await replace_campaign(request, await read_json(request, CampaignChange))
    return await get_one_campaign(request)


async def remove_campaign(request: Request) -> Response:
    """Remove a campaign."""
    await drop_campaign(request)
    return Response(status_code=204)


async def get_leads(request: Request) -> Response:
    """A page of a campaign's leads."""
    query = read_query(request, LeadQuery)
    return ModelResponse(LeadList(leads=await load_leads(request, query.limit, query.after)))


async def post_lead(request: Request) -> Response:
    """Add a lead."""
    return ModelResponse(await store_lead(request, await read_json(request, NewLead)), 201)


async def remove_one_lead(request: Request) -> Response:
    """Remove a lead."""
    await drop_lead(request)
    return Response(status_code=204)


async def load_campaign(request: Request) -> CampaignModel:
    """The campaign of the address. Raises NotFound."""
    return await services(request).database.read(_campaign, number_id(request))


async def store_campaign(request: Request, new: CampaignChange) -> int:
    """A new campaign; returns its id. Raises as `create_campaign`."""
    given, by = services(request), acting_user(request)
    created = await given.database.run(create_campaign, new.draft(), acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return created.id


async def replace_campaign(request: Request, new: CampaignChange) -> None:
    """Replace the campaign of the address. Raises as `change_campaign`."""
    given, id, by = services(request), number_id(request), acting_user(request)
    await given.database.run(change_campaign, id, new.draft(), acting_user=by, at=given.clock.now())
    await given.directory_changed()


async def drop_campaign(request: Request) -> None:
    """Remove the campaign of the address. Raises NotFound."""
    given = services(request)
    await given.database.run(delete_campaign, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()


async def load_leads(request: Request, limit: int, after: int) -> list[LeadModel]:
    """Leads of the campaign of the address. Raises NotFound."""
    return await services(request).database.read(_leads, number_id(request), limit, after)


async def store_lead(request: Request, new: NewLead) -> LeadModel:
    """A new lead of the campaign of the address. Raises as `add_lead`."""
    given, id, by = services(request), number_id(request), acting_user(request)
    region, now = given.settings.phone_region, given.clock.now()
    lead = await given.database.run(add_lead, id, new.number, new.type, region, acting_user=by, at=now)
    return lead_model(lead, await given.database.read(_contacts, [lead.number]))


async def drop_lead(request: Request) -> None:
    """Remove the lead of the address. Raises NotFound."""
    given, id, lead = services(request), number_id(request), number_id(request, "lead")
    await given.database.run(remove_lead, id, lead, acting_user=acting_user(request), at=given.clock.now())


def all_campaigns(session: Session) -> list[CampaignModel]:
    """Every campaign, by name."""
    numbers, leads = numbers_by_campaign(session), count_leads(session)
    return [campaign_model(one, numbers, leads) for one in campaign_views(session)]


def _campaign(session: Session, id: int) -> CampaignModel:
    return campaign_model(campaign_view(session, id), numbers_by_campaign(session), count_leads(session))


def _leads(session: Session, id: int, limit: int, after: int) -> list[LeadModel]:
    get_campaign(session, id)
    found = list_leads(session, id, limit, after)
    contacts = _contacts(session, [lead.number for lead in found])
    return [lead_model(lead, contacts) for lead in found]


def _contacts(session: Session, numbers: list[str]) -> dict[str, str]:
    return {number: contact.name for number, contact in owners_of(session, numbers).items()}
