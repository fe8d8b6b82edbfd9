"""How a group's calls are distributed."""

from __future__ import annotations

from dataclasses import dataclass

from controller.storage.groups import GroupView, Strategy


@dataclass(frozen=True, slots=True)
class RoutedOperator:
    """An operator as the distribution sees him."""

    id: int
    extension: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupRule:
    """A group as the distribution sees it, operators in order.

    Strategies: "ring_all" rings every free operator at once; "linear" one after another in the configured order, each call
    from the first.
    """

    name: str
    strategy: Strategy
    ring_seconds: float
    operators: tuple[RoutedOperator, ...]

    @classmethod
    def of(cls, group: GroupView) -> GroupRule:
        """The rule of a stored group."""
        operators = tuple(RoutedOperator(member.operator_id, member.extension, member.name) for member in group.members)
        return cls(group.name, group.strategy, group.ring_seconds, operators)
