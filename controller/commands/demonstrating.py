"""`demo`: proves the system with a call that needs neither phone nor person. Exit code 0 only if everything happened."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from controller.actions.demo import NUMBER
from controller.commands.opening import Commands, open_database, running_pid, say
from controller.commands.phoning import Caller, describe, finished_call, new_caller, phones
from controller.errors import NotFound, SetupError
from controller.settings import CHECKOUT, Settings
from controller.softphone import PhoneCall, PhoneError, PhoneStack, SoftPhone, tones
from controller.softphone.phone import RATE
from controller.storage.calls import CallDetail, CallFilters, list_calls
from controller.storage.database import Database
from controller.storage.operators import find_operator

OPERATOR = "2001"
START_SECONDS = 600.0
CALLER_TONE, OPERATOR_TONE = 440.0, 700.0
TALK_SECONDS = 3.0
TONE_IN_RECORDING = 0.05
NODE_SECONDS = 20.0
MENU = "menu"
EXPECTED_PATH = [("greeting", "next"), (MENU, "*"), (MENU, "1"), ("sales", None)]


@dataclass(slots=True)
class Report:
    """What happened, in order, with the seconds each thing took."""

    times: list[tuple[str, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def took(self, what: str, seconds: float) -> None:
        self.times.append((what, seconds))

    def check(self, what: str, holds: bool) -> None:
        say(f"{'ok    ' if holds else 'FAILED'} {what}")
        if not holds:
            self.failures.append(what)


def add_commands(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="prove it with a call: caller, key, operator, sound both ways, recording")
    demo.set_defaults(command=_demo)


def _demo(settings: Settings, _given: argparse.Namespace) -> int:
    with running_system(settings), open_database(settings) as database:
        report = Report()
        try:
            call = asyncio.run(demonstrate(settings, database, report))
        except PhoneError as error:
            report.check(str(error), False)
        else:
            print(describe(call))
            _check_recording(settings, call, report)
        for what, seconds in report.times:
            print(f"  {what:32} {1000 * seconds:7.0f} ms")
    print("demo: all of it happened" if not report.failures else f"demo: {len(report.failures)} failed")
    return 1 if report.failures else 0


@contextmanager
def running_system(settings: Settings) -> Iterator[None]:
    """Attendant as it runs; started for as long as the block lasts if it does not.

    Raises SetupError when it does not come up within START_SECONDS.
    """
    if running_pid(settings) is not None or settings.ari_url is not None:
        yield
        return
    say("Attendant does not run; starting it for the demo")
    command = [sys.executable, "-m", "controller", "run"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as system:
        try:
            _wait_until_ready(system)
            yield
        finally:
            system.terminate()
            system.communicate()


def _wait_until_ready(system: subprocess.Popen[str]) -> None:
    assert system.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    for line in system.stdout:
        if line.startswith("READY"):
            return
        if line.startswith("attendant:"):
            print(line, end="", flush=True)
        if time.monotonic() > deadline:
            break
    raise SetupError("Attendant did not start; what it said stands above")


async def demonstrate(settings: Settings, database: Database, report: Report) -> CallDetail:
    """The call. Raises PhoneError when something does not happen in time."""
    async with phones(settings) as stack:
        operator = await _operator_phone(stack, settings, database)
        caller = await new_caller(stack, settings)
        say(f"operator {OPERATOR} is registered; {caller.number} dials {NUMBER}")
        call = await caller.phone.dial(NUMBER)
        await call.answered()
        assert call.answered_at is not None
        report.took("INVITE to answer", call.answered_at - call.began_at)
        await call.hears_sound()
        report.check("the greeting is heard", True)
        await _comes_to(database, caller, MENU, visits=1)
        call.forget_sound()
        await call.hears_sound()
        again = datetime.now(UTC)
        await call.press("*")
        await _comes_to(database, caller, MENU, visits=2)
        pressed = time.monotonic()
        await call.press("1")
        offered = await operator.ringing()
        report.took("key 1 to operator ringing", time.monotonic() - pressed)
        report.check("the operator's phone rings", True)
        await offered.answer()
        await _talk(call, offered, report)
        await call.hangup()
        await offered.ended()
        report.check("the caller's hang-up reaches the operator", True)
        record = await finished_call(database, caller)
    _check_path(record, again, report)
    return record


async def _operator_phone(stack: PhoneStack, settings: Settings, database: Database) -> SoftPhone:
    operator = await database.read(find_operator, OPERATOR)
    if operator is None:
        raise NotFound(f"there is no operator {OPERATOR}: the demo was removed from this installation")
    phone = await stack.phone(OPERATOR, password=operator.sip_secret, host=settings.sip_host, port=settings.sip_port)
    await phone.register()
    return phone


async def _comes_to(database: Database, caller: Caller, node: str, visits: int) -> None:
    """Wait until the caller has entered the node so many times."""
    try:
        async with asyncio.timeout(NODE_SECONDS):
            while True:
                page = await database.read(list_calls, CallFilters(caller=caller.number), 1)
                steps = page.calls[0].steps if page.calls else ()
                if sum(step.node == node for step in steps) >= visits:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise PhoneError(f'the caller did not come to "{node}" within {NODE_SECONDS:g} s') from None


async def _talk(caller: PhoneCall, operator: PhoneCall, report: Report) -> None:
    """Both say a tone; each must hear the other's and not his own."""
    answered = time.monotonic()
    caller.send_tone(CALLER_TONE)
    operator.send_tone(OPERATOR_TONE)
    await asyncio.gather(caller.hears_tone(OPERATOR_TONE), operator.hears_tone(CALLER_TONE))
    report.took("operator's answer to sound both ways", time.monotonic() - answered)
    by_caller, by_operator = await asyncio.gather(caller.listen(TALK_SECONDS), operator.listen(TALK_SECONDS))
    for who, heard, other, own in (
        ("caller", by_caller, OPERATOR_TONE, CALLER_TONE),
        ("operator", by_operator, CALLER_TONE, OPERATOR_TONE),
    ):
        found, echo = tones.strength(heard, other, RATE), tones.strength(heard, own, RATE)
        report.check(
            f"the {who} hears {other:g} Hz of the other side ({found:.2f}), not his own ({echo:.2f})", found > 0.5 > echo
        )


def _check_path(record: CallDetail, pressed: datetime, report: Report) -> None:
    path = [(step.node, step.exit) for step in record.steps]
    report.check("the path is greeting, menu *, menu 1, sales", path == EXPECTED_PATH)
    if path == EXPECTED_PATH:
        report.took("key * to next prompt", (record.steps[2].entered_at - pressed).total_seconds())
    talk = record.talk_leg
    report.check(f"operator {OPERATOR} is on record", talk is not None and talk.operator_extension == OPERATOR)
    report.check("the call is on record as talked", record.call.outcome == "talked")


def _check_recording(settings: Settings, record: CallDetail, report: Report) -> None:
    if not record.recordings:
        report.check("there is a recording", False)
        return
    path = settings.recordings_dir / record.recordings[0].path
    pcm, rate = _read_wav(path)
    both = all(tones.strength(pcm, tone, rate) > TONE_IN_RECORDING for tone in (CALLER_TONE, OPERATOR_TONE))
    report.check(f"the recording has both sides: {path}", both)


def _read_wav(path: Path) -> tuple[bytes, int]:
    try:
        with wave.open(str(path)) as sound:
            return sound.readframes(sound.getnframes()), sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return b"", RATE
