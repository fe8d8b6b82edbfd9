"""What comes to the SIP port from those who mean no good, or have bad phones."""

from __future__ import annotations

import random

import pytest

from controller.commands.phoning import Caller
from controller.softphone import PhoneCall
from controller.storage.calls import CallFilters, list_calls
from controller.storage.operators import find_operator
from tests.fixtures.raw_sip import RawPhone, offer, raw_phone
from tests.fixtures.sounds import MENU
from tests.fixtures.system import Line, System
from tests.fixtures.talk import talk
from tests.fixtures.transfers import transfer_target, way

pytestmark = pytest.mark.asterisk

REFER = {"Refer-To": "<sip:8002@127.0.0.1>", "Refer-Sub": "false", "Referred-By": "<sip:2001@127.0.0.1>"}


async def secret_of(system: System, extension: str) -> str:
    operator = await system.database.read(find_operator, extension)
    assert operator is not None
    return operator.sip_secret


async def serves(system: System) -> None:
    """A caller still gets what he calls for."""
    _, call = await system.call(Line.FULL)
    await call.hears_tone(MENU.frequency)
    await call.hangup()


@pytest.mark.parametrize("extension", ["2001", ""], ids=["operator", "carrier"])
async def test_a_refer_without_subscription_is_refused_and_does_not_bring_asterisk_down(system: System, extension: str) -> None:
    password = await secret_of(system, extension) if extension else ""
    started = (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"]
    async with raw_phone(system.asterisk.sip[1], extension or "74951112233", password) as phone:
        assert (await phone.request("INVITE", Line.FULL, body=offer())).status == 200
        assert (await phone.request("REFER", Line.FULL, headers=REFER)).status == (404 if extension else 603)
        assert (await phone.request("BYE", Line.FULL)).status == 200
    assert (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"] == started
    await serves(system)


async def talks_with(system: System, phone: RawPhone) -> tuple[Caller, PhoneCall]:
    """A caller of Sales, and this phone of 2001, which has taken him."""
    assert (await phone.request("REGISTER", "", headers={"Expires": "60"})).status == 200
    await system.operator_is("2001", "available")
    caller, call = await system.call(Line.SALES)
    await phone.picks_up()
    await system.recorded(caller, lambda one: one.talk_leg is not None, "they do not talk")
    return caller, call


REFERS = {
    "without subscription": {"Refer-To": "<sip:2003@127.0.0.1>", "Refer-Sub": "false"},
    "to nothing": {"Refer-To": ""},
    "to garbage": {"Refer-To": "\x01<<sip:%%%@[::1>;;=?Replaces"},
    "to another protocol": {"Refer-To": "<http://127.0.0.1/>"},
    "to itself for ever": {"Refer-To": "<sip:2001@127.0.0.1?Refer-To=%3Csip:2001@127.0.0.1%3E>"},
    "replacing an unknown dialog": {
        "Refer-To": "<sip:2003@127.0.0.1?Replaces=none%40nowhere%3Bto-tag%3D1%3Bfrom-tag%3D2>",
        "Refer-Sub": "false",
    },
    "replacing garbage": {"Refer-To": "<sip:2003@127.0.0.1?Replaces=%00%3B%3B%3D>", "Refer-Sub": "false"},
    "without a target": {},
}


async def test_no_transfer_of_a_call_that_the_phone_made_itself_is_taken_or_harms_the_conversation(system: System) -> None:
    started = (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"]
    other = await system.operator("2002")
    async with raw_phone(system.asterisk.sip[1], "2001", await secret_of(system, "2001")) as phone:
        assert (await phone.request("INVITE", "2002", body=offer())).status == 200
        offered = await other.ringing()
        await offered.answer()
        statuses = {name: (await phone.request("REFER", "2002", headers=headers)).status for name, headers in REFERS.items()}
        assert all(400 <= status < 700 for status in statuses.values()), statuses
        assert statuses["without subscription"] == statuses["replacing an unknown dialog"] == 404
        assert offered.ended_at is None
        assert (await phone.request("BYE", "2002")).status == 200
    await offered.ended()
    assert (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"] == started
    await serves(system)


@pytest.mark.parametrize("number", ["2001", "2003", "2999", "23456", "fallback", "s", "9" * 200])
async def test_an_operators_phone_transfers_to_nobody_who_can_not_be_reached_and_the_conversation_goes_on(
    system: System, number: str
) -> None:
    target = {"Refer-To": f"<sip:{number}@127.0.0.1>", "Refer-Sub": "false"}
    async with raw_phone(system.asterisk.sip[1], "2001", await secret_of(system, "2001")) as phone:
        caller, call = await talks_with(system, phone)
        assert (await phone.request("REFER", "", headers=target)).status == (404 if len(number) < 80 else 200)
        assert (await phone.request("REFER", "", headers=REFERS["replacing garbage"])).status >= 400
        await call.hangup()
        await system.operator_is("2001", "available")
    record = await system.call_record(caller)
    assert (way(record), record.call.ended_by) == ([("2001", "", True)], "caller")


@pytest.mark.parametrize("number", ["123456", "+74951234567"])
async def test_a_transfer_to_a_number_outside_that_can_not_be_dialled_ends_the_conversation(system: System, number: str) -> None:
    target = {"Refer-To": f"<sip:{number}@127.0.0.1>", "Refer-Sub": "false"}
    async with raw_phone(system.asterisk.sip[1], "2001", await secret_of(system, "2001")) as phone:
        caller, call = await talks_with(system, phone)
        assert (await phone.request("REFER", "", headers=target)).status == 200
        await call.ended()
    assert way(await system.call_record(caller)) == [("2001", "", True)]


async def test_a_phone_that_transfers_without_subscription_twice_at_once_transfers_once(system: System) -> None:
    started = (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"]
    other = await transfer_target(system)
    async with raw_phone(system.asterisk.sip[1], "2001", await secret_of(system, "2001")) as phone:
        caller, call = await talks_with(system, phone)
        phone.send_request("REFER", "", REFERS["without subscription"])
        phone.send_request("REFER", "", REFERS["without subscription"])
        offered = await other.ringing()
        await offered.answer()
        await talk(call, offered)
        await call.hangup()
    assert way(await system.call_record(caller)) == [("2001", "", True), ("2003", "2001", True)]
    assert (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"] == started


async def test_a_phone_that_puts_down_the_moment_it_transfers_has_transferred(system: System) -> None:
    other = await transfer_target(system)
    async with raw_phone(system.asterisk.sip[1], "2001", await secret_of(system, "2001")) as phone:
        _, call = await talks_with(system, phone)
        phone.send_request("REFER", "", REFERS["without subscription"])
        phone.send_request("BYE", "", {})
        offered = await other.ringing()
        await offered.answer()
        await talk(call, offered)
        await call.hangup()


async def test_two_lines_joined_without_subscription_leave_asterisk_alive_and_caller_and_colleague_talking(
    system: System,
) -> None:
    started = (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"]
    other, secret = await transfer_target(system), await secret_of(system, "2001")
    port = system.asterisk.sip[1]
    async with raw_phone(port, "2001", secret) as phone, raw_phone(port, "2001", secret) as second:
        caller, call = await talks_with(system, phone)
        assert (await second.request("INVITE", "2003", body=offer())).status == 200
        offered = await other.ringing()
        await offered.answer()
        await system.recorded(Caller("2001", other), lambda one: one.talk_leg is not None, "the two operators do not talk")
        headers = {"Refer-To": f"<sip:2003@127.0.0.1?Replaces={second.replaces}>", "Refer-Sub": "false"}
        assert (await phone.request("REFER", "", headers=headers)).status == 200
        await talk(call, offered)
        await call.hangup()
        await offered.ended()
    assert way(await system.call_record(caller)) == [("2001", "", True), ("2003", "2001", True)]
    assert (await system.ask_asterisk("asterisk/info"))["status"]["startup_time"] == started


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS"])
async def test_an_operators_name_without_his_password_is_refused(system: System, method: str) -> None:
    for password in ("", "guessed"):
        async with raw_phone(system.asterisk.sip[1], "2001", password) as phone:
            answer = await phone.request(method, Line.FULL if method != "REGISTER" else "", body=offer() * (method == "INVITE"))
            assert answer.status == 401
    await system.operator_is("2001", "offline")


async def test_the_name_of_the_carrier_does_not_let_anyone_register(system: System) -> None:
    async with raw_phone(system.asterisk.sip[1], "demo-carrier") as phone:
        assert (await phone.request("REGISTER", "")).status >= 400


async def test_garbage_changes_nothing(system: System) -> None:
    noise = random.Random(22)
    invite = f"INVITE sip:{Line.FULL}@127.0.0.1 SIP/2.0\r\n"
    datagrams = [
        b"",
        b"\0" * 1500,
        b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        invite.encode(),
        f"{invite}Via: SIP/2.0/UDP x\r\nContent-Length: -1\r\n\r\n".encode(),
        f"{invite}{'X: y' * 10_000}\r\n\r\n".encode(),
        *(noise.randbytes(noise.randrange(1, 1400)) for _ in range(200)),
    ]
    async with raw_phone(system.asterisk.sip[1], "scanner") as phone:
        for datagram in datagrams:
            phone.send(datagram)
    await serves(system)


@pytest.mark.parametrize("number", ["8001;x=1", "%38001", "h", "8001'--", "9" * 80])
async def test_odd_numbers_are_answered_like_any_that_is_not_ours_or_refused(system: System, number: str) -> None:
    async with raw_phone(system.asterisk.sip[1], "74951112233") as phone:
        answer = await phone.request("INVITE", number, body=offer())
        assert answer.status in (200, 400, 404, 414, 416, 484)
        if answer.status == 200:
            await phone.request("BYE", number)
    await serves(system)


async def test_a_caller_who_names_odd_things_is_stored_as_he_says(system: System) -> None:
    async with raw_phone(system.asterisk.sip[1], "x'%22%3Cb%3E") as phone:
        answer = await phone.request("INVITE", Line.FULL, body=offer())
        assert answer.status == 200
        await phone.request("BYE", Line.FULL)
    await system.at_rest()
    page = await system.database.read(list_calls, CallFilters(), 1)
    assert page.calls[0].call.outcome == "ended"
