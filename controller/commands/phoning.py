"""A caller without a person, and what the database says of his call afterwards."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from controller.errors import NotFound, SetupError
from controller.settings import Settings
from controller.softphone import PhoneStack, SoftPhone
from controller.storage.calls import CallDetail, CallFilters, list_calls
from controller.storage.database import Database

STORED_WITHIN = 10.0
"""Seconds from the end of a call until its record must be whole."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A phone without an account; `number` is nobody else's, so that his call can be found again."""

    number: str
    phone: SoftPhone


@asynccontextmanager
async def phones(settings: Settings) -> AsyncIterator[PhoneStack]:
    """Test phones that can reach the SIP address of the settings."""
    async with PhoneStack(_own_address(settings.sip_host, settings.sip_port)) as stack:
        yield stack


async def new_caller(stack: PhoneStack, settings: Settings) -> Caller:
    number = f"99{secrets.randbelow(10**9):09}"
    return Caller(number, await stack.phone(number, host=settings.sip_host, port=settings.sip_port))


async def finished_call(database: Database, caller: Caller) -> CallDetail:
    """The record of his call, once it is over.

    Raises NotFound when there is none within STORED_WITHIN seconds.
    """
    try:
        async with asyncio.timeout(STORED_WITHIN):
            while True:
                page = await database.read(list_calls, CallFilters(caller=caller.number), 1)
                if page.calls and page.calls[0].call.ended_at is not None:
                    return page.calls[0]
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NotFound(f"the call of {caller.number} is not in the database {STORED_WITHIN:g} s after its end") from None


def describe(call: CallDetail) -> str:
    """The path of a call, a line for each step."""
    lines = [f"call {call.call.id}: {call.call.caller_number} to {call.call.called_number}, {call.call.outcome}"]
    for step in call.steps:
        seconds = (step.left_at - step.entered_at).total_seconds() if step.left_at else 0.0
        keys = f"  keys {step.digits}" if step.digits else ""
        at = _clock(step.entered_at)
        lines.append(f"  {at}  {step.node:20} {seconds:6.1f} s  exit {step.exit or '-':16}{keys}")
    for leg in call.legs:
        talk = ""
        if leg.talk_started_at and leg.talk_ended_at:
            talk = f", talked {(leg.talk_ended_at - leg.talk_started_at).total_seconds():.1f} s"
        lines.append(f"  operator {leg.operator_extension}: {'answered' if leg.answered_at else 'did not answer'}{talk}")
    return "\n".join(lines)


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S.%f")[:-4]


def _own_address(host: str, port: int) -> str:
    """The address of this machine that packets to `host` leave from."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise SetupError(f"ATTENDANT_SIP_HOST={host} can't be reached from here: {error.strerror}") from error
