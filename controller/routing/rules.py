"""How a group's calls are distributed, and how somebody in particular is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, TypeAlias

from controller.ids import trunk_id_of
from controller.presence.tracker import device_of
from controller.schedules import zone_of
from controller.storage.groups import GroupTerms, GroupView, Strategy

NO_TERMS: Final = GroupTerms()
SHORTEST_CONVERSATION: Final = 1.0
"""Seconds by Asterisk's clock; an operator who drops the call sooner has not taken it."""


@dataclass(frozen=True, slots=True)
class RoutedOperator:
    """An operator as the distribution sees him; weight and level are those of a group's member. `zone` is his own, if known."""

    id: int
    extension: str
    name: str
    weight: int = 1
    level: int = 1
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class GroupRule:
    """A group as the distribution sees it, operators in order. Each is rung on his own phone. `version` tells this rule from the
    group's earlier ones.
    """

    name: str
    strategy: Strategy
    ring_seconds: float
    operators: tuple[RoutedOperator, ...]
    terms: GroupTerms = NO_TERMS
    version: int = 1

    @classmethod
    def of(cls, group: GroupView) -> GroupRule:
        """The rule of a stored group."""
        operators = tuple(
            RoutedOperator(
                member.operator_id, member.extension, member.name, member.weight, member.level, zone_of(member.time_zone)
            )
            for member in group.members
        )
        return cls(group.name, group.strategy, group.ring_seconds, operators, group.terms, group.version)


@dataclass(frozen=True, slots=True)
class Number:
    """Where somebody is rung, for `ring_seconds` at most: `device` is what Asterisk dials, `shown` what people call it.

    `outside`: it is reached through a trunk, so nothing is known of its state, and it may take its time until it rings.
    """

    device: str
    ring_seconds: float
    shown: str
    outside: bool = False

    @property
    def trunk(self) -> str:
        """The name of the trunk that a number outside is reached through."""
        return trunk_of(self.device)

    @property
    def trunk_id(self) -> int | None:
        """The id of the trunk that takes the call; None for a phone of ours."""
        return trunk_id_of(self.device)


def device_outside(number: str, trunk: str) -> str:
    """What Asterisk dials to reach a number outside."""
    return f"PJSIP/{number}@{trunk}"


def trunk_of(device: str) -> str:
    """The trunk of what `device_outside` gave."""
    return device.rpartition("@")[2]


def phone_of(extension: str, ring_seconds: float) -> Number:
    """An operator's own phone."""
    return Number(device_of(extension), ring_seconds, extension)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in particular: an employee, or (`operator` None) whoever answers a number outside.

    His numbers are rung one after another, never two at once. Nobody waits for him: when he talks or is being rung for another
    caller, he is not reached (UIS-35, UIS-39). `forwarded`: he is rung for a call that was missed in the house (SKZ-32).
    """

    operator: RoutedOperator | None
    numbers: tuple[Number, ...]
    forwarded: bool = False

    @property
    def ring_seconds(self) -> float:
        """How long all his numbers ring together."""
        return sum(number.ring_seconds for number in self.numbers)


Target: TypeAlias = str | Person
"""Whom a caller wants: anybody of the group of this name, or one person."""


def name_of(target: Target) -> str:
    """What people call it."""
    if isinstance(target, str):
        return target
    if target.operator is not None:
        return target.operator.extension
    return target.numbers[0].shown if target.numbers else "nobody"
