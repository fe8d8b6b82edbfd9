"""The database: tables, and the questions asked of them, a file per subject.

Of the library behind it other rooms know no more than `Session`, which they pass on.
"""

from sqlmodel import Session

from controller.storage.database import Database, attempt, migrate

__all__ = ["Database", "Session", "attempt", "migrate"]
