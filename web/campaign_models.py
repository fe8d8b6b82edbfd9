"""Campaigns and their leads as the API gives and takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from controller.actions.campaigns import MOST_TRANSFER_NUMBERS, CampaignDraft
from controller.actions.fields import MOST_DAYS
from controller.actions.operators import LONGEST_RING
from controller.storage.campaigns import CampaignView, UnknownCallers
from controller.storage.groups import Strategy
from controller.storage.leads import Lead, LeadType
from controller.storage.operators import RING_SECONDS
from web.people_models import GroupTermsModel

_MOST_EMPLOYEES = 1000
_MOST_NUMBERS = 1000
_LARGEST_KEY = 2**31 - 1


class CampaignChange(GroupTermsModel):
    """A campaign to be stored. Its terms are those of a group."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    numbers: list[str] = Field(
        default_factory=list, max_length=_MOST_NUMBERS, description="numbers of ours that belong to it, and to no other campaign"
    )
    operators: list[str] = Field(
        default_factory=list, max_length=_MOST_EMPLOYEES, description="extensions of its employees, in order"
    )
    groups: list[str] = Field(
        default_factory=list, max_length=_MOST_EMPLOYEES, description="groups whose members are its employees, after them"
    )
    unknown_callers: UnknownCallers = Field(
        "lead_direct",
        description="for callers who are no lead of it. refuse: they are not accepted; lead_selection, lead_direct: they become a"
        " lead of this type and are served",
    )
    transfer_numbers: list[str] = Field(
        default_factory=list,
        max_length=MOST_TRANSFER_NUMBERS,
        description="where operators transfer its calls to: phone numbers, and SIP addresses on a trunk's host. The first is the"
        " main one, the others are tried after it",
    )
    strategy: Strategy = "ring_all"
    ring_seconds: int = Field(RING_SECONDS, ge=1, le=LONGEST_RING, description="how long one offer rings")
    hide_numbers: bool = Field(
        False,
        description="true: the numbers of its callers and leads are shown to administrators alone, and on no operator's phone",
    )
    recordings_days: int | None = Field(
        None,
        ge=1,
        le=MOST_DAYS,
        description="days that recordings of calls to its numbers are kept; a number's own go before; null: as others",
    )

    def draft(self) -> CampaignDraft:
        """The same for the action."""
        return CampaignDraft(
            self.name,
            self.numbers,
            self.operators,
            self.groups,
            self.unknown_callers,
            self.transfer_numbers,
            self.strategy,
            self.ring_seconds,
            self.terms(),
            self.hide_numbers,
            self.recordings_days,
        )


class CampaignModel(CampaignChange):
    """A campaign; `version` grows with every change of it or its groups' members."""

    id: int
    version: int
    leads: int = Field(description="how many it has")


class CampaignList(BaseModel):
    """All campaigns, by name."""

    campaigns: list[CampaignModel]


class NewLead(BaseModel):
    """Somebody who is to be a lead."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=40, description="as people write it")
    type: LeadType = "direct"


class LeadModel(BaseModel):
    """A lead of a campaign."""

    id: int
    number: str = Field(description="international (E.164), or a short internal one")
    contact: str | None = Field(description="who has this number in the address book")
    type: LeadType
    created_at: datetime
    call: str | None = Field(description="the call that made him known; null: somebody has added him")


class LeadList(BaseModel):
    """A campaign's leads in the order they were made."""

    leads: list[LeadModel]


class LeadQuery(BaseModel):
    """Which leads to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    after: int = Field(0, ge=0, le=_LARGEST_KEY, description="id of the last lead of the page before")


def campaign_model(campaign: CampaignView, numbers: Mapping[int, Sequence[str]], leads: Mapping[int, int]) -> CampaignModel:
    """One campaign; `numbers` and `leads` (how many) by campaigns' ids."""
    return CampaignModel(
        id=campaign.id,
        name=campaign.name,
        numbers=list(numbers.get(campaign.id, ())),
        operators=list(campaign.operators),
        groups=list(campaign.groups),
        unknown_callers=campaign.unknown_callers,
        transfer_numbers=list(campaign.transfer_numbers),
        strategy=campaign.strategy,
        ring_seconds=campaign.ring_seconds,
        hide_numbers=campaign.hide_numbers,
        recordings_days=campaign.recordings_days,
        version=campaign.version,
        leads=leads.get(campaign.id, 0),
        **asdict(campaign.terms),
    )


def lead_model(lead: Lead, contacts: Mapping[str, str]) -> LeadModel:
    """One lead; `contacts` are names by numbers."""
    contact = contacts.get(lead.number)
    return LeadModel(
        id=lead.id, number=lead.number, contact=contact, type=lead.type, created_at=lead.created_at, call=lead.call_id
    )
