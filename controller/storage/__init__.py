"""The database: tables, and the questions asked of them, a file per subject."""

from controller.storage.database import Database, migrate

__all__ = ["Database", "migrate"]
