"""Ringing somebody on a line of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from controller.calls import ringing
from controller.calls.ringing import NotRung, Rung, ring
from controller.errors import TelephonyUnavailable
from controller.ids import CallId, ChannelId
from controller.routing import Number, OperatorLineEnded
from controller.telephony.causes import BUSY
from controller.telephony.events import Answered, Gone
from controller.telephony.fake import FakeTelephony
from controller.telephony.fake_people import FakePhone
from controller.telephony.mailboxes import Mailbox, new_mailbox
from tests.fixtures.waiting import until

LINE, OPERATOR = ChannelId("call-1-client"), ChannelId("call-1-op1")
MOBILE = Number("PJSIP/79161234567@carrier", 20, "79161234567", outside=True)


@pytest.fixture
def telephony() -> FakeTelephony:
    return FakeTelephony()


@pytest.fixture
def phone(telephony: FakeTelephony) -> FakePhone:
    return telephony.phone(MOBILE.device).silent()


async def rung(telephony: FakeTelephony, mailbox: Mailbox | None = None) -> Rung:
    call = CallId("call-1")
    return await ring(telephony, call, LINE, MOBILE, mailbox or new_mailbox(), shows="100", rung_for=OPERATOR)


async def test_who_answers_keeps_his_line(telephony: FakeTelephony, phone: FakePhone) -> None:
    phone.answers()
    answered = await rung(telephony)
    assert isinstance(answered, Answered) and answered.channel == LINE
    assert LINE in telephony.lines and LINE in telephony.mailboxes.expected


async def test_who_is_busy_says_so(telephony: FakeTelephony, phone: FakePhone) -> None:
    phone.busy()
    gone = await rung(telephony)
    assert isinstance(gone, Gone) and (gone.cause, gone.sip_status) == (BUSY, 486)


async def test_the_ringing_ends_with_the_operator_for_whom_it_is(telephony: FakeTelephony, phone: FakePhone) -> None:
    mailbox = new_mailbox()
    calling = asyncio.create_task(rung(telephony, mailbox))
    await until(lambda: phone.rung == 1)
    mailbox.put_nowait(OperatorLineEnded(ChannelId("another"), datetime.now(UTC)))
    mailbox.put_nowait(end := OperatorLineEnded(OPERATOR, datetime.now(UTC)))
    assert await calling == end
    assert telephony.lines == {} and telephony.mailboxes.expected == frozenset()


async def test_a_line_of_which_nothing_is_heard_is_given_up(
    telephony: FakeTelephony, phone: FakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "SLACK", -MOBILE.ring_seconds + 0.05)
    assert await rung(telephony) == NotRung()
    assert (phone.rung, telephony.lines, telephony.mailboxes.expected) == (1, {}, frozenset())


async def test_an_asterisk_that_refuses_is_not_waited_for(telephony: FakeTelephony, phone: FakePhone) -> None:
    error = TelephonyUnavailable("no connection")
    telephony.fail_next("dial", error)
    assert await rung(telephony) == NotRung(error)
    assert (phone.rung, telephony.mailboxes.expected) == (0, frozenset())


async def test_nothing_rings_on_when_it_is_called_off(telephony: FakeTelephony, phone: FakePhone) -> None:
    calling = asyncio.create_task(rung(telephony))
    await until(lambda: phone.rung == 1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert (telephony.lines, telephony.mailboxes.expected) == ({}, frozenset())
