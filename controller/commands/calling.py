"""`call`: a test call by SIP, and the path it took."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress

from controller.commands.opening import Commands, open_database, running_pid
from controller.commands.phoning import describe, finished_call, new_caller, phones
from controller.errors import SettingsError, SetupError
from controller.settings import Settings
from controller.softphone import PhoneCall, PhoneTimeout
from controller.storage.calls import CallDetail
from controller.storage.database import Database
from ivr.events import KEYS

ANSWER_SECONDS = 10.0
PROMPT_SECONDS = 15.0


def add_commands(commands: Commands) -> None:
    call = commands.add_parser("call", help="place a test call and print the path it took")
    call.add_argument("number")
    call.add_argument("--keys", default="", help="keys to press, each as soon as the next prompt is heard: 1,2")
    call.add_argument("--seconds", type=float, default=10.0, help="hang up this long after the last key (default 10)")
    call.set_defaults(command=_call)


def _call(settings: Settings, given: argparse.Namespace) -> int:
    keys = [key for key in given.keys.replace(",", "").strip()]
    if wrong := [key for key in keys if key not in KEYS]:
        raise SettingsError(f"--keys: {wrong[0]!r} is no key of a phone")
    if settings.ari_url is None and running_pid(settings) is None:
        raise SetupError(f"Attendant does not run from {settings.data_dir}; start it with: make run")
    with open_database(settings) as database:
        print(describe(asyncio.run(place(settings, database, given.number, keys, given.seconds))))
    return 0


async def place(settings: Settings, database: Database, number: str, keys: list[str], seconds: float) -> CallDetail:
    """Dial, press keys, wait, hang up.

    Raises PhoneError when the call was not answered or no prompt was heard where a key is due.
    """
    async with phones(settings) as stack:
        caller = await new_caller(stack, settings)
        call = await caller.phone.dial(number)
        await call.answered(ANSWER_SECONDS)
        for key in keys:
            await _press(call, key)
        with suppress(PhoneTimeout):
            await call.ended(seconds)
        await call.hangup()
        return await finished_call(database, caller)


async def _press(call: PhoneCall, key: str) -> None:
    call.forget_sound()
    await call.hears_sound(PROMPT_SECONDS)
    await call.press(key)
