"""Our own ids, made before the thing they name, so that its first event finds its owner.

All are ULIDs: sortable by time, safe in URLs, file names and dialplan text.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from ulid import ULID

CallId = NewType("CallId", str)
ChannelId = NewType("ChannelId", str)
BridgeId = NewType("BridgeId", str)

BROWSER_DOMAIN: Final = "browser"
"""What operators' pages register their telephones for."""


def new_call_id() -> CallId:
    return CallId(str(ULID()))


def new_file_id() -> str:
    """For a file that nothing else names."""
    return str(ULID())


def operator_leg_id(call: CallId, attempt: int) -> ChannelId:
    """The id of the `attempt`-th operator leg of a call (1, 2, …)."""
    return ChannelId(f"{call}-op{attempt}")


def callback_channel_id(call: CallId) -> ChannelId:
    """The id of the line to a caller who is called back."""
    return ChannelId(f"{call}-back")


def is_callback_channel(channel: ChannelId) -> bool:
    """Whether this is a line that `callback_channel_id` named."""
    return channel.endswith("-back")


def is_operator_leg(channel: ChannelId) -> bool:
    """Whether this is a line that `operator_leg_id` named."""
    return re.search(r"-op\d+$", channel) is not None


def client_channel_id(call: CallId) -> ChannelId:
    """The id of the first line of a call that an operator has asked for: to a number outside, or his own to a colleague."""
    return ChannelId(f"{call}-client")


def is_client_channel(channel: ChannelId) -> bool:
    """Whether this is a line that `client_channel_id` named."""
    return channel.endswith("-client")


def confirmation_channel_id(call: CallId) -> ChannelId:
    """The id of the line on which a number is told the code that confirms it."""
    return ChannelId(f"{call}-confirm")


def is_confirmation_channel(channel: ChannelId) -> bool:
    """Whether this is a line that `confirmation_channel_id` named."""
    return channel.endswith("-confirm")


def trunk_name(trunk: int, mark: str) -> str:
    """What a trunk is called in Asterisk; `mark` tells where its carrier is."""
    return f"trunk-{trunk}-{mark}"


def trunk_id_of(device: str) -> int | None:
    """The id of the trunk that a device ("PJSIP/number@trunk") is reached through; None: it is a phone of ours."""
    found = re.search(r"@trunk-(\d+)(-|$)", device)
    return None if found is None else int(found[1])


def bridge_id(call: CallId, number: int) -> BridgeId:
    """The bridge of the `number`-th conversation in the call, consultations included."""
    return BridgeId(f"{call}-bridge.{number}")
