"""How a group's operators are rung, and what becomes of the caller."""

from __future__ import annotations

import asyncio

import pytest

from controller.softphone import PhoneCall, tones
from controller.storage.calls import CallDetail
from tests.fixtures.sounds import SORRY, THANKS, WARNING, read_wav, seconds_of, seconds_of_sound
from tests.fixtures.system import RING_SECONDS, Line, System
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE, talk

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("callers_are_never_left_in_silence")]
SOON_HEARD = 0.5
"""Seconds of sound that who waits for two seconds has heard at least."""


def legs(record: CallDetail) -> list[tuple[str, int | None, int | None]]:
    """Extension, cause and SIP status of each operator who was rung."""
    return [(leg.operator_extension, leg.cause, leg.sip_status) for leg in record.legs]


def exits(record: CallDetail) -> list[str | None]:
    return [step.exit for step in record.steps]


async def is_told_sorry(system: System, call: PhoneCall) -> None:
    await call.hears_tone(SORRY.frequency)
    await call.ended()


@pytest.mark.covers("UIS-33", "UIS-41", "SKZ-52")
async def test_a_whole_call_is_on_record_with_its_path_operator_talk_and_recording(system: System) -> None:
    operator = await system.operator("2001")
    caller, call = await system.call(Line.FULL)
    await call.hears_tone(650)
    await call.press("1")
    offered = await operator.ringing()
    assert caller.number in offered.peer
    await offered.answer()
    await talk(call, offered)
    begin = asyncio.get_running_loop().time()
    await asyncio.gather(call.listen(1.0), offered.listen(1.0))
    await call.hangup()
    lasted = asyncio.get_running_loop().time() - begin
    await offered.ended()

    record = await system.call_record(caller)
    assert [(step.node, step.title, step.operation, step.exit, step.digits) for step in record.steps] == [
        ("greeting", "", "info_message", "next", ""),
        ("menu", "", "menu", "1", "1"),
        ("sales", "", "forward_to_group", None, ""),
    ]
    kept = record.call
    assert (kept.caller_number, kept.called_number, kept.line_name) == (caller.number, Line.FULL, f"Line {Line.FULL}")
    assert (kept.outcome, kept.ended_by, kept.hangup_cause) == ("talked", "caller", 16)
    assert kept.answered_at is not None and kept.ended_at is not None
    assert kept.started_at <= kept.answered_at < kept.ended_at
    moments = [kept.answered_at, *(moment for step in record.steps for moment in (step.entered_at, step.left_at))]
    assert all(moment is not None for moment in moments)
    leg = record.talk_leg
    assert leg is not None
    assert (leg.operator_extension, leg.operator_name) == ("2001", "Operator 2001")
    assert record.talk_seconds(kept.ended_at) == pytest.approx(lasted + 0.4, abs=0.8)
    assert [(extension, cause) for extension, cause, _ in legs(record)] == [("2001", 16)]

    (recording,) = record.recordings
    assert recording.ended_at is not None
    pcm, rate = read_wav(system.recordings_dir / recording.path)
    assert rate == 8000
    assert 0.8 < len(pcm) / 2 / rate < lasted + 3
    middle = pcm[len(pcm) // 2 : len(pcm) // 2 + 8000]
    assert all(tones.strength(middle, tone, rate) > 0.2 for tone in (CALLER_TONE, OPERATOR_TONE)), "a side is missing"


@pytest.mark.covers("UIS-14")
async def test_no_phone_rings_before_the_message_has_been_played_to_its_end(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    assert call.answered_at is not None
    assert offered.began_at - call.answered_at >= WARNING.seconds - 0.2, "by the clocks of two phones"
    assert seconds_of(WARNING, call.heard) >= WARNING.seconds - 0.2
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    record = await system.call_record(caller)
    message, group = record.steps
    assert message.left_at is not None and message.left_at <= group.entered_at <= record.legs[0].started_at


@pytest.mark.covers("UIS-33")
async def test_ring_all_rings_both_and_the_other_stops_as_answered_elsewhere(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(Line.SALES)
    rings_first, rings_second = await asyncio.gather(first.ringing(), second.ringing())
    await rings_second.answer()
    await rings_first.ended()
    assert rings_first.answered_at is None
    await talk(call, rings_second)
    await call.hangup()
    await rings_second.ended()
    record = await system.call_record(caller)
    by_extension = {leg.operator_extension: leg for leg in record.legs}
    assert by_extension["2001"].cause == 26
    assert by_extension["2001"].answered_at is None
    assert by_extension["2002"].talk_started_at is not None


async def test_two_operators_who_answer_at_the_same_moment_leave_one_with_the_caller(system: System) -> None:
    first, second = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(Line.SALES)
    offers = await asyncio.gather(first.ringing(), second.ringing())
    results = await asyncio.gather(*(offer.answer() for offer in offers), return_exceptions=True)
    assert None in results
    record = await system.recorded(caller, lambda one: one.talk_leg is not None, "nobody was connected")
    assert record.talk_leg is not None
    winner, loser = offers if record.talk_leg.operator_extension == "2001" else offers[::-1]
    await loser.ended()
    await talk(call, winner)
    await call.hangup()
    record = await system.call_record(caller)
    assert sum(leg.talk_started_at is not None for leg in record.legs) == 1


@pytest.mark.covers("UIS-33")
async def test_linear_rings_one_after_another_and_a_busy_one_is_passed_over(system: System) -> None:
    phones = [await system.operator(extension) for extension in ("2001", "2002", "2003")]
    caller, call = await system.call(Line.SUPPORT)
    busy = await phones[0].ringing()
    await busy.refuse()
    silent = await phones[1].ringing()
    third = await phones[2].ringing(RING_SECONDS + 3)
    assert seconds_of_sound(call.heard) > SOON_HEARD
    assert third.began_at - silent.began_at == pytest.approx(RING_SECONDS, abs=0.7)
    await silent.ended()
    await third.answer()
    await talk(call, third)
    await third.listen(1.0)
    await third.hangup()
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert [(extension, cause) for extension, cause, _ in legs(record)[:2]] == [("2001", 17), ("2002", 19)]
    assert exits(record) == ["answered", "next", None]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "scenario")


async def test_a_caller_whom_nobody_answers_leaves_by_failed(system: System) -> None:
    phone = await system.operator("2001")
    caller, call = await system.call(Line.SALES)
    offered = await phone.ringing()
    await is_told_sorry(system, call)
    await offered.ended()
    assert seconds_of_sound(call.heard) > SOON_HEARD + SORRY.seconds
    record = await system.call_record(caller)
    assert exits(record) == ["failed", "next", None]
    assert (record.call.outcome, record.legs[0].cause) == ("ended", 19)


async def test_a_caller_whom_every_operator_refuses_leaves_by_failed_at_once(system: System) -> None:
    phones = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(Line.SALES)
    offers = await asyncio.gather(*(phone.ringing() for phone in phones))
    await asyncio.gather(*(offer.refuse() for offer in offers))
    await call.hears_tone(SORRY.frequency, limit=RING_SECONDS - 0.5)
    await call.ended()
    assert sorted(legs(await system.call_record(caller))) == [("2001", 17, 486), ("2002", 17, 486)]


@pytest.mark.covers("LNR-9")
async def test_a_group_without_a_registered_phone_fails_at_once(system: System) -> None:
    caller, call = await system.call(Line.SALES)
    await is_told_sorry(system, call)
    record = await system.call_record(caller)
    assert (exits(record), record.legs) == (["failed", "next", None], ())
    group = record.steps[0]
    assert group.left_at is not None
    assert (group.left_at - group.entered_at).total_seconds() < 0.5


async def test_the_longest_wait_ends_the_search_while_the_only_operator_is_talking(system: System) -> None:
    operator = await system.operator("2003")
    _, talking = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(talking, offered)
    caller, call = await system.call(Line.SINGLE)
    await is_told_sorry(system, call)
    group = (await system.call_record(caller)).steps[1]
    assert group.left_at is not None
    assert (group.left_at - group.entered_at).total_seconds() == pytest.approx(2, abs=0.3)
    assert seconds_of_sound(call.heard) > WARNING.seconds + SOON_HEARD + SORRY.seconds
    assert offered.ended_at is None
    await talking.hangup()


async def test_an_operator_who_answers_and_drops_does_not_lose_the_caller(system: System) -> None:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await offered.hangup()
    await is_told_sorry(system, call)
    record = await system.call_record(caller)
    assert exits(record) == ["next", "failed", "next", None]
    assert record.call.outcome == "ended"


@pytest.mark.covers("UIS-33")
async def test_an_operator_who_hangs_up_ends_the_call_when_nothing_follows(system: System) -> None:
    operator = await system.operator("2001")
    caller, call = await system.call(Line.SALES)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.0)
    await offered.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert exits(record) == ["answered"]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")
    assert record.talk_leg is not None and record.talk_leg.talk_ended_at is not None


async def test_two_callers_at_once_get_an_operator_each(system: System) -> None:
    phones = [await system.operator("2001"), await system.operator("2002")]
    (one, first), (other, second) = await asyncio.gather(system.call(Line.SUPPORT), system.call(Line.SUPPORT))
    offers = await asyncio.gather(*(phone.ringing() for phone in phones))
    for offer in offers:
        await offer.answer()
    calls = {one.number: first, other.number: second}
    for offer in offers:
        await talk(calls[offer.peer.removeprefix("sip:").partition("@")[0]], offer)
    await asyncio.gather(first.hangup(), second.hangup())
    records = [await system.call_record(caller) for caller in (one, other)]
    talked_to = {leg.operator_extension for record in records if (leg := record.talk_leg) is not None}
    assert talked_to == {"2001", "2002"}


async def test_the_second_caller_waits_for_the_only_operator(system: System) -> None:
    operator = await system.operator("2001")
    _, first = await system.call(Line.SALES)
    offered = await operator.ringing()
    await offered.answer()
    await talk(first, offered)
    waiting, second = await system.call(Line.SALES)
    await second.hears_sound()
    assert len(system.engine.distributor.waiting) == 1
    await first.hangup()
    again = await operator.ringing()
    assert waiting.number in again.peer
    await again.answer()
    await talk(second, again)
    await second.hangup()
    assert (await system.call_record(waiting)).call.outcome == "talked"


async def test_an_operator_who_turns_his_phone_on_gets_the_caller_who_waits(system: System) -> None:
    busy = await system.operator("2001")
    _, first = await system.call(Line.SALES)
    offered = await busy.ringing()
    await offered.answer()
    await talk(first, offered)
    waiting, second = await system.call(Line.SALES)
    await system.comes_to(waiting, "sales")
    late = await system.phone_of("2002")
    await late.register()
    again = await late.ringing()
    await again.answer()
    await talk(second, again)
    await asyncio.gather(first.hangup(), second.hangup())
