"""Notices between rooms and between processes."""

from controller.bus.memory import MemoryBus
from controller.bus.messages import (
    CallbacksChanged,
    CallsChanged,
    DirectoryChanged,
    Message,
    MissedCallsChanged,
    OperatorChanged,
    OperatorsChanged,
    PromptsChanged,
    ScenarioPublished,
    WrapUpEnded,
)
from controller.bus.port import Bus
from controller.bus.redis import RedisBus

__all__ = [
    "Bus",
    "CallbacksChanged",
    "CallsChanged",
    "DirectoryChanged",
    "Message",
    "MissedCallsChanged",
    "OperatorChanged",
    "OperatorsChanged",
    "PromptsChanged",
    "ScenarioPublished",
    "WrapUpEnded",
    "open_bus",
]


def open_bus(redis_url: str | None, app: str = "attendant") -> Bus:
    """The bus of this installation: over Redis when there is one, else within the process. Not started yet.

    Installations that share a Redis are kept apart by `app`. Raises SettingsError for an address that can't be used.
    """
    return MemoryBus() if redis_url is None else RedisBus(redis_url, f"{app}:notices")
