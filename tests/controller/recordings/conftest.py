from tests.fixtures.databases import database, sqlite_database

__all__ = ["database", "sqlite_database"]
