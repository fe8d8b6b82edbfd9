"""`check`: is this machine able to run Attendant, and what is missing? Changes nothing and fetches nothing."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from controller.commands.opening import Commands, make_data_dir, running_pid
from controller.commands.running import listening_socket
from controller.errors import AttendantError, SetupError
from controller.provisioning.asterisk_conf import check_sip_port
from controller.provisioning.asterisk_prefix import describe
from controller.settings import Settings
from controller.storage.database import Database

NEEDED_MB = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `problem` says how to mend it; None: all is well."""

    subject: str
    detail: str
    problem: str | None = None


def add_commands(commands: Commands) -> None:
    commands.add_parser("check", help="is this machine able to run it; what is missing").set_defaults(command=_check)


def _check(settings: Settings, _given: argparse.Namespace) -> int:
    findings = list(look(settings))
    for finding in findings:
        print(f"{'ok  ' if finding.problem is None else 'FAIL'}  {finding.subject:10} {finding.problem or finding.detail}")
    failed = sum(finding.problem is not None for finding in findings)
    print("this machine can run Attendant" if not failed else f"{failed} to mend before Attendant can run here")
    return 1 if failed else 0


def look(settings: Settings) -> Iterator[Finding]:
    """Everything that `run` needs, without starting anything."""
    running = running_pid(settings)
    yield Finding("python", sys.version.split()[0])
    yield _tried("data", f"{settings.data_dir} can be written to", lambda: make_data_dir(settings))
    yield _tried("disk", f"at least {NEEDED_MB} MB free", lambda: _enough_space(settings))
    yield _tried("database", Database(settings.database).address, lambda: Database(settings.database).check())
    if settings.ari_url is not None:
        yield Finding("asterisk", f"the one at {settings.ari_url}")
    else:
        yield _asterisk(settings)
    if running is not None:
        yield Finding("ports", f"Attendant runs already (process {running})")
        return
    yield _tried("http port", f"{settings.http_host}:{settings.http_port} is free", lambda: _bind(settings))
    if settings.ari_url is None:
        yield _tried("sip port", f"{settings.sip_host}:{settings.sip_port} is free", lambda: check_sip_port(settings))


def _tried(subject: str, detail: str, attempt: Callable[[], None]) -> Finding:
    try:
        attempt()
    except AttendantError as error:
        return Finding(subject, detail, str(error))
    return Finding(subject, detail)


def _asterisk(settings: Settings) -> Finding:
    try:
        return Finding("asterisk", describe(settings))
    except AttendantError as error:
        return Finding("asterisk", "", str(error))


def _enough_space(settings: Settings) -> None:
    free = shutil.disk_usage(settings.data_dir).free // 1_000_000
    if free < NEEDED_MB:
        raise SetupError(f"only {free} MB free in {settings.data_dir}; {NEEDED_MB} MB are needed")


def _bind(settings: Settings) -> None:
    with listening_socket(settings):
        pass
