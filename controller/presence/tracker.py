"""Operators' states from their phones' states, as Asterisk reports them, from what they have set, and from the distribution.

A phone whose state Asterisk does not know counts as offline: better no call than a call into the void.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from controller.clock import Clock
from controller.errors import TelephonyError
from controller.presence.operator_state import OperatorState, StateChange, Switches, state_of
from controller.telephony.events import DeviceState, DeviceStateChanged, SystemEvent
from controller.telephony.port import Telephony

log = logging.getLogger(__name__)

Subscriber: TypeAlias = Callable[[str, OperatorState], None]
Historian: TypeAlias = Callable[[StateChange], None]

_BY_PHONE = "phone"
_BY_DISTRIBUTION = "distribution"


def device_of(extension: str) -> str:
    """The device name of an operator's phone: also the address that dials it."""
    return f"PJSIP/{extension}"


@dataclass(slots=True)
class _Known:
    device: DeviceState = "unavailable"
    switches: Switches = field(default_factory=Switches)
    wrapping_up: bool = False
    talks_elsewhere: bool = False
    switched_by: str = ""
    """Who has set something that is not seen yet: his phone is in use, as it is when he dials a code."""

    @property
    def state(self) -> OperatorState:
        return state_of(self.device, self.switches, wrapping_up=self.wrapping_up, talks_elsewhere=self.talks_elsewhere)


class PresenceTracker:
    """Keeps every operator's state; subscribers are told of each change, synchronously, and must not wait."""

    def __init__(self, telephony: Telephony, clock: Clock) -> None:
        self._telephony = telephony
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._states: dict[str, OperatorState] = {}
        self._told: dict[str, tuple[OperatorState, str]] = {}
        self._switches: dict[str, Switches] = {}
        self._subscribers: list[Subscriber] = []
        self._historians: list[Historian] = []
        telephony.listen(self._on_event)

    @property
    def states(self) -> Mapping[str, OperatorState]:
        """State by extension."""
        return self._states

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    def tell_history(self, historian: Historian) -> None:
        """Have `historian` told of each change with its reason, and of each operator's first state; it must not wait."""
        self._historians.append(historian)

    def is_undisturbed(self, extension: str) -> bool:
        """Whether he does not want to be disturbed, whatever his phone does at the moment."""
        known = self._known.get(extension)
        return known is not None and known.switches.do_not_disturb

    def set_switches(self, switches: Mapping[str, Switches]) -> None:
        """What operators have set, as it is stored. What is known of a later moment stays."""
        for extension, stored in switches.items():
            self.switch(extension, stored)

    def switch(self, extension: str, switches: Switches) -> None:
        """An operator has set something."""
        if self._switches.get(extension, Switches()).at > switches.at:
            return
        self._switches[extension] = switches
        known = self._known.get(extension)
        if known is not None and known.switches != switches:
            known.switches, known.switched_by = switches, switches.by
            self._update(extension, _BY_PHONE)

    def set_wrap_up(self, extension: str, on: bool) -> None:
        """The distribution leaves him alone after a conversation, or does so no more."""
        known = self._known.get(extension)
        if known is not None:
            known.wrapping_up = on
            self._update(extension, _BY_DISTRIBUTION)

    def set_talks_elsewhere(self, extension: str, on: bool) -> None:
        """The operator talks with a caller on a number outside, or does so no more; nothing for who is no operator."""
        known = self._known.get(extension)
        if known is not None and known.talks_elsewhere != on:
            known.talks_elsewhere = on
            self._update(extension, _BY_DISTRIBUTION)

    async def watch(self, extensions: Iterable[str]) -> None:
        """Watch these operators and no others from now on.

        A phone that can't be watched now (Asterisk away) is offline until Asterisk reports it after the reconnection.
        """
        wanted = set(extensions)
        for extension in set(self._known) - wanted:
            self._known[extension] = _Known()
            self._update(extension, _BY_PHONE)
            for table in (self._known, self._states, self._told, self._switches):
                table.pop(extension, None)
        for extension in sorted(wanted - set(self._known)):
            known = self._known[extension] = _Known(switches=self._switches.get(extension, Switches()))
            self._states[extension] = "offline"
            try:
                known.device = await self._telephony.watch_device(device_of(extension))
            except TelephonyError as error:
                log.warning("the phone of operator %s can't be watched now: %s", extension, error)
            self._update(extension, _BY_PHONE)

    def _on_event(self, event: SystemEvent) -> None:
        if isinstance(event, DeviceStateChanged):
            extension = event.device.removeprefix("PJSIP/")
            known = self._known.get(extension)
            if known is not None:
                known.device = event.state
                self._update(extension, _BY_PHONE)

    def _update(self, extension: str, by: str) -> None:
        known = self._known[extension]
        state = known.state
        if known.switched_by and state not in ("talking", "ringing"):
            by, known.switched_by = known.switched_by, ""
        told = state, known.switches.reason if state == "do_not_disturb" else ""
        if self._told.get(extension) != told:
            self._told[extension] = told
            change = StateChange(extension, self._clock.now(), *told, by)
            for historian in self._historians:
                historian(change)
        if self._states.get(extension) != state:
            self._states[extension] = state
            log.info("operator %s is %s", extension, state)
            for subscriber in self._subscribers:
                subscriber(extension, state)
