"""The journal: what happens to calls, on its way into the database. The engine records; a background task writes."""

from __future__ import annotations

from controller.storage.database import Database
from controller.storage.journal_changes import Change


class CallJournal:
    """Takes changes without ever waiting and stores them within about a twentieth of a second."""

    def __init__(self, database: Database) -> None:
        raise NotImplementedError

    def record(self, change: Change) -> None:
        """Take one change. Never waits, never raises; may be called before `start`."""
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to write."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Return when all that was recorded before is stored. Waits for as long as the database can't be reached."""
        raise NotImplementedError

    async def stop(self, patience: float = 5.0) -> None:
        """Store what is left, for at most `patience` seconds, and end."""
        raise NotImplementedError
