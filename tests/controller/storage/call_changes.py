"""What happens to typical calls, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from controller.ids import CallId, ChannelId
from controller.storage.calls import Outcome
from controller.storage.journal_changes import (
    CallAnswered,
    CallEnded,
    CallStarted,
    Change,
    LegAnswered,
    LegConnected,
    LegEnded,
    LegStarted,
    RecordingEnded,
    RecordingStarted,
    StepEntered,
    StepLeft,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def second(number: float) -> datetime:
    """`number` seconds after noon."""
    return NOON + timedelta(seconds=number)


def started(call: str, at: float = 0, caller: str = "79161234567", called: str = "8000") -> CallStarted:
    return CallStarted(CallId(call), second(at), caller, "Ann", called, "Demo line", "en", 1)


def ended(call: str, at: float = 60, outcome: Outcome = "ended") -> CallEnded:
    return CallEnded(CallId(call), second(at), "caller", 16, outcome)


def talk(call: str, at: float = 0, extension: str = "2001", caller: str = "79161234567") -> list[Change]:
    """A caller presses 1, is connected after 12 s with the second operator that is rung, and talks for 30 s."""
    id, first, leg = CallId(call), ChannelId(f"{call}-op1"), ChannelId(f"{call}-op2")
    return [
        started(call, at, caller),
        CallAnswered(id, second(at + 1)),
        StepEntered(id, 1, second(at + 1), "menu", "Sales or support?", "menu"),
        StepLeft(id, 1, second(at + 5), "1", "1", ("demo-menu:ru",)),
        StepEntered(id, 2, second(at + 5), "sales", "Sales", "forward_to_group"),
        LegStarted(id, first, second(at + 6), 7, "Bob", "2009"),
        LegEnded(id, first, second(at + 7), 17, 486),
        LegStarted(id, leg, second(at + 8), 8, "Eve", extension),
        LegAnswered(id, leg, second(at + 11)),
        LegConnected(id, leg, second(at + 12)),
        RecordingStarted(id, f"{call}-rec", second(at + 12), f"2026/05/04/{call}.wav"),
        RecordingEnded(id, f"{call}-rec", second(at + 42)),
        LegEnded(id, leg, second(at + 42), 16),
        StepLeft(id, 2, second(at + 42), None),
        ended(call, at + 42, "talked"),
    ]
