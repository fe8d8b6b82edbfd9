"""In which order a group's free operators are offered a call. Pure: what chance decides comes from the `Random` that is given.

Every strategy but "ring_all" rings one operator at a time, and decides anew before each offer, among those who are free then and
have not been offered this call yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, TypeAlias

from controller.routing.rules import RoutedOperator
from controller.storage.groups import Strategy

Basis: TypeAlias = str | int | None
"""What a strategy went by for an operator."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """What is known of an operator's work. `talked_until` is the end of his last conversation, None when he has had none;
    `seen_since` is when he was last seen coming to work; `calls_today` counts conversations.
    """

    talked_until: datetime | None = None
    seen_since: datetime | None = None
    calls_today: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator who may be offered the call now; `place` counts from 0 in the group's order."""

    operator: RoutedOperator
    place: int
    facts: OperatorFacts = OperatorFacts()


@dataclass(frozen=True, slots=True)
class Turn:
    """What decides beside the candidates: `last` is the place of the operator whom the group offered a call last, -1 for none."""

    last: int
    random: Random


Order: TypeAlias = Callable[[Sequence[Candidate], Turn], list[Candidate]]


def linear(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """As configured; each call starts from the first (SKZ-23). Also the order of "ring_all"."""
    return list(candidates)


def at_random(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """Anybody, each as likely as the other (SKZ-21)."""
    return turn.random.sample(candidates, len(candidates))


def weighted_random(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """Anybody, one of weight 3 three times as likely to come first as one of weight 1."""
    keys = {one.place: turn.random.random() ** (1 / one.operator.weight) for one in candidates}
    return sorted(candidates, key=lambda one: -keys[one.place])


def longest_idle(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """Whose last conversation ended longest ago; before them those who have had none, longest at work first (SKZ-22)."""
    return sorted(candidates, key=_idle_since)


def round_robin(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """As configured, beginning after the one who was offered a call of this group last, whoever's call it was."""
    return sorted(candidates, key=lambda one: (one.place <= turn.last, one.place))


def fewest_calls(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """Who has had the fewest conversations today; among equals the longest idle."""
    return sorted(candidates, key=lambda one: (one.facts.calls_today, _idle_since(one)))


def levels(candidates: Sequence[Candidate], turn: Turn) -> list[Candidate]:
    """The lowest level first, the next one when nobody of it is free and left; within a level the longest idle."""
    return sorted(candidates, key=lambda one: (one.operator.level, _idle_since(one)))


ORDERS: Final[Mapping[Strategy, Order]] = {
    "ring_all": linear,
    "linear": linear,
    "random": at_random,
    "weighted_random": weighted_random,
    "longest_idle": longest_idle,
    "round_robin": round_robin,
    "fewest_calls": fewest_calls,
    "levels": levels,
}
AT_ONCE: Final = frozenset[Strategy]({"ring_all"})
BY_CHANCE: Final = frozenset[Strategy]({"random", "weighted_random"})


def basis(strategy: Strategy, candidate: Candidate) -> Basis:
    """What the strategy went by, for who asks later why it chose him."""
    match strategy:
        case "weighted_random":
            return candidate.operator.weight
        case "fewest_calls":
            return candidate.facts.calls_today
        case "levels":
            return candidate.operator.level
        case "longest_idle":
            moment = candidate.facts.talked_until
            return None if moment is None else moment.isoformat(timespec="milliseconds")
        case "ring_all" | "linear" | "random" | "round_robin":
            return candidate.place + 1


def _idle_since(candidate: Candidate) -> tuple[bool, datetime, int]:
    facts = candidate.facts
    return facts.talked_until is not None, facts.talked_until or facts.seen_since or _LONG_AGO, candidate.place
