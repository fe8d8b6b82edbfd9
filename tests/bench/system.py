"""What is measured: one Asterisk, and an Attendant of its own process that serves it. Both live in a temporary folder."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, func, select

from controller.actions.numbers import add_number
from controller.actions.scenarios import create_scenario, publish
from controller.clock import SystemClock
from controller.commands.opening import known_prompts, open_database
from controller.provisioning import asterisk_conf
from controller.provisioning.asterisk_prefix import AsteriskInstall, find_or_fetch
from controller.provisioning.asterisk_process import AsteriskProcess
from controller.settings import CHECKOUT, Settings
from controller.storage.calls import Call, CallStep
from tests.bench.tones import write_prompts

HERE = Path(__file__).parent
DIALPLAN, ATTENDANT = "7001", "7002"
"""The number of each menu."""

READY_SECONDS = 30
STOP_SECONDS = 20
_RTP_WINDOW = 1400
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class System:
    """A running Asterisk and Attendant."""

    settings: Settings
    asterisk_pid: int
    controller_pid: int
    ari_url: str
    ari_password: str

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time that Asterisk and the controller have used so far."""
        return _cpu_seconds(self.asterisk_pid), _cpu_seconds(self.controller_pid)

    def megabytes(self) -> tuple[float, float]:
        """Resident megabytes of both."""
        return _megabytes(self.asterisk_pid), _megabytes(self.controller_pid)

    def stored(self) -> tuple[int, int]:
        """Calls to Attendant's menu that are stored whole, and all that are stored."""
        with open_database(self.settings) as database, database.session(read_only=True) as session:
            return _count_stored(session)


@contextlib.asynccontextmanager
async def running_system(folder: Path, furnish: Callable[[Settings], None] | None = None) -> AsyncIterator[System]:
    """Start both in `folder`, and end both. `furnish` fills the database; by default with the menu."""
    settings = _settings(folder)
    install = _with_tones(find_or_fetch(settings, print), folder / "prompts")
    instance = asterisk_conf.instance_dir(settings)
    secrets, ports = asterisk_conf.load_or_make_secrets(settings.data_dir), asterisk_conf.load_or_choose_ports(settings)
    conf = asterisk_conf.render(settings, install, secrets, instance, ports)
    with (conf.parent / "extensions.conf").open("a") as dialplan:
        dialplan.write((HERE / "menu.conf").read_text())
    (furnish or _store_menu)(settings)
    asterisk = AsteriskProcess(settings, install, conf, ports, secrets)
    await asterisk.start()
    try:
        assert asterisk.pid is not None
        environment = _environment(settings) | {
            "ATTENDANT_ARI_URL": ports.ari_url,
            "ATTENDANT_ARI_PASSWORD": secrets.ari_password,
            "ATTENDANT_AMI_PORT": str(ports.ami),
            "ATTENDANT_AMI_PASSWORD": secrets.ami_password,
        }
        async with _controller(environment) as controller_pid:
            yield System(settings, asterisk.pid, controller_pid, ports.ari_url, secrets.ari_password)
    finally:
        await asterisk.stop()


@contextlib.asynccontextmanager
async def _controller(environment: dict[str, str]) -> AsyncIterator[int]:
    """`python -m controller run` on an Asterisk that is there already."""
    command = (*_PROGRAM, "run")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=CHECKOUT, stdout=pipe, stderr=None)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not (line := await process.stdout.readline()).startswith(b"READY"):
                if not line:
                    raise RuntimeError("Attendant ended while starting")
        yield process.pid
    finally:
        await _end(process)


_PROGRAM = (sys.executable, "-m", "controller")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


def _settings(folder: Path) -> Settings:
    return Settings.load(
        {
            "ATTENDANT_DATA_DIR": str(folder / "var"),
            "ATTENDANT_HTTP_PORT": str(free_port(socket.SOCK_STREAM)),
            "ATTENDANT_SIP_PORT": str(free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM)),
            "ATTENDANT_RTP_PORTS": _free_rtp_window(),
        }
    )


def _environment(settings: Settings) -> dict[str, str]:
    """Of a process with these settings, whatever else is set here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTENDANT_")}
    return inherited | {
        "ATTENDANT_DATA_DIR": str(settings.data_dir),
        "ATTENDANT_HTTP_PORT": str(settings.http_port),
        "ATTENDANT_SIP_PORT": str(settings.sip_port),
        "ATTENDANT_RTP_PORTS": f"{settings.rtp_ports.first}-{settings.rtp_ports.last}",
    }


def _with_tones(install: AsteriskInstall, folder: Path) -> AsteriskInstall:
    """The same Asterisk with tones for prompts: in the calls' own codec, so that what is compared is the call and no codec."""
    (folder / "sounds").mkdir(parents=True)
    for name in ("documentation", "rest-api", "moh"):
        (folder / name).symlink_to(install.data_dir / name)
    (folder / "sounds/ru").symlink_to(install.data_dir / "sounds/ru")
    write_prompts(folder / "sounds/en")
    return dataclasses.replace(install, data_dir=folder)


def _store_menu(settings: Settings) -> None:
    at = SystemClock().now()
    with open_database(settings) as database, database.session() as session:
        scenario = create_scenario(session, "Bench", (HERE / "menu.json").read_bytes(), acting_user="bench", at=at)
        publish(session, scenario.id, known_prompts(), acting_user="bench", at=at)
        add_number(session, ATTENDANT, "Bench", scenario_id=scenario.id, acting_user="bench", at=at)


def _count_stored(session: Session) -> tuple[int, int]:
    ours = col(Call.called_number) == ATTENDANT
    everything = session.exec(select(func.count()).select_from(Call).where(ours)).one()
    whole_path = select(CallStep.call_id).group_by(col(CallStep.call_id)).having(func.count() == 3)
    whole = select(func.count()).select_from(Call).where(ours, col(Call.outcome) == "ended", col(Call.id).in_(whole_path))
    return session.exec(whole).one(), everything


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def free_port(*kinds: socket.SocketKind) -> int:
    """A port of the loopback address, below those that Linux gives to outgoing connections."""
    return next(port for port in random.sample(range(12000, 32000, 2), 200) if all(_is_free(port, kind) for kind in kinds))


def _free_rtp_window() -> str:
    starts = list(range(12000, 31000, _RTP_WINDOW))
    random.shuffle(starts)
    for first in starts:
        if all(_is_free(port, socket.SOCK_DGRAM) for port in range(first, first + _RTP_WINDOW, 20)):
            return f"{first}-{first + _RTP_WINDOW - 1}"
    raise RuntimeError("no free UDP ports for media")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
