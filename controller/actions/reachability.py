"""Whether callers reach a number, and what would serve them (LNR-3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from controller.schedules import State
from controller.storage.numbers import NumberView
from controller.storage.trunks import Trunk

Service: TypeAlias = Literal[
    "refused", "scenario", "off_hours_scenario", "group", "campaign", "no_answer_prompt", "off_hours_prompt", "not_in_service"
]


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves a caller; `name` is the scenario's, the group's or the campaign's."""

    by: Service
    name: str = ""


def serving(number: NumberView, published: Collection[str], hours: State | None, campaign: str | None = None) -> Serving:
    """What would serve a caller of the number while its schedule is so; None: it has none. `published` names scenarios,
    `campaign` its campaign.
    """
    if not number.row.incoming:
        return Serving("refused")
    if hours in ("closed", "holiday"):
        if number.off_hours_scenario in published:
            return Serving("off_hours_scenario", number.off_hours_scenario or "")
        return Serving("off_hours_prompt")
    if number.scenario in published:
        return Serving("scenario", number.scenario or "")
    if number.group is not None:
        return Serving("group", number.group)
    if campaign is not None:
        return Serving("campaign", campaign)
    return Serving("not_in_service" if hours is None else "no_answer_prompt")


def bringing(number: NumberView, trunks: Iterable[Trunk]) -> list[Trunk]:
    """The trunks that could bring its calls: the one it belongs to, or, where it belongs to none, all; only those that are
    connected and take calls.
    """
    return [trunk for trunk in trunks if trunk.enabled and trunk.inbound and number.row.trunk_id in (None, trunk.id)]
