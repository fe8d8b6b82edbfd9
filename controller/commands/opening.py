"""What several commands begin with."""

from __future__ import annotations

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from controller.actions.scenarios import KnownPrompts
from controller.errors import SettingsError
from controller.prompts import LANGUAGES, PromptLibrary
from controller.settings import Settings
from controller.storage.database import Database, migrate

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a subject adds its commands to; each sets `command`, a function of the settings and the arguments."""


def say(text: str) -> None:
    """Tell the person at the terminal how far things are."""
    print(f"attendant: {text}", flush=True)


def known_prompts() -> KnownPrompts:
    """The prompts that scenarios are checked against."""
    return KnownPrompts(PromptLibrary().known, frozenset(LANGUAGES))


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The installation's database, brought up to date.

    Raises SettingsError when it can't be reached.
    """
    make_data_dir(settings)
    database = Database(settings.database)
    try:
        migrate(database)
        yield database
    finally:
        database.close()


def make_data_dir(settings: Settings) -> None:
    """Raises SettingsError when the folder can't be made or written to."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"ATTENDANT_DATA_DIR={settings.data_dir}: {error.strerror}") from error
    if not os.access(settings.data_dir, os.W_OK):
        raise SettingsError(f"ATTENDANT_DATA_DIR={settings.data_dir}: may not be written to by this user")


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the data folder, so that no second Attendant serves from it.

    Raises SettingsError when another one does.
    """
    make_data_dir(settings)
    path = settings.data_dir / "attendant.pid"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise SettingsError(
                f"another Attendant (process {file.read().strip() or '?'}) runs from {settings.data_dir}; "
                "stop it, or set ATTENDANT_DATA_DIR to another folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def running_pid(settings: Settings) -> int | None:
    """The process of the Attendant that runs from this data folder."""
    path = settings.data_dir / "attendant.pid"
    with suppress(OSError, ValueError), Path(path).open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return int(file.read())
    return None
