"""Our own Asterisk as a process: started, watched, started again when it dies, stopped in order.

It runs in a session of its own and outlives the controller: Ctrl-C in the terminal does not reach it, and calls go on in
the dialplan while the controller is away. The next start adopts it if it still runs on the same configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

import aiohttp

from controller.errors import SettingsError, SetupError
from controller.provisioning import asterisk_conf
from controller.provisioning.asterisk_conf import Ports, Secrets
from controller.provisioning.asterisk_prefix import AsteriskInstall, find_or_fetch
from controller.settings import Settings

log = logging.getLogger(__name__)

READY_TIME = 20.0  # seconds from exec to the first ARI answer; 0.6 is usual
STOP_TIME = 20.0  # seconds; with stuck channels Asterisk takes up to 17 to end
_POLL = 0.05
_RESTART_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
_LARGEST_LOG = 20_000_000  # bytes, at a start
_GOOD_RUN = 60.0  # seconds after which a run counts as good, and pauses begin anew


class AsteriskProcess:
    """One Asterisk in one instance folder.

    `running` is set while it is up and has answered, `exited` while there is no process; between the two it is starting.
    `restarts` counts unexpected ends that were mended.
    """

    def __init__(self, settings: Settings, install: AsteriskInstall, conf: Path, ports: Ports, secrets: Secrets) -> None:
        self.ports = ports
        self.secrets = secrets
        self.conf = conf
        self.install = install
        self.exited = asyncio.Event()
        self.exited.set()
        self.running = asyncio.Event()
        self.restarts = 0
        self.adopted = False
        self._settings = settings
        self._instance = conf.parent.parent
        self._pid: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._held: IO[str] | None = None
        self._log_begins = 0

    @classmethod
    def prepare(cls, settings: Settings, progress: Callable[[str], None]) -> AsteriskProcess:
        """Everything up to the start: find or fetch, choose ports, write the configuration. Blocks while it fetches.

        Raises SettingsError or SetupError.
        """
        install = find_or_fetch(settings, progress)
        folder = asterisk_conf.instance_dir(settings)
        held = _hold(folder)
        secrets = asterisk_conf.load_or_make_secrets(settings.data_dir)
        ports = asterisk_conf.load_or_choose_ports(settings, in_use_by_us=_running_pid(folder) is not None)
        conf = asterisk_conf.render(settings, install, secrets, folder, ports)
        process = cls(settings, install, conf, ports, secrets)
        process._held = held
        return process

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self.exited.is_set() else self._pid

    async def start(self) -> None:
        """Adopt the running one or start one; returns when ARI answers.

        Raises SettingsError for a taken SIP port, SetupError when Asterisk does not come up.
        """
        self._held = self._held or _hold(self._instance)
        if not await self._adopt():
            asterisk_conf.check_sip_port(self._settings)
            await self._spawn()
        self.running.set()
        self._watch = asyncio.create_task(self._keep_running(), name="asterisk-watch")

    async def stop(self) -> None:
        """End it, politely within STOP_TIME seconds, then by force. Calls still up are hung up."""
        await self._stop_watching()
        if self._pid is not None:
            await self._end(self._pid)
        self._ended()
        self._release()

    async def detach(self) -> None:
        """Stop watching but leave it running, to be adopted by the next start."""
        await self._stop_watching()
        self._release()

    async def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    async def _adopt(self) -> bool:
        pid = _running_pid(self._instance)
        if pid is None:
            return False
        if self._fingerprint.exists() and self._fingerprint.read_text() == self._configuration() and await self._answers():
            log.info("adopted the Asterisk that was already running (pid %d)", pid)
            self._pid, self.adopted = pid, True
            self.exited.clear()
            return True
        log.info("ending an Asterisk left over from an earlier start (pid %d)", pid)
        await self._end(pid)
        return False

    async def _spawn(self) -> None:
        self._execute()
        try:
            await self._wait_until_ready()
        except BaseException:
            if self._pid is not None:
                await self._end(self._pid)
            self._ended()
            raise

    def _execute(self) -> None:
        logs = self._instance / "log"
        for name in ("messages.log", "security.log"):
            _roll(logs / name)
        self._log_begins = _size(logs / "messages.log")
        command = [*self.install.command, "-C", str(self.conf), "-f", "-n"]
        try:
            with (logs / "output.log").open("wb") as output:
                self._child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=self._instance
                )
        except OSError as error:
            raise SetupError(f"{command[0]} can't be run ({error.strerror}): its folder must allow programs to be run") from error
        self._pid, self.adopted = self._child.pid, False
        self.exited.clear()
        self._fingerprint.write_text(self._configuration())

    async def _wait_until_ready(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_TIME):
                while self._alive(self._pid):
                    if await self._answers():
                        return
                    await asyncio.sleep(_POLL)
                raise SetupError(f"Asterisk ended while starting: {self._last_lines()}")
        raise SetupError(f"Asterisk did not answer within {READY_TIME:.0f} s: {self._last_lines()}")

    async def _answers(self) -> bool:
        login = {"Authorization": aiohttp.encode_basic_auth(self._settings.ari_user, self.secrets.ari_password)}
        try:
            async with (
                aiohttp.ClientSession(headers=login, timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(f"{self.ports.ari_url}ari/asterisk/ping") as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _keep_running(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._gone(self._pid)
            self._ended()
            failures = 0 if loop.time() - began > _GOOD_RUN else failures
            while self.exited.is_set():
                pause = _RESTART_PAUSES[min(failures, len(_RESTART_PAUSES) - 1)]
                log.error("Asterisk ended unexpectedly; starting it again in %.1f s: %s", pause, self._last_lines())
                await asyncio.sleep(pause)
                failures += 1
                try:
                    await self._spawn()
                    self.restarts += 1
                    self.running.set()
                except SetupError as error:
                    log.error("Asterisk could not be started again: %s", error)

    async def _end(self, pid: int) -> None:
        self._signal(pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIME):
                await self._gone(pid)
        except TimeoutError:
            log.warning("Asterisk did not end within %.0f s and is killed", STOP_TIME)
            self._signal(pid, signal.SIGKILL)
            await self._gone(pid)

    async def _gone(self, pid: int | None) -> None:
        """Wait for its end. By a descriptor of the process, because an adopted one is nobody's child here."""
        if pid is None or not self._alive(pid):
            return
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _alive(self, pid: int | None) -> bool:
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is None
        return pid is not None and _is_instance(pid, self._instance)

    def _signal(self, pid: int, number: signal.Signals) -> None:
        if self._alive(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _ended(self) -> None:
        if self._child is not None:
            self._child.poll()
        self._pid = None
        self.running.clear()
        self.exited.set()

    @property
    def _fingerprint(self) -> Path:
        return self._instance / "started-with"

    def _configuration(self) -> str:
        return f"{' '.join(self.install.command)}\n{self.install.version}\n{asterisk_conf.digest(self.conf)}\n"

    def _last_lines(self) -> str:
        """The telling end of what this run logged, on one line."""
        logs = self._instance / "log"
        text = ""
        with contextlib.suppress(OSError), (logs / "messages.log").open(errors="replace") as messages:
            messages.seek(self._log_begins)
            text = messages.read()
        with contextlib.suppress(OSError):
            text += (logs / "output.log").read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if "ERROR" in line] or lines
        return " / ".join([*telling[-3:], f"see {logs}"])


def _hold(instance: Path) -> IO[str]:
    """Claim the instance folder for this process until the file is closed. Raises SettingsError when another has it."""
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (instance / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"ATTENDANT_DATA_DIR={instance.parent}: {error.strerror}: {error.filename}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SettingsError(
            f"ATTENDANT_DATA_DIR={instance.parent}: another Attendant is running in it; stop that one or choose another folder"
        ) from error
    return file


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _roll(path: Path) -> None:
    """Asterisk itself lets its logs grow for ever."""
    if _size(path) > _LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))


def _running_pid(instance: Path) -> int | None:
    """Process id of an Asterisk that runs in this instance folder."""
    try:
        pid = int((asterisk_conf.run_dir(instance) / "asterisk.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_instance(pid, instance) else None


def _is_instance(pid: int, instance: Path) -> bool:
    """Whether the process is our Asterisk: not another with a reused number, nor one that has ended but was not reaped."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(instance / "etc/asterisk.conf") in arguments
