"""Missed calls that are forwarded, on telephony in memory."""

from __future__ import annotations

import pytest

from controller.calls.confirming import ConfirmationCalls
from controller.calls.numbers import Route
from controller.errors import Refused
from controller.routing import OutsidePhone, OutsidePhones, OwnNumber
from controller.storage.calls import CallDetail, get_call
from controller.storage.campaigns import CampaignView
from controller.storage.forwarding import Forwarding
from controller.telephony.causes import OUTGOING_BARRED
from controller.telephony.fake_people import FakeCaller
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter, is_over
from tests.controller.calls.test_campaigns import serves_campaign
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, scenario

MOBILE, CALLER = "+79161234567", "+74951112233"
GROUP = {"operation": {"type": "forward_to_group", "group": "Sales"}, "links": {"failed": "sorry"}}
SORRY = "sound:en/vm-nobodyavail"
LINE = ScenarioBundle(scenario(start=GROUP, sorry=message({"next": "end"}, "sorry-nobody-available"), end=hang_up()))


async def line(
    center: CallCenter, rule: Forwarding, *, trunks: tuple[str, ...] = ("carrier",), campaign: CampaignView | None = None
) -> FakeCaller:
    """Somebody calls a number whose only operator refuses if nothing else was said, and whose own phone is approved."""
    await center.has_group("Sales", ["2001"])
    await center.has_employee("2001", trunks=trunks, id=2001)
    center.people.set_phones(OutsidePhones({MOBILE: OutsidePhone(MOBILE)}, {"2001": OutsidePhone(MOBILE)}))
    center.arrivals.set_routes({"100": Route("Test line", None, LINE, 1, forwarding=rule, campaign=campaign)})
    phone = center.telephony.phone("PJSIP/2001")
    if phone.is_off:
        phone.refuses()
    await until(lambda: center.presence.states.get("2001") == "available")
    return center.telephony.call("100", caller=CALLER)


def rung(record: CallDetail) -> list[tuple[str, str]]:
    return [(leg.operator_extension, leg.number) for leg in record.legs]


@pytest.mark.covers("SKZ-32", "SKZ-34")
async def test_an_operator_who_talks_at_his_own_phone_is_seen_to_talk_and_is_free_afterwards(center: CallCenter) -> None:
    mobile = center.telephony.phone(f"PJSIP/{MOBILE}@carrier").answers()
    caller = await line(center, Forwarding("own"))
    await until(lambda: bool(caller.talks_with))
    await until(lambda: center.presence.states["2001"] == "talking")
    assert center.distributor.engaged.keys() == {"2001"}
    mobile.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert rung(record) == [("2001", "2001"), ("2001", MOBILE)]
    assert (center.presence.states["2001"], dict(center.distributor.engaged)) == ("available", {})


async def test_who_does_not_want_to_be_disturbed_any_more_is_left_alone(center: CallCenter) -> None:
    phone = center.telephony.phone("PJSIP/2001").silent()
    caller = await line(center, Forwarding("own"))
    await until(lambda: phone.rung == 1)
    await center.choose_state("2001", "do_not_disturb", "")
    phone.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert rung(record) == [("2001", "2001")]
    decided = await center.database.read(get_call, record.call.id)
    assert [(one.rule, one.target, one.left_out) for one in decided.decisions][1:] == [
        ("nobody", "Sales", [["2001", "already_offered", None]]),
        ("nobody", "2001", [["2001", "do_not_disturb", None]]),
    ]


@pytest.mark.covers("SKZ-31")
@pytest.mark.parametrize("rule", [Forwarding(), Forwarding("common", "+79990000000")])
async def test_without_a_phone_that_may_be_used_the_caller_leaves_by_failed(center: CallCenter, rule: Forwarding) -> None:
    caller = await line(center, rule)
    await until(lambda: is_over(caller))
    assert SORRY in caller.heard
    (record,) = await center.at_rest()
    assert (rung(record), record.steps[0].exit) == ([("2001", "2001")], "failed")


@pytest.mark.covers("SKZ-10", "SKZ-36")
@pytest.mark.parametrize(
    "called", [OwnNumber("100", confirmation="expired"), OwnNumber("100", outgoing=False)], ids=["not confirmed", "outgoing off"]
)
async def test_where_the_number_called_may_not_be_shown_the_phone_sees_the_caller_who_is_not_lost(
    center: CallCenter, called: OwnNumber
) -> None:
    center.lines.set([called], {})
    mobile = center.telephony.phone(f"PJSIP/{MOBILE}@carrier").answers()
    caller = await line(center, Forwarding("own", shows="called"))
    await until(lambda: bool(caller.talks_with))
    shown = [one.arguments["caller_number"] for one in center.telephony.requests if one.method == "dial"]
    assert shown == [CALLER, CALLER]
    mobile.hangup()
    await center.at_rest()


@pytest.mark.covers("LNR-11", "SKZ-10", "SKZ-36")
async def test_where_the_number_called_may_not_be_shown_and_the_callers_is_hidden_nothing_is_forwarded(
    center: CallCenter,
) -> None:
    center.lines.set([OwnNumber("100", confirmation="expired")], {})
    mobile = center.telephony.phone(f"PJSIP/{MOBILE}@carrier").answers()
    hiding = await serves_campaign(center, hide_numbers=True)
    caller = await line(center, Forwarding("own", shows="called"), campaign=hiding)
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [leg.cause for leg in record.legs][1:] == [OUTGOING_BARRED] and mobile.rung == 0
    assert record.steps[0].exit == "failed"


async def test_without_a_trunk_nothing_is_forwarded(center: CallCenter) -> None:
    caller = await line(center, Forwarding("own"), trunks=())
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert rung(record) == [("2001", "2001")]


async def test_a_code_is_told_only_where_there_is_a_trunk_and_not_to_many_at_once(center: CallCenter) -> None:
    confirmations = ConfirmationCalls(center.tools, center.arrivals)
    await center.has_employee("2001", trunks=())
    with pytest.raises(Refused, match="no trunk"):
        confirmations.place(MOBILE, "123456", None)
    await center.has_employee("2001")
    for _ in range(5):
        confirmations.place(MOBILE, "123456", None)
    with pytest.raises(Refused, match="other numbers"):
        confirmations.place(MOBILE, "123456", None)
    await confirmations.close()
    with pytest.raises(Refused):
        confirmations.place(MOBILE, "123456", None)
    await until(lambda: center.telephony.mailboxes.expected == frozenset())
