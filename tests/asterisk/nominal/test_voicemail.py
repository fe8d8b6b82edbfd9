"""Voicemail: what callers say, or that they called, comes by mail."""

from __future__ import annotations

import asyncio

import pytest

from controller.storage.calls import CallDetail
from ivr.graph import Scenario
from tests.fixtures.letters import (
    OFFICE,
    SPOKEN,
    arrival_in_subject,
    attached_sound,
    box,
    hears_greeting,
    is_recorded,
    kept_voicemail,
    letter_about,
    said_in,
    says,
    sender_to,
)
from tests.fixtures.mail import MailServer
from tests.fixtures.sounds import THANKS, seconds_of
from tests.fixtures.system import System
from tests.ivr.builders import group, hang_up, message, scenario

pytestmark = pytest.mark.asterisk
NUMBER = "8120"
SILENCE = 0.0
ENDS = {"thanks": message({"next": "goodbye"}, "thanks"), "goodbye": hang_up()}


def only_box(**parameters: object) -> Scenario:
    """A voicemail as the whole scenario."""
    return scenario("box", box=box(**parameters))


def box_then_thanks(**parameters: object) -> Scenario:
    return scenario("box", box=box({"next": "thanks"}, **parameters), **ENDS)


def path(record: CallDetail) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in record.steps]


@pytest.mark.covers("UIS-11", "UIS-10", "UIS-12")
async def test_t15_who_hangs_up_without_speaking_causes_a_letter_with_his_number_and_the_time_of_arrival(
    system: System, mail_server: MailServer
) -> None:
    await system.serve((NUMBER, only_box()))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.4, SILENCE)
    await call.hangup()
    letter = await letter_about(system, caller, mail_server)
    record = await system.call_record(caller)
    assert letter["Subject"] == f"Voicemail from {caller.number}, {arrival_in_subject(record)}"
    assert letter["To"] == OFFICE
    assert attached_sound(letter) is None and "left no message" in said_in(letter)
    kept = await kept_voicemail(system, caller)
    assert (kept.path, kept.failed, kept.arrived_at, kept.scenario) == (None, False, record.call.started_at, "Scenario 8120")
    assert list(system.recordings_dir.rglob(f"{record.call.id}*")) == []


@pytest.mark.covers("UIS-11")
async def test_who_hangs_up_during_the_greeting_causes_a_letter_too(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, only_box()))
    caller, call = await system.call(NUMBER)
    await hears_greeting(call)
    await call.hangup()
    letter = await letter_about(system, caller, mail_server)
    assert attached_sound(letter) is None and "left no message" in said_in(letter)
    assert path(await system.call_record(caller)) == [("box", None)]


@pytest.mark.covers("UIS-10")
async def test_a_hash_key_ends_the_message_which_comes_as_a_wave_file_and_the_caller_goes_on(
    system: System, mail_server: MailServer
) -> None:
    await system.serve((NUMBER, box_then_thanks()))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 1.5)
    await call.press("#")
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    letter = await letter_about(system, caller, mail_server)
    sound = attached_sound(letter)
    assert sound is not None and seconds_of(SPOKEN, sound) == pytest.approx(1.5, abs=0.3)
    assert "left a message of 0:0" in said_in(letter)
    assert path(await system.call_record(caller)) == [("box", "next"), ("thanks", "next"), ("goodbye", None)]


@pytest.mark.covers("UIS-10")
async def test_five_seconds_of_silence_end_the_message(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, box_then_thanks()))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.8)
    fell_silent = asyncio.get_running_loop().time()
    await call.hears_tone(THANKS.frequency)
    assert 4.5 < asyncio.get_running_loop().time() - fell_silent < 6.5
    await call.ended()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and seconds_of(SPOKEN, sound) == pytest.approx(0.8, abs=0.3)


@pytest.mark.covers("UIS-10", "UIS-11")
async def test_who_says_nothing_goes_on_after_the_silence(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, box_then_thanks(max_silence_seconds=1)))
    caller, call = await system.call(NUMBER)
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    assert attached_sound(await letter_about(system, caller, mail_server)) is None


@pytest.mark.covers("UIS-10")
async def test_who_hangs_up_while_he_speaks_has_left_what_he_said(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, box_then_thanks()))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 1.2)
    await call.hangup()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and seconds_of(SPOKEN, sound) > 0.8
    assert path(await system.call_record(caller)) == [("box", None)]


@pytest.mark.covers("UIS-10")
async def test_who_speaks_for_too_long_is_cut_and_goes_on(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, box_then_thanks(max_seconds=5)))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    call.send_tone(SPOKEN)
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and 4.5 < seconds_of(SPOKEN, sound) < 6.2  # Asterisk looks at whole seconds


@pytest.mark.covers("UIS-12", "UIS-10")
async def test_a_voicemail_closes_a_call_that_no_operator_answered(system: System, mail_server: MailServer) -> None:
    closing = scenario("sales", sales=group({"failed": "box"}), box=box())
    await system.serve((NUMBER, closing))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.7)
    await call.press("#")
    await call.ended()
    assert attached_sound(await letter_about(system, caller, mail_server)) is not None
    record = await system.call_record(caller)
    assert path(record) == [("sales", "failed"), ("box", "next")]
    assert record.call.outcome == "ended"


@pytest.mark.covers("UIS-10")
async def test_each_address_gets_a_letter_with_the_message(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, only_box(mail_to=[OFFICE, "boss@example.com"])))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.7)
    await call.press("#")
    await call.ended()
    await kept_voicemail(system, caller)
    await mail_server.start()
    assert await sender_to(system, mail_server).send_due() == 2
    assert sorted(mail_server.recipients) == ["boss@example.com", OFFICE]
    assert all(attached_sound(letter) for letter in mail_server.letters)
