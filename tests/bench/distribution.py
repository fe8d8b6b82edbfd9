"""`python -m tests.bench.distribution [--quick] [--output FILE]`: 20 operators, 60 callers, and phones that misbehave.

For three minutes each of 60 callers calls at a random moment, talks for a random time, and calls again. One offer in ten is
refused, rung out, dropped at once, or falls on deaf ears. Measured are the time from an operator's becoming free, while callers
wait, to the INVITE at his phone, and from his answer until both hear each other.

Exit code 0 when every invariant held: nobody was offered two calls, no caller was lost, no channel is left, all calls are stored
whole, and the controller's memory stays flat; else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
from sqlmodel import col, func, select

from controller.actions.numbers import add_number
from controller.actions.operators import create_group, create_operator, set_members
from controller.actions.scenarios import create_scenario, publish
from controller.clock import SystemClock
from controller.commands.opening import known_prompts, open_database
from controller.errors import AttendantError
from controller.settings import CHECKOUT, Settings
from controller.storage.calls import Call
from controller.storage.operators import find_operator
from ivr.serialization import SCHEMA_VERSION
from tests.bench.desk import Caller, Operator, Seen, extension, on_the_net
from tests.bench.figures import QUANTILES, quantile
from tests.bench.system import System, running_system

NUMBER: Final = "7003"
OPERATORS: Final = 20
CALLERS: Final = 60
ANSWER_SECONDS: Final = 4
FLAT: Final = 1.15
"""The controller's memory at the end may be so much of what it was after the first third."""
SETTLE_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Plan:
    """How long callers come, and how long they talk."""

    seconds: float = 180
    talk: tuple[float, float] = (2.0, 12.0)


QUICK: Final = Plan(seconds=30, talk=(1.5, 5.0))


async def measure(plan: Plan, seed: int) -> tuple[Seen, dict[str, Any]]:
    """Run it in a temporary folder. Raises AttendantError."""
    with tempfile.TemporaryDirectory(prefix="attendant-bench-") as folder:
        async with running_system(Path(folder), _furnish) as system:
            return await _run(system, plan, Random(seed))


async def _run(system: System, plan: Plan, chance: Random) -> tuple[Seen, dict[str, Any]]:
    seen, port = Seen(), system.settings.sip_port
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        for place, secret in enumerate(_secrets(system.settings)):
            operator = Operator(port, place, secret, seen, Random(chance.random()))
            await stack.enter_async_context(on_the_net(operator, port))
            await operator.request("REGISTER", "", headers={"Expires": "3600"})
        begin = loop.time()
        memory: list[float] = []
        watch = asyncio.create_task(_watch(system, plan, memory, seen))
        async with asyncio.TaskGroup() as callers:
            for place in range(CALLERS):
                callers.create_task(_calls(port, place, plan, begin, Random(chance.random()), seen))
        await watch
        left = await _channels_left(system)
    memory.append(system.megabytes()[1])
    stored, live = _stored(system.settings)
    lost = sum(count for end, count in seen.ends.items() if end not in ("talked", "told", "dropped by an operator"))
    _check(seen, lost == 0, f"{lost} callers were lost")
    _check(seen, left == 0, f"{left} channels are left in Asterisk")
    _check(seen, (stored, live) == (seen.calls, 0), f"{stored} of {seen.calls} calls are stored, {live} of them as live")
    _check(seen, memory[-1] <= memory[0] * FLAT, f"the controller grew from {memory[0]:.0f} to {memory[-1]:.0f} MB")
    return seen, {"memory_megabytes": memory, "channels_left": left, "stored": stored}


def _check(seen: Seen, holds: bool, otherwise: str) -> None:
    if not holds:
        seen.broken.append(otherwise)


async def _calls(port: int, place: int, plan: Plan, begin: float, chance: Random, seen: Seen) -> None:
    """One person who calls again and again, each time after a pause."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(chance.uniform(0, min(plan.seconds, 20)))
    while loop.time() - begin < plan.seconds:
        async with on_the_net(caller := Caller(port, place), port):
            seen.ends[await caller.call(NUMBER, chance.uniform(*plan.talk), seen)] += 1
        await asyncio.sleep(chance.uniform(0.5, 5))


async def _watch(system: System, plan: Plan, memory: list[float], seen: Seen) -> None:
    await asyncio.sleep(plan.seconds / 3)
    memory.append(system.megabytes()[1])
    await asyncio.sleep(plan.seconds / 3)
    print(f"{seen.calls} calls, {seen.offers} offers, {seen.waiting} wait; {dict(seen.ends)}", flush=True)


async def _channels_left(system: System) -> int:
    login = {"Authorization": aiohttp.encode_basic_auth(system.settings.ari_user, system.ari_password)}
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLE_SECONDS
    async with aiohttp.ClientSession(headers=login, raise_for_status=True) as session:
        while True:
            async with session.get(f"{system.ari_url}ari/channels") as answer:
                left = len(await answer.json())
            if left == 0 or loop.time() > end:
                return left
            await asyncio.sleep(0.2)


def _stored(settings: Settings) -> tuple[int, int]:
    with open_database(settings) as database, database.session(read_only=True) as session:
        ours = col(Call.called_number) == NUMBER
        every = session.exec(select(func.count()).select_from(Call).where(ours)).one()
        return every, session.exec(select(func.count()).select_from(Call).where(ours, col(Call.ended_at).is_(None))).one()


def _furnish(settings: Settings) -> None:
    by: dict[str, Any] = {"acting_user": "bench", "at": SystemClock().now()}
    operation = {"type": "forward_to_group", "group": "Desk", "max_wait_seconds": 300}
    nodes = {"desk": {"operation": operation, "links": {"failed": "end"}}, "end": {"operation": {"type": "hang_up"}}}
    with open_database(settings) as database, database.session() as session:
        members = [extension(place) for place in range(OPERATORS)]
        for one in members:
            create_operator(session, one, f"Operator {one}", **by)
        create_group(session, "Desk", "longest_idle", ANSWER_SECONDS, **by)
        set_members(session, "Desk", members, **by)
        document = {"schema_version": SCHEMA_VERSION, "start": "desk", "nodes": nodes}
        scenario = create_scenario(session, "Desk", document, **by)
        publish(session, scenario.id, known_prompts(), **by)
        add_number(session, NUMBER, "Desk", scenario_id=scenario.id, **by)


def _secrets(settings: Settings) -> list[str]:
    with open_database(settings) as database, database.session(read_only=True) as session:
        found = [find_operator(session, extension(place)) for place in range(OPERATORS)]
        return [one.sip_secret for one in found if one is not None]


def _figures(times: list[float]) -> dict[str, float]:
    named = {f"p{round(share * 100)}_ms": round(1000 * quantile(times, share), 1) for share in QUANTILES} if times else {}
    return {"count": len(times), **named}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.distribution", description="20 operators and 60 callers.")
    parser.add_argument("--quick", action="store_true", help="half a minute")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench-distribution.json")
    given = parser.parse_args()
    try:
        seen, more = asyncio.run(measure(QUICK if given.quick else Plan(), given.seed))
    except AttendantError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    data = {
        "calls": seen.calls,
        "offers": seen.offers,
        "misbehaved": seen.misbehaved,
        "ends": dict(seen.ends),
        "free_to_invite": _figures(seen.to_invite),
        "answer_to_sound": _figures(seen.to_sound),
        **more,
        "broken": seen.broken,
    }
    given.output.write_text(json.dumps(data, indent=1) + "\n")
    print(json.dumps(data, indent=1))
    return 1 if seen.broken else 0


if __name__ == "__main__":
    sys.exit(main())
