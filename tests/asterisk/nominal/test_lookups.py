"""Another system says where a call goes (UIS-45)."""

from __future__ import annotations

import pytest

from tests.fixtures.branching import branch, way
from tests.fixtures.crm import Crm, crm
from tests.fixtures.sounds import TONES
from tests.fixtures.system import System
from tests.fixtures.talk import talk
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk

__all__ = ["crm"]

NUMBER = "8062"
WAYS = {"vip": "thanks", "debtor": "warning", "failed": "sorry"}


async def serve_lookup(system: System, crm: Crm, seconds: float = 5) -> None:
    operation = {"type": "http_lookup", "url": crm.url, "timeout_seconds": seconds, "answers": ["vip", "debtor"]}
    await system.serve((NUMBER, scenario("asked", **branch(operation, WAYS))))


async def goes(system: System, exit: str) -> str:
    """A caller goes this way; returns his number."""
    caller, call = await system.call(NUMBER)
    await call.hears_tone(TONES[WAYS[exit]].frequency)
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("asked", exit)
    return caller.number


@pytest.mark.covers("UIS-45")
async def test_the_answer_picks_the_exit(system: System, crm: Crm) -> None:
    await serve_lookup(system, crm)
    number = await goes(system, "vip")
    path, question, _ = crm.asked[0]
    assert (path, question["caller"], question["called"]) == ("/lookup", number, NUMBER)
    crm.handler = crm.says({"exit": "debtor", "name": "Ivan"})
    await goes(system, "debtor")
    assert len(crm.asked) == 2


@pytest.mark.covers("UIS-45")
async def test_the_answer_names_the_operator_who_is_rung(system: System, crm: Crm) -> None:
    crm.handler = crm.says({"operator": "2002"})
    links = {"operator": "named", "failed": "sorry"}
    nodes = {
        "asked": {"operation": {"type": "http_lookup", "url": crm.url}, "links": links},
        "named": {
            "operation": {"type": "dial_extension", "variant": "in_menu"},
            "links": {"failed": "sorry", "wrong_number": "asked"},
        },
    }
    await system.serves(NUMBER, "asked", nodes)
    operator = await system.operator("2002")
    caller, call = await system.call(NUMBER)
    offered = await operator.ringing()
    assert caller.number in offered.peer
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    record = await system.call_record(caller)
    assert way(record) == [("asked", "operator"), ("named", None)]
    assert (record.call.outcome, [leg.operator_extension for leg in record.legs]) == ("talked", ["2002"])


@pytest.mark.covers("UIS-45")
async def test_the_call_that_asks_is_named_to_the_other_system(system: System, crm: Crm) -> None:
    await serve_lookup(system, crm)
    caller, call = await system.call(NUMBER)
    await call.ended()
    record = await system.call_record(caller)
    assert crm.asked[0][1]["call"] == record.call.id
