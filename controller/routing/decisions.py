"""Why a call was offered to somebody: kept with the call, and enough to decide it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from controller.ids import CallId
from controller.presence import OperatorState
from controller.routing.strategies import Basis
from controller.storage.journal_changes import RoutingDecided

Rule: TypeAlias = Literal["strategy", "owner", "person", "kept", "forwarded", "picked_up", "nobody"]
"""What decided: the group's strategy, the caller's own operator (SKZ-24), one person was wanted, the operator was kept for whom
we called back, the missed call is forwarded to a phone outside (SKZ-32), somebody picked up what rang elsewhere (SKZ-61), or
nobody could be chosen."""

Hindrance: TypeAlias = OperatorState | Literal["engaged", "already_offered", "outside_his_working_time"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in the order of the strategy."""

    extension: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody who was no candidate; `call` is the one that he is "engaged" with."""

    extension: str
    hindrance: Hindrance
    call: CallId | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice, all as it was at that moment, though who was "kept" is rung only later. `strategy` and `version` are the
    group's, "" and 0 where there is none; `seed` is what chance began with.

    `order` has the candidates as the strategy put them, `offered` who was rung. Of a call that was "picked_up", `offered` is who
    did that, and at those `left_out` it rang.
    """

    rule: Rule
    target: str
    strategy: str
    version: int
    offered: tuple[str, ...]
    order: tuple[Ranked, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    seed: int | None = None


def on_record(why: Decision, call: CallId, number: int, at: datetime) -> RoutingDecided:
    """The decision as it is kept with the call, of which it is the `number`-th."""
    left_out = tuple((one.extension, one.hindrance, one.call) for one in why.left_out)
    order = tuple((one.extension, one.basis) for one in why.order)
    return RoutingDecided(
        call, number, at, why.rule, why.target, why.strategy, why.version, why.offered, order, left_out, why.seed
    )
