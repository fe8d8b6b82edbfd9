from tests.fixtures.databases import sqlite_database
from tests.fixtures.web import site

__all__ = ["site", "sqlite_database"]
