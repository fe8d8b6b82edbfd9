"""`setup export` and `setup import`: the whole set-up as a folder or a zip file."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from controller.actions.packing import pack
from controller.actions.setups import (
    Setup,
    Taken,
    read_folder,
    read_setup,
    read_zip,
    setup_files,
    sounds_to_convert,
    take_in,
    write_folder,
)
from controller.clock import SystemClock
from controller.commands.accounts import ACTING
from controller.commands.opening import Commands, known_prompts, open_database, say
from controller.errors import InvalidInput, SettingsError
from controller.prompts.facts import PreparedSound
from controller.prompts.files import PromptFolder
from controller.settings import Settings
from controller.storage import Database


def add_commands(commands: Commands) -> None:
    setup = commands.add_parser("setup", help="the whole set-up as files").add_subparsers(required=True, metavar="ACTION")
    export = setup.add_parser("export", help="write all that is set up, without secrets")
    export.add_argument("place", type=Path, help="a folder, or a file such as setup.zip")
    export.set_defaults(command=_export)
    bring_in = setup.add_parser("import", help="make what is missing and change what differs; nothing is taken away")
    bring_in.add_argument("place", type=Path, help="a folder or a zip file")
    bring_in.add_argument("--dry-run", action="store_true", help="only say what would be changed")
    bring_in.set_defaults(command=_import)


def _export(settings: Settings, given: argparse.Namespace) -> int:
    place: Path = given.place
    with open_database(settings) as database, database.session(read_only=True) as session:
        files = setup_files(session, PromptFolder(settings.prompts_dir))
    removed: list[str] = []
    try:
        if place.suffix == ".zip":
            place.write_bytes(pack(files))
        else:
            removed = write_folder(place, files)
    except OSError as error:
        raise SettingsError(f"{error.filename or place}: {error.strerror}") from error
    for name in removed:
        say(f"removed {place / name}: there is no such thing any more")
    say(f"the set-up is in {place}: {len(files)} files")
    return 0


def _import(settings: Settings, given: argparse.Namespace) -> int:
    try:
        setup = _read(given.place)
        with open_database(settings) as database:
            taken = _take_in(settings, database, setup, given.dry_run)
    except InvalidInput as error:
        for problem in error.problems:
            print("attendant", *filter(None, (problem.field, problem.message)), sep=": ", file=sys.stderr)
        say("nothing was changed")
        return 1
    _tell(taken, given.dry_run)
    return 0


def _read(place: Path) -> Setup:
    try:
        if place.is_dir():
            return read_setup(read_folder(place))
        with place.open("rb") as file:
            return read_setup(read_zip(file))
    except OSError as error:
        raise SettingsError(f"{error.filename or place}: {error.strerror}") from error


def _take_in(settings: Settings, database: Database, setup: Setup, trial: bool) -> Taken:
    folder, longest = PromptFolder(settings.prompts_dir), settings.longest_prompt_seconds
    sounds: dict[tuple[str, str], PreparedSound | InvalidInput] = {}
    with database.session(read_only=True) as session:
        wanted = sounds_to_convert(session, setup)
    try:
        with ExitStack() as places:
            for prompt in wanted:
                try:
                    sounds[prompt.key] = places.enter_context(folder.prepared(setup.sound_of(prompt), longest))
                except InvalidInput as error:
                    sounds[prompt.key] = error
            with database.session() as session:
                return take_in(
                    session,
                    folder,
                    setup,
                    sounds,
                    known_prompts(),
                    settings,
                    trial=trial,
                    acting_user=ACTING,
                    at=SystemClock().now(),
                )
    except OSError as error:
        raise SettingsError(f"{settings.prompts_dir}: {error.strerror}") from error


def _tell(taken: Taken, trial: bool) -> None:
    would = "would be " if trial else ""
    for what in taken.created:
        say(f"{would}created: {what}")
    for change in taken.changed:
        say(f"{would}changed: {change.what} ({', '.join(change.fields)})")
    for note in taken.notes:
        say(f"note: {note}")
    if not taken.created and not taken.changed:
        say("nothing to change: all is as the set-up says")
