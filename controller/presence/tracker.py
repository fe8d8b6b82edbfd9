"""Operators' states from their phones' states, as Asterisk reports them.

A phone whose state Asterisk does not know counts as offline: better no call than a call into the void.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

from controller.errors import TelephonyError
from controller.telephony.events import DeviceState, DeviceStateChanged, SystemEvent
from controller.telephony.port import Telephony

log = logging.getLogger(__name__)

OperatorState: TypeAlias = Literal["offline", "available", "ringing", "talking"]
Subscriber: TypeAlias = Callable[[str, OperatorState], None]

_STATES: Final[dict[DeviceState, OperatorState]] = {
    "unavailable": "offline",
    "unknown": "offline",
    "not_in_use": "available",
    "ringing": "ringing",
    "in_use": "talking",
}


def device_of(extension: str) -> str:
    """The device name of an operator's phone: also the address that dials it."""
    return f"PJSIP/{extension}"


class PresenceTracker:
    """Keeps every operator's state; subscribers are told of each change, synchronously, and must not wait."""

    def __init__(self, telephony: Telephony) -> None:
        self._telephony = telephony
        self._states: dict[str, OperatorState] = {}
        self._subscribers: list[Subscriber] = []
        telephony.listen(self._on_event)

    @property
    def states(self) -> Mapping[str, OperatorState]:
        """State by extension."""
        return self._states

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    async def watch(self, extensions: Iterable[str]) -> None:
        """Watch these operators and no others from now on.

        A phone that can't be watched now (Asterisk away) is offline until Asterisk reports it after the reconnection.
        """
        wanted = set(extensions)
        for extension in set(self._states) - wanted:
            self._change(extension, "offline")
            del self._states[extension]
        for extension in sorted(wanted - set(self._states)):
            self._states[extension] = "offline"
            try:
                self._change(extension, _STATES[await self._telephony.watch_device(device_of(extension))])
            except TelephonyError as error:
                log.warning("the phone of operator %s can't be watched now: %s", extension, error)

    def _on_event(self, event: SystemEvent) -> None:
        if isinstance(event, DeviceStateChanged):
            extension = event.device.removeprefix("PJSIP/")
            if extension in self._states:
                self._change(extension, _STATES[event.state])

    def _change(self, extension: str, state: OperatorState) -> None:
        if self._states.get(extension) == state:
            return
        self._states[extension] = state
        log.info("operator %s is %s", extension, state)
        for subscriber in self._subscribers:
            subscriber(extension, state)
