"""The API's addresses for campaigns and their leads."""

from __future__ import annotations

from web.campaign_models import CampaignChange, CampaignList, CampaignModel, LeadList, LeadModel, LeadQuery, NewLead
from web.openapi import ApiOperation
from web.views import api_campaigns

_CAMPAIGNS = "/api/v1/campaigns"
_CAMPAIGN = f"{_CAMPAIGNS}/{{id:int}}"
_LEADS = f"{_CAMPAIGN}/leads"

CAMPAIGN_OPERATIONS = (
    ApiOperation("GET", _CAMPAIGNS, api_campaigns.get_campaigns, "List campaigns", CampaignList),
    ApiOperation(
        "POST",
        _CAMPAIGNS,
        api_campaigns.post_campaign,
        "Create a campaign",
        CampaignModel,
        body=CampaignChange,
        status=201,
        errors=(409,),
    ),
    ApiOperation("GET", _CAMPAIGN, api_campaigns.get_one_campaign, "One campaign", CampaignModel),
    ApiOperation(
        "PUT", _CAMPAIGN, api_campaigns.put_campaign, "Replace a campaign", CampaignModel, body=CampaignChange, errors=(409,)
    ),
    ApiOperation("DELETE", _CAMPAIGN, api_campaigns.remove_campaign, "Remove a campaign with its leads", status=204),
    ApiOperation(
        "GET", _LEADS, api_campaigns.get_leads, "List a campaign's leads in the order they were made", LeadList, query=LeadQuery
    ),
    ApiOperation("POST", _LEADS, api_campaigns.post_lead, "Add a lead", LeadModel, body=NewLead, status=201, errors=(409,)),
    ApiOperation("DELETE", f"{_LEADS}/{{lead:int}}", api_campaigns.remove_one_lead, "Remove a lead", status=204),
)
