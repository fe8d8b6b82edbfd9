from tests.fixtures.databases import database, empty_database, sqlite_database

__all__ = ["database", "empty_database", "sqlite_database"]
