"""Missed calls: who is told that a caller was lost, and which of them were reached since."""

from controller.missed.keeper import MissedCallKeeper

__all__ = ["MissedCallKeeper"]
