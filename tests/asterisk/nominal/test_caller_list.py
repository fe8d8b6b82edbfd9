"""Who calls decides which way the call goes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from controller.actions.contacts import BlockDraft, ContactDraft, block_number, create_contact
from controller.clock import SystemClock
from controller.commands.phoning import Caller
from controller.softphone.phone import CallRefused
from controller.storage import Session
from controller.storage.calls import BLOCKED_CALLER
from controller.storage.contacts import BlockedNumber, list_blocked
from tests.fixtures.branching import BY, add_schedule, branch, way
from tests.fixtures.lines import open_line
from tests.fixtures.sounds import OFF_HOURS, THANKS, TONES
from tests.fixtures.system import Line, System, eventually
from tests.ivr.builders import hang_up, message, scenario

pytestmark = pytest.mark.asterisk

NUMBER, REFUSES = "8061", "8062"
WAYS = {"blocked": "sorry", "vip": "thanks", "known": "greeting", "unknown": "warning"}
TAGS = [{"exit": "vip", "tag": "VIP"}]


async def knows(system: System, caller: Caller, *tags: str) -> None:
    await system.database.run(create_contact, ContactDraft("Ivan", [f"+{caller.number}"], tags), None, **BY)


async def blocks(system: System, number: str, kind: str = "exact") -> None:
    await system.database.run(block_number, BlockDraft(number, kind), None, **BY)  # type: ignore[arg-type]


async def is_blocked(system: System, caller: Caller, action: str) -> None:
    """The engine knows that his calls are not taken."""
    draft = BlockDraft(f"+{caller.number}", "exact", action)  # type: ignore[arg-type]
    await system.change(partial(_block, draft))
    number, now = f"+{caller.number}", SystemClock().now()
    known = system.engine.arrivals
    await eventually(lambda: known.block_list.entry_of(number, now) is not None, "the engine does not know it")


def _block(draft: BlockDraft, session: Session, **by: Any) -> BlockedNumber:
    return block_number(session, draft, None, **by)


async def hits(system: System) -> int:
    (entry,) = await system.database.read(list_blocked)
    return entry.hits


async def serve_list(system: System, *exits: str) -> None:
    operation = {"type": "caller_list", "tags": TAGS if "vip" in exits else []}
    await system.serve((NUMBER, scenario("asked", **branch(operation, {exit: WAYS[exit] for exit in exits}))))


async def serve_every_exit(system: System) -> None:
    """A tag must be carried by somebody before a scenario may name it."""
    await system.database.run(create_contact, ContactDraft("Somebody", ["+74950000000"], ["VIP"]), None, **BY)
    await serve_list(system, *WAYS)


async def goes(system: System, caller: Caller, exit: str) -> None:
    call = await caller.phone.dial(NUMBER)
    await call.hears_tone(TONES[WAYS[exit]].frequency)
    await call.ended()
    assert way(await system.call_record(caller))[0] == ("asked", exit)


@pytest.mark.covers("UIS-43")
async def test_callers_go_by_block_list_tag_and_contact(system: System) -> None:
    await serve_every_exit(system)
    stranger, contact, vip, blocked = [await system.caller() for _ in range(4)]
    await knows(system, contact)
    await knows(system, vip, "VIP")
    await knows(system, blocked, "VIP")
    await blocks(system, f"+{blocked.number}")
    await goes(system, stranger, "unknown")
    await goes(system, contact, "known")
    await goes(system, vip, "vip")
    assert await hits(system) == 0
    await goes(system, blocked, "blocked")
    assert await hits(system) == 1


@pytest.mark.covers("UIS-43")
async def test_numbers_are_blocked_by_what_they_begin_with(system: System) -> None:
    await serve_every_exit(system)
    caller = await system.caller()
    await blocks(system, f"+{caller.number[:6]}", "prefix")
    await goes(system, caller, "blocked")
    assert await hits(system) == 1


async def test_a_withheld_number_is_unknown_and_is_not_blocked(system: System) -> None:
    await serve_every_exit(system)
    await blocks(system, "+7", "prefix")
    await goes(system, await system.caller(number="anonymous"), "unknown")
    assert await hits(system) == 0


GETS = {"reject": (403, "refused"), "busy": (486, "refused")}


@pytest.mark.covers("UIS-43")
@pytest.mark.parametrize("action", GETS)
async def test_a_number_whose_scenario_does_not_ask_refuses_blocked_callers_at_once(system: System, action: str) -> None:
    await serve_list(system, "known", "unknown")
    caller = await system.caller()
    await is_blocked(system, caller, action)
    call = await caller.phone.dial(NUMBER)
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    record = await system.call_record(caller)
    assert (refused.value.status, record.call.outcome) == GETS[action]
    assert [step.title for step in record.steps] == ["On the block list"]
    await eventually(lambda: hits(system), "nothing was counted", until=1)
    await goes(system, await system.caller(), "unknown")


@pytest.mark.covers("UIS-43")
async def test_a_blocked_caller_of_a_number_that_rings_a_group_hears_a_message_and_nobody_is_rung(system: System) -> None:
    await system.operator("2001")
    caller = await system.caller()
    await is_blocked(system, caller, "message")
    call = await caller.phone.dial(Line.SALES)
    await call.hears_sound()
    await call.ended()
    record = await system.call_record(caller)
    assert (record.legs, record.steps[0].prompts) == ((), ["number-not-in-service"])


async def test_a_block_list_that_has_not_changed_is_not_built_again(system: System) -> None:
    await is_blocked(system, await system.caller(), "reject")
    kept = system.engine.arrivals.block_list
    await open_line(system)
    assert system.engine.arrivals.block_list is kept
    await is_blocked(system, await system.caller(), "busy")
    assert len(system.engine.arrivals.block_list) == 2


@pytest.mark.covers("UIS-43")
@pytest.mark.parametrize("with_scenario", [False, True], ids=["melody", "scenario"])
async def test_the_block_list_comes_before_the_schedule_of_a_closed_number(system: System, with_scenario: bool) -> None:
    await add_schedule(system, "Closed", "closed")
    await system.serve(("8071", scenario("asked", asked=message({"next": "bye"}, "thanks"), bye=hang_up())))
    off_hours = "Scenario 8071" if with_scenario else None
    await open_line(system, NUMBER, schedule="Closed", off_hours_scenario=off_hours)
    stranger = await system.caller()
    call = await stranger.phone.dial(NUMBER)
    await call.hears_tone((THANKS if with_scenario else OFF_HOURS).frequency)
    await call.ended()
    for action in ("reject", "busy", "message"):
        caller = await system.caller()
        await is_blocked(system, caller, action)
        call = await caller.phone.dial(NUMBER)
        await call.ended(30)
        record = await system.call_record(caller)
        assert [step.node for step in record.steps][:1] == [BLOCKED_CALLER], f"{action}: he has met the schedule"
        if action == "message":
            assert record.steps[0].prompts == ["number-not-in-service"] and call.answered_at is not None
        else:
            assert (int(call.reason[:3]), record.call.outcome, call.answered_at) == (*GETS[action], None)


@pytest.mark.covers("UIS-43")
async def test_a_blocked_caller_may_be_refused_unanswered(system: System) -> None:
    nodes = {
        "asked": {
            "operation": {"type": "caller_list"},
            "links": {"blocked": "refused", "known": "welcome", "unknown": "welcome"},
        },
        "refused": {"operation": {"type": "hang_up", "cause": "rejected"}},
        "welcome": {"operation": {"type": "info_message", "message": ["greeting"]}, "links": {}},
    }
    await system.serve((NUMBER, scenario("asked", **nodes)))
    caller = await system.caller()
    await blocks(system, f"+{caller.number}")
    call = await caller.phone.dial(NUMBER)
    await call.ended()
    assert (call.answered_at, call.reason[:3]) == (None, "403")
    record = await system.call_record(caller)
    assert (record.call.outcome, record.call.answered_at) == ("refused", None)
    assert await hits(system) == 1


async def test_a_local_number_is_that_of_the_installations_country(system: System) -> None:
    system.settings = system.settings.model_copy(update={"phone_region": "RU"})
    await system.restart()
    await serve_list(system, "known", "unknown")
    caller = await system.caller()
    await knows(system, caller)
    local = await system.caller(number=f"8{caller.number[1:]}")
    await goes(system, local, "known")


@pytest.mark.covers("UIS-43")
async def test_the_same_blocked_caller_is_refused_on_one_number_and_served_on_another_whose_scenario_decides(
    system: System,
) -> None:
    operation = {"type": "caller_list"}
    served = scenario("asked", **branch(operation, {exit: WAYS[exit] for exit in ("blocked", "known", "unknown")}))
    refuses = scenario("asked", **branch(operation, {exit: WAYS[exit] for exit in ("known", "unknown")}))
    await system.serve((NUMBER, served), (REFUSES, refuses))
    caller = await system.caller()
    await is_blocked(system, caller, "reject")
    call = await caller.phone.dial(REFUSES)
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    assert refused.value.status == 403
    await goes(system, caller, "blocked")
    assert await hits(system) == 2
