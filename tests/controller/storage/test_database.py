"""Opening databases, transactions, migrations."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import Session, select

from controller.errors import NotFound, Refused, SettingsError, StorageError
from controller.notices.voicemails import occasion
from controller.storage import Database, attempt, migrate
from controller.storage.audit import AuditEntry, add_audit, list_audit
from controller.storage.models import METADATA, TABLES
from controller.storage.numbers import list_numbers
from controller.storage.operators import Operator, list_operators
from controller.storage.outbox import find_by_occasion
from controller.storage.users import list_users
from controller.storage.voicemails import get_voicemail

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, UTC)


def operator(extension: str) -> Operator:
    return Operator(extension=extension, name=f"Operator {extension}", sip_secret="secret")


def test_migrating_an_empty_database_gives_exactly_the_models(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        tables = set(inspect(connection).get_table_names())
    assert tables == {model.__tablename__ for model in TABLES} | {"alembic_version"}


def test_migrating_again_changes_nothing_and_keeps_what_is_stored(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.session() as session:
        session.add(operator("2001"))
    migrate(empty_database)
    with empty_database.session(read_only=True) as session:
        assert [found.extension for found in list_operators(session)] == ["2001"]


def test_voicemails_and_permissions_of_before_are_kept(empty_database: Database) -> None:
    """Version 0005: one address becomes a list of them, and who could hear recordings still can."""
    migrate(empty_database, "0003")
    voicemail = "'c1', 'Evening', 'box', '1', '2', '2026-05-04 12:00:00.000000', 0.0, 'a@b.example', '2026-05-04 12:00:00.000000'"
    with empty_database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO voicemails (id, call_id, scenario, node, caller_number, called_number, arrived_at, length_seconds,"
                f" recipient, created_at) VALUES ('v1', {voicemail})"
            )
        )
        connection.execute(
            text(
                "INSERT INTO outbox (id, kind, language, recipient, subject, body, attachments, created_at, due_at, attempts,"
                " last_error, dedupe_key) VALUES ('l1', 'voicemail', 'en', 'a@b.example', '', '', '[]',"
                " '2026-05-04 12:00:00.000000', '2026-05-04 12:00:00.000000', 0, '', 'voicemail:v1')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO users (login, password_hash, role, created_at, disabled)"
                " VALUES ('eve', '', 'operator', '2026-05-04 12:00:00.000000', false)"
            )
        )
    migrate(empty_database)
    with empty_database.session(read_only=True) as session:
        assert get_voicemail(session, "v1").recipients == ["a@b.example"]
        assert find_by_occasion(session, occasion("v1", "a@b.example")) is not None
        assert [user.may_hear_recordings for user in list_users(session)] == [True]


@pytest.mark.covers("SKZ-10")
def test_numbers_of_before_are_shown_as_before(empty_database: Database) -> None:
    """Version 0022: what was shown needs a confirmation."""
    migrate(empty_database, "0020")
    with empty_database.engine.begin() as connection:
        row = "'8000', 'Main', 300, '{}', '{}', true, true, ''"
        columns = "number, line_name, longest_wait, prompts, forwarding, incoming, outgoing, source"
        connection.execute(text(f"INSERT INTO inbound_numbers ({columns}) VALUES ({row})"))
    migrate(empty_database)
    with empty_database.session(read_only=True) as session:
        (number,) = list_numbers(session)
        assert number.state(datetime.now(UTC)) == "confirmed" and number.confirmed_for_good


def test_processes_that_start_at_once_from_other_folders_migrate_once(empty_database: Database, tmp_path: Path) -> None:
    url = empty_database._url.render_as_string(hide_password=False)
    program = "import sys; from controller.storage import Database, attempt, migrate; migrate(Database(sys.argv[1]))"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 2
    with empty_database.session(read_only=True) as session:
        assert list_operators(session) == []


def test_the_file_of_sqlite_is_made_with_its_folder_for_the_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/attendant.db")
    migrate(database)
    database.close()
    assert (tmp_path / "new/folder/attendant.db").stat().st_mode & 0o777 == 0o600


def test_sqlite_runs_with_a_write_ahead_log_and_foreign_keys(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        values = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys", "synchronous")]
    assert values == ["wal", 1, 1]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is not one"),
        ("mysql://u:hidden@h/db", "mysql"),
        ("oracle+nothing://u:hidden@h/db", r"oracle\+nothing"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://u:hidden@h:port/db", "is not one"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        Database(url)
    assert "hidden" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    database = Database("postgresql://someone:hidden@127.0.0.1:1/calls")
    for reach in (database.check, lambda: migrate(database)):
        with pytest.raises(SettingsError, match=r"127\.0\.0\.1:1/calls") as refused:
            reach()
        assert "hidden" not in str(refused.value)
        assert "\n" not in str(refused.value)
    database.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="file"):
        migrate(Database(f"sqlite:///{tmp_path}/file/attendant.db"))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir, " * 200)
    with pytest.raises(SettingsError, match="not a database"):
        migrate(Database(f"sqlite:///{tmp_path}/letter.db"))


def test_moments_come_back_aware_in_utc_whatever_their_zone(database: Database) -> None:
    moscow = NOON.astimezone(timezone(timedelta(hours=3)))
    with database.session() as session:
        add_audit(session, moscow, "ann", "test", "nothing")
    with database.session(read_only=True) as session:
        (entry,) = list_audit(session)
    assert entry.at == NOON
    assert entry.at.tzinfo is UTC


def test_moments_without_a_zone_are_a_mistake(database: Database) -> None:
    with pytest.raises(StorageError, match="time zone"), database.session() as session:
        session.exec(select(AuditEntry).where(AuditEntry.at == datetime(2026, 1, 1))).all()


async def test_run_commits_and_gives_back_what_the_function_returns(database: Database) -> None:
    def add(session: Session, extension: str, *, name: str) -> Operator:
        added = Operator(extension=extension, name=name, sip_secret="s")
        session.add(added)
        return added

    added = await database.run(add, "2001", name="Ann")
    assert (added.name, added.id > 0) == ("Ann", True)
    assert [found.name for found in await database.read(list_operators)] == ["Ann"]


async def test_an_error_in_the_function_undoes_everything(database: Database) -> None:
    def add_and_fail(session: Session) -> None:
        session.add(operator("2001"))
        session.flush()
        raise NotFound("something else")

    with pytest.raises(NotFound, match="something else"):
        await database.run(add_and_fail)
    assert await database.read(list_operators) == []


async def test_what_a_reader_writes_is_never_stored(database: Database) -> None:
    def add(session: Session) -> None:
        session.add(operator("2001"))
        session.flush()

    try:
        await database.read(add)
    except StorageError:
        pass
    assert await database.read(list_operators) == []


def test_a_change_that_clashes_with_what_is_stored_is_refused(database: Database) -> None:
    with pytest.raises(Refused, match="clashes"), database.session() as session:
        session.add_all([operator("2001"), operator("2001")])


def test_an_attempt_that_fails_is_undone_alone(database: Database) -> None:
    with database.session() as session:
        add_audit(session, datetime.now(UTC), "ann", "kept", "before")
        with pytest.raises(ValueError, match="no"), attempt(session):
            add_audit(session, datetime.now(UTC), "ann", "undone", "within")
            session.flush()
            raise ValueError("no")
        with attempt(session):
            add_audit(session, datetime.now(UTC), "ann", "kept", "after")
    with database.session(read_only=True) as session:
        assert [(entry.action, entry.subject) for entry in list_audit(session)] == [("kept", "after"), ("kept", "before")]


def test_errors_of_the_library_become_storage_errors(database: Database) -> None:
    with pytest.raises(StorageError), database.session() as session:
        session.connection().execute(text("SELECT nothing FROM nowhere"))


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.session() as writing:
        writing.add(operator("2001"))
        writing.flush()
        with database.session(read_only=True) as reading:
            assert list_operators(reading) == []


async def test_writers_wait_for_each_other_and_none_fails(database: Database) -> None:
    def read_then_add(session: Session, extension: str) -> None:
        list_operators(session)
        session.add(operator(extension))

    await asyncio.gather(*(database.run(read_then_add, str(number)) for number in range(2000, 2030)))
    assert len(await database.read(list_operators)) == 30
