"""Who is let in on a campaign's numbers, who becomes its lead by calling (LNR-4), and whose number is hidden (LNR-11)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Final

from controller.addresses import phone_number
from controller.calls.facts import CallFacts, CallTools
from controller.calls.scenarios import refused_call
from controller.errors import AttendantError, Refused
from controller.storage.campaigns import CampaignView
from controller.storage.hidden_numbers import hidden_among
from controller.storage.leads import LeadType, add_lead_row, find_lead
from ivr.graph import ScenarioBundle

log = logging.getLogger(__name__)

KNOWN_WITHIN: Final = 2.0
"""Seconds that the database has to say whether a caller is known; he hears ringing meanwhile."""
_BECOMES: Final[dict[str, LeadType]] = {"lead_selection": "selection", "lead_direct": "direct"}


async def admitted(facts: CallFacts, tools: CallTools) -> CallFacts:
    """The call as it is to be served: that of an unknown caller whom its campaign does not accept is refused, without an answer.

    Who becomes a lead is one before anything else happens. A caller without a number is unknown, and becomes none: nothing tells
    him from others. What can't be found out in time keeps nobody out.
    """
    campaign = facts.campaign
    if campaign is None:
        return facts
    try:
        async with asyncio.timeout(KNOWN_WITHIN):
            accepted = await _accepted(facts, campaign, tools)
    except (AttendantError, TimeoutError) as error:
        log.error("call %s is served, though whether its caller is a lead is not known: %s", facts.call, error or "no answer")
        return facts
    except Exception:
        log.exception("call %s is served, though whether its caller is a lead is not known", facts.call)
        return facts
    if accepted:
        return facts
    log.info('call %s: %s is not known to the campaign "%s"', facts.call, facts.caller_number, campaign.name)
    return replace(facts, bundle=ScenarioBundle(refused_call(campaign.name)), scenario_version=None, inserted_versions={})


async def number_is_hidden(number: str, tools: CallTools) -> bool:
    """Whether a campaign hides the number from operators, whichever number of ours was called. What can't be found out in time
    is hidden.
    """
    try:
        async with asyncio.timeout(KNOWN_WITHIN):
            return bool(await tools.database.read(hidden_among, [number], tools.region))
    except (AttendantError, TimeoutError) as error:
        log.error("a number is hidden, for whether it is to be is not known: %s", error or "no answer")
    except Exception:
        log.exception("a number is hidden, for whether it is to be is not known")
    return True


async def _accepted(facts: CallFacts, campaign: CampaignView, tools: CallTools) -> bool:
    number = phone_number(facts.caller_number, tools.region)
    if number is not None and await tools.database.read(find_lead, campaign.id, number) is not None:
        return True
    if campaign.unknown_callers == "refuse":
        return False
    if number is not None:
        type = _BECOMES[campaign.unknown_callers]
        with suppress(Refused):  # another call of his has made him one in this moment
            await tools.database.run(add_lead_row, campaign.id, number, type, at=facts.arrived_at, call_id=facts.call)
    return True
