from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.calls import arrivals
from controller.errors import TelephonyError, TelephonyUnavailable
from controller.ids import new_call_id
from controller.routing import Outlook
from controller.telephony import fake
from controller.telephony.port import ChannelInfo
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import group, hang_up, menu, message, scenario

SOLD = scenario(
    start=message({"next": "choice"}, "demo-greeting"),
    choice=menu({"1": "sales", "wait_expired": "end", "incorrect_input": "end"}, wait_seconds=0.5, prompt="demo-menu"),
    sales=group({"failed": "sorry"}),
    sorry=message({"next": "end"}, "sorry-nobody-available"),
    end=hang_up(),
)
SOLD_AT_ONCE = scenario(
    start=group({"failed": "sorry"}),
    sorry=message({"next": "end"}, "sorry-nobody-available"),
    end=hang_up(),
)
SORRY = "sound:en/vm-nobodyavail"
GREETING = "sound:en/hello"


async def test_a_call_is_answered_walks_its_scenario_and_is_stored_with_every_step(center: CallCenter) -> None:
    center.serves("100", SOLD)
    center.telephony.hold_playbacks = True
    caller = center.telephony.call("100", caller="+74950000001", name="Ivan")
    await until(lambda: caller.heard == [GREETING])
    greeting = next(iter(center.telephony.lines[caller.channel].playbacks))
    center.telephony.finish_playback(greeting)
    await until(lambda: len(caller.heard) > 1)
    caller.press("9")
    center.telephony.hold_playbacks = False
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [(step.node, step.exit, step.digits) for step in record.steps] == [
        ("start", "next", ""),
        ("choice", "incorrect_input", "9"),
        ("end", None, ""),
    ]
    assert record.steps[0].prompts == ["demo-greeting"]
    assert (record.call.outcome, record.call.ended_by, record.call.caller_name) == ("ended", "scenario", "Ivan")
    assert record.call.answered_at is not None


async def test_a_key_asks_for_the_next_prompt_without_waiting_until_the_first_has_stopped(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    center.serves(
        "100",
        scenario(
            start=menu({"1": "next", "wait_expired": "next", "incorrect_input": "next"}, prompt="demo-greeting"),
            next=message({"next": "end"}, "goodbye"),
            end=hang_up(),
        ),
    )
    center.telephony.hold_playbacks = True
    caller = center.telephony.call("100")
    await until(lambda: caller.heard == [GREETING])
    stop = center.telephony.stop_playback

    async def slow_stop(playback: str) -> None:
        await stop(playback)
        await until(lambda: len(caller.heard) > 1)

    monkeypatch.setattr(center.telephony, "stop_playback", slow_stop)
    center.telephony.hold_playbacks = False
    caller.press("1")
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert [step.node for step in record.steps] == ["start", "next", "end"]


@pytest.mark.covers("UIS-33")
async def test_an_operator_who_answers_talks_with_the_caller_and_his_end_ends_the_call(center: CallCenter) -> None:
    center.serves("100", scenario(start=group({"failed": "end"}), end=hang_up()))
    phone = center.telephony.phone("PJSIP/2001").answers()
    await center.has_group("Sales", ["2001"])
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.talks_with))
    assert not caller.hears_music
    phone.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert record.talk_leg is not None and record.talk_leg.operator_extension == "2001"
    assert record.recordings


async def test_a_conversation_is_as_long_as_asterisk_says_however_late_the_call_hears_of_it(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    center.serves("100", SOLD_AT_ONCE)
    phone = center.telephony.phone("PJSIP/2001").answers()
    await center.has_group("Sales", ["2001"])
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.talks_with))
    monkeypatch.setattr(fake, "now", lambda: datetime.now(UTC) + timedelta(seconds=2))
    phone.hangup()
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert (record.steps[0].exit, record.call.outcome) == ("answered", "talked")


async def test_an_operator_who_drops_the_call_at_once_does_not_lose_the_caller(center: CallCenter) -> None:
    center.serves("100", SOLD_AT_ONCE)
    center.telephony.phone("PJSIP/2001").answers_and_drops()
    await center.has_group("Sales", ["2001"])
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert SORRY in caller.heard
    (record,) = await center.at_rest()
    assert (record.steps[0].exit, record.call.outcome) == ("failed", "ended")


async def test_after_an_operator_who_drops_the_call_at_once_his_colleague_is_rung(center: CallCenter) -> None:
    center.serves("100", SOLD_AT_ONCE)
    center.telephony.phone("PJSIP/2001").answers_and_drops()
    center.telephony.phone("PJSIP/2002").answers()
    await center.has_group("Sales", ["2001", "2002"], "linear")
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.talks_with))
    caller.hangup()
    (record,) = await center.at_rest()
    assert [leg.operator_extension for leg in record.legs] == ["2001", "2002"]


async def test_a_caller_who_hangs_up_while_phones_ring_leaves_nobody_ringing(center: CallCenter) -> None:
    center.serves("100", SOLD_AT_ONCE)
    phones = [center.telephony.phone(f"PJSIP/{extension}").silent() for extension in ("2001", "2002")]
    await center.has_group("Sales", ["2001", "2002"])
    caller = center.telephony.call("100")
    await until(lambda: all(phone.state == "ringing" for phone in phones))
    caller.hangup()
    await until(lambda: all(phone.state == "not_in_use" for phone in phones))
    (record,) = await center.at_rest()
    assert (record.call.outcome, record.call.ended_by) == ("abandoned", "caller")
    assert len(record.legs) == 2 and all(leg.ended_at for leg in record.legs)


async def test_an_error_inside_one_call_sends_its_caller_to_the_fallback_and_touches_no_other(center: CallCenter) -> None:
    center.serves("100", SOLD)
    center.telephony.hold_playbacks = True
    other = center.telephony.call("100")
    await until(lambda: bool(other.heard))
    center.telephony.fail_next("play", TelephonyError("refused"))
    unlucky = center.telephony.call("100")
    await until(lambda: unlucky.continued_at is not None)
    assert unlucky.continued_at == "fallback,s"
    assert other.state == "answered" and center.arrivals.live == 1
    other.hangup()
    records = await center.at_rest()
    assert sorted(record.call.outcome for record in records) == ["ended", "handed_over"]


async def test_a_scenario_that_goes_round_without_end_gives_its_caller_to_the_fallback(center: CallCenter) -> None:
    looping = scenario(start=group({"failed": "start"}))
    center.serves("100", looping)
    await center.has_group("Sales", [])
    caller = center.telephony.call("100")
    await until(lambda: caller.continued_at is not None)
    (record,) = await center.at_rest()
    assert record.call.outcome == "handed_over"


async def test_a_request_refused_for_a_lost_connection_is_made_again_when_it_is_back(center: CallCenter) -> None:
    center.serves("100", SOLD)
    center.telephony.fail_next("play", TelephonyUnavailable("cut"))
    caller = center.telephony.call("100")
    center.telephony.reconnect()
    await until(lambda: GREETING in caller.heard)
    await until(lambda: is_over(caller))
    (record,) = await center.at_rest()
    assert record.call.outcome == "ended"


async def test_calls_that_died_with_asterisk_are_closed_as_lost(center: CallCenter) -> None:
    center.serves("100", SOLD)
    center.telephony.hold_playbacks = True
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.heard))
    center.telephony.disconnect()
    center.telephony.reconnect(asterisk_was_restarted=True)
    (record,) = await center.at_rest()
    assert (record.call.outcome, record.call.ended_by) == ("lost", "system")


class LateDialling:
    """Dialling that begins only when it is let, and how often Asterisk's channels were listed."""

    def __init__(self, center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begins = asyncio.Event()
        self.listed = 0
        self._dial, self._channels = center.telephony.dial, center.telephony.channels
        monkeypatch.setattr(center.telephony, "dial", self._late)
        monkeypatch.setattr(center.telephony, "channels", self._list)

    async def _late(self, *given: Any, **named: Any) -> None:
        await self.begins.wait()
        await self._dial(*given, **named)

    async def _list(self) -> list[ChannelInfo]:
        self.listed += 1
        return await self._channels()


async def test_a_line_that_is_just_being_made_is_not_taken_for_lost(center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    dialling = LateDialling(center, monkeypatch)
    center.serves("100", SOLD_AT_ONCE)
    center.telephony.phone("PJSIP/2001").answers()
    await center.has_group("Sales", ["2001"])
    caller = center.telephony.call("100")
    await until(lambda: "2001" in center.distributor.engaged)
    center.telephony.reconnect()
    await until(lambda: dialling.listed == 1)
    dialling.begins.set()
    await until(lambda: bool(caller.talks_with))
    caller.hangup()
    (record,) = await center.at_rest()
    assert [leg.operator_extension for leg in record.legs] == ["2001"]


async def test_a_line_that_is_missing_twice_is_lost(center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MISSING_FOR", 0.01)
    dialling = LateDialling(center, monkeypatch)
    center.serves("100", SOLD_AT_ONCE)
    center.telephony.phone("PJSIP/2001").answers()
    await center.has_group("Sales", ["2001"])
    caller = center.telephony.call("100")
    await until(lambda: "2001" in center.distributor.engaged)
    center.telephony.reconnect()
    await until(lambda: is_over(caller))
    assert SORRY in caller.heard and dialling.listed >= 2
    (record,) = await center.at_rest()
    assert [leg.talk_started_at for leg in record.legs] == [None]


async def test_a_number_that_is_not_ours_is_told_so_and_refused(center: CallCenter) -> None:
    caller = center.telephony.call("555")
    await until(lambda: is_over(caller))
    assert caller.heard == ["sound:en/ss-noservice"]
    (record,) = await center.at_rest()
    assert record.call.scenario_version_id is None


async def test_two_callers_and_one_operator_are_served_one_after_the_other(center: CallCenter) -> None:
    center.serves("100", SOLD_AT_ONCE)
    phone = center.telephony.phone("PJSIP/2001").answers()
    await center.has_group("Sales", ["2001"])
    first = center.telephony.call("100")
    await until(lambda: bool(first.talks_with))
    second = center.telephony.call("100")
    await until(lambda: second.hears_music)
    assert not second.talks_with
    first.hangup()
    await until(lambda: bool(second.talks_with))
    phone.hangup()
    await until(lambda: is_over(second))
    await center.at_rest()


async def test_a_stopping_controller_gives_its_callers_to_the_dialplan_and_new_ones_too(center: CallCenter) -> None:
    center.serves("100", SOLD)
    center.telephony.hold_playbacks = True
    caller = center.telephony.call("100")
    await until(lambda: bool(caller.heard))
    await center.arrivals.close(5)
    assert caller.continued_at == "fallback,s"
    late = center.telephony.call("100")
    await until(lambda: late.continued_at == "fallback,s")


async def test_a_waiting_caller_has_a_place_and_no_expected_wait_while_nobody_can_say(center: CallCenter) -> None:
    center.serves("100", SOLD_AT_ONCE)
    center.telephony.phone("PJSIP/2001").silent()
    await center.has_group("Sales", ["2001"])
    callers = [center.telephony.call("100") for _ in range(3)]
    await until(lambda: len(center.distributor.waiting) == 3)
    first, second, third = center.distributor.waiting
    assert center.distributor.outlook(first) == Outlook(1, 0.0), "somebody is rung for him"
    assert center.distributor.outlook(second) == Outlook(2, None)
    assert center.distributor.outlook(third) == Outlook(3, None), "nobody has talked yet"
    assert center.distributor.outlook(new_call_id()) is None
    for caller in callers:
        caller.hangup()
    await center.at_rest()
