"""Whose calls are not taken (UIS-43): the block list, kept in memory so that an arriving call waits for no database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from controller.calls.facts import CallTools
from controller.calls.numbers import Route
from controller.errors import AttendantError
from controller.storage.calls import BLOCKED_CALLER
from controller.storage.contacts import BlockAction, BlockEntry, count_block_hit
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle
from ivr.operations import CallerList, HangUp, InfoMessage
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

COUNTED_WITHIN: Final = 2.0
"""Seconds that the database has to count somebody who was blocked."""
_BLOCKED: Final = NodeId(BLOCKED_CALLER)
_GOODBYE: Final = NodeId("goodbye")
_TITLE: Final = "On the block list"
_SCENARIOS: Final[Mapping[BlockAction, Scenario]] = {
    "reject": Scenario(start=_BLOCKED, nodes={_BLOCKED: Node(operation=HangUp(cause="rejected"), title=_TITLE)}),
    "busy": Scenario(start=_BLOCKED, nodes={_BLOCKED: Node(operation=HangUp(cause="busy"), title=_TITLE)}),
    "message": Scenario(
        start=_BLOCKED,
        nodes={
            _BLOCKED: Node(
                operation=InfoMessage(message=(PromptRef("number-not-in-service"),)), links={"next": _GOODBYE}, title=_TITLE
            ),
            _GOODBYE: Node(operation=HangUp()),
        },
    ),
}


class BlockList:
    """The entries, to be asked for a number as `controller.addresses.phone_number` gives it."""

    def __init__(self, entries: Iterable[BlockEntry] = ()) -> None:
        self._by_pattern: dict[tuple[str, str], BlockEntry] = {(one.kind, one.pattern): one for one in entries}

    def __len__(self) -> int:
        return len(self._by_pattern)

    def entry_of(self, number: str, at: datetime) -> BlockEntry | None:
        """The entry in force that fits best: the number itself before a beginning, a longer beginning before a shorter."""
        beginnings = (("prefix", number[:length]) for length in range(len(number), 0, -1))
        found = (self._by_pattern.get(key) for key in (("exact", number), *beginnings))
        return next((entry for entry in found if entry is not None and entry.in_force(at)), None)


async def count_hit(entry: int, tools: CallTools, by: float | None = None) -> None:
    """Count that this entry has blocked a caller; a count that fails changes nothing for him. The database has until the event
    loop's moment `by`, None: COUNTED_WITHIN seconds.
    """
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + COUNTED_WITHIN if by is None else by):
            await tools.database.run(count_block_hit, entry)
    except (AttendantError, TimeoutError) as error:
        log.warning("the hit of blocked number %d was not counted: %s", entry, str(error) or "no answer")


def blocking(route: Route, action: BlockAction) -> Route:
    """The number's route for a caller on the block list; he becomes no lead of its campaign."""
    bundle, nothing = ScenarioBundle(_SCENARIOS[action]), dict[str, int]()
    return replace(route, bundle=bundle, scenario_version=None, inserted_versions=nothing, campaign=None)


def asks_itself(bundle: ScenarioBundle) -> bool:
    """Whether the scenario, or one that it inserts, decides itself what blocked callers get."""
    return any(isinstance(node.operation, CallerList) and "blocked" in node.links for node in bundle.nodes())
