"""The load: SIPp callers at a given rate."""

from __future__ import annotations

import asyncio
import csv
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from tests.bench.system import HERE, System, free_port
from tests.bench.tones import FIRST

SLOWEST_ANSWER, SLOW_SHARE = 0.5, 0.01
"""Seconds until SIP sends an INVITE again, and the share of calls that may take longer."""

_LONGEST_CALL = 12
_MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class LoadResult:
    """What became of the callers. `answer_times` are those from INVITE to 200, in seconds."""

    calls: int
    failed: int
    answer_times: tuple[float, ...]

    def trouble(self) -> str:
        """What was not clean, "" when all was."""
        if self.failed:
            return f"{self.failed} of {self.calls} calls failed"
        slow = sum(time > SLOWEST_ANSWER for time in self.answer_times)
        if slow > len(self.answer_times) * SLOW_SHARE:
            return f"{slow} of {self.calls} calls were answered after more than {SLOWEST_ANSWER:g} s"
        return ""


class Load:
    """SIPp, started anew for each load, with its files in `folder`."""

    def __init__(self, sipp: list[str], folder: Path) -> None:
        self._sipp = sipp
        self._folder = folder
        folder.mkdir()
        shutil.copy(HERE / "caller.xml", folder)
        # The first tenth of a second of a caller's voice: Asterisk waits for it before it plays to a line just opened.
        (folder / "voice.ulaw").write_bytes(FIRST * 5)
        self._runs = 0

    async def run(self, system: System, number: str, rate: int, seconds: float) -> LoadResult:
        """`rate` calls a second to `number` for `seconds`; returns when the last of them has ended."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        for name in ("caller.xml", "voice.ulaw"):
            (folder / name).symlink_to(self._folder / name)
        calls = round(rate * seconds)
        port, media = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        options = (
            *("-sf", "caller.xml", "-s", number, "-i", "127.0.0.1", "-p", str(port)),
            *("-r", str(rate), "-m", str(calls), "-l", str(_MOST_AT_ONCE), "-min_rtp_port", str(media)),
            *("-nostdin", "-timeout", str(round(seconds + _LONGEST_CALL)), "-trace_rtt", "-rtt_freq", "1"),
            *("-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"),
        )
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *self._sipp, *options, f"127.0.0.1:{system.settings.sip_port}", cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _result(folder, calls)


def _result(folder: Path, calls: int) -> LoadResult:
    *_, last = csv.DictReader((folder / "stat.csv").open(), delimiter=";")
    succeeded = int(last["SuccessfulCall(C)"])
    times: list[float] = []
    for file in folder.glob("*_rtt.csv"):
        times += [float(row[1]) / 1000 for row in list(csv.reader(file.open(), delimiter=";"))[1:]]
    return LoadResult(calls, calls - succeeded, tuple(times))
