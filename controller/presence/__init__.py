"""Which operators and carriers can be reached now."""

from __future__ import annotations

from controller.presence.history import StateHistory
from controller.presence.operator_state import OperatorState, StateChange, Switches
from controller.presence.tracker import PresenceTracker
from controller.presence.trunks import TrunkTracker

__all__ = ["OperatorState", "PresenceTracker", "StateChange", "StateHistory", "Switches", "TrunkTracker"]
