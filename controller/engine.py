"""The composition root of the live engine: the one place that builds its objects, starts them in order and stops them.

What a call needs to know (numbers, groups, operators) is kept in memory and read again at every notice, and every
REFRESH_EVERY seconds in case a notice was lost or the change came from another process.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Final

from controller.bus import Bus
from controller.bus.messages import CallsChanged, DirectoryChanged, Message, PromptsChanged, ScenarioPublished
from controller.calls.arrivals import Arrivals
from controller.calls.facts import CallTools
from controller.calls.numbers import Route, load_routes
from controller.clock import Clock
from controller.errors import AttendantError, TelephonyError, TelephonyUnavailable
from controller.lookups import LookupClient
from controller.presence import PresenceTracker
from controller.presence.tracker import device_of
from controller.prompts import PromptLibrary
from controller.prompts.files import PromptFolder
from controller.prompts.own import load_own
from controller.routing import Distributor, Employee, FurtherNumber, GroupRule, PastWork, People, RoutedOperator
from controller.storage import Session
from controller.storage.calls import close_open_calls, last_talk_ended, talks_since
from controller.storage.database import Database
from controller.storage.groups import list_groups
from controller.storage.journal import CallJournal
from controller.storage.operators import Operator, OperatorView, list_operators, operator_views
from controller.supervision import for_ever
from controller.telephony.ami import Ami
from controller.telephony.ari import AriTelephony
from controller.telephony.events import Connected, Disconnected, SystemEvent
from controller.telephony.port import SipAccount

log = logging.getLogger(__name__)

REFRESH_EVERY: Final = 10.0
CONNECT_PATIENCE: Final = 20.0
CLOSE_PATIENCE: Final = 5.0
SETTLE_PATIENCE: Final = 2.0
OPERATORS_CONTEXT: Final = "from-operators"
FALLBACK_OPERATORS: Final = 10


@dataclass(frozen=True, slots=True)
class AsteriskAddress:
    """Where an Asterisk that runs is reached. `recordings_dir` is the recordings folder as that Asterisk sees it;
    `remote_phones`: phones on other machines can reach it.
    """

    ari_url: str
    ari_user: str
    ari_password: str
    ari_app: str
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str
    recordings_dir: PurePosixPath
    remote_phones: bool


@dataclass(frozen=True, slots=True)
class _Directory:
    routes: dict[str, Route]
    rules: tuple[GroupRule, ...]
    operators: tuple[SipAccount, ...]
    employees: tuple[Employee, ...] = ()


class Engine:
    """Serves calls between `start` and `stop`. `prompt_folder` holds the installation's own prompts, as this process sees it;
    `zone`, `region` and `lookup_allow_internal` are the settings' time_zone, phone_region and lookup_allow_internal.
    """

    def __init__(
        self,
        asterisk: AsteriskAddress,
        language: str,
        database: Database,
        bus: Bus,
        clock: Clock,
        prompts: PromptLibrary | None = None,
        prompt_folder: PromptFolder | None = None,
        *,
        zone: tzinfo = UTC,
        region: str | None = None,
        lookup_allow_internal: bool = False,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._zone = zone
        self._remote_phones = asterisk.remote_phones
        self.ami = Ami(asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_password)
        self.telephony = AriTelephony(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, asterisk.ari_app, self.ami)
        self.journal = CallJournal(database, on_stored=lambda: bus.send(CallsChanged()))
        self.presence = PresenceTracker(self.telephony)
        self.distributor = Distributor(self.telephony, self.presence, self.journal, clock, zone=zone)
        self.people = People()
        self.prompts = prompts or PromptLibrary()
        self._prompt_folder = prompt_folder
        self._lookups = LookupClient(allow_internal=lookup_allow_internal)
        tools = CallTools(
            self.telephony,
            self.distributor,
            self.journal,
            self.prompts,
            clock,
            lambda path: str(asterisk.recordings_dir / path),
            database,
            self.people,
            region,
            self._lookups,
            zone,
        )
        self.arrivals = Arrivals(tools, language)
        self._directory = _Directory({}, (), ())
        self._stale = asyncio.Event()
        self._provisioned = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect to Asterisk and take calls.

        Raises TelephonyUnavailable when Asterisk can't be reached within CONNECT_PATIENCE seconds.
        """
        await self._database.run(close_open_calls, self._clock.now(), frozenset())
        self.distributor.set_history(await self._database.read(_past_work, self._midnight()))
        await self.journal.start()
        await self._lookups.start()
        self.telephony.listen(self._on_system_event)
        await self._refresh()
        self._tasks = [
            asyncio.create_task(for_ever(work))
            for work in (self.distributor.run, self.arrivals.run, self._keep_fresh, self._listen_to_bus)
        ]
        await self.ami.start()
        await self.telephony.start()
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                await self._provisioned.wait()
        except TimeoutError:
            raise TelephonyUnavailable(
                f"Asterisk did not accept the connection within {CONNECT_PATIENCE:g} s; is its ARI user right?"
            ) from None

    def _midnight(self) -> datetime:
        """The beginning of this day where we are."""
        return self._clock.now().astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    @property
    def ready(self) -> bool:
        """Connected, and Asterisk's accounts and the phones' states are up to date."""
        return self.telephony.connected and self._provisioned.is_set()

    async def stop(self) -> None:
        """Send live calls on, store what is known, disconnect."""
        await self.arrivals.close(CLOSE_PATIENCE)
        if self.telephony.connected:
            await self.distributor.settle(SETTLE_PATIENCE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lookups.stop()
        await self.journal.stop()
        await self.telephony.stop()
        await self.ami.stop()

    def _on_system_event(self, event: SystemEvent) -> None:
        if isinstance(event, Connected | Disconnected):
            self._provisioned.clear()
            self._stale.set()

    async def _listen_to_bus(self) -> None:
        async with self._bus.subscribe() as notices:
            async for notice in notices:
                if concerns_directory(notice):
                    self._stale.set()

    async def _keep_fresh(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_EVERY):
                    await self._stale.wait()
            self._stale.clear()
            try:
                await self._refresh()
            except AttendantError as error:
                log.warning("numbers, groups and operators could not be read again: %s", error)

    async def _refresh(self) -> None:
        if self._prompt_folder is not None:
            self.prompts.set_own(await self._database.read(load_own, self._prompt_folder))
        directory = await self._database.read(_load_directory, self._directory, self._remote_phones, self.prompts)
        before, self._directory = self._directory, directory
        self.arrivals.set_routes(directory.routes)
        self.people.set(directory.employees, None)
        if directory.rules != before.rules:
            self.distributor.set_rules(directory.rules)
        if self.telephony.connected and (not self._provisioned.is_set() or directory.operators != before.operators):
            await self._provision(directory, before)

    async def _provision(self, directory: _Directory, before: _Directory) -> None:
        """Bring Asterisk's accounts to what the database says, and watch the phones."""
        self._provisioned.clear()
        try:
            for name in {account.name for account in before.operators} - {account.name for account in directory.operators}:
                await self.telephony.remove_sip_account(name)
            for account in directory.operators:
                await self.telephony.put_sip_account(account)
            await self.telephony.set_fallback_dial(_fallback_devices(directory.rules))
        except TelephonyError as error:
            log.warning("operators' SIP accounts could not be brought up to date: %s", error)
            return
        await self.presence.watch(account.name for account in directory.operators)
        self._provisioned.set()


def concerns_directory(notice: Message) -> bool:
    """Whether the notice says that what calls need to know has changed."""
    return isinstance(notice, DirectoryChanged | ScenarioPublished | PromptsChanged)


def _load_directory(session: Session, before: _Directory, remote_phones: bool, prompts: PromptLibrary) -> _Directory:
    return _Directory(
        load_routes(session, before.routes, prompts),
        tuple(GroupRule.of(group) for group in list_groups(session)),
        tuple(_account(operator, remote_phones) for operator in list_operators(session)),
        tuple(_employee(operator) for operator in operator_views(session)),
    )


def _past_work(session: Session, today: datetime) -> list[PastWork]:
    talks = talks_since(session, today)
    return [
        PastWork(one.extension, last_talk_ended(session, one.id, one.extension), talks.get(one.id, 0))
        for one in list_operators(session)
    ]


def _fallback_devices(rules: tuple[GroupRule, ...]) -> list[str]:
    """Whom the dialplan rings when no controller is there: the first group, as long as that is a handful of people."""
    first = rules[0].operators if rules else ()
    return [device_of(operator.extension) for operator in first[:FALLBACK_OPERATORS]]


def _account(operator: Operator, remote: bool) -> SipAccount:
    return SipAccount(operator.extension, operator.sip_secret, operator.name, OPERATORS_CONTEXT, remote)


def _employee(operator: OperatorView) -> Employee:
    further = tuple(FurtherNumber(one.number, one.ring_seconds) for one in operator.numbers)
    return Employee(RoutedOperator(operator.id, operator.extension, operator.name), operator.ring_seconds, further)
