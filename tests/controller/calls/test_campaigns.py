"""Callers of campaigns when something does not work, on telephony in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.calls import campaigns
from controller.calls.blocking import BlockList
from controller.calls.codes import CALL_CENTER, FeatureCodes, KeysOfOperator, Transfer
from controller.calls.numbers import Route
from controller.errors import StorageError
from controller.storage import Session
from controller.storage.campaigns import Campaign, CampaignView, campaign_view
from controller.storage.contacts import BlockEntry
from controller.storage.leads import list_leads
from controller.telephony.causes import BUSY
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, scenario
from web.state_models import TransferOrder

HELLO = "sound:en/vm-goodbye"


async def serves_campaign(center: CallCenter, **values: object) -> CampaignView:
    """The number 100 says goodbye to who is let in."""
    campaign = await center.database.run(_campaign, values)
    bundle = ScenarioBundle(scenario(start=message({"next": "end"}, "goodbye"), end=hang_up()))
    center.arrivals.set_routes({"100": replace(Route("Line", None, bundle, 1), campaign=campaign)})
    return campaign


def _campaign(session: Session, values: dict[str, object]) -> CampaignView:
    campaign = Campaign(**{"name": "Spring", **values})
    session.add(campaign)
    session.flush()
    return campaign_view(session, campaign.id)


@pytest.mark.parametrize("policy", ["refuse", "lead_direct"])
async def test_a_caller_of_whom_the_database_says_nothing_is_served(
    center: CallCenter, policy: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await serves_campaign(center, unknown_callers=policy)

    def fails(*_: object) -> None:
        raise StorageError("disk I/O error")

    monkeypatch.setattr(campaigns, "find_lead", fails)
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert HELLO in caller.heard and "disk I/O error" in caplog.text
    await center.at_rest()


@pytest.mark.covers("UIS-43")
async def test_who_is_blocked_is_refused_before_any_campaign_is_asked_about_him(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serves_campaign(center, hide_numbers=True)
    center.arrivals.set_block_list(BlockList([BlockEntry(1, "+74951112233", "exact", "busy")]))
    read: list[object] = []
    monkeypatch.setattr(center.database, "read", lambda *asked: read.append(asked))
    caller = center.telephony.call("100", caller="+74951112233")
    await until(lambda: caller.ended_with == BUSY)
    assert read == []


async def test_two_calls_of_one_number_at_once_make_one_lead(center: CallCenter) -> None:
    campaign = await serves_campaign(center)
    callers = [center.telephony.call("100", caller="+74951112233") for _ in range(5)]
    await until(lambda: all(is_over(caller) for caller in callers))
    assert all(HELLO in caller.heard for caller in callers)
    (lead,) = await center.database.read(list_leads, campaign.id)
    assert lead.number == "+74951112233"
    assert len(await center.at_rest()) == 5


async def test_a_caller_who_hangs_up_before_it_is_known_whether_he_is_a_lead_leaves_nothing(center: CallCenter) -> None:
    await serves_campaign(center, unknown_callers="refuse")
    caller = center.telephony.call("100")
    caller.hangup()
    (record,) = await center.at_rest()
    assert record.call.answered_at is None


def test_the_code_without_a_number_is_a_transfer_to_the_call_center() -> None:
    keys = KeysOfOperator(FeatureCodes())
    assert [keys.press(key) for key in "*1#"][-1] == Transfer(CALL_CENTER, consulting=False)
    assert [keys.press(key) for key in "*2#"][-1] == Transfer(CALL_CENTER, consulting=True)


def test_the_api_names_the_call_center_as_the_engine_does() -> None:
    assert TransferOrder(to=CALL_CENTER).to == CALL_CENTER
