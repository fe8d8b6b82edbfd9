"""What is known of operators' work, for the strategies that go by it, and how long a caller has to wait. Values in, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from controller.routing.strategies import OperatorFacts

REMEMBERED: Final = 20
"""Conversations of a group from which the expected wait is taken."""
ENOUGH: Final = 3
"""With fewer nobody can honestly say how long it takes."""


@dataclass(frozen=True, slots=True)
class PastWork:
    """What calls' history says of an operator: the end of his last conversation, and how many he has had today."""

    extension: str
    talked_until: datetime | None
    calls_today: int


class WorkHistory:
    """Loaded once and kept up by what happens. "Today" is that of `zone`."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._facts: dict[str, OperatorFacts] = {}
        self._lengths: dict[str, deque[float]] = {}
        self._today: object = None

    def load(self, past: Iterable[PastWork]) -> None:
        """What was before."""
        for one in past:
            self._facts[one.extension] = OperatorFacts(one.talked_until, None, one.calls_today)

    def forget(self, extension: str) -> None:
        """The operator is removed; who gets his extension next begins anew."""
        self._facts.pop(extension, None)

    def comes(self, extension: str, at: datetime) -> None:
        """An operator comes to work."""
        self._facts[extension] = replace(self.of(extension), seen_since=at)

    def talk_begins(self, extension: str, at: datetime) -> None:
        """A conversation counts for the day it began on."""
        self.at(at)
        facts = self.of(extension)
        self._facts[extension] = replace(facts, calls_today=facts.calls_today + 1)

    def talk_undone(self, extension: str) -> None:
        """What has begun was no conversation."""
        facts = self.of(extension)
        self._facts[extension] = replace(facts, calls_today=max(facts.calls_today - 1, 0))

    def talk_ends(self, extension: str, at: datetime, group: str | None, seconds: float) -> None:
        """`seconds`: how long it was, with the operator's wrap-up; `group` is None for who was wanted in particular."""
        self._facts[extension] = replace(self.of(extension), talked_until=at)
        if group is not None:
            self._lengths.setdefault(group, deque(maxlen=REMEMBERED)).append(seconds)

    def at(self, now: datetime) -> None:
        """It is `now`: with a new day everybody begins with no calls."""
        today = now.astimezone(self._zone).date()
        if self._today not in (None, today):
            self._facts = {extension: replace(facts, calls_today=0) for extension, facts in self._facts.items()}
        self._today = today

    def of(self, extension: str) -> OperatorFacts:
        """What is known of him."""
        return self._facts.get(extension, OperatorFacts())

    def usual_seconds(self, group: str) -> float | None:
        """How long one of the group's last conversations kept its operator; None when there were too few to say."""
        lengths = self._lengths.get(group, ())
        return sum(lengths) / len(lengths) if len(lengths) >= ENOUGH else None


def expected_wait(position: int, operators: int, usual_seconds: float | None) -> float | None:
    """Seconds until the caller at this place (1 is next) gets one of so many operators, all of them busy; None: nobody can say.

    Each operator becomes free once in `usual_seconds`, at any moment of it, so all together `operators` times as often.
    """
    return None if usual_seconds is None or operators == 0 else position * usual_seconds / operators
