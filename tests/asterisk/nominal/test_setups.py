"""A set-up that leaves one installation and comes to an empty one: callers there fare the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.__main__ import main
from controller.actions.groups import create_group, set_members
from controller.actions.numbers import NumberSettings, create_number
from controller.actions.operators import create_operator
from controller.actions.scenarios import create_scenario, publish
from controller.commands.opening import known_prompts
from controller.storage import Database, Session
from controller.storage.operators import find_operator
from ivr.serialization import SCHEMA_VERSION
from tests.fixtures.databases import new_sqlite
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.uploading import upload

pytestmark = pytest.mark.asterisk
NUMBER, TONE, KEY = "8060", 1500.0, "3"


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[Callable[[], Database]]:
    made: list[Database] = []

    def make() -> Database:
        made.append(new_sqlite(tmp_path))
        return made[-1]

    yield make
    for database in made:
        database.close()


def _furnish(session: Session, **by: Any) -> None:
    for extension in ("2061", "2062"):
        create_operator(session, extension, f"Operator {extension}", **by)
    create_group(session, "Clients", "linear", 5, **by)
    set_members(session, "Clients", ["2062", "2061"], **by)
    links = {KEY: "clients", "wait_expired": "choice", "incorrect_input": "choice"}
    nodes = {
        "choice": {"operation": {"type": "menu", "prompt": ["own-tone:en"], "wait_seconds": 20}, "links": links},
        "clients": {"operation": {"type": "forward_to_group", "group": "Clients"}, "links": {"failed": "end"}},
        "end": {"operation": {"type": "hang_up"}},
    }
    document = {"schema_version": SCHEMA_VERSION, "start": "choice", "nodes": nodes}
    stored = create_scenario(session, "Clients' line", document, **by)
    publish(session, stored.id, known_prompts(), **by)
    create_number(session, NUMBER, "Clients", NumberSettings(scenario="Clients' line"), known_prompts(), **by)


async def serves_from(system: System, database: Database) -> None:
    """The controller serves from another database, with the same telephony."""
    await system.stop_engine()
    system.database = database
    await system.start_engine()


async def a_call(system: System) -> list[tuple[str | None, ...]]:
    """Somebody calls and talks with operator 2062; the path of his call."""
    operator = await system.operator("2062")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(TONE)
    await call.press(KEY)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    await offered.ended()
    record = await system.call_record(caller)
    await operator.close()
    await system.operator_is("2062", "offline")
    steps = [(step.node, step.operation, step.exit) for step in record.steps]
    return [*steps, (record.call.line_name, *(leg.operator_extension for leg in record.legs))]


@pytest.mark.covers("UIS-42", "UIS-47", "UIS-50")
async def test_a_caller_reaches_the_same_operator_by_the_same_path_after_export_and_import(
    new_database: Callable[[], Database], system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here, there = tmp_path / "setup", new_database(), new_database()
    monkeypatch.setenv("ATTENDANT_DATA_DIR", str(system.asterisk.settings.data_dir))
    await serves_from(system, here)
    await upload(system, tone_file(tmp_path / "tone.ogg", "ogg", TONE, 1.5), "en")
    await system.change(_furnish)
    await eventually(lambda: "2062" in system.engine.presence.states, "the engine and Asterisk do not know the operators")
    path = await a_call(system)
    assert path == [("choice", "menu", KEY), ("clients", "forward_to_group", None), ("Clients", "2062")]

    monkeypatch.setenv("ATTENDANT_DATABASE_URL", here.address)
    assert await asyncio.to_thread(main, ["setup", "export", str(folder)]) == 0
    system.prompt_folder.remove("own-tone", "en")
    monkeypatch.setenv("ATTENDANT_DATABASE_URL", there.address)
    assert await asyncio.to_thread(main, ["setup", "import", str(folder)]) == 0
    secrets = [await database.read(find_operator, "2062") for database in (here, there)]
    assert secrets[0] is not None and secrets[1] is not None and secrets[0].sip_secret != secrets[1].sip_secret
    await serves_from(system, there)
    assert await a_call(system) == path
