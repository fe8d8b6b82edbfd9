"""Callers who want somebody in particular, on telephony in memory."""

from __future__ import annotations

import pytest

from controller.errors import StorageError
from controller.storage.calls import CallDetail
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import hang_up, message, scenario

EXTENSION = {"operation": {"type": "dial_extension", "extension": "2001"}, "links": {"failed": "sorry", "wrong_number": "wrong"}}
MANAGER = {"operation": {"type": "personal_manager"}, "links": {"failed": "sorry"}}
SORRY, WRONG = "sound:en/vm-nobodyavail", "sound:en/vm-goodbye"
HOME = "+74951112233"


def leading_to(first: dict[str, object]) -> object:
    ends = {"sorry": message({"next": "end"}, "sorry-nobody-available"), "wrong": message({"next": "end"}, "goodbye")}
    return scenario(start=first, **ends, end=hang_up())


def rung(record: CallDetail) -> list[tuple[str, str, int | None]]:
    return [(leg.operator_extension, leg.number, leg.cause) for leg in record.legs]


async def test_a_refusing_phone_gives_way_to_the_next_number_and_who_answers_there_talks(center: CallCenter) -> None:
    center.serves("100", leading_to(EXTENSION))  # type: ignore[arg-type]
    center.telephony.phone("PJSIP/2001").refuses()
    home = center.telephony.phone(f"PJSIP/{HOME}@carrier").answers()
    await center.has_employee("2001", HOME)
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.talks_with))
    assert not caller.hears_music
    home.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert rung(record) == [("2001", "2001", 21), ("2001", HOME, 16)]
    assert dict(center.distributor.engaged) == {}


async def test_who_answers_none_of_his_numbers_is_not_reached(center: CallCenter) -> None:
    center.serves("100", leading_to(EXTENSION))  # type: ignore[arg-type]
    center.telephony.phone("PJSIP/2001").busy()
    await center.has_employee("2001", HOME)
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert SORRY in caller.heard
    (record,) = await center.at_rest()
    assert rung(record) == [("2001", "2001", 17), ("2001", HOME, 20)]
    assert (record.steps[0].exit, dict(center.distributor.engaged)) == ("failed", {})


async def test_an_extension_that_nobody_has_is_a_wrong_number_without_music(center: CallCenter) -> None:
    center.serves("100", leading_to(EXTENSION))  # type: ignore[arg-type]
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert WRONG in caller.heard
    (record,) = await center.at_rest()
    assert (record.steps[0].exit, record.legs) == ("wrong_number", ())
    assert not any(request.method == "start_music" for request in center.telephony.requests)


async def test_a_caller_who_leaves_while_his_manager_is_looked_up_leaves_nothing_behind(center: CallCenter) -> None:
    center.serves("100", leading_to(MANAGER))  # type: ignore[arg-type]
    caller = center.telephony.call("100")
    caller.hangup()
    (record,) = await center.at_rest()
    assert record.call.ended_by == "caller"
    assert center.distributor.waiting == ()


@pytest.mark.parametrize("error", [StorageError("disk I/O error"), RuntimeError("disk I/O error")])
async def test_a_database_that_refuses_to_tell_the_manager_costs_the_caller_nothing_else(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    center.serves("100", leading_to(MANAGER))  # type: ignore[arg-type]

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("controller.calls.searching.caller_facts", broken)
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert SORRY in caller.heard
    (record,) = await center.at_rest()
    assert record.steps[0].exit == "failed"
    assert "disk I/O error" in caplog.text
