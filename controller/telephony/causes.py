"""Why a channel ended, in the numbers of Q.850."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.commands import HangupCause

UNKNOWN = 0
NORMAL_CLEARING = 16
BUSY = 17
NO_ANSWER = 19
ABSENT = 20
"""The phone is off."""
REJECTED = 21
ANSWERED_ELSEWHERE = 26
OUT_OF_ORDER = 27
"""The channel vanished while we could not look."""
NO_CHANNEL = 34
OUTGOING_BARRED = 52

OURS: Mapping[HangupCause, int] = {"normal": 16, "busy": 17, "congestion": 34, "rejected": 21, "unallocated": 1}
"""What our own hang-ups say."""


def of_hangup(cause: HangupCause | None, *, answered_elsewhere: bool = False) -> int:
    """The number that a hang-up of ours is sent with."""
    if answered_elsewhere:
        return ANSWERED_ELSEWHERE
    return OURS[cause] if cause else NORMAL_CLEARING
