from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from controller.provisioning.asterisk_process import AsteriskProcess
from controller.settings import Settings


def free_port() -> int:
    """A port that is free by UDP and TCP on loopback at this moment."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of an installation of its own in the test's folder; keywords are names of settings in lower case."""

    def make(**given: str) -> Settings:
        values = {"data_dir": str(tmp_path / "var"), "sip_port": str(free_port()), "rtp_ports": "15000-15099", **given}
        return Settings.load({f"ATTENDANT_{name.upper()}": value for name, value in values.items()})

    return make


@pytest.fixture
async def prepare() -> AsyncIterator[Callable[[Settings], AsteriskProcess]]:
    """Makes Asterisk processes that end with the test."""
    made: list[AsteriskProcess] = []

    def make(settings: Settings) -> AsteriskProcess:
        process = AsteriskProcess.prepare(settings, lambda line: None)
        made.append(process)
        return process

    yield make
    for process in made:
        await process.stop()
