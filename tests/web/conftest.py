from tests.fixtures.browser import chromium, strict_chromium
from tests.fixtures.databases import sqlite_database
from tests.fixtures.web import site

__all__ = ["chromium", "site", "sqlite_database", "strict_chromium"]
