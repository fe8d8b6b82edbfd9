"""What every Telephony promises: the same tests in memory and on a real Asterisk."""

from __future__ import annotations

import asyncio
import time
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.errors import ChannelGone, TelephonyError
from controller.ids import ChannelId
from controller.softphone import tones
from controller.telephony.events import (
    Answered,
    DeviceStateChanged,
    Gone,
    KeyPressed,
    MessageRecorded,
    PlaybackEnded,
    Ringing,
    TransferWanted,
)
from controller.telephony.port import SipAccount, SipTrunk
from ivr.commands import HangupCause
from tests.fixtures.waiting import until
from tests.fixtures.web_sip import web_phone

PROMPT = "sound:tt-monkeys"
"""Sixteen seconds."""
DIGIT = "sound:digits/1"
BEEP = "sound:beep"


def finish(world: Any, playback: str) -> None:
    """In memory a playback lasts until it is told to end."""
    if not world.real:
        world.fake.finish_playback(playback)


async def opened_wave(path: Path) -> wave.Wave_read:
    """The recording, once it is whole: its length is written when it is closed, a moment after its end."""
    opened: list[wave.Wave_read] = []

    def whole() -> bool:
        try:
            opened.append(wave.open(str(path)))
        except (OSError, EOFError, wave.Error):
            return False
        return opened[-1].getnframes() > 0

    await until(whole)
    for early in opened[:-1]:
        early.close()
    return opened[-1]


async def connect(world: Any) -> tuple[Any, Any, ChannelId]:
    """A caller and an operator who talk."""
    caller, phone = await world.answered_call(), await world.phone()
    leg = await world.dial(phone.device, originator=caller.channel)
    await phone.rings()
    await phone.pick_up()
    await world.next(Answered, leg)
    await world.telephony.bridge(world.new_bridge(), [caller.channel, leg])
    return caller, phone, leg


async def test_a_call_enters_with_its_number_and_is_answered(world: Any) -> None:
    caller = await world.call("8123")
    entered = world.came[-1]
    assert (entered.args, entered.caller_number, entered.answered) == (("inbound", "8123"), "74951112233", False)
    await world.telephony.answer(caller.channel)
    await caller.is_answered()


async def test_a_prompt_is_heard_and_ends_once(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.play(caller.channel, "p1", [DIGIT, DIGIT], "en")
    await caller.hears_something()
    finish(world, "p1")
    assert await world.next(PlaybackEnded) == PlaybackEnded(caller.channel, "p1", failed=False)
    await caller.hangup()
    await world.gone(caller.channel)
    assert not await world.telephony.playing("p1")
    assert sum(isinstance(event, PlaybackEnded) for event in world.came) == 1


async def test_a_prompt_is_stopped(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.play(caller.channel, "p1", [PROMPT], "ru")
    assert await world.telephony.playing("p1")
    await world.telephony.stop_playback("p1")
    assert await world.next(PlaybackEnded) == PlaybackEnded(caller.channel, "p1", failed=False)
    await world.telephony.stop_playback("p1")
    await caller.hears_nothing()


@pytest.mark.parametrize("media", [["sound:no-such-file"], ["recording:none"], ["nonsense"], []])
async def test_what_cannot_be_played_fails_once(world: Any, media: list[str]) -> None:
    if not world.real:
        world.fake.missing.add("sound:no-such-file")
    caller = await world.answered_call()
    await world.telephony.play(caller.channel, "p1", media, "en")
    assert await world.next(PlaybackEnded) == PlaybackEnded(caller.channel, "p1", failed=True)


async def test_a_hangup_ends_the_prompt_before_the_channel(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.play(caller.channel, "p1", [PROMPT], "en")
    await world.telephony.play(caller.channel, "p2", [PROMPT], "en")
    await caller.hangup()
    await world.gone(caller.channel)
    ended = {event.playback: event.failed for event in world.came if isinstance(event, PlaybackEnded)}
    assert ended == {"p1": True, "p2": True}
    assert isinstance(world.came[-1], Gone)


async def test_keys_are_reported_in_order_during_a_prompt(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.play(caller.channel, "p1", [PROMPT], "en")
    await caller.hears_something()
    await caller.press("1*#")
    keys = [(await world.next(KeyPressed)).key for _ in range(3)]
    assert keys == ["1", "*", "#"]


async def test_music_begins_and_stops(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.start_music(caller.channel)
    await caller.hears_something()
    await world.telephony.stop_music(caller.channel)
    await caller.hears_nothing()


async def test_an_operator_answers_and_talks_with_the_caller_who_heard_music(world: Any) -> None:
    caller, phone = await world.answered_call(), await world.phone()
    await world.telephony.start_music(caller.channel)
    leg = await world.dial(phone.device, originator=caller.channel)
    assert await phone.rings() == "74951112233"
    await world.next(Ringing, leg)
    await phone.pick_up()
    await world.next(Answered, leg)
    bridge = world.new_bridge()
    await world.telephony.bridge(bridge, [caller.channel, leg])
    await world.hear_each_other(caller, phone)
    await world.telephony.unbridge(bridge)
    await world.telephony.unbridge(bridge)
    await phone.hangup()
    gone = await world.gone(leg)
    assert (gone.cause, gone.by_us, gone.lost) == (16, False, False)
    assert {one.channel for one in await world.telephony.channels()} == {caller.channel}


async def test_who_has_just_left_a_conversation_is_played_what_follows_every_time(world: Any) -> None:
    """Asterisk takes a prompt for somebody who is still leaving a dissolved bridge, plays nothing, and never reports its end."""
    caller, _, leg = await connect(world)
    for number in range(20):
        bridge, prompt = world.new_bridge(), f"p{number}"
        await world.telephony.bridge(bridge, [caller.channel, leg])
        await world.telephony.unbridge(bridge)
        await world.telephony.play(caller.channel, prompt, [BEEP], "en")
        finish(world, prompt)
        assert await world.next(PlaybackEnded) == PlaybackEnded(caller.channel, prompt, failed=False)


async def test_both_sides_keys_are_reported_in_a_conversation(world: Any) -> None:
    caller, phone, leg = await connect(world)
    await world.hear_each_other(caller, phone)
    await caller.press("5")
    pressed = await world.next(KeyPressed)
    assert (pressed.channel, pressed.key) == (caller.channel, "5")
    await phone.press("9")
    pressed = await world.next(KeyPressed)
    assert (pressed.channel, pressed.key) == (leg, "9")


async def test_a_busy_phone(world: Any) -> None:
    phone = await world.phone()
    leg = await world.dial(phone.device)
    await phone.rings()
    await phone.refuse()
    gone = await world.gone(leg)
    assert (gone.cause, gone.sip_status, gone.by_us) == (17, 486, False)


async def test_nobody_answers_in_time(world: Any) -> None:
    phone = await world.phone()
    leg = await world.dial(phone.device, ring_seconds=1)
    await phone.rings()
    gone = await world.gone(leg)
    assert (gone.cause, gone.by_us) == (19, False)


async def test_a_phone_that_is_off_is_an_outcome(world: Any) -> None:
    leg = await world.dial("PJSIP/no-such-phone")
    assert (await world.gone(leg)).cause == 20


async def test_ringing_is_taken_back_because_another_answered(world: Any) -> None:
    phone = await world.phone()
    leg = await world.dial(phone.device)
    await phone.rings()
    await world.telephony.hangup(leg, answered_elsewhere=True)
    gone = await world.gone(leg)
    assert (gone.cause, gone.by_us) == (26, True)


@pytest.mark.parametrize(
    ("cause", "status"),
    [(None, 603), ("normal", 603), ("busy", 486), ("congestion", 503), ("rejected", 403), ("unallocated", 404)],
)
async def test_an_unanswered_call_is_refused_with_the_cause(world: Any, cause: HangupCause | None, status: int) -> None:
    caller = await world.call()
    await world.telephony.hangup(caller.channel, cause)
    assert await caller.is_refused() == status
    assert (await world.gone(caller.channel)).by_us
    await world.telephony.hangup(caller.channel)


async def test_an_answered_call_is_hung_up(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.hangup(caller.channel)
    await caller.is_over()
    gone = await world.gone(caller.channel)
    assert (gone.cause, gone.by_us) == (16, True)


async def test_the_caller_hangs_up(world: Any) -> None:
    caller = await world.answered_call()
    await caller.hangup()
    gone = await world.gone(caller.channel)
    assert (gone.cause, gone.by_us, gone.lost) == (16, False, False)


async def test_the_operator_hangs_up_and_the_caller_stays(world: Any) -> None:
    caller, phone, leg = await connect(world)
    await phone.hangup()
    await world.gone(leg)
    await world.telephony.play(caller.channel, "p1", [DIGIT], "en")
    finish(world, "p1")
    assert not (await world.next(PlaybackEnded)).failed


async def test_the_transfer_key_of_a_phone_is_reported_with_what_stands_in_for_it_until_that_is_hung_up(world: Any) -> None:
    caller, phone = await world.answered_call(), await world.phone()
    leg = await world.dial(phone.device, originator=caller.channel)
    await phone.rings()
    await phone.pick_up()
    await world.next(Answered, leg)
    await world.telephony.bridge(world.new_bridge(), (caller.channel, leg))
    await world.hear_each_other(caller, phone)
    await world.telephony.let_transfer_to("2999", True)
    await world.telephony.let_transfer_to("2999", True)
    await phone.transfer("2999")
    wanted = await world.next(TransferWanted, leg)
    assert wanted.number == "2999"
    await world.telephony.hangup(wanted.stand_in)
    await world.gone(leg)
    await world.telephony.let_transfer_to("2999", False)
    await world.telephony.let_transfer_to("2999", False)
    await caller.hangup()
    await world.gone(caller.channel)


async def test_requests_about_a_channel_that_is_gone(world: Any, tmp_path: Path) -> None:
    caller = await world.answered_call()
    await caller.hangup()
    await world.gone(caller.channel)
    channel, telephony = caller.channel, world.telephony
    for request in (
        telephony.answer(channel),
        telephony.play(channel, "p1", [DIGIT], "en"),
        telephony.start_music(channel),
        telephony.stop_music(channel),
        telephony.bridge(world.new_bridge(), [channel]),
        telephony.continue_in_dialplan(channel, "fallback"),
        telephony.set_variable(channel, "A", "b"),
        telephony.start_recording(channel, str(tmp_path / "late.wav")),
        telephony.stop_recording(channel),
        telephony.pause_recording(channel, True),
        telephony.record_message(channel, new_message(), max_seconds=1, max_silence=1),
    ):
        with pytest.raises(ChannelGone):
            await request
    await telephony.hangup(channel)
    await telephony.stop_playback("p1")
    await telephony.stop_message(new_message())
    await telephony.unbridge(world.new_bridge())


async def test_a_call_goes_on_in_the_dialplan(world: Any) -> None:
    caller = await world.answered_call()
    await world.telephony.continue_in_dialplan(caller.channel, "fallback")
    assert (await world.gone(caller.channel)).by_us
    (one,) = await world.telephony.channels()
    assert (one.channel, one.in_our_app, one.answered) == (caller.channel, False, True)


async def test_a_call_that_we_made_goes_on_in_the_dialplan_and_is_out_of_our_hands_at_once(world: Any) -> None:
    phone = await world.phone()
    leg = await world.dial(phone.device)
    await phone.rings()
    await phone.pick_up()
    await world.next(Answered, leg)
    await world.telephony.continue_in_dialplan(leg, "fallback")
    assert (await world.gone(leg)).by_us
    (one,) = await world.telephony.channels()
    assert (one.channel, one.in_our_app, one.answered) == (leg, False, True)


async def test_channels_are_listed_with_their_call(world: Any) -> None:
    caller, phone = await world.answered_call(), await world.phone()
    await world.telephony.set_variable(caller.channel, "ATTENDANT_CALL", "call-7")
    leg = await world.dial(phone.device)
    await phone.rings()
    listed = {one.channel: one for one in await world.telephony.channels()}
    assert (listed[caller.channel].call, listed[leg].call) == ("call-7", "call-1")
    assert listed[caller.channel].answered and not listed[leg].answered
    assert listed[caller.channel].in_our_app and listed[leg].in_our_app


async def test_a_hundred_and_twenty_requests_at_once(world: Any) -> None:
    caller = await world.answered_call()
    await asyncio.gather(*(world.telephony.set_variable(caller.channel, f"V{n}", "ж" * n) for n in range(120)))


async def test_device_states_follow_the_phone(world: Any) -> None:
    phone = await world.phone()
    await world.is_free(phone)
    await world.dial(phone.device)
    await phone.rings()
    await world.next_system(DeviceStateChanged, device=phone.device, state="ringing")
    await phone.pick_up()
    await world.next_system(DeviceStateChanged, device=phone.device, state="in_use")
    await phone.hangup()
    await world.next_system(DeviceStateChanged, device=phone.device, state="not_in_use")
    await phone.switch_off()
    await world.next_system(DeviceStateChanged, device=phone.device, state="unavailable")


async def test_an_unknown_device_is_unavailable(world: Any) -> None:
    assert await world.telephony.watch_device("PJSIP/no-such-phone") == "unavailable"


async def test_an_account_is_made_twice_and_removed_twice(world: Any) -> None:
    account = SipAccount("3001", "first-Secret", 'Anna "the\r\n<Operator>" Ё', "from-operators")
    await world.telephony.put_sip_account(account)
    await world.telephony.put_sip_account(account)
    await world.telephony.remove_sip_account("3001")
    await world.telephony.remove_sip_account("3001")


async def test_a_recording_is_a_wave_file(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "recordings" / "2026" / "one.wav"
    caller = await world.answered_call()
    await world.telephony.start_recording(caller.channel, str(path))
    await world.telephony.play(caller.channel, "p1", [PROMPT], "en")
    await caller.hears_something()
    await world.telephony.stop_recording(caller.channel)
    with await opened_wave(path) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 8000)


def new_message() -> str:
    return f"messages/2026/{time.time_ns()}"


async def recorded_message(world: Any, name: str) -> bytes:
    """What lies in the file of a recording that is over."""
    path = world.recordings / f"{name}.wav"
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return file.readframes(file.getnframes())


async def test_a_message_is_recorded_until_it_is_stopped(world: Any) -> None:
    caller, name = await world.answered_call(), new_message()
    await world.telephony.record_message(caller.channel, name, max_seconds=20, max_silence=5)
    assert await world.telephony.recording_message(name)
    await caller.says(0.6)
    await world.telephony.stop_message(name)
    assert await world.next(MessageRecorded) == MessageRecorded(caller.channel, name)
    assert not await world.telephony.recording_message(name)
    await world.telephony.stop_message(name)
    pcm = await recorded_message(world, name)
    assert 0.3 < len(pcm) / 16_000 < 1.5 and tones.loudness(pcm) > 0.05
    await world.telephony.play(caller.channel, "p1", [DIGIT], "en")
    finish(world, "p1")
    assert not (await world.next(PlaybackEnded)).failed
    assert sum(isinstance(event, MessageRecorded) for event in world.came) == 1


async def test_a_message_ends_by_silence(world: Any) -> None:
    caller, name = await world.answered_call(), new_message()
    await world.telephony.record_message(caller.channel, name, max_seconds=20, max_silence=1)
    assert await world.next(MessageRecorded) == MessageRecorded(caller.channel, name)
    assert tones.loudness(await recorded_message(world, name)) < 0.01


async def test_a_message_is_cut_when_it_is_too_long(world: Any) -> None:
    caller, name = await world.answered_call(), new_message()
    caller.speaks(True)
    await world.telephony.record_message(caller.channel, name, max_seconds=1, max_silence=5)
    assert await world.next(MessageRecorded) == MessageRecorded(caller.channel, name)
    assert 0.9 < len(await recorded_message(world, name)) / 16_000 < 2.2  # Asterisk looks at whole seconds


async def test_a_hangup_ends_a_message_without_a_word_and_the_file_is_whole(world: Any) -> None:
    caller, name = await world.answered_call(), new_message()
    await world.telephony.record_message(caller.channel, name, max_seconds=20, max_silence=5)
    await caller.says(0.5)
    await caller.hangup()
    await world.gone(caller.channel)
    assert not any(isinstance(event, MessageRecorded) for event in world.came)
    assert not await world.telephony.recording_message(name)
    assert tones.loudness(await recorded_message(world, name)) > 0.05


async def test_a_message_that_cannot_be_written_is_refused_or_ends(world: Any) -> None:
    (world.recordings / "blocked").parent.mkdir(parents=True, exist_ok=True)
    (world.recordings / "blocked").write_text("where a folder should be")
    caller = await world.answered_call()
    try:
        await world.telephony.record_message(caller.channel, "blocked/one", max_seconds=20, max_silence=1)
    except ChannelGone:
        raise
    except TelephonyError:
        pass
    else:
        await world.next(MessageRecorded)
    assert not await world.telephony.recording_message("blocked/one")
    (world.recordings / "blocked").unlink()


async def test_a_recording_is_paused_and_goes_on(world: Any, tmp_path: Path) -> None:
    caller = await world.answered_call()
    await world.telephony.start_recording(caller.channel, str(tmp_path / "paused.wav"))
    await world.telephony.pause_recording(caller.channel, True)
    await world.telephony.pause_recording(caller.channel, False)
    await world.telephony.stop_recording(caller.channel)


async def test_a_trunk_is_put_changed_and_removed_and_all_of_it_may_be_repeated(world: Any) -> None:
    trunk = SipTrunk("trunk-1-abc", "192.0.2.1", 5060, "tcp", "office", "s3cret", registers=True, caller_id="+74950000000")
    for one in (trunk, trunk, replace(trunk, username="", secret="", registers=False)):
        await world.telephony.put_trunk(one)
    await world.telephony.remove_trunk("trunk-1-abc")
    await world.telephony.remove_trunk("trunk-1-abc")


async def test_the_fallback_phones_are_taken(world: Any) -> None:
    await world.telephony.set_fallback_dial(["PJSIP/2001", "PJSIP/2002"])


@pytest.mark.asterisk
async def test_a_recording_has_both_sides(real_world: Any, tmp_path: Path) -> None:
    path = tmp_path / "both.wav"
    caller, phone, _ = await connect(real_world)
    await real_world.telephony.start_recording(caller.channel, str(path))
    await real_world.hear_each_other(caller, phone)
    await caller.call.listen(0.6)
    await caller.hangup()
    await real_world.gone(caller.channel)
    with await opened_wave(path) as file:
        pcm = file.readframes(file.getnframes())
    tail = pcm[-6400:]
    found = {frequency: tones.strength(tail, frequency, 8000) for frequency in (440, 700, 1000)}
    assert found[440] > 0.2 and found[700] > 0.2 and found[1000] < 0.05, found


@pytest.mark.asterisk
async def test_keys_by_sip_info_are_reported(real_world: Any) -> None:
    caller = await real_world.call(dtmf="info")
    await real_world.telephony.answer(caller.channel)
    await caller.is_answered()
    await caller.press("7#")
    assert [(await real_world.next(KeyPressed)).key for _ in range(2)] == ["7", "#"]


@pytest.mark.asterisk
async def test_a_removed_account_can_no_longer_register(real_world: Any) -> None:
    phone = await real_world.phone()
    await real_world.telephony.remove_sip_account(phone.device.removeprefix("PJSIP/"))
    with pytest.raises(Exception, match=r"40[13]"):
        await phone.phone.register()


@pytest.mark.asterisk
async def test_an_account_goes_to_the_browser_and_back_and_no_call_goes_to_a_phone_that_cant_take_it(real_world: Any) -> None:
    phone = await real_world.phone()
    name = phone.device.removeprefix("PJSIP/")
    await real_world.is_free(phone)
    in_browser = SipAccount(name, "another-Secret", "Operator", "from-operators", remote=False, browser=True)
    await real_world.telephony.put_sip_account(in_browser)
    await real_world.next_system(DeviceStateChanged, device=phone.device, state="unavailable")
    with pytest.raises(Exception, match=r"40[13]"):
        await phone.phone.register()
    async with web_phone(real_world.web_sip, name, "another-Secret") as browser:
        assert (await browser.register()).status == 200
        await real_world.next_system(DeviceStateChanged, device=phone.device, state="not_in_use")
        leg = await real_world.dial(phone.device)
        await browser.gets("INVITE")
        assert "a=fingerprint:" in browser.received[-1]
        await real_world.telephony.hangup(leg)
        await real_world.gone(leg)
    await real_world.next_system(DeviceStateChanged, device=phone.device, state="unavailable")
    await real_world.put_account(phone)
    await phone.phone.register()
    await real_world.is_free(phone)
    leg = await real_world.dial(phone.device)
    await phone.rings()
    await phone.refuse()
    await real_world.gone(leg)


@pytest.mark.asterisk
async def test_a_call_whose_mailbox_nobody_empties_does_not_hold_up_another(real_world: Any) -> None:
    stuck = await real_world.answered_call()
    world_mailbox, real_world.mailbox = real_world.mailbox, asyncio.Queue(1)
    real_world.telephony.mailboxes.expect(stuck.channel, real_world.mailbox)
    await stuck.press("123")
    real_world.mailbox = world_mailbox
    other = await real_world.answered_call()
    await other.press("4")
    assert (await real_world.next(KeyPressed, other.channel)).key == "4"
