"""What the pages and the API are given to work with. The engine builds it; tests build their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Literal, Protocol, TypeAlias, cast

from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from controller.actions.scenarios import KnownPrompts
from controller.bus import Bus, DirectoryChanged
from controller.clock import Clock
from controller.errors import Refused, TelephonyUnavailable
from controller.presence import OperatorState
from controller.prompts.workshop import Workshop
from controller.settings import Settings
from controller.storage import Database
from controller.storage.operator_states import OperatorSwitches
from controller.storage.trunks import TrunkState

ComponentState: TypeAlias = Literal["ok", "down", "off"]


class Component(BaseModel):
    """One thing that Attendant depends on. `detail` says what is wrong, or which version it is."""

    state: ComponentState = Field(description='"off": not used by this installation')
    detail: str = ""


class Health(BaseModel):
    """How the installation is. Made from what is known at the moment: asking must cost nothing and never wait."""

    database: Component
    ari: Component
    ami: Component
    redis: Component
    mail: Component = Field(Component(state="off"), description='"off": no mail server is set, and letters wait')
    disk: Component = Field(Component(state="ok"), description="free space for recordings and the database")
    asterisk_version: str | None = Field(description="null until Asterisk was reached once")
    live_calls: int

    @property
    def is_whole(self) -> bool:
        """Nothing that this installation uses is down."""
        return all(part.state != "down" for part in (self.database, self.ari, self.ami, self.redis, self.mail, self.disk))


RecordingSwitch: TypeAlias = Callable[[str, bool], Awaitable[str]]
"""Pauses the recording of a live call (True) or has it go on; gives the recording's id. Raises Refused when the call is not live
here or nothing is recorded, TelephonyError."""


async def no_live_calls(call: str, paused: bool) -> str:
    """The RecordingSwitch of a process that serves no calls."""
    raise Refused(f"call {call} is not live in this process")


async def _no_transfer(call: str, to: str, consulting: bool) -> None:
    raise Refused(f"call {call} is not live in this process")


async def _no_consultation(call: str, completes: bool) -> None:
    raise Refused(f"call {call} is not live in this process")


def _nobody_to_tell(extension: str, chosen: OperatorSwitches) -> None:
    """Another process serves the calls, and reads it by itself."""


async def _nobody_to_wait_for() -> None:
    """Another process serves the calls, and reads it by itself."""


def _no_dictation(number: str, code: str, language: str | None) -> str:
    raise Refused("this process serves no calls")


def _no_outgoing_calls(operator: str, number: str, at_mobile: bool | None) -> str:
    raise Refused("this process serves no calls")


class SipSocket(Protocol):
    """A browser's way to Asterisk; both raise TelephonyUnavailable once it has ended."""

    async def send(self, message: str) -> None:
        """One SIP message."""
        ...

    async def receive(self) -> str:
        """The next one."""
        ...


@asynccontextmanager
async def _no_asterisk() -> AsyncIterator[SipSocket]:
    raise TelephonyUnavailable("this process serves no calls")
    yield


async def _nothing_known() -> Mapping[int, TrunkState]:
    return {}


@dataclass(frozen=True, slots=True)
class WebServices:
    """`prompts` is what scenarios may play at the moment; `monotonic` is the clock of the log-in limits, in seconds.

    `operator_states` is how operators' phones are, by extension; one that is not named is offline. `state_chosen` is told what
    was stored for an operator, so that he is offered nothing more from the answer on. `directory_taken_in` waits, not for long,
    until everything else that was stored is what calls go by. `trunk_states` tells how the enabled trunks are, by their ids, as
    far as that is known.

    `transfer` gives a live call's caller to somebody else (call, number, whether the operator consults before),
    `conclude_transfer` ends that consultation (call, whether caller and target are joined; else the operator has his caller
    again), `place_call` calls an operator and then a number for him (extension, number, whether at his mobile; None: as his call
    mode says) and gives the call's id, and `dictate_code` calls a number to tell it a code (number, code, language or None for
    the installation's) and gives the call's id; all raise Refused. So does `send_code`, which sends a code by SMS (number, code,
    language); None: there is no gateway.

    `open_sip_socket` opens a browser's way to Asterisk, or raises TelephonyUnavailable; `no_telephone` says why the pages can't
    be telephones, None: they can.
    """

    settings: Settings
    database: Database
    bus: Bus
    clock: Clock
    health: Callable[[], Awaitable[Health]]
    prompts: Callable[[], KnownPrompts]
    pause_recording: RecordingSwitch = no_live_calls
    monotonic: Callable[[], float] = monotonic
    operator_states: Callable[[], Mapping[str, OperatorState]] = dict
    state_chosen: Callable[[str, OperatorSwitches], None] = _nobody_to_tell
    directory_taken_in: Callable[[], Awaitable[None]] = _nobody_to_wait_for
    trunk_states: Callable[[], Awaitable[Mapping[int, TrunkState]]] = _nothing_known
    transfer: Callable[[str, str, bool], Awaitable[None]] = _no_transfer
    conclude_transfer: Callable[[str, bool], Awaitable[None]] = _no_consultation
    place_call: Callable[[str, str, bool | None], str] = _no_outgoing_calls
    dictate_code: Callable[[str, str, str | None], str] = _no_dictation
    send_code: Callable[[str, str, str], Awaitable[None]] | None = None
    open_sip_socket: Callable[[], AbstractAsyncContextManager[SipSocket]] = _no_asterisk
    no_telephone: str | None = None

    async def directory_changed(self) -> None:
        """Tell everybody that what calls need to know has changed, and is stored. Calls of this process go by it from the return
        on; where they are slow to, or another process serves them, soon.
        """
        self.bus.send(DirectoryChanged())
        await self.directory_taken_in()


def workshop(connection: HTTPConnection) -> Workshop:
    """Where the application that serves this request makes prompts."""
    return cast(Workshop, connection.app.state.workshop)


def ringtone_workshop(connection: HTTPConnection) -> Workshop:
    """Where it makes ringtones."""
    return cast(Workshop, connection.app.state.ringtone_workshop)


def services(connection: HTTPConnection) -> WebServices:
    """The services of the application that serves this request."""
    return cast(WebServices, connection.app.state.services)
