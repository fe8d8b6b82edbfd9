"""`make bench`, `python -m tests.bench [--quick] [--output FILE]`: what Attendant costs beside plain dialplan.

One Asterisk serves the same menu twice: in plain dialplan, and by Attendant with everything stored. The same callers
(answer, prompt, a key during it, second prompt, hang-up) call both by turns, so that what else the machine does falls on
both. All traffic stays on loopback. Nothing is left behind but the figures: a table here and FILE.

The time a caller waits ("press → prompt") runs from the first packet of a key press, sent in RTP as an ordinary phone does,
to the first packet of the next prompt. The 100 ms for which the key is down are therefore in it, on both sides alike, and
draw the ratio towards 1: at 1.5 a caller waits some 50 ms longer. This ratio has the target, because this is what a caller
hears. The same from a finished key, told by SIP INFO, is the bare reaction and has no target. Each is measured in every other
probe call.

Exit code 0 when it was measured, whether targets are met or not; 1 when it could not be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from controller.errors import AttendantError
from controller.provisioning.asterisk_prefix import find_or_fetch_sipp
from controller.settings import CHECKOUT, Settings
from tests.bench.figures import Figures, Side
from tests.bench.load import Load
from tests.bench.probes import probe
from tests.bench.system import ATTENDANT, DIALPLAN, System, running_system

PROBES = 12
STORE_PATIENCE = 5.0


@dataclass(frozen=True)
class Plan:
    """How much is done. `rates` are calls a second; each is tried for `step_seconds`, twice before it counts as unclean."""

    rounds: int = 3
    round_rate: int = 20
    round_seconds: float = 20
    rates: tuple[int, ...] = (20, 40, 60, 80, 100, 120)
    step_seconds: float = 5


QUICK = Plan(rounds=2, round_seconds=6, rates=(40, 60), step_seconds=3)


class Bench:
    """One run."""

    def __init__(self, plan: Plan, system: System, load: Load) -> None:
        self._plan = plan
        self._system = system
        self._load = load
        self._figures = Figures()
        self._sides = ((DIALPLAN, self._figures.dialplan), (ATTENDANT, self._figures.attendant))

    async def run(self) -> Figures:
        plan = self._plan
        await self._load.run(self._system, DIALPLAN, 10, 1)
        await self._call_attendant(10, 1)
        for number in range(plan.rounds):
            for called, side in self._sides:
                await self._round(called, side)
            print(f"round {number + 1} of {plan.rounds}: CPU ratio so far {self._figures.cpu_ratio:.2f}", flush=True)
        for called, side in self._sides:
            await self._climb(called, side)
        await self._finish()
        return self._figures

    async def _round(self, called: str, side: Side) -> None:
        """Callers at a steady rate, with probes among them, and what that cost."""
        plan, system = self._plan, self._system
        before = system.cpu_seconds()
        load, probes = await asyncio.gather(
            self._load.run(system, called, plan.round_rate, plan.round_seconds),
            probe(system.settings.sip_port, called, PROBES, plan.round_seconds),
        )
        await asyncio.sleep(0.5)
        asterisk, controller = (after - was for after, was in zip(system.cpu_seconds(), before, strict=True))
        side.add_round(load, probes, asterisk, controller if called == ATTENDANT else 0.0)
        self._count(called, load.calls + probes.calls)

    async def _climb(self, called: str, side: Side) -> None:
        """Faster and faster, until it is not clean twice."""
        for rate in self._plan.rates:
            side.stopped_by = await self._step(called, rate)
            if side.stopped_by:
                side.stopped_by = await self._step(called, rate)
            print(f"{called}: {rate} calls/s {side.stopped_by or 'clean'}", flush=True)
            if side.stopped_by:
                return
            side.clean_rate = rate

    async def _step(self, called: str, rate: int) -> str:
        result = await self._load.run(self._system, called, rate, self._plan.step_seconds)
        self._count(called, result.calls)
        return result.trouble()

    async def _call_attendant(self, rate: int, seconds: float) -> None:
        self._count(ATTENDANT, (await self._load.run(self._system, ATTENDANT, rate, seconds)).calls)

    def _count(self, called: str, calls: int) -> None:
        if called == ATTENDANT:
            self._figures.placed += calls

    async def _finish(self) -> None:
        """The last calls may still be on their way into the database."""
        figures = self._figures
        figures.asterisk_megabytes, figures.controller_megabytes = self._system.megabytes()
        loop = asyncio.get_running_loop()
        end = loop.time() + STORE_PATIENCE
        while figures.stored_whole < figures.placed and loop.time() < end:
            await asyncio.sleep(0.2)
            figures.stored_whole, figures.stored = self._system.stored()


async def measure(plan: Plan) -> Figures:
    """Start everything in a temporary folder, measure, and take it away. Raises AttendantError."""
    sipp = find_or_fetch_sipp(Settings.load(), print)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="attendant-bench-") as folder:
        async with running_system(Path(folder)) as system:
            return await Bench(plan, system, Load(sipp, Path(folder) / "sipp")).run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What Attendant costs beside plain dialplan.")
    parser.add_argument("--quick", action="store_true", help="a shorter run, with less certain figures")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench.json", help="default: bench.json in the checkout")
    given = parser.parse_args()
    plan = QUICK if given.quick else Plan()
    try:
        figures = asyncio.run(measure(plan))
    except AttendantError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("bench: interrupted; nothing is left running", file=sys.stderr)
        return 1
    given.output.write_text(json.dumps({"quick": given.quick, "cores": os.cpu_count()} | figures.data(), indent=1) + "\n")
    print(f"\n{figures.table()}\n")
    for target, met in figures.targets():
        verdict = "too few to tell" if met is None else "met" if met else "MISSED"
        print(f"target {verdict}: {target}")
    print(f"figures: {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
