"""Campaigns and their leads (LNR-4 to LNR-6, LNR-12, PRJ-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, get_args

from controller.actions.fields import checked_name, days_problems, dialled_number, invalid
from controller.actions.groups import check_strategy, check_terms
from controller.addresses import SipAddress, phone_number, sip_address
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.campaigns import (
    Campaign,
    CampaignView,
    UnknownCallers,
    campaign_view,
    find_campaign,
    get_campaign,
    replace_employees,
    replace_transfer_numbers,
)
from controller.storage.groups import GroupTerms, Strategy, lock_group
from controller.storage.leads import Lead, LeadType, add_lead_row, find_lead, get_lead
from controller.storage.numbers import list_numbers
from controller.storage.operators import RING_SECONDS, list_operators
from controller.storage.trunks import list_trunks

MOST_TRANSFER_NUMBERS: Final = 10
"""The main one and the additional ones together."""


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What may be changed of a campaign. `numbers` are numbers of ours; `operators` extensions and `groups` names, in order;
    `transfer_numbers` phone numbers and SIP addresses, the main one first. Recordings of calls to its numbers stay for
    `recordings_days`; None: as others.
    """

    name: str
    numbers: Sequence[str] = ()
    operators: Sequence[str] = ()
    groups: Sequence[str] = ()
    unknown_callers: UnknownCallers = "lead_direct"
    transfer_numbers: Sequence[str] = ()
    strategy: Strategy = "ring_all"
    ring_seconds: int = RING_SECONDS
    terms: GroupTerms = field(default_factory=GroupTerms)
    hide_numbers: bool = False
    recordings_days: int | None = None


def create_campaign(session: Session, draft: CampaignDraft, *, acting_user: str, at: datetime) -> CampaignView:
    """A new campaign. Raises InvalidInput: the fields that are wrong; Refused: the name is taken."""
    return _store(session, None, draft, "campaign.create", acting_user, at)


def change_campaign(session: Session, id: int, draft: CampaignDraft, *, acting_user: str, at: datetime) -> CampaignView:
    """Replace all that is known of a campaign but its leads; the next decision uses it.

    Raises as `create_campaign`, and NotFound.
    """
    get_campaign(session, id)
    return _store(session, id, draft, "campaign.change", acting_user, at)


def delete_campaign(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Its leads go with it; its numbers belong to no campaign then. Raises NotFound."""
    campaign = get_campaign(session, id)
    session.delete(campaign)
    add_audit(session, at, acting_user, "campaign.delete", f"campaign {campaign.name}")
    session.flush()


def add_lead(
    session: Session, campaign_id: int, number: str, type: LeadType, region: str | None, *, acting_user: str, at: datetime
) -> Lead:
    """Somebody is a lead of the campaign from now on; `region` is as for `controller.addresses.phone_number`.

    Raises InvalidInput: no number, or no type; Refused: he is one already; NotFound: no such campaign.
    """
    campaign = get_campaign(session, campaign_id)
    normal = phone_number(number, region)
    if normal is None:
        raise invalid("number", 'write a phone number with its country code, for example "+7 495 111-22-33"')
    if type not in get_args(LeadType):
        raise invalid("type", f"use one of {', '.join(get_args(LeadType))}")
    if find_lead(session, campaign_id, normal) is not None:
        raise Refused(f'{normal} is a lead of the campaign "{campaign.name}" already')
    lead = add_lead_row(session, campaign_id, normal, type, at=at)
    add_audit(session, at, acting_user, "lead.add", f"lead {normal}", campaign=campaign.name, type=type)
    return lead


def remove_lead(session: Session, campaign_id: int, id: int, *, acting_user: str, at: datetime) -> None:
    """He is unknown to the campaign then. Raises NotFound."""
    lead = get_lead(session, campaign_id, id)
    session.delete(lead)
    add_audit(session, at, acting_user, "lead.remove", f"lead {lead.number}", campaign=get_campaign(session, campaign_id).name)
    session.flush()


def _checked_name(session: Session, name: str, id: int | None) -> str:
    name = checked_name("name", name)
    found = find_campaign(session, name)
    if found is not None and found.id != id:
        raise Refused(f'there is already a campaign "{name}"')
    return name


def _store(session: Session, id: int | None, draft: CampaignDraft, action: str, acting_user: str, at: datetime) -> CampaignView:
    name = _checked_name(session, draft.name, id)
    if draft.unknown_callers not in get_args(UnknownCallers):
        raise invalid("unknown_callers", f"use one of {', '.join(get_args(UnknownCallers))}")
    check_strategy(draft.strategy, draft.ring_seconds)
    check_terms(draft.terms)
    problems = list(days_problems(draft.recordings_days))
    operators = {operator.extension: operator.id for operator in list_operators(session)}
    operator_ids = _ids("operators", draft.operators, operators, "operator", problems)
    # Before the campaign, as by those who change the groups' members: else two could wait for each other.
    locked = {one: lock_group(session, one) for one in sorted(set(draft.groups))}
    groups = {one: group.id for one, group in locked.items() if group is not None}
    group_ids = _ids("groups", draft.groups, groups, "group", problems)
    _check_numbers(session, id, draft.numbers, problems)
    transfer_numbers = _checked_transfer_numbers(session, draft.transfer_numbers, problems)
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)
    campaign = Campaign(name=name, version=0) if id is None else get_campaign(session, id, locked=True)
    settings = {
        "unknown_callers": draft.unknown_callers,
        "strategy": draft.strategy,
        "ring_seconds": draft.ring_seconds,
        "hide_numbers": draft.hide_numbers,
        "recordings_days": draft.recordings_days,
    }
    campaign.sqlmodel_update({"name": name, "version": campaign.version + 1, **settings, **asdict(draft.terms)})
    session.add(campaign)
    session.flush()
    replace_employees(session, campaign.id, operator_ids, group_ids)
    replace_transfer_numbers(session, campaign.id, transfer_numbers)
    for row in list_numbers(session):
        if row.number in draft.numbers or row.campaign_id == campaign.id:
            row.campaign_id = campaign.id if row.number in draft.numbers else None
    noted = {"numbers": list(draft.numbers), "operators": list(draft.operators), "groups": list(draft.groups)}
    add_audit(session, at, acting_user, action, f"campaign {name}", **noted, transfer_numbers=transfer_numbers, **settings)
    session.flush()
    return campaign_view(session, campaign.id)


def _ids(field: str, names: Sequence[str], known: Mapping[str, int], kind: str, problems: list[FieldProblem]) -> list[int]:
    for place, name in enumerate(names):
        if name not in known:
            problems.append(FieldProblem(f"{field}.{place}", f'there is no {kind} "{name}"'))
        elif name in names[:place]:
            problems.append(FieldProblem(f"{field}.{place}", f'the {kind} "{name}" is named twice'))
    return [known[name] for name in names if name in known]


def _check_numbers(session: Session, id: int | None, numbers: Sequence[str], problems: list[FieldProblem]) -> None:
    ours = {row.number: row.campaign_id for row in list_numbers(session)}
    for place, number in enumerate(numbers):
        other = ours.get(number)
        if number not in ours:
            problems.append(FieldProblem(f"numbers.{place}", f"there is no number {number} of ours"))
        elif other is not None and other != id:
            name = get_campaign(session, other).name
            problems.append(FieldProblem(f"numbers.{place}", f'{number} belongs to the campaign "{name}" already'))


def _checked_transfer_numbers(session: Session, given: Sequence[str], problems: list[FieldProblem]) -> list[str]:
    if len(given) > MOST_TRANSFER_NUMBERS:
        problems.append(FieldProblem("transfer_numbers", f"write at most {MOST_TRANSFER_NUMBERS} numbers"))
    places = {(trunk.host.lower(), trunk.port) for trunk in list_trunks(session)}
    numbers: list[str] = []
    for place, text in enumerate(given):
        checked = _transfer_number(text.strip())
        said = "write a phone number of 2 to 20 digits, or a SIP address such as sip:queue@pbx.example.com"
        if isinstance(checked, SipAddress) and (checked.host, checked.port) not in places:
            said = f"no trunk leads to {checked.host}, port {checked.port}: add one before, for calls go through trunks alone"
            checked = None
        if checked is None:
            problems.append(FieldProblem(f"transfer_numbers.{place}", said))
        elif str(checked) in numbers:
            problems.append(FieldProblem(f"transfer_numbers.{place}", f"{checked} is there twice"))
        else:
            numbers.append(str(checked))
    return numbers


def _transfer_number(text: str) -> str | SipAddress | None:
    return sip_address(text) if ":" in text else dialled_number(text)
