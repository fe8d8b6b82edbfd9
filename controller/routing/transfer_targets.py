"""Keeps Asterisk informed of whom the transfer keys of phones may reach (SKZ-68).

A phone is told that its transfer is done the moment Asterisk has begun with it, before anybody could decide about it: so
Asterisk must know who is available before it is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final

from controller.errors import TelephonyError
from controller.presence import PresenceTracker
from controller.telephony.events import Connected, SystemEvent
from controller.telephony.port import Telephony

log = logging.getLogger(__name__)

RETRY_AFTER: Final = 2.0
"""Seconds until Asterisk is told again when it could not be."""


class TransferTargets:
    """`run()` must be running. `engaged` tells whom the distribution keeps for a call, whose own phone may be quiet meanwhile."""

    def __init__(self, telephony: Telephony, presence: PresenceTracker, engaged: Callable[[], Collection[str]]) -> None:
        self._telephony = telephony
        self._presence = presence
        self._engaged = engaged
        self._told: dict[str, bool] = {}
        self._news = asyncio.Event()
        presence.subscribe(lambda extension, state: self.look_again())
        telephony.listen(self._on_system_event)

    @property
    def told(self) -> frozenset[str]:
        """Who may be reached now, as far as Asterisk knows."""
        return frozenset(extension for extension, allowed in self._told.items() if allowed)

    def look_again(self) -> None:
        """Who is engaged has changed."""
        self._news.set()

    async def run(self) -> None:
        """Tell every change, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._tell()
            except TelephonyError as error:
                log.info("Asterisk does not know yet who may be transferred to: %s", error)
                asyncio.get_running_loop().call_later(RETRY_AFTER, self._news.set)

    def _on_system_event(self, event: SystemEvent) -> None:
        if isinstance(event, Connected):
            self._told.clear()
            self._news.set()

    async def _tell(self) -> None:
        states = dict(self._presence.states)
        for extension in self._told.keys() - states.keys():
            await self._telephony.let_transfer_to(extension, False)
            self._told.pop(extension, None)
        for extension, state in states.items():
            allowed = state == "available" and extension not in self._engaged()
            if self._told.get(extension) is not allowed:
                await self._telephony.let_transfer_to(extension, allowed)
                self._told[extension] = allowed
