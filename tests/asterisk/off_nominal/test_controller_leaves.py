"""The controller stops, was away, or comes back: Asterisk's own dialplan serves the callers meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from controller.commands.running import asterisk_address
from controller.softphone import PhoneCall
from controller.telephony.ami import Ami
from controller.telephony.ari import AriTelephony
from tests.fixtures.sounds import MENU, seconds_of
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def in_the_fallback(system: System) -> bool:
    listed = await system.ask_asterisk("channels")
    return [one["dialplan"]["context"] for one in listed] == ["fallback"]


async def hears_the_fallback(system: System, call: PhoneCall) -> None:
    await eventually(lambda: in_the_fallback(system), "the caller did not come to the fallback")
    call.forget_sound()
    await call.hears_sound()
    assert call.ended_at is None


async def test_new_calls_go_to_the_fallback_and_reach_the_first_group(system: System) -> None:
    operator = await system.operator("2001")
    await system.stop_engine()
    caller = await system.caller()
    call = await caller.phone.dial(Line.FULL)
    await call.answered()
    await call.hears_sound()
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()
    await system.start_engine()


async def test_a_live_call_is_handed_over(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    await system.stop_engine()
    await hears_the_fallback(system, call)
    assert seconds_of(MENU, call.heard[-3200:]) < 0.1
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("handed_over", "system")
    await call.hangup()
    await system.start_engine()


async def test_phones_that_ring_stop_when_the_controller_does(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await system.stop_engine()
    await offered.ended(limit=1)
    await hears_the_fallback(system, call)
    assert (await system.call_record(caller)).call.outcome == "handed_over"
    await call.hangup()
    await system.start_engine()


async def test_a_conversation_ends_for_the_operator_and_the_caller_goes_on(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await system.stop_engine()
    await offered.ended(limit=2)
    await hears_the_fallback(system, call)
    record = await system.call_record(caller)
    assert record.call.outcome == "handed_over"
    assert record.talk_leg is not None and record.talk_leg.talk_ended_at is not None
    await call.hangup()
    await system.start_engine()


async def test_channels_left_by_a_controller_that_died_are_sent_on_at_the_start(system: System) -> None:
    await system.stop_engine()
    caller = await system.caller()
    async with asyncio.timeout(10):
        call = await _call_into_a_dying_controller(system, caller.phone)
    await system.start_engine()
    await hears_the_fallback(system, call)
    await call.hangup()


async def _call_into_a_dying_controller(system: System, phone: object) -> PhoneCall:
    """Somebody calls, is answered, and the controller is gone without a word."""
    address = asterisk_address(system.asterisk.settings, system.asterisk.process)
    ami = Ami(address.ami_host, address.ami_port, address.ami_user, address.ami_password)
    telephony = AriTelephony(address.ari_url, address.ari_user, address.ari_password, address.ari_app, ami)
    arrived: asyncio.Queue[object] = asyncio.Queue()
    telephony.mailboxes.on_newcomer(arrived.put_nowait)
    await telephony.start()
    await telephony.wait_connected()
    call = await phone.dial(Line.FULL)  # type: ignore[attr-defined]
    event = await arrived.get()
    await telephony.answer(event.channel)  # type: ignore[attr-defined]
    await call.answered()
    await telephony.stop()
    return call  # type: ignore[no-any-return]


async def test_calls_left_open_in_the_records_are_closed_at_the_start(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    await system.comes_to(caller, "menu")
    dead = system.engine
    await dead.telephony.stop()
    await dead.journal.stop()
    await call.hangup()
    await system.start_engine()
    await dead.stop()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("lost", "system")
    assert record.steps[-1].left_at is not None
