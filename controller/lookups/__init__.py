"""Lookups: another system is asked over HTTP what to do with a call."""

from controller.lookups.client import LookupClient, LookupResult

__all__ = ["LookupClient", "LookupResult"]
