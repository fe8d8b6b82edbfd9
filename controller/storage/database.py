"""The database: one engine, short transactions, work in threads. SQLite for one process, PostgreSQL for more.

Rules:
- A transaction that may write takes SQLite's write lock at its first statement (BEGIN IMMEDIATE). Begun as a reader it could
  not become a writer once somebody else has written, and would fail at once however long it is willing to wait.
- Errors of SQLAlchemy and of the drivers end here; a message never holds the password.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlmodel import Session

from controller.errors import Refused, SettingsError, StorageError

P = ParamSpec("P")
T = TypeVar("T")

_MIGRATIONS = Path(__file__).parent / "migrations"
_THREADS = 8
_LOCK_WAIT_SECONDS = 15
_CONNECT_SECONDS = 5
_MIGRATION_LOCK = 0x617474656E64  # any number that no other program on the server uses: "attend"


class Database:
    """Sessions on one database.

    `url` is a SQLAlchemy address: sqlite:///FILE, postgresql://… or postgresql+psycopg://…. Nothing is opened yet.
    Raises SettingsError for an address that can't be used.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self._engine = _create(self._url)
        self._reading = self._engine.execution_options(read_only=True, postgresql_readonly=True)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="database")

    @property
    def address(self) -> str:
        """The address for people to see: without the password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def engine(self) -> Engine:
        """For those who write without the ORM."""
        return self._engine

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error. Rows stay readable afterwards.

        Raises Refused when the change clashes with another one, StorageError for everything else the database refuses.
        """
        with _mapped_errors(), Session(self._reading if read_only else self._engine, expire_on_commit=False) as session:
            yield session
            if not read_only:
                session.commit()

    async def run(self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`fn(session, …)` in a worker thread, in one transaction. Raises what `fn` raises, and as `session` does."""
        return await self._in_thread(False, fn, *args, **kwargs)

    async def read(self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, for a function that only reads: it waits for no writer. What it writes is lost (PostgreSQL refuses it)."""
        return await self._in_thread(True, fn, *args, **kwargs)

    async def in_thread(self, fn: Callable[[], T]) -> T:
        """`fn()` in a worker thread, for those who use `engine`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, fn)

    async def _in_thread(self, read_only: bool, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        def work() -> T:
            with self.session(read_only=read_only) as session:
                return fn(session, *args, **kwargs)

        return await self.in_thread(work)

    def check(self) -> None:
        """Can it be reached? Raises SettingsError: one line, with the address and the reason."""
        try:
            with self._reading.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise SettingsError(f"the database {self.address} can't be used: {self._reason(error)}") from None

    def prepare(self) -> None:
        """Make SQLite's file and its folder, readable by the owner alone: it holds phone passwords. Else as `check`."""
        if self._url.get_backend_name() == "sqlite":
            file = Path(self._url.database or "")
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise SettingsError(f"the database {self.address} can't be used: {error.strerror}: {error.filename}") from None
        self.check()

    def close(self) -> None:
        """Let go of threads and connections. Work under way is waited for."""
        self._threads.shutdown()
        self._engine.dispose()

    def _reason(self, error: SQLAlchemyError) -> str:
        cause = first_line(error)
        password = self._url.password
        return cause.replace(str(password), "***") if password else cause


@contextmanager
def attempt(session: Session) -> Iterator[None]:
    """A part of a transaction that is undone alone when the block raises. Raises as `Database.session`."""
    with _mapped_errors(), session.begin_nested():
        yield


def migrate(database: Database, version: str = "head") -> None:
    """Bring the tables up to date, making them if there are none, or to an older `version`. Several processes may do so at
    once.

    Raises SettingsError for a database that can't be reached, StorageError when a change fails (then nothing is changed).
    """
    database.prepare()
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with _mapped_errors(), database.engine.begin() as connection:
        # On SQLite the transaction itself keeps others out: see the rules above.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, version)


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Refused(f"the change clashes with what is stored: {first_line(error)}") from error
    except SQLAlchemyError as error:
        raise StorageError(first_line(error)) from error


def first_line(error: Exception) -> str:
    """What the driver says, without SQLAlchemy's account of the statement and its values."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _parse(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The address may hold a password anywhere: it is not repeated.
        raise SettingsError(
            "the database address is not one: write sqlite:////folder/file.db or postgresql://user:password@host/name"
        ) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise SettingsError(f'the database address begins with "{url.drivername}": use sqlite or postgresql')
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError("the database address names no file: write sqlite:////folder/file.db")
    return url


def _create(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            engine = create_engine(url, pool_size=_THREADS, max_overflow=2, connect_args={"timeout": _LOCK_WAIT_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        options = {"connect_timeout": _CONNECT_SECONDS} if "connect_timeout" not in url.query else {}
        return create_engine(url, pool_size=_THREADS, max_overflow=2, pool_pre_ping=True, connect_args=options)
    except (NoSuchModuleError, ArgumentError, ImportError) as error:
        raise SettingsError(f"the database address can't be used: {type(error).__name__}") from None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are ours alone (_begin_sqlite): the driver would begin them late, and not at all for tables being made.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
