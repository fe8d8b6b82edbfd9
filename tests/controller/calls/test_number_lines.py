"""The channels of numbers, however many call at once and however their calls end, on telephony in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from controller.calls.facts import CallFacts
from controller.errors import Refused, TelephonyError
from controller.ids import CallId, ChannelId
from controller.routing import Employee, FurtherNumber, OwnNumber, RoutedOperator
from controller.storage.calls import CallFilters, Direction, list_calls
from controller.telephony.causes import BUSY, NO_CHANNEL, OUTGOING_BARRED
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, node, scenario

NUMBER, OUTSIDE = "100", "74951112233"
TALKS = scenario(start=message({"next": "end"}, "demo-greeting"), end=hang_up())
FORWARDS = scenario(
    start=node("forward_to_external", {"failed": "sorry"}, number=OUTSIDE),
    sorry=message({"next": "end"}, "sorry-nobody-available"),
    end=hang_up(),
)


@pytest.mark.covers("LNR-1")
async def test_of_many_callers_at_once_as_many_are_served_as_there_are_channels_and_all_are_on_record(center: CallCenter) -> None:
    center.serves(NUMBER, TALKS)
    center.lines.set([OwnNumber(NUMBER, channels=3)], {})
    center.telephony.hold_playbacks = True
    callers = [center.telephony.call(NUMBER) for _ in range(10)]
    await until(lambda: sum(caller.ended_with == BUSY for caller in callers) == 7)
    assert center.lines.in_use == {NUMBER: 3}
    for caller in callers:
        caller.hangup()
    outcomes = [record.call.outcome for record in await center.at_rest()]
    assert sorted(outcomes) == ["ended"] * 3 + ["refused"] * 7 and not center.lines.in_use


def _restart(center: CallCenter) -> None:
    center.telephony.disconnect()
    center.telephony.reconnect(asterisk_was_restarted=True)


def _fail(center: CallCenter) -> None:
    center.telephony.fail_next("hangup", TelephonyError("refused"))
    (line,) = center.telephony.lines.values()
    center.telephony.finish_playback(next(iter(line.playbacks)))


@pytest.mark.covers("LNR-1")
@pytest.mark.parametrize("end", [_restart, _fail], ids=["asterisk restarts", "a request fails"])
async def test_a_channel_is_free_when_its_call_is_over_however_it_ended(
    center: CallCenter, end: Callable[[CallCenter], None]
) -> None:
    center.serves(NUMBER, TALKS)
    center.lines.set([OwnNumber(NUMBER, channels=1)], {})
    center.telephony.hold_playbacks = True
    caller = center.telephony.call(NUMBER)
    await until(lambda: caller.heard != [])
    assert center.lines.in_use == {NUMBER: 1}
    end(center)
    await until(lambda: not center.lines.in_use)
    center.telephony.hold_playbacks = False
    another = center.telephony.call(NUMBER)
    await until(lambda: is_over(another))
    assert another.heard != []


@pytest.mark.covers("LNR-1")
@pytest.mark.parametrize(
    ("number", "cause"),
    [(OwnNumber(NUMBER, channels=1, trunk="carrier"), NO_CHANNEL), (OwnNumber("200", outgoing=False), OUTGOING_BARRED)],
)
async def test_a_call_outside_that_no_number_may_be_shown_for_is_not_made_and_the_leg_says_why(
    center: CallCenter, number: OwnNumber, cause: int
) -> None:
    center.serves(NUMBER, FORWARDS)
    center.people.set([], ["carrier"])
    center.lines.set([number], {"carrier": "200"})
    phone = center.telephony.phone(f"PJSIP/{OUTSIDE}@carrier").answers()
    caller = center.telephony.call(NUMBER)
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [leg.cause for leg in record.legs] == [cause] and record.steps[0].exit == "failed"
    assert phone.rung == 0 and not center.lines.in_use


async def two_colleagues(center: CallCenter) -> None:
    """2001 and 2003, who is at a number outside too; no number of the trunk is confirmed."""
    further = {"2001": (), "2003": (FurtherNumber(OUTSIDE, 20),)}
    employees = [Employee(RoutedOperator(int(one), one, one), 20, outside) for one, outside in further.items()]
    center.people.set(employees, ["carrier"])
    await center.presence.watch(further)
    center.lines.set([OwnNumber("200", trunk="carrier", confirmation="unconfirmed")], {})


@pytest.mark.covers("SKZ-10")
async def test_t72_a_colleague_who_calls_needs_a_confirmed_number_to_reach_a_phone_outside(center: CallCenter) -> None:
    await two_colleagues(center)
    center.telephony.phone("PJSIP/2003").refuses()
    outside = center.telephony.phone(f"PJSIP/{OUTSIDE}@carrier").answers()
    caller = center.telephony.call("2003", caller="2001", kind="internal")
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [(leg.number, leg.cause) for leg in record.legs][1:] == [(OUTSIDE, OUTGOING_BARRED)] and outside.rung == 0


@pytest.mark.covers("SKZ-10")
async def test_t72_a_call_among_colleagues_is_not_transferred_outside_without_a_confirmed_number(center: CallCenter) -> None:
    await two_colleagues(center)
    center.telephony.phone("PJSIP/2003").answers()
    caller = center.telephony.call("2003", caller="2001", kind="internal")
    await until(lambda: bool(caller.talks_with))
    await center.journal.flush()
    (talking,) = (await center.database.read(list_calls, CallFilters(), 1)).calls
    with pytest.raises(Refused, match="the confirmation of 200, which would be shown, is missing"):
        await center.arrivals.transfer(CallId(talking.call.id), OUTSIDE, False)
    caller.hangup()
    await center.at_rest()


@pytest.mark.covers("SKZ-10")
@pytest.mark.parametrize(("direction", "number"), [("inbound", NUMBER), ("outbound", ""), ("internal", "")])
def test_only_who_calls_from_outside_came_in_on_a_number(direction: Direction, number: str) -> None:
    nothing = ScenarioBundle(TALKS)
    at = datetime.now(UTC)
    facts = CallFacts(CallId("01"), ChannelId("1"), at, "", "", NUMBER, "", "en", nothing, None, direction=direction)
    assert facts.came_in_on == number
