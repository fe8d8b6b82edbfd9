"""Live calls on telephony in memory, with a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest

from controller.bus import MemoryBus
from controller.calls.arrivals import Arrivals
from controller.calls.codes import DeskRules
from controller.calls.facts import CallTools
from controller.calls.keeping import VoicemailKeeper
from controller.calls.numbers import Route
from controller.clock import SystemClock
from controller.lookups import LookupClient
from controller.presence import PresenceTracker, Switches, TrunkTracker
from controller.prompts import PromptLibrary
from controller.recordings.writing import WrittenCheck
from controller.routing import Distributor, Employee, FurtherNumber, GroupRule, NumberLines, People, RoutedOperator
from controller.settings import Settings
from controller.storage.calls import CallDetail, CallFilters, list_calls
from controller.storage.database import Database
from controller.storage.groups import Strategy
from controller.storage.journal import CallJournal
from controller.storage.operator_states import Wish
from controller.telephony.fake import FakeTelephony
from controller.telephony.fake_people import FakeCaller
from ivr.graph import Scenario, ScenarioBundle
from tests.fixtures.databases import sqlite_database
from tests.fixtures.waiting import until

__all__ = ["sqlite_database"]


class CallCenter:
    """Everything a live call meets, without an Asterisk."""

    def __init__(self, database: Database, folder: Path) -> None:
        clock = SystemClock()
        self.database = database
        self.telephony = FakeTelephony(folder / "recordings")
        self.journal = CallJournal(database)
        self.presence = PresenceTracker(self.telephony, clock)
        self.lines = NumberLines()
        self.distributor = Distributor(self.telephony, self.presence, self.journal, clock, lines=self.lines)
        prompts = PromptLibrary()
        self.people = People(TrunkTracker(self.telephony))
        self.lookups = LookupClient(allow_internal=True)
        self.bus = MemoryBus()
        settings = Settings.load({"ATTENDANT_DATA_DIR": str(folder), "ATTENDANT_TIME_ZONE": "Europe/Moscow"})
        self.voicemails = VoicemailKeeper(database, clock, self.telephony.recording_message, settings)
        self.tools = CallTools(
            telephony=self.telephony,
            distributor=self.distributor,
            journal=self.journal,
            prompts=prompts,
            clock=clock,
            recording_path=lambda path: str(folder / path),
            voicemails=self.voicemails,
            database=database,
            people=self.people,
            lines=self.lines,
            region=None,
            lookups=self.lookups,
            zone=UTC,
            bus=self.bus,
            presence=self.presence,
            desk=DeskRules(),
            choose_state=self.choose_state,
            written=WrittenCheck(folder, lambda call, recording: None),
        )
        self.arrivals = Arrivals(self.tools, "en")

    async def choose_state(self, extension: str, wish: Wish, reason: str) -> None:
        chosen = Switches(wish != "offline", wish == "do_not_disturb", reason, SystemClock().now(), f"operator {extension}")
        self.presence.switch(extension, chosen)

    def serves(self, number: str, scenario: Scenario) -> None:
        self.arrivals.set_routes({number: Route("Test line", None, ScenarioBundle(scenario), 1)})

    async def has_group(self, name: str, extensions: Iterable[str], strategy: Strategy = "ring_all") -> None:
        members = tuple(RoutedOperator(int(extension), extension, f"Operator {extension}") for extension in extensions)
        self.distributor.set_rules([GroupRule(name, strategy, 20, members)])
        await self.presence.watch(member.extension for member in members)

    async def has_employee(self, extension: str, *outside: str, trunks: tuple[str, ...] = ("carrier",), id: int = 1) -> None:
        """Somebody with a phone and further numbers, each rung for 20 seconds."""
        operator = RoutedOperator(id, extension, f"Operator {extension}")
        self.people.set([Employee(operator, 20, tuple(FurtherNumber(number, 20) for number in outside))], trunks)
        await self.presence.watch([extension])

    async def at_rest(self) -> list[CallDetail]:
        """Every call is over and nothing is left of it; gives the records, oldest first."""
        await until(lambda: self.arrivals.live == 0)
        await until(lambda: not self.telephony.lines or all(not line.ours for line in self.telephony.lines.values()))
        assert not self.telephony.bridges
        await self.journal.flush()
        page = await self.database.read(list_calls, CallFilters(), 100)
        return list(reversed(page.calls))


def is_over(caller: FakeCaller) -> bool:
    return caller.state == "ended" or caller.continued_at is not None


@pytest.fixture
async def center(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[CallCenter]:
    made = CallCenter(sqlite_database, tmp_path)
    await made.journal.start()
    await made.lookups.start()
    tasks = [
        asyncio.create_task(made.distributor.run()),
        asyncio.create_task(made.arrivals.run()),
        asyncio.create_task(made.voicemails.run()),
    ]
    yield made
    await made.arrivals.close(1)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await made.voicemails.close(1)
    await made.lookups.stop()
    await made.journal.stop()
