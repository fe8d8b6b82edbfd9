from __future__ import annotations

import pytest

from controller.presence import TrunkTracker
from controller.routing import Employee, FurtherNumber, Number, People, RoutedOperator
from controller.telephony.fake import FakeTelephony

EVE = RoutedOperator(1, "2001", "Eve")
HOME = FurtherNumber("+74951112233", 15)


def people(*trunks: str, telephony: FakeTelephony | None = None) -> People:
    made = People(TrunkTracker(telephony or FakeTelephony()))
    made.set([Employee(EVE, 20, (HOME,))], trunks)
    return made


def test_an_employee_is_rung_on_his_phone_and_then_outside_through_the_trunk() -> None:
    found = people("trunk-1", "trunk-2").employee("2001")
    assert found is not None and found.operator == EVE
    assert found.numbers == (
        Number("PJSIP/2001", 20, "2001"),
        Number("PJSIP/+74951112233@trunk-1", 15, "+74951112233", outside=True),
    )


def test_without_a_trunk_an_employee_has_his_phone_alone(caplog: pytest.LogCaptureFixture) -> None:
    found = people().employee("2001")
    assert found is not None and [number.shown for number in found.numbers] == ["2001"]
    assert "there is no trunk" in caplog.text


@pytest.mark.parametrize("extension", ["2002", "", "2" * 200, "*"])
def test_an_extension_that_nobody_has_is_nobodys(extension: str) -> None:
    assert people("trunk-1").employee(extension) is None


@pytest.mark.parametrize("number", ["1", "+", "100@evil", "100&PJSIP/2001", "100/n", "１００", "100\n", "1" * 21, ""])
def test_what_is_no_number_is_never_dialled(number: str) -> None:
    assert people("trunk-1").outside_device(number) is None
    assert people("trunk-1").outside(number, 30) is None


async def test_the_first_trunk_that_is_there_is_taken_and_the_first_of_all_when_none_seems_to_be() -> None:
    telephony = FakeTelephony()
    tracker = TrunkTracker(telephony)
    made = People(tracker)
    made.set([], ("trunk-1", "trunk-2"))
    phones = [telephony.phone(f"PJSIP/{name}") for name in ("trunk-1", "trunk-2")]
    await tracker.watch(["trunk-1", "trunk-2"])
    assert made.outside_device("100") == "PJSIP/100@trunk-1"
    phones[1].silent()
    assert made.outside_device("100") == "PJSIP/100@trunk-2"
    phones[0].silent()
    assert made.outside_device("100") == "PJSIP/100@trunk-1"
    await tracker.watch(["trunk-2"])
    assert tracker.reachable == {"trunk-2": True}


def test_numbers_in_turn_are_phone_numbers_through_the_first_trunk_and_addresses_through_the_one_that_leads_there() -> None:
    made = people("trunk-1")
    made.set([], ("trunk-1", "trunk-2"), {("pbx.example.com", 5060): "trunk-2"})
    found = made.in_turn(["+74951112233", "sip:elsewhere@example.com", "sip:queue@pbx.example.com"], 15)
    assert found is not None and found.operator is None and found.ring_seconds == 30
    assert found.numbers == (
        Number("PJSIP/+74951112233@trunk-1", 15, "+74951112233", outside=True),
        Number("PJSIP/queue@trunk-2", 15, "sip:queue@pbx.example.com", outside=True),
    )
    assert made.in_turn(["sip:elsewhere@example.com", "sip:queue@pbx.example.com/2001"], 15) is None
