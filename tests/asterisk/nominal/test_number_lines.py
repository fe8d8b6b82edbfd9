"""Which calls a number takes, and which number is shown to whom we call (LNR-1, SKZ-18)."""

from __future__ import annotations

import pytest

from controller.actions.numbers import NumberLine
from controller.errors import Refused
from controller.softphone import PhoneCall
from controller.softphone.phone import CallRefused
from controller.storage.trunks import Trunk
from tests.asterisk.nominal.test_trunks import OUTSIDE
from tests.fixtures.branching import add_schedule
from tests.fixtures.lines import NUMBER, open_line, takes_callers
from tests.fixtures.sounds import ARRIVAL, MENU, OFF_HOURS, SORRY
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation, way

pytestmark = pytest.mark.asterisk
FIRST, SECOND, THIRD = "74950000001", "74950000002", "74950000003"


async def is_refused(system: System, number: str) -> tuple[int | None, list[tuple[str, str]]]:
    """Somebody calls and is refused: by which status, and what the record says of it."""
    caller = await system.caller()
    call = await caller.phone.dial(number)
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.answered_at, record.legs) == ("refused", None, ())
    return refused.value.status, [(step.node, step.title) for step in record.steps]


async def has_number(system: System, number: str, trunk: Trunk, *, channels: int | None = None, outgoing: bool = True) -> None:
    await takes_callers(system, number, NumberLine(channels=channels, outgoing=outgoing, trunk=trunk.name))


@pytest.mark.covers("LNR-1", "LNR-2", "SKZ-17", "UIS-46")
async def test_a_number_with_two_channels_takes_two_callers_and_the_third_is_told_that_it_is_busy(system: System) -> None:
    await takes_callers(system, NUMBER, NumberLine(channels=2, source="Radio"))
    _, first = await system.call(NUMBER)
    _, second = await system.call(NUMBER)
    assert await is_refused(system, NUMBER) == (486, [("all_in_use", "All channels of this number are in use")])
    await first.hangup()
    await eventually(lambda: system.engine.lines.in_use, "the channel is not free", until={NUMBER: 1})
    caller, third = await system.call(NUMBER)
    await third.hangup()
    await second.hangup()
    assert (await system.call_record(caller)).call.source == "Radio"


@pytest.mark.covers("LNR-1")
async def test_a_number_whose_incoming_calls_are_switched_off_refuses_them_and_others_go_on(system: System) -> None:
    await takes_callers(system, NUMBER, NumberLine(incoming=False))
    await takes_callers(system, "8071")
    why = ("incoming_off", "Incoming calls are switched off for this number")
    assert await is_refused(system, NUMBER) == (403, [why])
    _, call = await system.call("8071")
    await call.hears_tone(MENU.frequency)
    await call.hangup()


@pytest.mark.covers("LNR-1")
async def test_t48_a_number_without_a_free_channel_or_with_outgoing_calls_off_is_not_chosen_as_caller_id(system: System) -> None:
    phones = {extension: await system.operator(extension) for extension in ("2001", "2002", "2003")}
    client = await system.phone_outside(OUTSIDE)
    trunk = await system.has_trunk(caller_id="74959999999")
    await has_number(system, FIRST, trunk, channels=2)
    await has_number(system, SECOND, trunk, outgoing=False)
    await has_number(system, THIRD, trunk, channels=1)

    async def places(extension: str) -> PhoneCall:
        system.engine.outgoing.place(extension, OUTSIDE)
        await (await phones[extension].ringing()).answer()
        return await client.ringing()

    _, inbound = await system.call(FIRST)
    first = await places("2001")
    second = await places("2002")
    assert FIRST in first.peer and THIRD in second.peer, "two calls are in progress on the first number"
    with pytest.raises(Refused, match=f"all channels of {FIRST}, {THIRD} are in use"):
        system.engine.outgoing.place("2003", OUTSIDE)
    assert system.engine.lines.in_use == {FIRST: 2, THIRD: 1}
    await second.hangup()
    await eventually(lambda: system.engine.lines.in_use, "the channel is not free", until={FIRST: 2})
    third = await places("2003")
    assert THIRD in third.peer
    for call in (inbound, first, third):
        await call.hangup()


@pytest.mark.covers("LNR-1")
async def test_a_forwarded_caller_comes_by_the_number_he_has_called_as_long_as_it_has_a_channel(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    trunk = await system.has_trunk()
    operation = {"type": "forward_to_external", "number": OUTSIDE}
    ways = {"outside": {"operation": operation, "links": {"failed": "sorry"}}}
    await system.serves("8060", "outside", ways)
    for number, channels in ((FIRST, None), (SECOND, 2)):
        line = NumberLine(channels=channels, trunk=trunk.name)
        await open_line(system, number, line, group=None, scenario="Scenario 8060")
    _, call = await system.call(SECOND)
    ringing = await phone.ringing()
    assert SECOND in ringing.peer
    await ringing.answer()
    await talk(call, ringing)
    assert system.engine.lines.in_use == {SECOND: 2}
    assert (await is_refused(system, SECOND))[0] == 486
    _, other = await system.call(FIRST)
    another = await phone.ringing()
    assert FIRST in another.peer
    for each in (call, other):
        await each.hangup()
    await another.ended()


@pytest.mark.covers("LNR-1")
async def test_a_forwarded_caller_for_whom_no_channel_is_left_goes_on_and_the_record_says_why(system: System) -> None:
    trunk = await system.has_trunk()
    operation = {"type": "forward_to_external", "number": OUTSIDE}
    await system.serves("8060", "outside", {"outside": {"operation": operation, "links": {"failed": "sorry"}}})
    line = NumberLine(channels=1, trunk=trunk.name)
    await open_line(system, FIRST, line, group=None, scenario="Scenario 8060")
    caller, call = await system.call(FIRST)
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert [(leg.number, leg.cause) for leg in record.legs] == [(OUTSIDE, 34)]


async def test_a_callers_channel_is_free_again_when_the_connection_or_the_controller_was_lost_meanwhile(system: System) -> None:
    await takes_callers(system, NUMBER, NumberLine(channels=1))
    _, first = await system.call(NUMBER)
    await first.hears_tone(MENU.frequency)
    system.link.cut()
    await eventually(lambda: system.engine.telephony.connected, "the cut is not noticed", until=False)
    await first.hangup()
    system.link.mend()
    await eventually(lambda: system.engine.lines.in_use, "the channel is not free", until={}, limit=15)
    _, second = await system.call(NUMBER)
    await second.hears_tone(MENU.frequency)
    assert system.engine.lines.in_use == {NUMBER: 1}
    await system.restart()
    await second.hangup()
    _, third = await system.call(NUMBER)
    assert (await is_refused(system, NUMBER))[0] == 486
    await third.hangup()


@pytest.mark.covers("SKZ-18")
async def test_each_number_has_its_own_settings(system: System) -> None:
    await open_line(system, FIRST, NumberLine(channels=1, source="Site"))
    await add_schedule(system, "Office", "closed")
    await open_line(system, SECOND, NumberLine(source="Leaflet"), schedule="Office", language="ru")
    await takes_callers(system, THIRD, NumberLine(channels=1))
    operator = await system.operator("2001")
    records = []
    caller, call = await system.call(FIRST)
    await call.hears_tone(ARRIVAL.frequency)
    await (await operator.ringing()).answer()
    await call.hangup()
    records.append(await system.call_record(caller))
    caller, call = await system.call(SECOND)
    await call.hears_tone(OFF_HOURS.frequency)
    await call.ended()
    records.append(await system.call_record(caller))
    caller, call = await system.call(THIRD)
    await call.hears_tone(MENU.frequency)
    assert (await is_refused(system, THIRD))[0] == 486
    await call.hangup()
    records.append(await system.call_record(caller))
    kept = [(record.call.called_number, record.call.source, record.call.language, record.steps[0].node) for record in records]
    assert kept == [(FIRST, "Site", "en", "group"), (SECOND, "Leaflet", "ru", "hours"), (THIRD, "", "en", "stays")]


@pytest.mark.covers("LNR-1")
async def test_a_transfer_outside_without_a_free_channel_is_refused_and_the_conversation_goes_on(system: System) -> None:
    trunk = await system.has_trunk()
    await open_line(system, FIRST, NumberLine(channels=1, trunk=trunk.name))
    talking = await conversation(system, FIRST)
    with pytest.raises(Refused, match=f"all channels of {FIRST} are in use"):
        await talking.transfer(OUTSIDE)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True)]
