"""`scenario export` and `scenario import`: scenarios as files; `demo-remove`: the demo goes in one step."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from controller.actions.demo import remove_demo
from controller.actions.scenarios import create_scenario, publish, read_document, save_draft
from controller.clock import SystemClock
from controller.commands.accounts import ACTING
from controller.commands.opening import Commands, known_prompts, open_database, say
from controller.errors import NotFound, SettingsError
from controller.settings import Settings
from controller.storage.scenarios import find_scenario
from ivr.serialization import MAX_BYTES, dump


def add_commands(commands: Commands) -> None:
    scenario = commands.add_parser("scenario", help="scenarios as files").add_subparsers(required=True, metavar="ACTION")
    export = scenario.add_parser("export", help="print a scenario's draft as JSON")
    export.add_argument("name")
    export.set_defaults(command=_export)
    bring_in = scenario.add_parser("import", help="store a JSON file as a scenario's draft")
    bring_in.add_argument("file", type=Path, help="- for standard input")
    bring_in.add_argument("--name", help="default: the file's name")
    bring_in.add_argument("--publish", action="store_true", help="and publish it")
    bring_in.set_defaults(command=_import)
    commands.add_parser("remove-demo", help="remove number 8000, its scenario, groups and operators").set_defaults(
        command=_remove
    )


def _export(settings: Settings, given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session(read_only=True) as session:
        scenario = find_scenario(session, given.name)
        if scenario is None:
            raise NotFound(f'there is no scenario "{given.name}"')
        sys.stdout.write(dump(read_document(scenario.draft)))
    return 0


def _import(settings: Settings, given: argparse.Namespace) -> int:
    name = given.name or ("" if str(given.file) == "-" else given.file.stem)
    document = _read(given.file)
    at = SystemClock().now()
    with open_database(settings) as database, database.session() as session:
        stored = find_scenario(session, name)
        if stored is None:
            stored = create_scenario(session, name, document, acting_user=ACTING, at=at)
        else:
            save_draft(session, stored.id, document, stored.draft_revision, acting_user=ACTING, at=at)
        if given.publish:
            version = publish(session, stored.id, known_prompts(), acting_user=ACTING, at=at)
            say(f'scenario "{name}" is published as version {version.number}')
        else:
            say(f'the draft of scenario "{name}" is stored')
    return 0


def _read(file: Path) -> bytes:
    """Raises SettingsError when it can't be read."""
    try:
        source = sys.stdin.buffer if str(file) == "-" else file.open("rb")
        with source:
            return source.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error


def _remove(settings: Settings, _given: argparse.Namespace) -> int:
    with open_database(settings) as database, database.session() as session:
        removal = remove_demo(session, acting_user=ACTING, at=SystemClock().now())
    say("removed: " + (", ".join(removal.removed) or "nothing, there is no demo"))
    if removal.kept:
        say("kept, because it was changed or is used elsewhere: " + ", ".join(removal.kept))
    return 0
