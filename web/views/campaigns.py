"""Campaigns: their numbers, employees, unknown callers, transfer numbers and leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.campaigns import MOST_TRANSFER_NUMBERS
from controller.actions.fields import MOST_DAYS
from controller.actions.groups import SHORTEST_PAUSE
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.storage import Session
from controller.storage.campaigns import UnknownCallers, campaign_names
from controller.storage.groups import list_groups
from controller.storage.leads import LeadType
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.operators import RING_SECONDS, Operator, list_operators
from web.campaign_models import CampaignChange, CampaignModel, LeadQuery, NewLead
from web.forms import checked, errors_by_field, form_fields, read_query, status_of
from web.people_models import TERM_LIMITS
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.views.api_campaigns import (
    all_campaigns,
    drop_campaign,
    drop_lead,
    load_campaign,
    load_leads,
    replace_campaign,
    store_campaign,
    store_lead,
)
from web.views.operators import can_be_chosen
from web.views.places import number_id
from web.words import STRATEGY_WORDS

UNKNOWN_CALLERS: Final[Mapping[UnknownCallers, str]] = {
    "lead_direct": "They become a lead “Direct” and are served",
    "lead_selection": "They become a lead “Selection” and are served",
    "refuse": "They are not accepted",
}
LEAD_TYPES: Final[Mapping[LeadType, str]] = {"direct": "Direct", "selection": "Selection"}
_PLAIN = ("name", "unknown_callers", "strategy", *TERM_LIMITS, "recordings_days")
_SWITCHES = ("sticky_owner", "announce_place", "announce_wait", "hide_numbers")
_LISTS = ("numbers", "operators", "groups")
_MOST_FIELDS = 3000
"""Of the form: it has one for each number, operator and group that is ticked."""
_MAIN, _ADDITIONAL = "transfer_number", "additional_numbers"


@dataclass(frozen=True, slots=True)
class Tick:
    """Something that may belong to a campaign; `hint` says more of it."""

    value: str
    title: str
    hint: str = ""


async def show_campaigns(request: Request) -> Response:
    """All campaigns."""
    campaigns = await services(request).database.read(all_campaigns)
    return page(request, "campaigns.html", {"campaigns": campaigns, "unknown_callers": UNKNOWN_CALLERS})


async def show_new_campaign(request: Request) -> Response:
    """An empty form."""
    told = {"announce_place": "on", "announce_wait": "on"}
    return await _form_page(request, {"ring_seconds": str(RING_SECONDS), "wrap_up_seconds": "0", "priority": "0", **told})


async def add_campaign(request: Request) -> Response:
    """A new campaign was sent."""
    fields = await form_fields(request, _MOST_FIELDS)
    try:
        await store_campaign(request, _change(fields))
    except Refused as refused:
        return await _form_page(request, fields, refused=refused)
    return RedirectResponse("/campaigns", status_code=303)


async def show_campaign(request: Request) -> Response:
    """One campaign, to be changed."""
    campaign = await load_campaign(request)
    return await _form_page(request, _fields(campaign), campaign)


async def change_campaign(request: Request) -> Response:
    """A changed campaign was sent."""
    campaign = await _campaign_to_change(request)
    fields = await form_fields(request, _MOST_FIELDS)
    try:
        await replace_campaign(request, _change(fields, campaign))
    except Refused as refused:
        return await _form_page(request, fields, campaign, refused)
    return RedirectResponse("/campaigns", status_code=303)


async def take_away(request: Request) -> Response:
    """A campaign is to be removed."""
    await _campaign_to_change(request)
    await drop_campaign(request)
    return RedirectResponse("/campaigns", status_code=303)


async def show_leads(request: Request) -> Response:
    """A campaign's leads, and the form to add one."""
    return await _leads_page(request, {})


async def add_lead(request: Request) -> Response:
    """A new lead was sent."""
    fields = await form_fields(request)
    try:
        await store_lead(request, checked(NewLead, {name: fields.get(name, "") for name in ("number", "type")}))
    except Refused as refused:
        return await _leads_page(request, fields, refused)
    return RedirectResponse(f"/campaigns/{number_id(request)}/leads", status_code=303)


async def take_lead_away(request: Request) -> Response:
    """A lead is to be removed."""
    await _campaign_to_change(request)
    await drop_lead(request)
    return RedirectResponse(f"/campaigns/{number_id(request)}/leads", status_code=303)


async def _campaign_to_change(request: Request) -> CampaignModel:
    """The campaign of the address. One that hides numbers is changed by administrators alone: others could make it show them.

    Raises NotFound, WebError 403.
    """
    campaign = await load_campaign(request)
    if campaign.hide_numbers:
        administrators_only(request)
    return campaign


def _fields(campaign: CampaignModel) -> dict[str, str]:
    """The form's fields as they are for a stored campaign."""
    plain = {name: "" if (value := getattr(campaign, name)) is None else str(value) for name in _PLAIN}
    ticked = {f"{name}:{value}": "on" for name in _LISTS for value in getattr(campaign, name)}
    main, additional = campaign.transfer_numbers[:1], campaign.transfer_numbers[1:]
    numbers = {_MAIN: "".join(main), _ADDITIONAL: "\n".join(additional)}
    switched = {name: "on" for name in _SWITCHES if getattr(campaign, name)}
    return {**plain, **ticked, **numbers, **switched}


def _change(fields: Mapping[str, str], before: CampaignModel | None = None) -> CampaignChange:
    """What the form means. Who was assigned before keeps his place in the order. Raises InvalidInput."""
    main, additional = fields.get(_MAIN, "").strip(), [one.strip() for one in fields.get(_ADDITIONAL, "").splitlines()]
    additional = [one for one in additional if one]
    if additional and not main:
        said = "write the main number here; the others are tried after it"
        raise InvalidInput(f"{_MAIN}: {said}", [FieldProblem(_MAIN, said)])
    data: dict[str, Any] = {
        **{name: fields[name].strip() for name in _PLAIN if fields.get(name, "").strip()},
        **{name: _ticked(fields, name, getattr(before, name, ())) for name in _LISTS},
        "name": fields.get("name", ""),
        **{name: name in fields for name in _SWITCHES},
        "transfer_numbers": [*([main] if main else []), *additional],
    }
    return checked(CampaignChange, data)


def _ticked(fields: Mapping[str, str], kind: str, before: Sequence[str]) -> list[str]:
    ticked = [name.removeprefix(f"{kind}:") for name in fields if name.startswith(f"{kind}:")]
    return [*(value for value in before if value in ticked), *(value for value in ticked if value not in before)]


async def _form_page(
    request: Request, fields: Mapping[str, str], campaign: CampaignModel | None = None, refused: Refused | None = None
) -> Response:
    given = services(request)
    numbers, operators, groups = await given.database.read(_choices, None if campaign is None else campaign.id)
    offered = await can_be_chosen(request, operators, () if campaign is None else campaign.operators)
    context: dict[str, Any] = {
        "campaign": campaign,
        "form": {name: fields.get(name, "") for name in (*_PLAIN, _MAIN, _ADDITIONAL)},
        "switched": {name for name in _SWITCHES if name in fields},
        "ticked": {name for name in fields if name.partition(":")[0] in _LISTS},
        "errors": _errors(refused) if refused else {},
        "numbers": numbers,
        "operators": [Tick(one.extension, f"{one.extension} · {one.name}") for one in offered],
        "groups": groups,
        "unknown_callers": UNKNOWN_CALLERS,
        "strategies": {strategy: title for strategy, (title, _) in STRATEGY_WORDS.items()},
        "most_additional": MOST_TRANSFER_NUMBERS - 1,
        "longest": {**TERM_LIMITS, "recordings_days": MOST_DAYS},
        "installation_days": given.settings.recordings_days,
        "shortest_pause": SHORTEST_PAUSE,
    }
    return page(request, "campaign.html", context, status_of(refused))


async def _leads_page(request: Request, fields: Mapping[str, str], refused: Refused | None = None) -> Response:
    campaign, query = await load_campaign(request), LeadQuery()
    errors = errors_by_field(refused)
    try:
        query = read_query(request, LeadQuery)
    except InvalidInput as wrong:
        errors, refused = errors_by_field(wrong), wrong
    found = await load_leads(request, query.limit + 1, query.after)
    shown = found[: query.limit]
    address = f"/campaigns/{campaign.id}/leads"
    context: dict[str, Any] = {
        "campaign": campaign,
        "leads": shown,
        "form": {"number": fields.get("number", ""), "type": fields.get("type", "direct")},
        "errors": errors,
        "lead_types": LEAD_TYPES,
        "first_page": address if query.after else None,
        "next_page": f"{address}?after={shown[-1].id}" if len(found) > query.limit else None,
    }
    return page(request, "leads.html", context, status_of(refused))


def _errors(refused: Refused) -> dict[str, str]:
    """The form has a field for the main transfer number and one for the others."""
    if not isinstance(refused, InvalidInput):
        return errors_by_field(refused)
    places = {"transfer_numbers.0": _MAIN, "transfer_numbers": _ADDITIONAL}
    problems = [
        FieldProblem(places.get(problem.field) or places.get(problem.field.partition(".")[0]) or problem.field, problem.message)
        for problem in refused.problems
    ]
    return errors_by_field(InvalidInput(str(refused), problems))


def _choices(session: Session, id: int | None) -> tuple[list[Tick], Sequence[Operator], list[Tick]]:
    """The numbers, operators and groups that there are."""
    names = campaign_names(session)

    def elsewhere(row: InboundNumber) -> str:
        other = row.campaign_id
        return "" if other is None or other == id else f"of the campaign “{names.get(other, '')}”"

    return (
        [Tick(row.number, f"{row.number} · {row.line_name}", elsewhere(row)) for row in list_numbers(session)],
        list_operators(session),
        [Tick(group.name, group.name, f"members: {len(group.members)}") for group in list_groups(session)],
    )
