"""Which carriers are there, as Asterisk finds out by asking them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from controller.errors import TelephonyError
from controller.telephony.events import DeviceState, DeviceStateChanged, SystemEvent
from controller.telephony.port import Telephony

log = logging.getLogger(__name__)

_ABSENT: Final[frozenset[DeviceState]] = frozenset({"unavailable"})


class TrunkTracker:
    """Keeps every trunk's state. One whose state is not known counts as there: the next call shows."""

    def __init__(self, telephony: Telephony) -> None:
        self._telephony = telephony
        self._states: dict[str, DeviceState] = {}
        telephony.listen(self._on_event)

    @property
    def reachable(self) -> Mapping[str, bool]:
        """By the name of the trunk."""
        return {name: state not in _ABSENT for name, state in self._states.items()}

    async def watch(self, names: Iterable[str]) -> None:
        """Watch these trunks and no others from now on."""
        wanted = set(names)
        for name in set(self._states) - wanted:
            del self._states[name]
        for name in sorted(wanted - set(self._states)):
            self._states[name] = "unknown"
            try:
                self._change(name, await self._telephony.watch_device(_device(name)))
            except TelephonyError as error:
                log.warning("the state of %s is not known now: %s", name, error)

    def _on_event(self, event: SystemEvent) -> None:
        if isinstance(event, DeviceStateChanged):
            name = event.device.removeprefix("PJSIP/")
            if name in self._states:
                self._change(name, event.state)

    def _change(self, name: str, state: DeviceState) -> None:
        before, self._states[name] = self._states[name], state
        if (before in _ABSENT) != (state in _ABSENT):
            log.warning("the carrier of %s %s", name, "does not respond" if state in _ABSENT else "responds again")


def _device(name: str) -> str:
    return f"PJSIP/{name}"
