"""Consultations before a transfer that are ended from outside, on telephony in memory."""

from __future__ import annotations

import pytest

from controller.errors import Refused
from controller.ids import CallId, new_call_id
from controller.routing import Employee, RoutedOperator
from controller.storage.calls import CallFilters, list_calls
from controller.telephony.fake_people import FakeCaller, FakePhone
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, node, scenario

NUMBER = "100"
TO_2001 = scenario(
    start=node("dial_extension", {"failed": "sorry"}, extension="2001"),
    sorry=message({"next": "end"}, "sorry-nobody-available"),
    end=hang_up(),
)
NOBODY_CONSULTS = "nobody consults before a transfer of this call now"


async def talking(center: CallCenter) -> tuple[FakeCaller, FakePhone, FakePhone, CallId]:
    """A caller who talks with 2001; 2003 is free, and rings until he picks up."""
    center.serves(NUMBER, TO_2001)
    center.people.set([Employee(RoutedOperator(int(one), one, one), 20) for one in ("2001", "2003")], [])
    own, other = center.telephony.phone("PJSIP/2001").answers(), center.telephony.phone("PJSIP/2003").silent()
    await center.presence.watch(("2001", "2003"))
    caller = center.telephony.call(NUMBER)
    await until(lambda: bool(caller.talks_with))
    await center.journal.flush()
    (record,) = (await center.database.read(list_calls, CallFilters(), 1)).calls
    return caller, own, other, CallId(record.call.id)


@pytest.mark.parametrize("completes", [False, True], ids=["back", "complete"])
async def test_where_nobody_consults_there_is_nothing_to_end_and_who_talks_talks_on(center: CallCenter, completes: bool) -> None:
    with pytest.raises(Refused, match="is not a live call"):
        await center.arrivals.conclude_transfer(new_call_id(), completes)
    caller, own, other, call = await talking(center)
    with pytest.raises(Refused, match=NOBODY_CONSULTS):
        await center.arrivals.conclude_transfer(call, completes)
    assert caller.talks_with == {own.channel}
    await center.arrivals.transfer(call, "2003", False)
    with pytest.raises(Refused, match=NOBODY_CONSULTS):
        await center.arrivals.conclude_transfer(call, completes)
    await until(lambda: other.channel is not None)
    other.pick_up()
    await until(lambda: caller.talks_with == {other.channel})
    with pytest.raises(Refused, match=NOBODY_CONSULTS):
        await center.arrivals.conclude_transfer(call, completes)
    caller.hangup()
    await center.at_rest()


async def test_who_takes_back_while_the_target_answers_has_his_caller_all_the_same(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, own, other, call = await talking(center)
    await center.arrivals.transfer(call, "2003", True)
    await until(lambda: other.channel is not None)
    # The search has found him already, so it can't be given up any more.
    monkeypatch.setattr(center.distributor, "give_up", lambda call: None)
    await center.arrivals.conclude_transfer(call, False)
    other.pick_up()
    await until(lambda: other.channel is None)
    await until(lambda: caller.talks_with == {own.channel})
    caller.hangup()
    await center.at_rest()


async def test_completing_before_the_target_has_answered_leaves_a_blind_transfer(center: CallCenter) -> None:
    caller, own, other, call = await talking(center)
    await center.arrivals.transfer(call, "2003", True)
    await until(lambda: other.channel is not None)
    await center.arrivals.conclude_transfer(call, True)
    await until(lambda: own.channel is None)
    assert not is_over(caller) and caller.hears_music
    other.pick_up()
    await until(lambda: caller.talks_with == {other.channel})
    other.hangup()
    await center.at_rest()
