"""The channels of numbers, however many call at once and however their calls end, on telephony in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.errors import TelephonyError
from controller.routing import OwnNumber
from controller.telephony.causes import BUSY, NO_CHANNEL, OUTGOING_BARRED
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
