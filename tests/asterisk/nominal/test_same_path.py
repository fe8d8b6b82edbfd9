"""One graph and one caller take the same path in the simulator and on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from controller.actions.operators import create_group, create_operator, set_members
from controller.clock import SystemClock
from controller.softphone import PhoneCall, SoftPhone
from controller.softphone.phone import CallRefused, PhoneError
from controller.storage import Session
from ivr.events import RoutingOutcome
from ivr.graph import Scenario
from tests.fixtures.generated_calls import GROUP, HANGS_UP, INNER, GeneratedCall, generated_calls
from tests.fixtures.system import System

pytestmark = pytest.mark.asterisk
CALLS, AT_ONCE = 60, 10
OPERATORS: dict[RoutingOutcome, tuple[str, ...]] = {
    "answered": ("2011", "2012", "2013"),
    "no_answer": ("2014", "2015"),
    "no_operators": ("2016",),
}
"""Whom a call's group consists of, by how its searches end; nobody of the last is ever there."""


class Slots:
    """Operators who do as the calls want it, each for one call at a time."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._locks = {extension: asyncio.Lock() for extensions in OPERATORS.values() for extension in extensions}

    async def open(self) -> None:
        await self._system.database.run(_install)

    @asynccontextmanager
    async def staffed(self) -> AsyncIterator[None]:
        """The phones are on, and their people there."""
        async with AsyncExitStack() as stack:
            for extension in OPERATORS["answered"]:
                await self._sits(stack, extension, _talks)
            for extension in OPERATORS["no_answer"]:
                await self._sits(stack, extension, PhoneCall.refuse)
            yield

    async def _sits(self, stack: AsyncExitStack, extension: str, does: Any) -> None:
        phone = await self._system.operator(extension)
        person = asyncio.create_task(_serves(phone, does))
        stack.push_async_callback(_leaves, person)

    @asynccontextmanager
    async def one(self, call: GeneratedCall, number: int) -> AsyncIterator[None]:
        """The operator of the `number`-th call is its alone."""
        async with self._locks[operator_of(call, number)]:
            yield


def operator_of(call: GeneratedCall, number: int) -> str:
    candidates = OPERATORS[call.routing]
    return candidates[number % len(candidates)]


def _install(session: Session) -> None:
    by: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
    for extensions in OPERATORS.values():
        for extension in extensions:
            create_operator(session, extension, f"Operator {extension}", **by)
            create_group(session, f"{GROUP} {extension}", **by)
            set_members(session, f"{GROUP} {extension}", [extension], **by)


async def _serves(phone: SoftPhone, does: Any) -> None:
    while True:
        with suppress(PhoneError):
            await does(await phone.ringing(limit=60))


async def _leaves(person: asyncio.Task[None]) -> None:
    person.cancel()
    with suppress(asyncio.CancelledError):
        await person


async def _talks(call: PhoneCall) -> None:
    await call.answer()
    await call.listen(1.3)
    await call.hangup()


async def walked(system: System, call: GeneratedCall, number: str) -> list[tuple[str, str | None]]:
    """The path of a real caller who does the same."""
    caller = await system.caller()
    line = await caller.phone.dial(number)
    with suppress(CallRefused):
        await line.answered()
    for visit, act in sorted(call.acts.items()):
        await system.recorded(caller, lambda record, visit=visit: len(record.steps) >= visit, f"no visit {visit} in {call.path}")  # type: ignore[misc]
        await (line.hangup() if act == HANGS_UP else line.press(act))
    await line.ended(limit=30)
    record = await system.call_record(caller)
    return [(step.node, step.exit) for step in record.steps]


@pytest.mark.covers("UIS-1", "UIS-3", "UIS-4", "UIS-40", "UIS-41")
@pytest.mark.timeout(300)
async def test_generated_calls_take_the_path_that_the_simulator_says(system: System) -> None:
    slots, calls, at_once = Slots(system), drawn(CALLS), asyncio.Semaphore(AT_ONCE)
    await slots.open()
    await system.serve(*(served for place, call in enumerate(calls) for served in _served(call, place)))

    async def compare(call: GeneratedCall, place: int) -> None:
        async with slots.one(call, place), at_once:
            assert await walked(system, call, _number(place)) == call.path, (call.bundle, call.acts, call.world)

    async with slots.staffed(), asyncio.TaskGroup() as together:
        for place, call in enumerate(calls):
            together.create_task(compare(call, place))
    assert len(calls) >= 50


def _number(place: int) -> str:
    return f"82{place:02}"


def _served(call: GeneratedCall, place: int) -> list[tuple[str, Scenario]]:
    inner = f"{INNER} {place}"
    bundle = call.run_on({GROUP: f"{GROUP} {operator_of(call, place)}", INNER: inner})
    return [(inner, bundle.inserted[inner]), (_number(place), bundle.root)]


def drawn(number: int) -> list[GeneratedCall]:
    """Calls of hypothesis, the same in every run; those that are walked in one node only are of no interest."""
    found: list[GeneratedCall] = []

    @settings(
        max_examples=number,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(generated_calls().filter(lambda call: len(call.path) > 2))
    def collect(call: GeneratedCall) -> None:
        found.append(call)

    collect()
    return found
