"""`scenario export` and `scenario import`: scenarios as files; `remove-demo`: the demo goes in one step."""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from controller.actions.archives import (
    export_archive,
    import_archive,
    import_document,
    is_archive,
    new_prompts,
    prompt_at_fault,
    read_archive,
)
from controller.actions.demo import remove_demo
from controller.actions.packing import LARGEST_ARCHIVE_BYTES
from controller.actions.scenarios import read_document
from controller.clock import SystemClock
from controller.commands.accounts import ACTING
from controller.commands.opening import Commands, known_prompts, open_database, say
from controller.errors import NotFound, SettingsError
from controller.prompts.files import PromptFolder
from controller.settings import Settings
from controller.storage.scenarios import find_scenario
from ivr.serialization import dump


def add_commands(commands: Commands) -> None:
    scenario = commands.add_parser("scenario", help="scenarios as files").add_subparsers(required=True, metavar="ACTION")
    export = scenario.add_parser("export", help="print a scenario's draft as JSON, or write an archive with everything it names")
    export.add_argument("name")
    export.add_argument("file", type=Path, nargs="?", help="the archive to write, such as Sales.zip; without it, JSON is printed")
    export.set_defaults(command=_export)
    bring_in = scenario.add_parser("import", help="store an archive, or a JSON file, as a scenario's draft")
    bring_in.add_argument("file", type=Path, help="- for standard input")
    bring_in.add_argument("--name", help="default: the name in the archive, or the JSON file's name")
    bring_in.add_argument("--publish", action="store_true", help="and publish it, with what it inserts")
    bring_in.set_defaults(command=_import)
    commands.add_parser("remove-demo", help="remove number 8000, its scenario, groups and operators").set_defaults(
        command=_remove
    )


def _export(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session(read_only=True) as session:
        scenario = find_scenario(session, given.name)
        if scenario is None:
            raise NotFound(f'there is no scenario "{given.name}"')
        if given.file is None:
            sys.stdout.write(dump(read_document(scenario.draft)))
            return 0
        archive = export_archive(session, PromptFolder(settings.prompts_dir), scenario.id, known_prompts())
    try:
        given.file.write_bytes(archive)
    except OSError as error:
        raise SettingsError(f"{given.file}: {error.strerror}") from error
    say(f'scenario "{given.name}" and all it names are in {given.file}')
    return 0


def _import(settings: Settings, given: argparse.Namespace) -> int:
    content = _read(given.file)
    return (_import_archive if is_archive(content) else _import_document)(settings, given, content)


def _import_archive(settings: Settings, given: argparse.Namespace, content: bytes) -> int:
    archive, folder = read_archive(io.BytesIO(content)), PromptFolder(settings.prompts_dir)
    taking_in: dict[str, Any] = {"name": given.name, "publishing": given.publish, "acting_user": ACTING}
    with open_database(settings) as database, ExitStack() as places:
        with database.session(read_only=True) as session:
            new = new_prompts(session, archive)
        try:
            sounds = {}
            for prompt in new:
                with prompt_at_fault(archive, prompt):
                    original = io.BytesIO(archive.originals[prompt.key])
                    sounds[prompt.key] = places.enter_context(folder.prepared(original, settings.longest_prompt_seconds))
            most, known, now = settings.most_uploaded_prompts, known_prompts(), SystemClock().now()
            with database.session() as session:
                imported = import_archive(session, folder, archive, sounds, most, known, at=now, **taking_in)
                name = imported.scenario.name
        except OSError as error:
            raise SettingsError(f"{settings.prompts_dir}: {error.strerror}") from error
    for words, parts in (("added", imported.added), ("kept as they are here", imported.kept)):
        if parts:
            say(f"{words}: {', '.join(parts)}")
    return _said(name, given.publish)


def _import_document(settings: Settings, given: argparse.Namespace, document: bytes) -> int:
    name = given.name or ("" if str(given.file) == "-" else given.file.stem)
    at = SystemClock().now()
    with open_database(settings) as database, database.session() as session:
        import_document(session, document, name, known_prompts(), publishing=given.publish, acting_user=ACTING, at=at)
    return _said(name, given.publish)


def _said(name: str, published: bool) -> int:
    say(f'scenario "{name}" is {"published" if published else "stored as a draft"}')
    return 0


def _read(file: Path) -> bytes:
    """Raises SettingsError when it can't be read."""
    try:
        source = sys.stdin.buffer if str(file) == "-" else file.open("rb")
        with source:
            return source.read(LARGEST_ARCHIVE_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error


def _remove(settings: Settings, _given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        removal = remove_demo(session, acting_user=ACTING, at=SystemClock().now())
    say("removed: " + (", ".join(removal.removed) or "nothing, there is no demo"))
    if removal.kept:
        say("kept, because it was changed or is used elsewhere: " + ", ".join(removal.kept))
    return 0
