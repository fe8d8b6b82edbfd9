"""Which operators and carriers can be reached now."""

from __future__ import annotations

from controller.presence.tracker import OperatorState, PresenceTracker
from controller.presence.trunks import TrunkTracker

__all__ = ["OperatorState", "PresenceTracker", "TrunkTracker"]
