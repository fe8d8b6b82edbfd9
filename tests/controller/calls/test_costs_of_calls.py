"""What lines through a trunk cost, on telephony in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.actions.costs import RateDraft, create_rate
from controller.costs import UNIT
from controller.telephony import fake
from controller.telephony.fake_people import FakePhone
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, scenario

HOME = "+74951112233"
TRUNK = "trunk-5-0a1b2c3d"
EXTENSION = {"operation": {"type": "dial_extension", "extension": "2001"}, "links": {"failed": "sorry", "wrong_number": "sorry"}}
REACHED = scenario(start=EXTENSION, sorry=message({"next": "end"}, "sorry-nobody-available"), end=hang_up())


@pytest.fixture
async def outside(center: CallCenter) -> FakePhone:
    """The phone at home of the operator 2001, whose own is off; a minute there costs 1."""
    center.serves("100", REACHED)
    today = datetime.now(UTC)
    draft = RateDraft("7495", UNIT, today.date() - timedelta(days=1))
    await center.database.run(create_rate, draft, acting_user="test", at=today)
    await center.has_employee("2001", HOME, trunks=(TRUNK,))
    return center.telephony.phone(f"PJSIP/{HOME}@{TRUNK}")


async def test_a_line_is_as_long_as_asterisk_says_however_late_that_is_heard(
    center: CallCenter, outside: FakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.answers()
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.talks_with))
    monkeypatch.setattr(fake, "now", lambda: datetime.now(UTC) + timedelta(seconds=90))
    outside.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [(leg.number, leg.trunk_id, leg.cost) for leg in record.legs] == [(HOME, 5, 2 * UNIT)]
    assert record.cost == 2 * UNIT


async def test_whoever_answers_while_the_caller_leaves_is_paid_for(center: CallCenter, outside: FakePhone) -> None:
    outside.silent()
    caller = center.telephony.call("100")
    await until(lambda: outside.rung == 1)
    caller.hangup()
    outside.pick_up()
    (record,) = await center.at_rest()
    assert (record.call.outcome, record.talk_leg, record.cost) == ("abandoned", None, UNIT)


async def test_a_number_that_rings_in_vain_costs_nothing(center: CallCenter, outside: FakePhone) -> None:
    outside.busy()
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [leg.cost for leg in record.legs] == [0] and record.cost == 0
