"""The composition root of the live engine: the one place that builds its objects, starts them in order and stops them.

What a call needs to know (numbers, groups, operators) is kept in memory and read again at every notice, and every
REFRESH_EVERY seconds in case a notice was lost or the change came from another process.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from controller.actions.operator_states import choose_state
from controller.actions.prompts import store_recorded
from controller.bus import Bus
from controller.bus.messages import (
    CallbacksChanged,
    CallsChanged,
    DirectoryChanged,
    Message,
    OperatorChanged,
    OperatorsChanged,
    PromptsChanged,
    ScenarioPublished,
    WrapUpEnded,
)
from controller.callbacks import CallbackKeeper, CallbackRules
from controller.calls.arrivals import Arrivals
from controller.calls.blocking import BlockList
from controller.calls.codes import DeskRules
from controller.calls.confirming import ConfirmationCalls
from controller.calls.dictation import PromptStudio
from controller.calls.facts import CallTools
from controller.calls.keeping import VoicemailKeeper
from controller.calls.numbers import Route, load_routes
from controller.calls.outgoing import OutgoingCalls
from controller.clock import Clock
from controller.errors import AttendantError, StorageError, TelephonyError, TelephonyUnavailable
from controller.ids import trunk_name
from controller.lookups import LookupClient
from controller.missed import MissedCallKeeper
from controller.presence import PresenceTracker, StateHistory, Switches, TrunkTracker
from controller.presence.tracker import device_of
from controller.prompts import PromptLibrary
from controller.prompts.files import PromptFolder
from controller.prompts.own import load_own
from controller.prompts.workshop import Workshop
from controller.recordings.stereo import StereoFinisher
from controller.recordings.writing import WrittenCheck
from controller.routing import (
    Distributor,
    Employee,
    FurtherNumber,
    GroupRule,
    NumberLines,
    OutsidePhone,
    OutsidePhones,
    OwnNumber,
    PastWork,
    People,
    RoutedOperator,
    TransferTargets,
)
from controller.schedules import zone_of
from controller.settings import Settings
from controller.storage import Session
from controller.storage.calls import close_open_calls, last_talk_ended, talks_since
from controller.storage.campaigns import campaign_views
from controller.storage.contacts import BlockEntry, block_entries
from controller.storage.database import Database
from controller.storage.forwarding import PhoneView, list_phones
from controller.storage.groups import list_groups
from controller.storage.journal import CallJournal
from controller.storage.journal_changes import RecordingFailed
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.operator_states import OperatorSwitches, Wish, switches_by_extension
from controller.storage.operators import Operator, OperatorView, list_operators, operator_views
from controller.storage.rates import Pricing
from controller.storage.trunks import Trunk, TrunkState, usable_trunks
from controller.supervision import for_ever
from controller.telephony.ami import Ami
from controller.telephony.ari import AriTelephony
from controller.telephony.events import Connected, Disconnected, SystemEvent
from controller.telephony.port import SipAccount, SipTrunk

log = logging.getLogger(__name__)

REFRESH_EVERY: Final = 10.0
TAKEN_IN_WITHIN: Final = 2.0
CONNECT_PATIENCE: Final = 20.0
CLOSE_PATIENCE: Final = 5.0
SETTLE_PATIENCE: Final = 2.0
KEEP_PATIENCE: Final = 3.0
OPERATORS_CONTEXT: Final = "from-operators"
FALLBACK_OPERATORS: Final = 10


@dataclass(frozen=True, slots=True)
class AsteriskAddress:
    """Where an Asterisk that runs is reached. `recordings_dir` is the recordings folder as that Asterisk sees it;
    `remote_phones`: phones on other machines can reach it; `media_address`: where browsers send sound, None: Asterisk knows.
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
    media_address: str | None = None


@dataclass(frozen=True, slots=True)
class _Directory:
    routes: dict[str, Route]
    rules: tuple[GroupRule, ...]
    operators: tuple[SipAccount, ...]
    employees: tuple[Employee, ...]
    trunks: dict[int, SipTrunk]
    unscreened: frozenset[str]
    switches: Mapping[str, Switches]
    numbers: tuple[OwnNumber, ...]
    phones: OutsidePhones
    blocked: tuple[BlockEntry, ...]


class Engine:
    """Serves calls between `start` and `stop`. `prompt_folder` holds the installation's own prompts, as this process sees it."""

    def __init__(
        self,
        asterisk: AsteriskAddress,
        database: Database,
        bus: Bus,
        clock: Clock,
        prompts: PromptLibrary | None = None,
        prompt_folder: PromptFolder | None = None,
        *,
        settings: Settings,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._zone = settings.zone
        self._asterisk = asterisk
        self.ami = Ami(asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_password)
        self.telephony = AriTelephony(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, asterisk.ari_app, self.ami)
        self.missed = MissedCallKeeper(database, bus, clock, settings)
        pricing = Pricing(settings.zone, settings.phone_region)
        self.journal = CallJournal(database, on_stored=self._calls_stored, pricing=pricing)
        self.presence = PresenceTracker(self.telephony, clock)
        self.presence.subscribe(lambda extension, state: bus.send(OperatorChanged(extension, state)))
        self.history = StateHistory(database, on_stored=lambda: bus.send(OperatorsChanged()))
        self.presence.tell_history(self.history.record)
        self.lines = NumberLines(settings.phone_region)
        self.trunks = TrunkTracker(self.telephony)
        self.people = People(self.trunks)
        self.transfer_targets = TransferTargets(self.telephony, self.presence, lambda: self.distributor.engaged)
        self.distributor = Distributor(
            self.telephony,
            self.presence,
            self.journal,
            clock,
            lines=self.lines,
            zone=settings.zone,
            sees_team=self.people.sees_team,
            on_engaged=self.transfer_targets.look_again,
        )
        self.prompts = prompts or PromptLibrary()
        self._prompt_folder = prompt_folder
        self._lookups = LookupClient(allow_internal=settings.lookup_allow_internal)
        self.voicemails = VoicemailKeeper(database, clock, self.telephony.recording_message, settings)
        self.stereo = StereoFinisher(settings.recordings_dir) if settings.recordings_channels == "stereo" else None
        self._written = WrittenCheck(settings.recordings_dir, lambda *of: self.journal.record(RecordingFailed(*of)))
        tools = CallTools(
            telephony=self.telephony,
            distributor=self.distributor,
            journal=self.journal,
            prompts=self.prompts,
            clock=clock,
            recording_path=lambda path: str(asterisk.recordings_dir / path),
            voicemails=self.voicemails,
            database=database,
            people=self.people,
            lines=self.lines,
            region=settings.phone_region,
            lookups=self._lookups,
            zone=settings.zone,
            bus=bus,
            presence=self.presence,
            desk=DeskRules.of(settings),
            choose_state=self.choose_state,
            written=self._written,
            stereo=self.stereo,
        )
        self.arrivals = Arrivals(tools, settings.language, self._studio(settings))
        self.outgoing = OutgoingCalls(tools, self.arrivals, settings.language)
        self.confirmations = ConfirmationCalls(tools, self.arrivals)
        self.callbacks = CallbackKeeper(tools, self.arrivals, CallbackRules.of(settings))
        self._directory = _Directory({}, (), (), (), {}, frozenset(), {}, (), OutsidePhones(), ())
        self._known_accounts: set[str] = set()
        self._known_trunks: set[str] = set()
        self._stale = asyncio.Event()
        self._taken_in = asyncio.Event()
        self._provision_again = True
        self._outdated = asyncio.Event()
        self._provisioned = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def _studio(self, settings: Settings) -> PromptStudio | None:
        """How prompts are spoken into a phone, where there is a library to keep them."""
        folder = self._prompt_folder
        if folder is None or not settings.record_prompt_code:
            return None
        workshop = Workshop(folder, settings.longest_prompt_seconds)

        async def keep(file: Path, extension: str) -> str:
            at = self._clock.now()
            spoken = at.astimezone(settings.zone)
            by = "".join(letter for letter in extension.lower() if letter.isascii() and letter.isalnum()) or "unknown"
            name, title = f"recorded-{by}-{spoken:%Y%m%d-%H%M%S}", f"Recorded by {by}, {spoken:%Y-%m-%d %H:%M}"
            with file.open("rb") as source:
                async with workshop.prepared(source) as sound:
                    await self._database.run(
                        store_recorded, folder, sound, name, settings.language, title=title, acting_user=f"phone {by}", at=at
                    )
            self._bus.send(PromptsChanged())
            return name

        return PromptStudio(settings.record_prompt_code, settings.longest_prompt_seconds, keep)

    async def start(self) -> None:
        """Connect to Asterisk and take calls.

        Raises TelephonyUnavailable when Asterisk can't be reached within CONNECT_PATIENCE seconds.
        """
        await self._database.run(close_open_calls, self._clock.now(), frozenset())
        self.distributor.set_history(await self._database.read(_past_work, self._midnight()))
        await self.callbacks.resume()
        await self.journal.start()
        await self._lookups.start()
        self.telephony.listen(self._on_system_event)
        await self._refresh()
        parts = [
            self.distributor.run,
            self.arrivals.run,
            self.callbacks.run,
            self.voicemails.run,
            self._written.run,
            self.history.run,
            self.missed.run,
            self.transfer_targets.run,
            self._keep_fresh,
            self._keep_provisioned,
            self._listen_to_bus,
        ]
        if self.stereo is not None:
            parts.append(self.stereo.run)
        self._tasks = [asyncio.create_task(for_ever(work)) for work in parts]
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

    async def choose_state(self, extension: str, wish: Wish, reason: str) -> None:
        """An operator has chosen a state on his phone. Raises as `actions.operator_states.choose_state`."""
        by, now = f"operator {extension}", self._clock.now()
        self.state_chosen(extension, await self._database.run(choose_state, extension, wish, reason, acting_user=by, at=now))

    def state_chosen(self, extension: str, chosen: OperatorSwitches) -> None:
        """An operator's state was chosen and is stored: the very next decision goes by it."""
        self.presence.switch(extension, _switches(chosen))

    async def directory_taken_in(self) -> None:
        """Wait for what was stored, and told by a notice, to be what every decision from now on goes by. Where it can't be read
        within TAKEN_IN_WITHIN seconds, wait no longer: it is read later.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_IN_WITHIN):
                await self._taken_in.wait()

    async def trunk_states(self) -> dict[int, TrunkState]:
        """How the enabled trunks are, by their ids. Asks Asterisk when some of them register."""
        trunks, reachable = self._directory.trunks, self.trunks.reachable
        registered: dict[str, str] | None = {}
        if any(trunk.registers for trunk in trunks.values()):
            try:
                registered = await self.ami.registrations()
            except TelephonyError as error:
                log.info("trunks can't be asked for their registrations: %s", error)
                registered = None
        states: dict[int, TrunkState] = {}
        for id, trunk in trunks.items():
            if not self.telephony.connected or trunk.name not in reachable or (trunk.registers and registered is None):
                states[id] = "unknown"
            elif trunk.registers and registered is not None and registered.get(trunk.name) != "Registered":
                states[id] = "not_registered" if reachable[trunk.name] else "absent"
            else:
                states[id] = "ready" if reachable[trunk.name] else "absent"
        return states

    async def stop(self) -> None:
        """Send live calls on, store what is known, disconnect; whatever fails of it, the rest is still done."""
        async with AsyncExitStack() as rest:
            for part in (self.ami.stop, self.telephony.stop, self._keep_history, self.journal.stop, self._lookups.stop):
                rest.push_async_callback(part)
            await self.callbacks.close()
            await self.outgoing.close()
            await self.confirmations.close()
            await self.arrivals.close(CLOSE_PATIENCE)
            await self.callbacks.settle(SETTLE_PATIENCE)
            if self.telephony.connected:
                await self.distributor.settle(SETTLE_PATIENCE)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.voicemails.close(KEEP_PATIENCE)
            if self.stereo is not None:
                await self.stereo.close(KEEP_PATIENCE)
            await self._written.close(KEEP_PATIENCE)

    async def _keep_history(self) -> None:
        with suppress(StorageError):
            await self.history.flush()

    def _calls_stored(self) -> None:
        self._bus.send(CallsChanged())
        self.missed.wake()

    def _on_system_event(self, event: SystemEvent) -> None:
        if isinstance(event, Connected | Disconnected):
            self._provision_again = True
            self._provisioned.clear()
            self._stale.set()

    async def _listen_to_bus(self) -> None:
        async with self._bus.subscribe() as notices:
            async for notice in notices:
                if concerns_directory(notice):
                    self._stale.set()
                if isinstance(notice, CallbacksChanged | DirectoryChanged):
                    self.callbacks.wake()
                if isinstance(notice, WrapUpEnded):
                    self.distributor.end_wrap_up(notice.extension)

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
        taken_in, self._taken_in = self._taken_in, asyncio.Event()
        if self._prompt_folder is not None:
            self.prompts.set_own(await self._database.read(load_own, self._prompt_folder))
        directory = await self._database.read(_load_directory, self._directory, self._asterisk, self.prompts, self._clock.now())
        before, self._directory = self._directory, directory
        self.arrivals.set_routes(directory.routes)
        if directory.blocked != before.blocked:
            self.arrivals.set_block_list(BlockList(directory.blocked))
        trunks = directory.trunks.values()
        places = {(trunk.host.lower(), trunk.port): trunk.name for trunk in reversed(trunks)}
        self.people.set(directory.employees, (trunk.name for trunk in trunks), places)
        self.people.set_phones(directory.phones)
        self.lines.set(directory.numbers, {trunk.name: trunk.shown for trunk in trunks}, directory.unscreened)
        self.presence.set_switches(directory.switches)
        if directory.rules != before.rules:
            self.distributor.set_rules(directory.rules)
        taken_in.set()
        changed = (directory.operators, directory.trunks) != (before.operators, before.trunks)
        if self.telephony.connected and (changed or self._provision_again):
            self._provision_again = False
            self._outdated.set()

    async def _keep_provisioned(self) -> None:
        """Beside the reading: where there are many accounts this takes its time, and no decision waits for it."""
        while True:
            await self._outdated.wait()
            self._outdated.clear()
            await self._provision(self._directory)

    async def _provision(self, directory: _Directory) -> None:
        """Bring Asterisk's accounts and trunks to what the database says, and watch the phones."""
        self._provisioned.clear()
        try:
            for account in directory.operators:
                self._known_accounts.add(account.name)
                await self.telephony.put_sip_account(account)
            await self._put_trunks(directory.trunks.values())
            for name in self._known_accounts - {account.name for account in directory.operators}:
                await self.telephony.remove_sip_account(name)
                self._known_accounts.discard(name)
            for name in self._known_trunks - {trunk.name for trunk in directory.trunks.values()}:
                await self.telephony.remove_trunk(name)
                self._known_trunks.discard(name)
            await self.telephony.set_fallback_dial(_fallback_devices(directory.rules))
        except TelephonyError as error:
            log.warning("SIP accounts and trunks could not be brought up to date: %s", error)
            self._provision_again = True
            return
        await self.presence.watch(account.name for account in directory.operators)
        await self.trunks.watch(trunk.name for trunk in directory.trunks.values())
        self._provisioned.set()

    async def _put_trunks(self, trunks: Iterable[SipTrunk]) -> None:
        """A trunk that Asterisk refuses (a host that no name server knows) keeps nothing else from being served."""
        for trunk in trunks:
            self._known_trunks.add(trunk.name)
            try:
                await self.telephony.put_trunk(trunk)
            except TelephonyUnavailable:
                raise
            except TelephonyError as error:
                self._provision_again = True
                log.error("calls through %s (%s) can't be made: %s", trunk.name, trunk.host, error)


def concerns_directory(notice: Message) -> bool:
    """Whether the notice says that what calls need to know has changed."""
    return isinstance(notice, DirectoryChanged | ScenarioPublished | PromptsChanged)


def _load_directory(
    session: Session, before: _Directory, asterisk: AsteriskAddress, prompts: PromptLibrary, now: datetime
) -> _Directory:
    operators = list_operators(session)
    usable = usable_trunks(session)
    trunks = {trunk.id: sip_trunk(trunk) for trunk in usable}
    lines = [*list_groups(session), *(campaign.line for campaign in campaign_views(session))]
    return _Directory(
        load_routes(session, before.routes, prompts),
        tuple(_taking_calls(GroupRule.of(group), operators) for group in lines),
        tuple(_account(operator, asterisk) for operator in operators),
        tuple(_employee(operator) for operator in operator_views(session)),
        trunks,
        frozenset(trunks[trunk.id].name for trunk in usable if trunk.clip_no_screening),
        {extension: _switches(stored) for extension, stored in switches_by_extension(session).items()},
        tuple(_own_number(number, trunks, now) for number in list_numbers(session)),
        _outside_phones(list_phones(session)),
        tuple(block_entries(session, now)),
    )


def _outside_phones(phones: Iterable[PhoneView]) -> OutsidePhones:
    """Those that are confirmed, and approved where they have to be; the moment of the call decides whether they still are."""
    common: dict[str, OutsidePhone] = {}
    own: dict[str, OutsidePhone] = {}
    for view in phones:
        phone = OutsidePhone(view.row.number, view.row.expires_at)
        if view.row.confirmed_at is not None and view.operator is None:
            common[phone.number] = phone
        elif view.row.confirmed_at is not None and view.operator is not None and view.row.approval == "approved":
            own[view.operator.extension] = phone
    return OutsidePhones(common, own)


def _taking_calls(rule: GroupRule, operators: Iterable[Operator]) -> GroupRule:
    """The rule without those who do not work with inbound calls."""
    inbound = {operator.extension for operator in operators if operator.inbound}
    return replace(rule, operators=tuple(member for member in rule.operators if member.extension in inbound))


def _switches(stored: OperatorSwitches) -> Switches:
    return Switches(stored.logged_in, stored.do_not_disturb, stored.reason, stored.changed_at, stored.changed_by)


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


def _account(operator: Operator, asterisk: AsteriskAddress) -> SipAccount:
    """A browser needs no signs of life: its socket ends with it."""
    if operator.call_mode == "browser":
        remote, browser, media_address = False, True, asterisk.media_address
    else:
        remote, browser, media_address = asterisk.remote_phones, False, None
    name, secret = operator.extension, operator.account_secret
    return SipAccount(name, secret, operator.name, OPERATORS_CONTEXT, remote, browser, media_address)


def _employee(operator: OperatorView) -> Employee:
    further = tuple(FurtherNumber(one.number, one.ring_seconds) for one in operator.numbers)
    routed = RoutedOperator(operator.id, operator.extension, operator.name, zone=zone_of(operator.time_zone))
    at_mobile = operator.call_mode == "own_number"
    return Employee(routed, operator.ring_seconds, further, operator.inbound, operator.team, at_mobile)


def _own_number(stored: InboundNumber, trunks: Mapping[int, SipTrunk], now: datetime) -> OwnNumber:
    trunk = trunks.get(stored.trunk_id or 0)
    name = None if trunk is None else trunk.name
    return OwnNumber(stored.number, stored.channels, stored.incoming, stored.outgoing, name, stored.state(now))


def sip_trunk(trunk: Trunk) -> SipTrunk:
    """A stored trunk for Asterisk. Its name changes with the carrier's address: Asterisk would go on believing of a new place
    what it knew of the one before.
    """
    where = (trunk.host, str(trunk.port), trunk.transport, *filter(None, [trunk.domain]))
    place = hashlib.sha256(" ".join(where).encode()).hexdigest()[:8]
    return SipTrunk(
        trunk_name(trunk.id, place),
        trunk.host,
        trunk.port,
        trunk.transport,
        trunk.username,
        trunk.secret,
        trunk.registers,
        trunk.caller_id,
        trunk.domain or trunk.host,
        trunk.inbound,
    )
