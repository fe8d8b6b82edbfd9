"""The script language of the telephony in memory; what it promises as a Telephony is in tests/contracts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from controller.errors import TelephonyError, TelephonyUnavailable
from controller.ids import ChannelId
from controller.telephony.events import Answered, ChannelEntered, Disconnected, Gone, PlaybackEnded, Ringing
from controller.telephony.fake import FakeTelephony
from controller.telephony.mailboxes import Mailbox, new_mailbox

LEG = ChannelId("leg")


@pytest.fixture
def fake() -> FakeTelephony:
    return FakeTelephony()


@pytest.fixture
def mailbox(fake: FakeTelephony) -> Mailbox:
    mailbox = new_mailbox()

    def newcomer(event: ChannelEntered) -> None:
        fake.mailboxes.expect(event.channel, mailbox)
        mailbox.put_nowait(event)

    fake.mailboxes.on_newcomer(newcomer)
    fake.mailboxes.expect(LEG, mailbox)
    return mailbox


async def came(mailbox: Mailbox, last: type[Any]) -> list[type[Any]]:
    """The kinds of events up to one of kind `last`."""
    kinds: list[type[Any]] = []
    async with asyncio.timeout(5):
        while last not in kinds:
            kinds.append(type(await mailbox.get()))
    return kinds


async def dial(fake: FakeTelephony, ring_seconds: float = 5) -> None:
    await fake.dial(LEG, "PJSIP/1", ring_seconds=ring_seconds, originator=None, caller_number="1", caller_name="", variables={})


async def test_a_caller_presses_hears_and_hangs_up(fake: FakeTelephony, mailbox: Mailbox) -> None:
    caller = fake.call("8000", caller="+7495", name="Anna")
    await fake.answer(caller.channel)
    await fake.play(caller.channel, "p1", ["sound:hello", "sound:there"], "en")
    assert caller.heard == ["sound:hello", "sound:there"]
    assert await came(mailbox, PlaybackEnded) == [ChannelEntered, PlaybackEnded]
    caller.hangup()
    assert (caller.state, caller.ended_with) == ("ended", 16)
    assert [request.method for request in fake.requests] == ["answer", "play"]


async def test_a_held_prompt_ends_when_told(fake: FakeTelephony, mailbox: Mailbox) -> None:
    fake.hold_playbacks = True
    caller = fake.call("8000")
    await fake.play(caller.channel, "p1", ["sound:hello"], "en")
    assert await fake.playing("p1")
    fake.finish_playback("p1")
    assert not await fake.playing("p1")


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("answers", [Ringing, Answered]),
        ("answers_and_drops", [Ringing, Answered, Gone]),
        ("busy", [Ringing, Gone]),
        ("refuses", [Ringing, Gone]),
        ("silent", [Ringing, Gone]),
        ("off", [Gone]),
    ],
)
async def test_phones_do_as_they_are_told(
    fake: FakeTelephony, mailbox: Mailbox, behaviour: str, expected: list[type[Any]]
) -> None:
    getattr(fake.phone("PJSIP/1"), behaviour)()
    await dial(fake, ring_seconds=0.01)
    assert await came(mailbox, expected[-1]) == expected


async def test_a_phone_in_a_call_is_busy_for_the_next(fake: FakeTelephony, mailbox: Mailbox) -> None:
    phone = fake.phone("PJSIP/1").answers()
    await dial(fake)
    await came(mailbox, Answered)
    second = ChannelId("second")
    fake.mailboxes.expect(second, mailbox)
    await fake.dial(second, "PJSIP/1", ring_seconds=5, originator=None, caller_number="", caller_name="", variables={})
    assert await came(mailbox, Gone) == [Gone]
    assert (phone.state, phone.channel) == ("in_use", LEG)


async def test_a_break_loses_calls_that_end_meanwhile(fake: FakeTelephony, mailbox: Mailbox) -> None:
    reported: list[object] = []
    fake.listen(reported.append)
    caller = fake.call("8000")
    fake.disconnect("cut")
    assert reported == [Disconnected("cut")]
    with pytest.raises(TelephonyUnavailable):
        await fake.answer(caller.channel)
    caller.hangup()
    assert await came(mailbox, ChannelEntered) == [ChannelEntered] and mailbox.empty()
    fake.reconnect()
    gone = mailbox.get_nowait()
    assert isinstance(gone, Gone) and gone.lost


async def test_the_next_request_can_be_made_to_fail(fake: FakeTelephony) -> None:
    caller = fake.call("8000")
    fake.fail_next("answer", TelephonyError("told to"))
    with pytest.raises(TelephonyError, match="told to"):
        await fake.answer(caller.channel)
    await fake.answer(caller.channel)
