"""The other system hangs, redirects, sends too much or nonsense, or may not be asked: the caller goes on by "failed"."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fixtures.branching import branch, way
from tests.fixtures.crm import Crm, Handler, crm
from tests.fixtures.sounds import SORRY
from tests.fixtures.system import System, eventually
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk

__all__ = ["crm"]

NUMBER = "8063"
WAYS = {"vip": "thanks", "failed": "sorry"}


async def serve_lookup(system: System, url: str, seconds: float = 5) -> None:
    operation = {"type": "http_lookup", "url": url, "timeout_seconds": seconds, "answers": ["vip"]}
    await system.serve((NUMBER, scenario("asked", **branch(operation, WAYS))))


async def fails(system: System) -> float:
    """A caller leaves by "failed"; returns for how many seconds he waited for it."""
    caller, call = await system.call(NUMBER)
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert way(record) == [("asked", "failed"), ("at_failed", "next"), ("goodbye", None)]
    asked = record.steps[0]
    assert asked.left_at is not None
    return (asked.left_at - asked.entered_at).total_seconds()


@pytest.mark.covers("UIS-45")
async def test_a_system_that_hangs_is_waited_for_as_long_as_the_node_says(system: System, crm: Crm) -> None:
    released = asyncio.Event()
    crm.handler = crm.hangs(released)
    await serve_lookup(system, crm.url, seconds=1)
    assert await fails(system) == pytest.approx(1, abs=0.3)
    released.set()


ANSWERS: dict[str, Callable[[Crm], Handler]] = {
    "a redirect": lambda crm: crm.sends(b"", status=302, headers={"Location": f"{crm.url}/elsewhere"}),
    "10 MB": lambda crm: crm.sends(b'{"exit": "vip"}'.ljust(10_000_000)),
    "no JSON": lambda crm: crm.sends(b"vip"),
    "another type": lambda crm: crm.sends(b'{"exit": "vip"}', "text/html"),
    "an error": lambda crm: crm.says({"exit": "vip"}, status=500),
    "an exit that is not listed": lambda crm: crm.says({"exit": "debtor"}),
    "an operator where none is linked": lambda crm: crm.says({"operator": "2001"}),
}


@pytest.mark.covers("UIS-45")
@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_that_cannot_be_used(system: System, crm: Crm, answer: str) -> None:
    crm.handler = ANSWERS[answer](crm)
    await serve_lookup(system, crm.url)
    assert await fails(system) < 2
    assert [path for path, _, _ in crm.asked] == ["/lookup"]


@pytest.mark.covers("UIS-45")
async def test_an_address_inside_is_not_asked_unless_allowed(system: System, crm: Crm) -> None:
    system.settings = system.settings.model_copy(update={"lookup_allow_internal": False})
    await system.restart()
    await serve_lookup(system, crm.url)
    assert await fails(system) < 2
    assert crm.asked == []


async def test_a_caller_who_hangs_up_meanwhile_ends_the_question(system: System, crm: Crm) -> None:
    released = asyncio.Event()
    crm.handler = crm.hangs(released)
    await serve_lookup(system, crm.url, seconds=30)
    caller = await system.caller()
    call = await caller.phone.dial(NUMBER)
    await eventually(lambda: len(crm.asked), "nobody was asked", until=1)
    await call.hangup()
    record = await system.call_record(caller)
    assert (way(record), record.call.ended_by) == ([("asked", None)], "caller")
    released.set()
