from tests.fixtures.databases import database, sqlite_database
from tests.fixtures.mail import mail_server

__all__ = ["database", "mail_server", "sqlite_database"]
