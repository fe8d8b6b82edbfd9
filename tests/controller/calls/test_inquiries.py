"""Questions that a call asks of a database that is slow, on telephony in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.actions.groups import create_group, set_members
from controller.actions.operators import create_operator
from controller.actions.schedules import create_schedule
from controller.calls import hours
from controller.calls.facts import CallFacts
from controller.calls.inquiries import Inquiries
from controller.ids import CallId, ChannelId
from controller.storage import Session
from controller.telephony.mailboxes import new_mailbox
from ivr.commands import CheckCallback, CheckSchedule
from ivr.events import CallbackAnswered, ScheduleChecked, VisitId
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter
from tests.fixtures.clocks import EASTERN_NUMBER, WESTERN_NUMBER, open_in_the_east
from tests.fixtures.waiting import LIMIT
from tests.ivr.builders import hang_up, scenario


def in_the_east(session: Session) -> None:
    """Sales works while it is day in the east."""
    by: dict[str, Any] = {"acting_user": "test", "at": datetime.now(UTC)}
    create_schedule(session, "Day", open_in_the_east(by["at"]), **by)
    create_group(session, "Sales", **by)
    create_operator(session, "2001", "Eve", **by)
    set_members(session, "Sales", ["2001"], **by)


@pytest.mark.parametrize(("number", "works"), [(EASTERN_NUMBER, True), (WESTERN_NUMBER, False)])
async def test_the_database_has_its_seconds_for_the_schedule_and_the_callers_zone_together(
    center: CallCenter, number: str, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address book would answer after an hour: his number says where he is."""
    await center.database.run(in_the_east)
    center.people.set([], ["carrier"])
    read = center.database.read

    async def holds_contacts(work: Any, *arguments: Any) -> Any:
        if work is hours.zones_of_callers:
            await asyncio.Event().wait()
        return await read(work, *arguments)

    monkeypatch.setattr(center.database, "read", holds_contacts)
    monkeypatch.setattr(hours, "KNOWN_WITHIN", 3600.0)
    nothing, at = ScenarioBundle(scenario("end", end=hang_up())), datetime.now(UTC)
    facts = CallFacts(CallId("01"), ChannelId("1"), at, number, "", "100", "", "en", nothing, None, schedule="Day")
    mailbox = new_mailbox()
    inquiries = Inquiries(facts, center.tools, mailbox)
    inquiries.begin(CheckSchedule(VisitId(1), None))
    inquiries.begin(CheckCallback(VisitId(2), "Sales"))
    async with asyncio.timeout(LIMIT):
        answers = {await mailbox.get(), await mailbox.get()}
    assert answers == {
        ScheduleChecked(VisitId(1), "open" if works else "closed"),
        CallbackAnswered(VisitId(2), "possible" if works else "not_possible"),
    }
