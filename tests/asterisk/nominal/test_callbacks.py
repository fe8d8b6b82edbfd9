"""A caller keeps his place in the line, hangs up, and is called when it is his turn."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from controller.bus.messages import DirectoryChanged
from controller.commands.phoning import Caller
from controller.softphone import PhoneCall, SoftPhone
from controller.storage.callbacks import Callback, list_callbacks
from controller.storage.calls import get_call
from tests.fixtures.branching import add_schedule, branch, keeps_hours, way
from tests.fixtures.sounds import ACCEPTED, HOLD, NOBODY, OFFER, SORRY, WARNING
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import talk
from tests.ivr.builders import scenario

pytestmark = pytest.mark.asterisk

NUMBER = "8065"
PATIENT = "8066"
WAYS = {"declined": "warning", "not_possible": "sorry"}


async def offers(system: System, group: str = "Single") -> None:
    operation = {"type": "callback_offer", "group": group, "wait_seconds": 1}
    await system.serve((NUMBER, scenario("asked", **branch(operation, WAYS))))


async def patient_line(system: System) -> None:
    """PATIENT leads to the group Single, where callers wait as long as it takes."""
    nodes = {"line": {"operation": {"type": "forward_to_group", "group": "Single"}, "links": {"failed": "at_end"}}}
    end = {"at_end": {"operation": {"type": "hang_up"}}}
    await system.serve((PATIENT, scenario("line", **{**nodes, **end})))


async def quickly_retried(system: System, attempts: int = 2) -> None:
    """Callers are called again after a second."""
    changed = {"callback_attempts": attempts, "callback_retry_seconds": 1, "callback_ring_seconds": 5}
    system.settings = system.settings.model_copy(update=changed)
    await system.restart()


async def accepts(system: System) -> Caller:
    """Somebody calls, accepts the offer and hears that; his call ends."""
    caller, call = await system.call(NUMBER)
    await call.hears_tone(OFFER.frequency)
    await call.press("1")
    await call.hears_tone(ACCEPTED.frequency)
    await call.ended()
    assert way(await system.call_record(caller)) == [("asked", "accepted")]
    return caller


async def kept(system: System) -> Callback:
    (callback,) = await system.database.read(list_callbacks)
    return callback


async def becomes(system: System, state: str) -> Callback:
    async def seen() -> str:
        return (await kept(system)).state

    await eventually(seen, f"the callback is not {state}", until=state)
    return await kept(system)


async def stands_in_line(system: System) -> None:
    await eventually(lambda: len(system.engine.distributor.absent), "he is not in the line", until=1)


async def busy_operator(system: System) -> tuple[SoftPhone, PhoneCall]:
    """Operator 2003, who talks with somebody; the call that ends it."""
    operator = await system.operator("2003")
    _, talking = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(talking, offered)
    return operator, talking


async def test_a_caller_is_called_back_when_an_operator_becomes_free(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    operator, talking = await busy_operator(system)
    caller = await accepts(system)
    await stands_in_line(system)
    await talking.hangup()
    back = await caller.phone.ringing()
    assert dict(system.engine.distributor.engaged).keys() == {"2003"}
    await back.answer()
    await back.hears_tone(HOLD.frequency)
    offered = await operator.ringing()
    assert caller.number in offered.peer
    await back.hears_sound()
    await offered.answer()
    await talk(back, offered)
    await back.listen(1.0)
    await back.hangup()
    await offered.ended()
    done = await becomes(system, "done")
    await system.engine.journal.flush()
    record = await system.database.read(get_call, done.last_call_id or "")
    assert (record.call.caller_number, record.call.called_number) == (caller.number, NUMBER)
    assert (record.call.line_name, record.call.outcome, record.call.ended_by) == (f"Line {NUMBER}", "talked", "caller")
    assert way(record) == [("please_hold", "next"), ("called_back", None)]
    assert (done.attempts, len(record.recordings)) == (1, 1)
    (choice,) = record.decisions
    assert (choice.rule, choice.target, choice.offered) == ("kept", "Single", ["2003"])
    assert [extension for extension, _ in choice.order] == ["2003"] and choice.left_out == []


async def test_who_declines_goes_on_and_is_not_called(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    for keys in ("2", ""):
        caller, call = await system.call(NUMBER)
        await call.hears_tone(OFFER.frequency)
        if keys:
            await call.press(keys)
        await call.hears_tone(WARNING.frequency)
        await call.ended()
        assert way(await system.call_record(caller))[0] == ("asked", "declined")
    assert await system.database.read(list_callbacks) == []


@pytest.mark.parametrize("why", ["outgoing calls off", "no trunk", "withheld", "no such group", "closed"])
async def test_an_offer_that_cannot_be_kept_is_not_made(system: System, why: str) -> None:
    await offers(system)
    if why != "no trunk":
        await system.has_trunk()
    caller = await system.caller(number="anonymous" if why == "withheld" else None)
    if why == "no such group":
        await system.database.run(lambda session: session.execute(text("DELETE FROM groups WHERE name = 'Single'")))
    if why == "outgoing calls off":
        await system.database.run(lambda session: session.execute(text("UPDATE inbound_numbers SET outgoing = false")))
        system.bus.send(DirectoryChanged())
        seen = partial(system.engine.lines.may_dial, "", came_in_on=NUMBER, own=NUMBER)
        await eventually(seen, "the engine does not know it", until=False)
    if why == "closed":
        await add_schedule(system, "Never", "closed")
        await keeps_hours(system, NUMBER, "Never")
    call = await caller.phone.dial(NUMBER)
    await call.hears_tone(SORRY.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert (record.steps[0].exit, record.steps[0].prompts) == ("not_possible", [])


async def test_a_callback_survives_a_restart(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    caller = await accepts(system)
    await stands_in_line(system)
    await system.stop_engine()
    operator = await system.phone_of("2003")
    await operator.register()
    await system.start_engine()
    back = await caller.phone.ringing()
    await back.answer()
    offered = await operator.ringing()
    await offered.answer()
    await talk(back, offered)
    await back.listen(1.0)
    await offered.hangup()
    await back.ended()
    assert (await becomes(system, "done")).attempts == 1


async def test_his_place_is_before_those_who_came_after_him_and_behind_those_before(system: System) -> None:
    await system.has_trunk()
    await offers(system)
    await patient_line(system)
    operator, talking = await busy_operator(system)
    before, first = await system.call(PATIENT)
    await system.comes_to(before, "line")
    caller = await accepts(system)
    await stands_in_line(system)
    after, last = await system.call(PATIENT)
    await system.comes_to(after, "line")
    await talking.hangup()
    offered = await operator.ringing()
    assert before.number in offered.peer
    await offered.answer()
    await first.hangup()
    back = await caller.phone.ringing()
    await back.answer()
    offered = await operator.ringing()
    assert caller.number in offered.peer
    await offered.answer()
    await talk(back, offered)
    await back.listen(1.0)
    await back.hangup()
    await last.hangup()
    await becomes(system, "done")


async def test_he_is_not_called_while_his_own_call_goes_on(system: System) -> None:
    await system.has_trunk()
    ways = {**WAYS, "accepted": "warning"}
    await system.serve((NUMBER, scenario("asked", **branch({"type": "callback_offer", "group": "Single"}, ways))))
    operator = await system.operator("2003")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(OFFER.frequency)
    await call.press("1")
    await call.hears_tone(WARNING.frequency)
    assert (await kept(system)).state == "waiting"
    assert system.engine.distributor.absent == ()
    await call.hangup()
    back = await caller.phone.ringing()
    await back.answer()
    await (await operator.ringing()).refuse()
    await back.hears_tone(NOBODY.frequency)
    await back.ended()
    again = await becomes(system, "waiting")
    assert (again.attempts, again.detail) == (1, "nobody took the call")
