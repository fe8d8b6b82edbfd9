"""Which operators can be reached now."""

from __future__ import annotations

from controller.presence.tracker import OperatorState, PresenceTracker

__all__ = ["OperatorState", "PresenceTracker"]
