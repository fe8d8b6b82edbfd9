"""Missed calls: who is told of them, and who has called back."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from controller.actions.desks import link_user
from controller.actions.users import create_user, set_email
from controller.commands.phoning import Caller
from controller.storage.missed_calls import MissedFilters, MissedView, Owner, list_missed_calls
from controller.storage.outbox import list_letters
from tests.fixtures.branching import add_schedule, branch
from tests.fixtures.letters import arrival_in_subject, box, is_recorded, kept_voicemail, said_in, says, sender_to
from tests.fixtures.lines import NUMBER, open_line
from tests.fixtures.mail import MailServer
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import answers_and_talks, talk
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk
PASSWORD = "correct horse battery"
FIRST, THEN, RESPONSIBLE = "first@example.com", "then@example.com", "boss@example.com"
BOX, OFFER = "8171", "8172"


async def has_people(system: System) -> None:
    """Users with addresses: whose the phones 2001 and 2002 are, and the responsible of the line."""
    for login, address, extension in (("ann", FIRST, "2001"), ("bob", THEN, "2002"), ("boss", RESPONSIBLE, None)):
        await system.change(create_user, login, PASSWORD, "operator")
        await system.change(set_email, login, address)
        if extension is not None:
            await system.change(link_user, login, extension)


async def missed_calls(system: System, many: int = 1, **filters: object) -> list[MissedView]:
    """The missed calls, newest first, as soon as there are so many."""
    found: list[MissedView] = []

    async def listed() -> int:
        found[:] = await system.database.read(list_missed_calls, MissedFilters(**filters))  # type: ignore[arg-type]
        return len(found)

    await eventually(listed, "other calls than these were missed", until=many)
    return found


async def letter_to(system: System, server: MailServer) -> EmailMessage:
    """The one letter, as it came out at a real mail server."""
    await server.start()
    assert await sender_to(system, server).send_due() == 1
    (letter,) = server.letters
    assert letter["To"] == server.recipients[0]
    return letter


async def waits_in_vain(system: System, caller: Caller) -> None:
    """He hears that nobody can answer, and the call ends."""
    call = await caller.phone.dial(NUMBER)
    await call.answered()
    await call.ended()


@pytest.mark.covers("SKZ-26", "SKZ-27", "UIS-44")
async def test_t35_in_working_time_who_was_rung_first_is_told(system: System, mail_server: MailServer) -> None:
    await has_people(system)
    await add_schedule(system, "Office", "open")
    await open_line(system, group="Support", schedule="Office", responsible="boss")
    first, then = await system.operator("2001"), await system.operator("2002")
    caller, call = await system.call(NUMBER)
    await first.ringing()
    await then.ringing()
    await call.hangup()
    (missed,) = await missed_calls(system)
    record = await system.call_record(caller)
    assert (missed.row.call_id, missed.row.kind, missed.owner) == (record.call.id, "working_time", Owner(operator="2001"))
    assert [leg.operator_extension for leg in record.legs] == ["2001", "2002"]
    letter = await letter_to(system, mail_server)
    assert letter["To"] == FIRST
    assert letter["Subject"] == f"Missed call from {caller.number}, {arrival_in_subject(record)}"
    assert "offered to Operator 2001 (2001) first" in said_in(letter)


@pytest.mark.covers("SKZ-26", "SKZ-27")
async def test_t35_off_hours_the_responsible_of_the_line_is_told(system: System, mail_server: MailServer) -> None:
    await has_people(system)
    await add_schedule(system, "Office", "closed")
    await open_line(system, group="Support", schedule="Office", responsible="boss")
    await system.operator("2001")
    await waits_in_vain(system, await system.caller())
    (missed,) = await missed_calls(system)
    assert (missed.row.kind, missed.owner) == ("off_hours", Owner(user="boss"))
    letter = await letter_to(system, mail_server)
    assert letter["To"] == RESPONSIBLE and "outside of working time" in said_in(letter)


@pytest.mark.covers("SKZ-26", "SKZ-27")
async def test_t35_with_no_operator_present_the_responsible_of_the_line_is_told(system: System, mail_server: MailServer) -> None:
    await has_people(system)
    await open_line(system, group="Support", responsible="boss")
    await waits_in_vain(system, await system.caller())
    (missed,) = await missed_calls(system)
    assert (missed.row.kind, missed.owner) == ("nobody_present", Owner(user="boss"))
    letter = await letter_to(system, mail_server)
    assert letter["To"] == RESPONSIBLE and "no operator was there" in said_in(letter)


@pytest.mark.covers("SKZ-27", "UIS-44")
async def test_who_calls_again_and_is_spoken_to_is_missed_no_more(system: System) -> None:
    await open_line(system)
    caller = await system.caller()
    await waits_in_vain(system, caller)
    await waits_in_vain(system, await system.caller())
    await missed_calls(system, 2, status="open")
    phone = await system.operator("2001")
    call = await caller.phone.dial(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.listen(1.0)
    await call.hangup()
    (closed,) = await missed_calls(system, status="called_back")
    assert closed.row.caller_number == caller.number
    await missed_calls(system, 1, status="open")


@pytest.mark.covers("SKZ-27", "UIS-44")
async def test_who_is_called_back_is_missed_no_more_once_he_has_answered(system: System) -> None:
    await open_line(system)
    number = "74951234567"
    client = await system.phone_outside(number)
    await waits_in_vain(system, Caller(number, client))
    phone = await system.operator("2001")
    await system.has_trunk()
    system.engine.outgoing.place("2001", number)
    own = await phone.ringing()
    await own.answer()
    await (await client.ringing()).refuse()
    await own.ended()
    await system.operator_is("2001", "available")
    await missed_calls(system, 1, status="open")

    call = system.engine.outgoing.place("2001", number)
    own = await phone.ringing()
    await answers_and_talks(own, client)
    await own.listen(1.0)
    await own.hangup()
    (closed,) = await missed_calls(system, status="called_back")
    assert closed.row.closed_by_call == call


@pytest.mark.covers("UIS-44")
async def test_who_accepts_a_callback_is_not_lost_and_is_missed_no_more_when_it_has_come(system: System) -> None:
    await system.has_trunk()
    await open_line(system)
    operation = {"type": "callback_offer", "group": "Single", "wait_seconds": 1}
    await system.serve((OFFER, scenario("asked", **branch(operation, {"declined": "warning", "not_possible": "sorry"}))))
    caller = await system.caller()
    await waits_in_vain(system, caller)
    operator = await system.operator("2003")
    _, talking = await system.call(Line.SINGLE)
    first = await operator.ringing()
    await first.answer()
    await talk(talking, first)
    call = await caller.phone.dial(OFFER)
    await call.answered()
    await call.press("1")
    await call.ended()
    await waits_in_vain(system, await system.caller())
    assert [one.row.called_number for one in await missed_calls(system, 2, status="open")] == [NUMBER, NUMBER]
    await talking.hangup()
    back = await caller.phone.ringing()
    await back.answer()
    offered = await operator.ringing()
    await offered.answer()
    await talk(back, offered)
    await back.listen(1.0)
    await back.hangup()
    (closed,) = await missed_calls(system, status="called_back")
    assert closed.row.caller_number == caller.number
    await missed_calls(system, 1, status="open")


@pytest.mark.covers("UIS-44")
async def test_who_has_left_a_voicemail_is_not_lost_and_an_operator_who_calls_us_never_is(system: System) -> None:
    await open_line(system)
    await system.serve((BOX, scenario("box", box=box())))
    caller, call = await system.call(BOX)
    await is_recorded(system, caller)
    await says(call, 0.7)
    await call.hangup()
    await kept_voicemail(system, caller)
    operator = await system.operator("2001")
    own = await operator.dial(NUMBER)
    await own.answered()
    await own.hangup()
    other = await system.caller()
    await operator.unregister()
    await system.operator_is("2001", "offline")
    await waits_in_vain(system, other)
    (missed,) = await missed_calls(system)
    assert missed.row.caller_number == other.number


@pytest.mark.covers("SKZ-27")
async def test_a_caller_whom_a_leaving_controller_sent_away_is_listed_by_the_next_one_once(system: System) -> None:
    await has_people(system)
    await open_line(system, responsible="boss")
    phone = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    await phone.ringing()
    await system.stop_engine()
    await call.hangup()
    assert await system.database.read(list_missed_calls, MissedFilters()) == []
    for _ in range(2):
        await system.start_engine()
        (missed,) = await missed_calls(system)
        await system.stop_engine()
    assert (missed.row.caller_number, missed.owner) == (caller.number, Owner(operator="2001"))
    assert [letter.recipient for letter in await system.database.read(list_letters)] == [FIRST]
    await system.start_engine()
