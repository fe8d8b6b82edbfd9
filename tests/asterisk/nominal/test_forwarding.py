"""Calls that operators miss, forwarded to phones outside; numbers that are confirmed by a dictated code."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from controller.actions.confirmations import CODE_DIGITS, enter_code, make_code
from controller.actions.forwarding import add_common_phone, decide_request
from controller.actions.numbers import NumberLine
from controller.bus.messages import DirectoryChanged
from controller.engine import sip_trunk
from controller.errors import Refused
from controller.ids import CallId
from controller.routing import OutgoingOff
from controller.softphone import PhoneCall, tones
from controller.storage.calls import CallDetail, get_call
from controller.storage.forwarding import Forwarding, ShownNumber, phone_view
from controller.storage.numbers import InboundNumber
from tests.fixtures.carrier import carrier
from tests.fixtures.forwarding import MONTHS, confirm_number, has_common_phone, has_own_phone, knows
from tests.fixtures.lines import NUMBER, open_line
from tests.fixtures.sounds import NO_ANSWER, WAITING, heard_digits, read_wav
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE, talk

pytestmark = pytest.mark.asterisk
OFFICE, MOBILE, OTHER_MOBILE = "74951234567", "79161234567", "79167654321"
OF_TRUNK = "74950000001"
SINGLE = "Single"
"""Operator 2003 alone, who is rung for two seconds."""
TO_OFFICE = Forwarding("common", OFFICE)
TO_OWN = Forwarding("own")


def way(record: CallDetail) -> list[tuple[str, str, bool]]:
    """Who was rung, on which number, and whether he talked with the caller."""
    return [(leg.operator_extension, leg.number, leg.talk_started_at is not None) for leg in record.legs]


async def decided(system: System, record: CallDetail) -> list[tuple[str, str, list[str]]]:
    """What decided, about what, and who was rung for it."""
    full = await system.database.read(get_call, record.call.id)
    return [(one.rule, one.target, list(one.offered)) for one in full.decisions]


async def dictated(call: PhoneCall) -> str:
    """The code that is told to who answers this call."""
    await call.answer()
    async with asyncio.timeout(20):
        while len(heard_digits(call.heard)) < CODE_DIGITS:
            await call.listen(0.2)
    heard = heard_digits(call.heard)[:CODE_DIGITS]
    await call.hangup()
    return heard


async def is_told_that_nobody_answers(call: PhoneCall) -> None:
    await call.hears_tone(NO_ANSWER.frequency, limit=20)
    await call.ended()


@pytest.mark.covers("SKZ-31", "SKZ-32", "SKZ-33", "SKZ-36", "SKZ-37")
async def test_a_missed_call_rings_at_the_common_phone_and_is_recorded_like_any_other(system: System) -> None:
    operator, office = await system.operator("2003"), await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE)
    await open_line(system, group=SINGLE, forwarding=TO_OFFICE)
    caller, call = await system.call(NUMBER)
    missed = await operator.ringing()
    rings = await office.ringing()
    assert caller.number in rings.peer
    await missed.ended()
    call.forget_sound()
    await call.hears_tone(WAITING.frequency)
    await rings.answer()
    await talk(call, rings)
    await asyncio.gather(call.listen(1.0), rings.listen(1.0))
    await rings.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")
    assert way(record) == [("2003", "2003", False), (OFFICE, OFFICE, True)]
    rules = await decided(system, record)
    assert rules[0] == ("strategy", SINGLE, ["2003"]) and rules[-1] == ("forwarded", OFFICE, [OFFICE])
    assert [step.exit for step in record.steps] == ["answered"]
    (recording,) = record.recordings
    pcm, rate = read_wav(system.recordings_dir / recording.path)
    middle = pcm[len(pcm) // 2 : len(pcm) // 2 + 8000]
    assert all(tones.strength(middle, tone, rate) > 0.2 for tone in (CALLER_TONE, OPERATOR_TONE)), "a side is missing"


@pytest.mark.covers("SKZ-31", "SKZ-32", "SKZ-34")
async def test_t37_an_operators_own_phone_rings_only_after_an_administrator_has_approved_it(system: System) -> None:
    operator, mobile = await system.operator("2003"), await system.phone_outside(MOBILE)
    await system.has_trunk()
    phone = await has_own_phone(system, "2003", MOBILE, approved=False)
    await open_line(system, group=SINGLE, forwarding=TO_OWN)
    before, call = await system.call(NUMBER)
    await operator.ringing()
    await is_told_that_nobody_answers(call)
    assert way(await system.call_record(before)) == [("2003", "2003", False)]

    await system.change(decide_request, phone.id, True)
    await knows(system, TO_OWN, "2003")
    after, call = await system.call(NUMBER)
    await operator.ringing()
    rings = await mobile.ringing()
    await rings.answer()
    await talk(call, rings)
    await system.operator_is("2003", "talking")
    assert set(system.engine.distributor.engaged) == {"2003"}
    await call.listen(1.0)
    await call.hangup()
    await rings.ended()
    await system.operator_is("2003", "available")
    record = await system.call_record(after)
    assert way(record) == [("2003", "2003", False), ("2003", MOBILE, True)]
    assert (await decided(system, record))[-1] == ("forwarded", "2003", [MOBILE]) and len(record.recordings) == 1


@pytest.mark.covers("SKZ-36")
async def test_t38_the_phone_sees_the_number_called_and_not_the_caller(system: System) -> None:
    await system.operator("2003")
    async with carrier(180, 486) as mobile:
        await system.has_trunk(mobile.port)
        await has_own_phone(system, "2003", MOBILE)
        await open_line(system, group=SINGLE, forwarding=Forwarding("own", shows="called"))
        caller, call = await system.call(NUMBER)
        invited = await mobile.gets("INVITE")
        assert invited.uri.startswith(f"sip:{MOBILE}@")
        assert f"sip:{NUMBER}@" in invited.headers["from"] and caller.number not in "".join(invited.headers.values())
        await is_told_that_nobody_answers(call)


@pytest.mark.covers("SKZ-36")
@pytest.mark.parametrize("clip_no_screening", [True, False])
@pytest.mark.parametrize("shows", ["caller", "called"])
async def test_a_carrier_is_shown_what_the_rule_chooses_if_it_does_not_screen_else_the_trunks_own_number(
    system: System, shows: ShownNumber, clip_no_screening: bool
) -> None:
    async with carrier(180, 486) as mobile:
        trunk = await system.has_trunk(mobile.port, clip_no_screening=clip_no_screening)
        await has_common_phone(system, OFFICE)
        await open_line(system, OF_TRUNK, NumberLine(trunk=trunk.name))
        await open_line(system, group=SINGLE, forwarding=Forwarding("common", OFFICE, shows=shows))
        caller, call = await system.call(NUMBER)
        chosen = {"caller": caller.number, "called": NUMBER}[shows]
        invited = await mobile.gets("INVITE")
        assert f"sip:{chosen if clip_no_screening else OF_TRUNK}@" in invited.headers["from"]
        assert chosen == caller.number or caller.number not in "".join(invited.headers.values())
        assert system.engine.lines.in_use == {NUMBER: 1, OF_TRUNK: 1}
        await is_told_that_nobody_answers(call)


@pytest.mark.covers("SKZ-10", "SKZ-36")
async def test_a_called_number_that_is_not_confirmed_is_not_shown_and_the_caller_is_forwarded_all_the_same(
    system: System,
) -> None:
    async with carrier(180, 486) as mobile:
        await system.has_trunk(mobile.port, caller_id=OF_TRUNK, clip_no_screening=True)
        await has_common_phone(system, OFFICE)
        await open_line(system, confirmed=False, group=SINGLE, forwarding=Forwarding("common", OFFICE, shows="called"))
        caller, call = await system.call(NUMBER)
        invited = await mobile.gets("INVITE")
        assert f"sip:{OF_TRUNK}@" in invited.headers["from"]
        assert not {NUMBER, caller.number} & set(re.findall(r"\d+", "".join(invited.headers.values())))
        await is_told_that_nobody_answers(call)


@pytest.mark.covers("SKZ-10", "SKZ-11", "SKZ-36")
async def test_where_the_confirmation_of_the_number_called_is_over_and_nothing_else_can_be_shown_the_phone_sees_the_caller(
    system: System,
) -> None:
    async with carrier(180, 486) as mobile:
        await system.has_trunk(mobile.port)
        await has_common_phone(system, OFFICE)
        await open_line(system, confirmed=False, group=SINGLE, forwarding=Forwarding("common", OFFICE, shows="called"))
        await confirm_number(system, NUMBER, datetime.now(UTC) - timedelta(days=100))
        caller, call = await system.call(NUMBER)
        invited = await mobile.gets("INVITE")
        assert f"sip:{caller.number}@" in invited.headers["from"] and NUMBER not in invited.headers["from"]
        await is_told_that_nobody_answers(call)


@pytest.mark.covers("SKZ-10", "SKZ-11")
async def test_t72_a_number_whose_confirmation_is_over_is_not_shown_until_a_call_has_told_its_code(system: System) -> None:
    operator, client, ours = [await system.operator("2001"), *[await system.phone_outside(one) for one in (MOBILE, OF_TRUNK)]]
    trunk = await system.has_trunk()
    await open_line(system, OF_TRUNK, NumberLine(trunk=trunk.name), confirmed=False)
    number = await confirm_number(system, OF_TRUNK, datetime.now(UTC) - timedelta(days=100))

    async def refusal() -> str:
        system.bus.send(DirectoryChanged())
        try:
            system.engine.lines.check(sip_trunk(trunk).name, came_in_on="", own="2001")
        except OutgoingOff as refused:
            return str(refused)
        return ""

    reason = f"the confirmation of {OF_TRUNK}, which would be shown, has expired: confirm it on the page Numbers"
    await eventually(refusal, "it does not count as expired", until=reason)
    with pytest.raises(Refused, match=reason):
        system.engine.outgoing.place("2001", MOBILE)
    called, code = await system.change(make_code, number, InboundNumber)
    system.engine.confirmations.place(called, code, None)
    told = await ours.ringing()
    assert await dictated(told) == code
    assert await system.change(enter_code, number, code, MONTHS, InboundNumber) == "confirmed"
    await eventually(refusal, "it does not count as confirmed", until="")
    system.engine.outgoing.place("2001", MOBILE)
    own = await operator.ringing()
    await own.answer()
    rings = await client.ringing()
    assert OF_TRUNK in rings.peer
    await rings.refuse()
    await own.ended()


@pytest.mark.covers("SKZ-35")
async def test_a_busy_phone_is_tried_as_often_as_told_and_then_the_caller_leaves_by_failed(system: System) -> None:
    await system.operator("2003")
    async with carrier(486) as office:
        await system.has_trunk(office.port)
        await has_common_phone(system, OFFICE)
        await open_line(system, group=SINGLE, forwarding=Forwarding("common", OFFICE, attempts=2))
        caller, call = await system.call(NUMBER)
        await is_told_that_nobody_answers(call)
        record = await system.call_record(caller)
        assert way(record) == [("2003", "2003", False), (OFFICE, OFFICE, False), (OFFICE, OFFICE, False)]
        assert [leg.sip_status for leg in record.legs[1:]] == [486, 486]
        assert [step.exit for step in record.steps] == ["failed", "next", None]
        assert office.seen.count("INVITE") == 2


@pytest.mark.covers("SKZ-35")
async def test_a_phone_that_nobody_answers_rings_for_the_time_that_is_set(system: System) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE)
    await open_line(system, group=SINGLE, forwarding=Forwarding("common", OFFICE, wait_seconds=5))
    caller, call = await system.call(NUMBER)
    rings = await office.ringing()
    await is_told_that_nobody_answers(call)
    await rings.ended()
    record = await system.call_record(caller)
    (leg,) = record.legs
    assert leg.ended_at is not None and leg.answered_at is None
    assert 4.5 <= (leg.ended_at - leg.started_at).total_seconds() < 9


@pytest.mark.covers("SKZ-32")
async def test_with_nobody_there_the_common_phone_rings_and_own_phones_do_not(system: System) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE)
    await has_own_phone(system, "2003", MOBILE)
    await open_line(system, group=SINGLE, forwarding=TO_OFFICE)
    await open_line(system, "8071", group=SINGLE, forwarding=TO_OWN)
    _, call = await system.call(NUMBER)
    rings = await office.ringing()
    await rings.answer()
    await talk(call, rings)
    await call.hangup()
    await rings.ended()
    caller, call = await system.call("8071")
    await is_told_that_nobody_answers(call)
    assert way(await system.call_record(caller)) == []


@pytest.mark.covers("SKZ-31", "SKZ-34")
async def test_own_phones_ring_one_after_another_in_the_order_in_which_the_call_was_missed(system: System) -> None:
    for extension in ("2001", "2002"):
        await system.operator(extension)
    first, second = await system.phone_outside(MOBILE), await system.phone_outside(OTHER_MOBILE)
    await system.has_trunk()
    await has_own_phone(system, "2001", MOBILE)
    await has_own_phone(system, "2002", OTHER_MOBILE)
    await open_line(system, group="Support", forwarding=TO_OWN)
    caller, call = await system.call(NUMBER)
    busy = await first.ringing(12)
    await busy.refuse()
    rings = await second.ringing()
    await rings.answer()
    await talk(call, rings)
    assert set(system.engine.distributor.engaged) == {"2002"}
    await call.hangup()
    await rings.ended()
    record = await system.call_record(caller)
    ways = [("2001", "2001", False), ("2002", "2002", False), ("2001", MOBILE, False), ("2002", OTHER_MOBILE, True)]
    assert way(record) == ways


@pytest.mark.covers("SKZ-32")
async def test_a_caller_who_hangs_up_stops_the_phone_outside(system: System) -> None:
    operator, mobile = await system.operator("2003"), await system.phone_outside(MOBILE)
    await system.has_trunk()
    await has_own_phone(system, "2003", MOBILE)
    await open_line(system, group=SINGLE, forwarding=TO_OWN)
    caller, call = await system.call(NUMBER)
    await operator.ringing()
    rings = await mobile.ringing()
    await call.hangup()
    await rings.ended()
    record = await system.call_record(caller)
    assert (record.call.outcome, way(record)[-1]) == ("abandoned", ("2003", MOBILE, False))
    await eventually(lambda: dict(system.engine.distributor.engaged), "he stays reserved", until={})


@pytest.mark.covers("SKZ-32", "SKZ-35")
async def test_the_end_of_the_longest_wait_is_a_missed_call_of_who_is_rung(system: System) -> None:
    operator, mobile = await system.operator("2001"), await system.phone_outside(MOBILE)
    await system.has_trunk()
    await has_own_phone(system, "2001", MOBILE)
    await open_line(system, longest_wait=2, forwarding=TO_OWN)
    caller, call = await system.call(NUMBER)
    missed = await operator.ringing()
    rings = await mobile.ringing()
    await missed.ended()
    await rings.answer()
    await talk(call, rings)
    await call.hangup()
    await rings.ended()
    assert way(await system.call_record(caller)) == [("2001", "2001", False), ("2001", MOBILE, True)]


@pytest.mark.covers("SKZ-11")
async def test_a_number_whose_confirmation_has_expired_is_not_rung(system: System) -> None:
    await system.operator("2003")
    await system.phone_outside(OFFICE)
    await system.has_trunk()
    await has_common_phone(system, OFFICE, datetime.now(UTC) - timedelta(days=100))
    await open_line(system, group=SINGLE, forwarding=TO_OFFICE)
    caller, call = await system.call(NUMBER)
    await is_told_that_nobody_answers(call)
    assert way(await system.call_record(caller)) == [("2003", "2003", False)]


@pytest.mark.covers("SKZ-10", "SKZ-33")
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_call_dictates_a_code_that_confirms_the_number(system: System, language: str) -> None:
    office = await system.phone_outside(OFFICE)
    await system.has_trunk()
    phone = await system.change(add_common_phone, OFFICE)
    number, code = await system.change(make_code, phone.id)
    call = system.engine.confirmations.place(number, code, language)
    heard = await dictated(await office.ringing())
    assert heard == code
    assert await system.change(enter_code, phone.id, heard, MONTHS) == "confirmed"
    row = (await system.database.read(phone_view, phone.id)).row
    assert row.is_used(datetime.now(UTC)) and row.expires_at is not None
    await system.at_rest()
    record = await system.database.read(get_call, call)
    assert (record.call.direction, record.call.caller_number, record.call.outcome) == ("outbound", OFFICE, "ended")
    assert record.steps == (), "who reads the record must not learn the code"


@pytest.mark.covers("SKZ-10")
async def test_a_number_that_does_not_answer_leaves_nothing_behind(system: System) -> None:
    async with carrier(486) as office:
        await system.has_trunk(office.port)
        call = system.engine.confirmations.place(OFFICE, "123456", None)
        await office.gets("INVITE")

        async def outcome() -> str:
            await system.engine.journal.flush()
            return str((await system.database.read(get_call, CallId(call))).call.outcome)

        await eventually(outcome, "the call is not over", until="refused")
