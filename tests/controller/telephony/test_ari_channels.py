"""What Asterisk tells of channels, in every order that it may tell it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from controller.ids import ChannelId
from controller.telephony.ari_channels import Channels
from controller.telephony.events import Gone
from controller.telephony.mailboxes import Mailboxes, new_mailbox

AT = "2026-05-04T12:00:00.000+0000"
OPERATOR, STAND_IN, CALLER = "operator", "Local/2003@transferring;1", "caller"


def channel(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "state": "Up", "caller": {"number": "1", "name": ""}}


TAKEN_OUT = {
    "type": "StasisStart",
    "timestamp": AT,
    "args": [],
    "channel": channel(STAND_IN),
    "replace_channel": channel(OPERATOR),
}
LEFT = {"type": "StasisEnd", "timestamp": AT, "channel": channel(OPERATOR)}
TRANSFERRED = {
    "type": "BridgeBlindTransfer",
    "timestamp": AT,
    "exten": "2003",
    "channel": channel(OPERATOR),
    "replace_channel": channel(STAND_IN),
}
JOINED = {
    "type": "BridgeAttendedTransfer",
    "timestamp": AT,
    "transferer_first_leg": channel(OPERATOR),
    "transferer_second_leg": channel("second"),
    "transfer_target": channel("colleague"),
    "transferee": channel(CALLER),
    "replace_channel": channel(STAND_IN),
}


@pytest.mark.parametrize(
    "told", [*permutations((TAKEN_OUT, LEFT, TRANSFERRED))], ids=lambda told: "-".join(one["type"] for one in told)
)
@pytest.mark.parametrize("transfer", [TRANSFERRED, JOINED], ids=["blind", "attended"])
async def test_a_line_that_has_transferred_is_gone_once_and_not_before_the_transfer(told: Any, transfer: Any) -> None:
    mailboxes, mailbox = Mailboxes(), new_mailbox()
    channels = Channels("app", mailboxes, lambda event: None)
    mailboxes.expect(ChannelId(OPERATOR), mailbox)
    channels.expect_dialled(ChannelId(OPERATOR)).set_result(None)
    for frame in told:
        channels.take(transfer if frame is TRANSFERRED else frame)
    events = [mailbox.get_nowait() for _ in range(mailbox.qsize())]
    assert [isinstance(event, Gone) for event in events] == [False, True]
    assert not mailboxes.expected
