"""Which call an event goes to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from controller.ids import ChannelId
from controller.telephony.events import ChannelEntered, Gone, KeyPressed
from controller.telephony.mailboxes import Mailboxes, new_mailbox

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ONE, TWO = ChannelId("one"), ChannelId("two")


def entered(channel: ChannelId) -> ChannelEntered:
    return ChannelEntered(channel, NOW, ("inbound", "8000"), "", "", answered=False)


async def test_an_event_goes_to_its_own_call() -> None:
    boxes, first, second = Mailboxes(), new_mailbox(), new_mailbox()
    boxes.expect(ONE, first)
    boxes.expect(TWO, second)
    boxes.deliver(KeyPressed(TWO, NOW, "1"))
    assert first.empty()
    assert second.get_nowait() == KeyPressed(TWO, NOW, "1")


async def test_a_stranger_goes_to_the_newcomer_handler_once_known_to_its_mailbox() -> None:
    boxes, box, strangers = Mailboxes(), new_mailbox(), []
    boxes.on_newcomer(lambda event: (strangers.append(event), boxes.expect(event.channel, box)))  # type: ignore[arg-type,return-value]
    boxes.deliver(entered(ONE))
    boxes.deliver(KeyPressed(ONE, NOW, "5"))
    assert strangers == [entered(ONE)]
    assert box.get_nowait() == KeyPressed(ONE, NOW, "5")


async def test_events_of_nobody_are_counted() -> None:
    boxes = Mailboxes()
    boxes.deliver(KeyPressed(ONE, NOW, "5"))
    assert boxes.dropped == 1


async def test_the_end_frees_the_place() -> None:
    boxes, box = Mailboxes(), new_mailbox()
    boxes.expect(ONE, box)
    boxes.deliver(Gone(ONE, NOW, 16))
    boxes.deliver(KeyPressed(ONE, NOW, "5"))
    assert not boxes.expected
    assert [box.get_nowait(), box.qsize()] == [Gone(ONE, NOW, 16), 0]


async def test_a_full_mailbox_still_takes_the_end() -> None:
    boxes, box = Mailboxes(), asyncio.Queue[object](2)
    boxes.expect(ONE, box)
    for key in ("1", "2", "3"):
        boxes.deliver(KeyPressed(ONE, NOW, key))  # type: ignore[arg-type]
    boxes.deliver(Gone(ONE, NOW, 16))
    assert [box.get_nowait(), box.get_nowait()] == [KeyPressed(ONE, NOW, "2"), Gone(ONE, NOW, 16)]
    assert boxes.dropped == 2
