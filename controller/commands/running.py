"""`python -m controller run`: everything in one process, in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path, PurePosixPath

import aiohttp
import uvicorn
import uvloop
from starlette.applications import Starlette

from controller.actions.demo import NUMBER as DEMO_NUMBER
from controller.actions.demo import OPERATORS as DEMO_OPERATORS
from controller.actions.demo import install_demo
from controller.actions.users import create_user, generate_password
from controller.bus import Bus, open_bus
from controller.clock import Clock, SystemClock
from controller.commands.opening import Commands, known_prompts, only_one, open_database, say
from controller.engine import AsteriskAddress, Engine
from controller.errors import AttendantError, SettingsError, SetupError
from controller.ids import CallId
from controller.logs import set_up_logging
from controller.notices import OutboxSender, open_sender
from controller.notices.confirmations import Warned, keep_warning
from controller.notices.sms import SmsGateway
from controller.prompts import PromptLibrary
from controller.prompts.files import PromptFolder
from controller.provisioning import browser_parts
from controller.provisioning.asterisk_process import AsteriskProcess
from controller.recordings.retention import keep_purging
from controller.settings import Settings
from controller.storage.database import Database
from controller.storage.numbers import list_numbers
from controller.storage.users import list_users
from controller.supervision import for_ever
from controller.telephony.sip_socket import LARGEST_FRAME, open_sip_socket
from web.app import create_app
from web.services import Component, Health, WebServices

log = logging.getLogger(__name__)

FIRST_LOGIN = "admin"
WEB_CLOSE_SECONDS = 3
READY_SECONDS = 20.0
DEFAULT_AMI_PORT = 5038
DATABASE_SECONDS = 5.0
LEAST_FREE_BYTES = 200_000_000
"""About three hours of recordings."""


def add_commands(commands: Commands) -> None:
    run_parser = commands.add_parser("run", help="serve calls and pages until Ctrl-C; does all the set-up")
    run_parser.set_defaults(command=run)


def run(settings: Settings, _given: argparse.Namespace) -> int:
    """Serve until told to stop. Raises AttendantError when it can't begin."""
    signal.signal(signal.SIGTERM, _interrupt)
    log_file = set_up_logging(settings.data_dir / "log")
    with only_one(settings), open_database(settings) as database, listening_socket(settings) as pages:
        process = AsteriskProcess.prepare(settings, say) if settings.ari_url is None else None
        password = prepare_first_start(database, SystemClock())
        no_telephone = build_telephone()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, database, pages, process, password, no_telephone))
    log.info("stopped; the log is %s", log_file)
    return 0


def build_telephone() -> str | None:
    """The telephone of the pages; why there is none is returned, for everything else works without it."""
    try:
        browser_parts.build(say)
    except SetupError as error:
        say(f"no calls in the browser: {error}")
        return str(error)
    return None


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def prepare_first_start(database: Database, clock: Clock) -> str | None:
    """An empty installation gets an administrator and, unless a set-up brought numbers already, the demo; returns the password,
    None when it is not the first start.
    """
    with database.session() as session:
        if list_users(session):
            return None
        password = generate_password()
        create_user(session, FIRST_LOGIN, password, "administrator", acting_user="system", at=clock.now())
        if not list_numbers(session):
            install_demo(session, known_prompts(), acting_user="system", at=clock.now())
        return password


async def serve(
    settings: Settings,
    database: Database,
    pages: socket.socket,
    process: AsteriskProcess | None,
    password: str | None,
    no_telephone: str | None,
) -> None:
    """Start everything in order, wait for the signal, stop in the opposite order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        bus = open_bus(settings.redis_url)
        await bus.start()
        stack.push_async_callback(bus.stop)
        if process is not None:
            say(f"starting Asterisk {process.install.version} …")
            stack.push_async_callback(process.stop)
            await process.start()
        prompts = PromptLibrary(folder=PurePosixPath(settings.asterisk_prompts_dir or settings.prompts_dir.absolute()))
        prompt_folder = PromptFolder(settings.prompts_dir)
        address = asterisk_address(settings, process)
        engine = Engine(address, database, bus, clock, prompts, prompt_folder, settings=settings)
        stack.push_async_callback(engine.stop)
        await engine.start()
        sender = open_sender(settings, database, clock)
        beside = [asyncio.create_task(for_ever(part)) for part in parts_beside_calls(settings, database, clock, sender)]
        stack.push_async_callback(end, beside)
        health = health_check(settings, database, bus, engine, sender, process.install.version if process else None)
        given = web_services(settings, database, bus, clock, engine, address.ari_url, health, no_telephone)
        app = create_app(given)
        await stack.enter_async_context(web_server(app, pages))
        stack.push_async_callback(bus.stop)  # ends the pages' open streams, which the server would wait for
        await pages_answer(settings)
        print(ready_screen(settings, password), flush=True)
        await stop.wait()
        say("stopping …")
    say("stopped")


def web_services(
    settings: Settings,
    database: Database,
    bus: Bus,
    clock: Clock,
    engine: Engine,
    ari_url: str,
    health: Callable[[], Awaitable[Health]],
    no_telephone: str | None = None,
) -> WebServices:
    """How the pages and the API reach calls, phones and trunks without knowing of the engine."""

    async def pause_recording(call: str, paused: bool) -> str:
        return await engine.arrivals.pause_recording(CallId(call), paused)

    async def transfer(call: str, to: str, consulting: bool) -> None:
        await engine.arrivals.transfer(CallId(call), to, consulting)

    async def conclude_transfer(call: str, completes: bool) -> None:
        await engine.arrivals.conclude_transfer(CallId(call), completes)

    def place_call(operator: str, number: str, at_mobile: bool | None) -> str:
        return engine.outgoing.place(operator, number, at_mobile=at_mobile)

    return WebServices(
        settings,
        database,
        bus,
        clock,
        health,
        known_prompts,
        pause_recording,
        operator_states=lambda: engine.presence.states,
        state_chosen=engine.state_chosen,
        directory_taken_in=engine.directory_taken_in,
        trunk_states=engine.trunk_states,
        transfer=transfer,
        conclude_transfer=conclude_transfer,
        place_call=place_call,
        dictate_code=engine.confirmations.place,
        send_code=None if settings.sms_url is None else SmsGateway(settings.sms_url).send_code,
        open_sip_socket=lambda: open_sip_socket(ari_url),
        no_telephone=no_telephone,
    )


def parts_beside_calls(
    settings: Settings, database: Database, clock: Clock, sender: OutboxSender
) -> list[Callable[[], Coroutine[None, None, None]]]:
    """What runs as long as the process does, whether there are calls or not."""
    parts: list[Callable[[], Coroutine[None, None, None]]] = [
        sender.run,
        lambda: keep_purging(database, settings.recordings_dir, settings.recordings_days, clock),
    ]
    if (recipient := settings.confirmation_mail) is not None:
        parts.append(lambda: keep_warning(database, Warned(recipient, settings.language, settings.zone), clock))
    return parts


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def asterisk_address(settings: Settings, process: AsteriskProcess | None) -> AsteriskAddress:
    """Our own Asterisk, or the one of the settings."""
    recordings = settings.asterisk_recordings_dir or settings.recordings_dir.absolute()
    if process is not None:
        ari_url, ari_password = process.ports.ari_url, process.secrets.ari_password
        ami_host, ami_port, ami_password = "127.0.0.1", process.ports.ami, process.secrets.ami_password
    else:
        assert settings.ari_url is not None and settings.ari_password is not None and settings.ami_password is not None
        ari_url, ari_password = settings.ari_url, settings.ari_password
        ami_host, ami_port, ami_password = settings.ami_host, settings.ami_port or DEFAULT_AMI_PORT, settings.ami_password
    return AsteriskAddress(
        ari_url,
        settings.ari_user,
        ari_password,
        settings.ari_app,
        ami_host,
        ami_port,
        settings.ami_user,
        ami_password,
        PurePosixPath(recordings),
        remote_phones=not _is_loopback(settings.sip_host),
        media_address=settings.media_address or _one_address(settings.sip_host),
    )


def _one_address(host: str) -> str | None:
    """The host, if it is an address and not that of all of the machine's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if address.is_unspecified else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def listening_socket(settings: Settings) -> Iterator[socket.socket]:
    """The pages' socket, bound before anything else is started.

    Raises SettingsError when the address is taken or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.http_host, settings.http_port))
        except OSError as error:
            raise SettingsError(
                f"ATTENDANT_HTTP_PORT={settings.http_port} on {settings.http_host}: {error.strerror}; "
                "stop what uses it or set another port"
            ) from error
        yield listening


@asynccontextmanager
async def web_server(app: Starlette, pages: socket.socket) -> AsyncIterator[None]:
    """Serve the pages for as long as the block lasts."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="wsproto",
        ws_max_size=LARGEST_FRAME,
        timeout_graceful_shutdown=WEB_CLOSE_SECONDS,
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[pages]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _QuietServer(uvicorn.Server):
    """Leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def pages_answer(settings: Settings) -> None:
    """Ask our own health page until it answers.

    Raises SetupError after READY_SECONDS.
    """
    try:
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{settings.pages_url}api/v1/health") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise SetupError(f"the pages at {settings.pages_url} do not answer") from None


def health_check(
    settings: Settings, database: Database, bus: Bus, engine: Engine, sender: OutboxSender, asterisk_version: str | None
) -> Callable[[], Awaitable[Health]]:
    """What GET /api/v1/health and the pages' status line tell."""

    async def check() -> Health:
        return Health(
            database=await _database_state(database),
            ari=_state(engine.ready, "no connection to Asterisk; it is tried again all the time"),
            ami=_state(engine.ami.connected, "no connection to the manager interface; it is tried again all the time"),
            redis=_state(bus.connected, "no connection") if settings.redis_url else Component(state="off"),
            mail=_mail_state(sender),
            disk=await asyncio.to_thread(disk_state, settings.data_dir),
            asterisk_version=asterisk_version,
            live_calls=engine.arrivals.live,
        )

    return check


async def _database_state(database: Database) -> Component:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await database.in_thread(database.check)
    except (AttendantError, TimeoutError) as error:
        return Component(state="down", detail=str(error) or "no answer")
    return Component(state="ok")


def disk_state(folder: Path) -> Component:
    """Whether recordings and database still find room. Every user reads it, so it does not name the folder."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Component(state="down", detail=f"the data folder can't be looked at: {error.strerror}")
    if free < LEAST_FREE_BYTES:
        return Component(state="down", detail=f"only {free // 1_000_000} MB are free: recordings may be lost")
    return Component(state="ok")


def _mail_state(sender: OutboxSender) -> Component:
    if not sender.configured:
        return Component(state="off")
    return Component(state="ok") if sender.trouble is None else Component(state="down", detail=sender.trouble)


def _state(up: bool, otherwise: str) -> Component:
    return Component(state="ok") if up else Component(state="down", detail=otherwise)


def ready_screen(settings: Settings, password: str | None) -> str:
    """All that a newcomer needs, on one screen. Its last line begins with READY."""
    login = f"user {FIRST_LOGIN}, password {password} (shown once)" if password else "as before (a new one: see `user` below)"
    host = settings.media_address or settings.sip_host
    command = f"{Path(sys.executable).parent}/python -m controller"
    return f"""
  Pages      {settings.pages_url}
  Log in     {login}
  Call       {DEMO_NUMBER} by SIP at {host}:{settings.sip_port}, from this machine without an account
  Operators  {", ".join(sorted(DEMO_OPERATORS))}; how a phone registers: {command} sip-account 2001
  Try it     {command} demo
  More       {command} --help   (user, token, call, scenario, check …)
  Stop       Ctrl-C, or SIGTERM to process {os.getpid()}

READY {settings.pages_url}"""
