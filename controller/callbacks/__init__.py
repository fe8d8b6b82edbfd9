"""Callbacks: callers who keep their place in a line are called when it is their turn."""

from controller.callbacks.keeper import CallbackKeeper, CallbackRules

__all__ = ["CallbackKeeper", "CallbackRules"]
