"""`python -m tests.bench.distribution [--quick] [--output FILE]`: 20 operators, 60 callers, and phones that misbehave.

For three minutes each of 60 callers calls at a random moment, talks for a random time, and calls again; some lose patience and
hang up. One offer in ten is refused, rung out, dropped at once, or falls on deaf ears, and operators take breaks by their phones'
codes at any moment. A quarter of the calls goes to a more urgent group that shares operators with the other, rings them together,
and gives its callers to the other line when they have waited too long. Measured are the time from an operator's becoming free,
while callers wait, to the INVITE at his phone, and from his answer until both hear each other.

At the end everybody is rung for one last call: who is not, has stayed reserved. Exit code 0 when every invariant
(`invariants.py`) was put to the test and held, no channel is left, all calls are stored whole, the controller's memory stays
flat, and both times were measured often enough; else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import aiohttp
from sqlmodel import col, select

from controller.actions.groups import create_group, set_members, set_terms
from controller.actions.numbers import add_number
from controller.actions.operators import create_operator
from controller.actions.scenarios import create_scenario, publish
from controller.actions.users import create_token
from controller.clock import SystemClock
from controller.commands.opening import known_prompts, open_database
from controller.errors import AttendantError
from controller.settings import CHECKOUT, Settings
from controller.storage import Session
from controller.storage.calls import Call, CallDetail, get_call
from controller.storage.groups import GroupTerms, Strategy
from controller.storage.operators import find_operator
from ivr.serialization import SCHEMA_VERSION
from tests.bench.desk import Caller, Operator, Seen, extension, on_the_net
from tests.bench.figures import QUANTILES, quantile
from tests.bench.invariants import Line, Verdict, judge
from tests.bench.system import System, running_system
from tests.fixtures.raw_sip import RawPhone, offer

_Found = TypeVar("_Found")
DESK, URGENT, EVERYBODY = "desk", "urgent", "everybody"
NUMBERS: Final = {DESK: "7003", URGENT: "7004", EVERYBODY: "7005"}
OPERATORS: Final = 20
SHARED: Final = 8
"""So many of them are in the more urgent group, too."""
CALLERS: Final = 60
ANSWER_SECONDS: Final = 4
FLAT: Final = 1.15
"""The controller's memory at the end may be so much of what it was after the first third."""
SETTLE_SECONDS: Final = 15.0
LINES: Final = {
    DESK: Line(frozenset(map(extension, range(OPERATORS))), wrap_up=1),
    URGENT: Line(frozenset(map(extension, range(SHARED))), priority=5, rings_all=True),
}
WAITS: Final = {DESK: {DESK: 300}, URGENT: {URGENT: 3, DESK: 8}, EVERYBODY: {EVERYBODY: 30}}
"""The groups that a number's callers pass, and for how many seconds they wait there at most."""
CALLS_URGENT: Final = 0.25
LOSES_PATIENCE: Final = 0.15
ROLL_CALL: Final = "74959999999"
"""The caller for whom everybody is rung at the end."""


@dataclass(frozen=True)
class Plan:
    """How long callers come, how long they talk, and how long operators work between their breaks; `least_measured`: a figure of
    fewer times counts for nothing."""

    seconds: float = 180
    talk: tuple[float, float] = (2.0, 12.0)
    works: tuple[float, float] = (10.0, 60.0)
    least_measured: int = 200


QUICK: Final = Plan(seconds=30, talk=(1.5, 5.0), works=(3.0, 15.0), least_measured=1)
BREAK: Final = (1.0, 4.0)


@dataclass
class Outcome:
    """What a run has shown."""

    seen: Seen
    verdicts: list[Verdict]
    figures: dict[str, Any]

    @property
    def broken(self) -> list[str]:
        """What does not hold."""
        return [failure for verdict in self.verdicts for failure in verdict.failures]


async def measure(plan: Plan, seed: int) -> Outcome:
    """Run it in a temporary folder. Raises AttendantError."""
    with tempfile.TemporaryDirectory(prefix="attendant-bench-") as folder:
        async with running_system(Path(folder), _furnish) as system:
            return await _run(system, plan, Random(seed))


async def _run(system: System, plan: Plan, chance: Random) -> Outcome:
    seen, port = Seen(DESK, LINES), system.settings.sip_port
    loop = asyncio.get_running_loop()
    confirmed = Verdict("codes confirmed")
    async with AsyncExitStack() as stack:
        operators = []
        for place, secret in enumerate(_secrets(system.settings)):
            operator = Operator(port, place, secret, seen, Random(chance.random()))
            await stack.enter_async_context(on_the_net(operator, port))
            await operator.request("REGISTER", "", headers={"Expires": "3600"})
            operators.append(operator)
        begin = loop.time()
        memory: list[float] = []
        watch = asyncio.create_task(_watch(system, plan, memory, seen))
        async with asyncio.TaskGroup() as people:
            for place in range(CALLERS):
                people.create_task(_calls(port, place, plan, begin, Random(chance.random()), seen))
            for operator in operators:
                people.create_task(_takes_breaks(operator, plan, begin, Random(chance.random()), confirmed))
        await watch
        at_the_end = await _roll_call(system, seen)
        left = await _channels_left(system)
    memory.append(system.megabytes()[1])
    stored = _stored(system.settings)
    live = sum(call.call.ended_at is None for call in stored)
    whole = Verdict("calls stored whole", len(seen.placed), [f"{len(stored)} are stored, {live} of them as live"])
    if (len(stored), live) == (len(seen.placed), 0):
        whole.broken.clear()
    rest = Verdict("nothing left behind")
    rest.check(left == 0, f"{left} channels are left in Asterisk")
    rest.check(memory[-1] <= memory[0] * FLAT, f"the controller grew from {memory[0]:.0f} to {memory[-1]:.0f} MB")
    measured = Verdict("figures of enough times")
    for figure, times in (("free to INVITE", seen.to_invite), ("answer to sound", seen.to_sound)):
        measured.check(len(times) >= plan.least_measured, f"{figure} was measured {len(times)} times only")
    verdicts = [*judge(LINES, seen.invites, seen.breaks, seen.placed, stored), *at_the_end, confirmed, measured, whole, rest]
    return Outcome(seen, verdicts, {"memory_megabytes": memory, "channels_left": left, "stored": len(stored)})


async def _calls(port: int, place: int, plan: Plan, begin: float, chance: Random, seen: Seen) -> None:
    """One person who calls again and again, each time after a pause."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(chance.uniform(0, min(plan.seconds, 20)))
    for number in count():
        if loop.time() - begin >= plan.seconds:
            return
        group = URGENT if chance.random() < CALLS_URGENT else DESK
        patience = chance.uniform(1, 25) if chance.random() < LOSES_PATIENCE else None
        async with on_the_net(caller := Caller(port, place, f"7495{place:03}{number:04}"), port):
            await caller.call(NUMBERS[group], group, chance.uniform(*plan.talk), seen, patience)
        await asyncio.sleep(chance.uniform(0.5, 5))


async def _takes_breaks(operator: Operator, plan: Plan, begin: float, chance: Random, confirmed: Verdict) -> None:
    """An operator who from time to time does not want to be disturbed, as long as callers come."""
    loop = asyncio.get_running_loop()
    while loop.time() + (works := chance.uniform(*plan.works)) - begin < plan.seconds:
        await asyncio.sleep(works)
        try:
            await operator.takes_a_break(chance.uniform(*BREAK))
            confirmed.check(True, "")
        except TimeoutError:
            confirmed.check(False, "nothing came of a code")


async def _roll_call(system: System, seen: Seen) -> list[Verdict]:
    """Whether everybody is rung for one more call, and is available after it."""
    everybody, seen.only_rings = LINES[DESK].members, ROLL_CALL
    verdicts = [Verdict("everybody rung at the end"), Verdict("everybody available at the end")]
    async with on_the_net(caller := RawPhone(system.settings.sip_port, ROLL_CALL), system.settings.sip_port):
        await caller.request("INVITE", NUMBERS[EVERYBODY], body=offer())
        rung = await _at_last(lambda: {one.operator for one in seen.invites if one.caller == ROLL_CALL}, everybody)
        await caller.request("BYE", NUMBERS[EVERYBODY])
    token = _token(system.settings)
    states = f"http://127.0.0.1:{system.settings.http_port}/api/v1/operators/states"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, raise_for_status=True) as session:

        async def available() -> set[str]:
            async with session.get(states) as answer:
                return {one["extension"] for one in (await answer.json())["operators"] if one["state"] == "available"}

        free = await _at_last(available, everybody)
    for verdict, found in zip(verdicts, (rung, free), strict=True):
        for operator in sorted(everybody):
            verdict.check(operator in found, f"not {operator}")
    return verdicts


async def _at_last(look: Callable[[], _Found | Awaitable[_Found]], wanted: _Found) -> _Found:
    """What is seen as soon as it is what is wanted, or after SETTLE_SECONDS whatever it is then."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLE_SECONDS
    while True:
        looked = look()
        found = await looked if isinstance(looked, Awaitable) else looked
        if found == wanted or loop.time() > end:
            return found
        await asyncio.sleep(0.2)


async def _watch(system: System, plan: Plan, memory: list[float], seen: Seen) -> None:
    await asyncio.sleep(plan.seconds / 3)
    memory.append(system.megabytes()[1])
    await asyncio.sleep(plan.seconds / 3)
    print(f"{len(seen.placed)} calls, {len(seen.invites)} offers, {seen.waiting} wait; {dict(seen.ends)}", flush=True)


async def _channels_left(system: System) -> int:
    login = {"Authorization": aiohttp.encode_basic_auth(system.settings.ari_user, system.ari_password)}
    async with aiohttp.ClientSession(headers=login, raise_for_status=True) as session:

        async def channels() -> int:
            async with session.get(f"{system.ari_url}ari/channels") as answer:
                return len(await answer.json())

        return await _at_last(channels, 0)


def _stored(settings: Settings) -> list[CallDetail]:
    """The calls of our callers, each with its decisions."""
    ours = [NUMBERS[group] for group in LINES]
    with open_database(settings) as database, database.session(read_only=True) as session:
        return [get_call(session, id) for id in session.exec(select(Call.id).where(col(Call.called_number).in_(ours))).all()]


def _furnish(settings: Settings) -> None:
    with open_database(settings) as database, database.session() as session:
        for extension in sorted(LINES[DESK].members):
            create_operator(session, extension, f"Operator {extension}", **_by())
        _add_line(session, DESK, "longest_idle", LINES[DESK])
        _add_line(session, URGENT, "ring_all", LINES[URGENT])
        _add_line(session, EVERYBODY, "ring_all", Line(LINES[DESK].members), ring_seconds=60)


def _add_line(session: Session, group: str, strategy: Strategy, line: Line, ring_seconds: int = ANSWER_SECONDS) -> None:
    """A group, and its number: whom nobody takes goes on to the next of the groups that its callers pass."""
    create_group(session, group, strategy, ring_seconds, **_by())
    set_terms(session, group, GroupTerms(priority=line.priority, wrap_up_seconds=line.wrap_up), **_by())
    set_members(session, group, sorted(line.members), **_by())
    waits = WAITS[group]
    nodes: dict[str, Any] = {
        name: {
            "operation": {"type": "forward_to_group", "group": name, "max_wait_seconds": waits[name]},
            "links": {"failed": then},
        }
        for name, then in pairwise([*waits, "end"])
    }
    nodes["end"] = {"operation": {"type": "hang_up"}}
    document = {"schema_version": SCHEMA_VERSION, "start": group, "nodes": nodes}
    scenario = create_scenario(session, group, document, **_by())
    publish(session, scenario.id, known_prompts(), **_by())
    add_number(session, NUMBERS[group], group, scenario_id=scenario.id, **_by())


def _token(settings: Settings) -> str:
    with open_database(settings) as database, database.session() as session:
        return create_token(session, "Bench", **_by())


def _by() -> dict[str, Any]:
    return {"acting_user": "bench", "at": SystemClock().now()}


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
        outcome = asyncio.run(measure(QUICK if given.quick else Plan(), given.seed))
    except AttendantError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    seen, broken = outcome.seen, outcome.broken
    data = {
        "calls": len(seen.placed),
        "offers": len(seen.invites),
        "misbehaved": seen.misbehaved,
        "ends": dict(seen.ends),
        "free_to_invite": _figures(seen.to_invite),
        "answer_to_sound": _figures(seen.to_sound),
        **outcome.figures,
        "invariants": {one.invariant: {"checked": one.checked, "broken": len(one.broken)} for one in outcome.verdicts},
        "broken": broken,
    }
    given.output.write_text(json.dumps(data, indent=1) + "\n")
    print(json.dumps(data, indent=1), *outcome.verdicts, sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
