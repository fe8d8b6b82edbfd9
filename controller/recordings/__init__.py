"""Recordings of conversations, once they are made: how long they are kept."""

from __future__ import annotations

from controller.recordings.retention import Purge, keep_purging, purge

__all__ = ["Purge", "keep_purging", "purge"]
