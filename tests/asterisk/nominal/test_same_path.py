"""One graph and one caller take the same path in the simulator and on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings

from controller.actions.contacts import BlockDraft, ContactDraft, block_number, create_contact
from controller.actions.groups import create_group, set_members
from controller.actions.operators import create_operator
from controller.clock import SystemClock
from controller.commands.phoning import Caller
from controller.softphone import PhoneCall, SoftPhone
from controller.softphone.phone import CallOver, CallRefused, PhoneError
from controller.storage import Session
from controller.storage.calls import CallStep
from ivr.events import RoutingOutcome
from ivr.graph import Scenario
from ivr.operations import OPERATIONS
from tests.fixtures.branching import add_schedule
from tests.fixtures.crm import Crm, crm
from tests.fixtures.generated_calls import (
    EXTENSION,
    GROUP,
    HANGS_UP,
    HOURS,
    INNER,
    LOOKUP,
    NOBODY,
    OUTSIDE,
    PRESSED_AFTER,
    TAG,
    TALK,
    GeneratedCall,
    generated_calls,
)
from tests.fixtures.system import System

__all__ = ["crm"]
BY: dict[str, Any] = {"acting_user": "test", "at": SystemClock().now()}
pytestmark = pytest.mark.asterisk
CALLS, AT_ONCE = 80, 12
OPERATORS: dict[RoutingOutcome, tuple[str, ...]] = {
    "answered": ("2011", "2012", "2013"),
    "no_answer": ("2014", "2015"),
    "no_operators": ("2016",),
}
"""Whom a call's group consists of, by how its searches end; nobody of the last is ever there."""


class Cast:
    """The people and systems that the calls meet. An operator is there for one call at a time."""

    def __init__(self, system: System, crm: Crm) -> None:
        self._system = system
        self._crm = crm
        self._locks = {extension: asyncio.Lock() for extensions in OPERATORS.values() for extension in extensions}
        self._replies: dict[str, dict[str, str]] = {}

    async def arrives(self) -> None:
        """Everything that scenarios name is there."""
        await self._system.database.run(_install)
        for state in ("open", "closed", "holiday"):
            await add_schedule(self._system, f"{HOURS} {state}", state)
        self._crm.handler = self._reply
        await self._system.restart()
        await self._system.has_trunk()

    def served(self, call: GeneratedCall, place: int) -> list[tuple[str, Scenario]]:
        """What the `place`-th call walks: names and scenarios for `System.serve`."""
        extension, inner = operator_of(call, place), f"{INNER} {place}"
        reply = call.world.replies[0]
        answer = {"exit": reply.exit} if reply.exit else {"operator": extension} if reply.operator else {}
        self._replies[f"/lookup/{place}"] = answer
        bundle = call.run_on(
            {
                GROUP: f"{GROUP} {extension}",
                EXTENSION: extension,
                OUTSIDE: outside_of(extension),
                HOURS: f"{HOURS} {call.world.schedule[0]}",
                LOOKUP: f"{self._crm.url}/{place}",
                INNER: inner,
            }
        )
        return [(inner, bundle.inserted[inner]), (number_of(place), bundle.root)]

    @asynccontextmanager
    async def staffed(self) -> AsyncIterator[None]:
        """The phones are on, and their people there."""
        async with AsyncExitStack() as stack:
            for outcome, does in (("answered", _talks), ("no_answer", PhoneCall.refuse)):
                for extension in OPERATORS[outcome]:  # type: ignore[index]
                    for phone in (
                        await self._system.operator(extension),
                        await self._system.phone_outside(outside_of(extension)),
                    ):
                        stack.push_async_callback(_leaves, asyncio.create_task(_serves(phone, does)))
            yield

    @asynccontextmanager
    async def caller(self, call: GeneratedCall, place: int) -> AsyncIterator[Caller]:
        """Somebody who is known as the call wants it, while its operator is there for nobody else."""
        extension = operator_of(call, place)
        async with self._locks[extension]:
            caller = await self._system.caller()
            await self._system.database.run(_make_known, call, caller.number, extension)
            yield caller

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._replies[request.path])


def operator_of(call: GeneratedCall, place: int) -> str:
    candidates = OPERATORS[call.routing]
    return candidates[place % len(candidates)]


def outside_of(extension: str) -> str:
    return f"7499555{extension}"


def number_of(place: int) -> str:
    return f"82{place:02}"


def _install(session: Session) -> None:
    create_group(session, NOBODY, **BY)
    for extensions in OPERATORS.values():
        for extension in extensions:
            create_operator(session, extension, f"Operator {extension}", **BY)
            create_group(session, f"{GROUP} {extension}", **BY)
            set_members(session, f"{GROUP} {extension}", [extension], **BY)
    set_members(session, NOBODY, OPERATORS["no_operators"], **BY)
    create_contact(session, ContactDraft("Somebody", ["+74950000000"], [TAG]), None, **BY)


def _make_known(session: Session, call: GeneratedCall, number: str, extension: str) -> None:
    who = call.world.caller
    if who.known:
        owner = extension if call.world.has_manager else None
        create_contact(session, ContactDraft("Caller", [f"+{number}"], sorted(who.tags), owner), None, **BY)
    if who.blocked:
        block_number(session, BlockDraft(f"+{number}", "exact"), None, **BY)


async def _serves(phone: SoftPhone, does: Callable[[PhoneCall], Awaitable[None]]) -> None:
    while True:
        with suppress(PhoneError):
            await does(await phone.ringing(limit=60))


async def _leaves(person: asyncio.Task[None]) -> None:
    person.cancel()
    with suppress(asyncio.CancelledError):
        await person


async def _talks(call: PhoneCall) -> None:
    await call.answer()
    try:
        await call.listen(TALK)
    finally:
        await call.hangup()


async def _presses(line: PhoneCall, keys: str) -> None:
    """Hear where he is, and press."""
    await line.listen(PRESSED_AFTER)
    await line.press(keys)


async def walked(system: System, call: GeneratedCall, caller: Caller, place: int) -> Sequence[CallStep]:
    """The steps of a real caller who does the same."""
    line = await caller.phone.dial(number_of(place))
    with suppress(CallRefused):
        await line.answered()
    for visit, act in sorted(call.acts.items()):
        with suppress(AssertionError):  # what was not come to is seen in the path
            await system.recorded(caller, lambda record, visit=visit: len(record.steps) >= visit, "")  # type: ignore[misc]
        with suppress(CallOver):
            await (line.hangup() if act == HANGS_UP else _presses(line, call.typed(act, operator_of(call, place))))
    await line.ended(limit=30)
    return (await system.call_record(caller)).steps


@pytest.mark.covers("UIS-1", "UIS-3", "UIS-4", "UIS-40", "UIS-41")
@pytest.mark.timeout(300)
async def test_generated_calls_take_the_path_that_the_simulator_says(system: System, crm: Crm) -> None:
    cast, calls, at_once = Cast(system, crm), drawn(CALLS), asyncio.Semaphore(AT_ONCE)
    await cast.arrives()
    await system.serve(*(served for place, call in enumerate(calls) for served in cast.served(call, place)))
    met = {scenario.nodes[step.node].operation.type for call in calls for step, scenario in call.steps}
    assert met == {kind.model_fields["type"].default for kind in OPERATIONS}, "an operation is in no call"

    async def compare(call: GeneratedCall, place: int) -> None:
        async with at_once, cast.caller(call, place) as caller:
            steps = await walked(system, call, caller, place)
            path = [(step.node, step.exit) for step in steps]
            expected = [(node.replace(INNER, f"{INNER} {place}"), exit) for node, exit in call.path]
            if path != expected:
                typed = [step.digits for step in steps]
                different.append(f"{path} instead of {expected}: {typed} {call.acts} {call.world} {call.bundle}")

    different: list[str] = []
    async with cast.staffed(), asyncio.TaskGroup() as together:
        for place, call in enumerate(calls):
            together.create_task(compare(call, place))
    assert not different, "\n\n".join(different)
    assert len(calls) >= 50


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
