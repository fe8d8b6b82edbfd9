"""Strategies, wrap-up, limits and the caller's own operator, on real phones."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.groups import MemberDraft
from controller.bus import WrapUpEnded
from controller.routing import RoutedOperator
from controller.routing.strategies import Candidate, Turn, weighted_random
from controller.softphone import PhoneCall, PhoneTimeout
from controller.storage.calls import CallDetail
from tests.fixtures.branching import BY
from tests.fixtures.distributing import GROUP, NUMBER, decided, desk, first_of, has_group, talked
from tests.fixtures.programs import api
from tests.fixtures.sounds import THANKS
from tests.fixtures.system import RING_SECONDS, System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk

ALL = ("2001", "2002", "2003")


async def owned_by(system: System, extension: str, number: str) -> None:
    """A contact whose own operator this is."""
    await system.database.run(create_contact, ContactDraft("Ivan", [f"+{number}"], owner=extension), None, **BY)


def rung(record: CallDetail) -> list[str]:
    return [leg.operator_extension for leg in record.legs]


async def answer_and_hang_up(call: PhoneCall, offered: PhoneCall) -> None:
    """A conversation that is long enough to be one."""
    await offered.answer()
    await talk(call, offered)
    await offered.listen(1.1)
    await call.hangup()
    await offered.ended()


@pytest.mark.covers("SKZ-24", "SKZ-23")
async def test_t26_the_contacts_owner_is_rung_first_even_where_he_is_the_last_of_the_order(system: System) -> None:
    await desk(system, "linear", ALL, sticky_owner=True)
    phones = [await system.operator(extension) for extension in ALL]
    caller = await system.caller()
    await owned_by(system, "2003", caller.number)
    call = await caller.phone.dial(NUMBER)
    offered = await phones[2].ringing()
    next_offered = await phones[0].ringing(RING_SECONDS + 3)
    assert next_offered.began_at - offered.began_at == pytest.approx(RING_SECONDS, abs=0.8)
    await answer_and_hang_up(call, next_offered)
    record = await decided(system, await system.call_record(caller))
    assert rung(record) == ["2003", "2001"]
    first, second = record.decisions
    assert (first.rule, first.target, first.offered, first.left_out) == ("owner", GROUP, ["2003"], [])
    assert (second.rule, second.strategy, second.offered, second.order) == (
        "strategy",
        "linear",
        ["2001"],
        [["2001", 1], ["2002", 2]],
    )
    assert second.left_out == [["2003", "already_offered", None]]


@pytest.mark.covers("SKZ-24")
async def test_t27_the_strategy_decides_at_once_when_the_owner_is_not_active(system: System) -> None:
    await desk(system, "linear", ALL, sticky_owner=True)
    phones = [await system.operator(extension) for extension in ALL[:2]]
    caller = await system.caller()
    await owned_by(system, "2003", caller.number)
    call = await caller.phone.dial(NUMBER)
    offered = await phones[0].ringing(2)
    await answer_and_hang_up(call, offered)
    record = await decided(system, await system.call_record(caller))
    assert rung(record) == ["2001"]
    assert [(one.rule, one.left_out) for one in record.decisions] == [("strategy", [["2003", "offline", None]])]
    group = record.steps[0]
    assert (record.legs[0].started_at - group.entered_at).total_seconds() < 0.5


@pytest.mark.covers("SKZ-24", "SKZ-63")
async def test_the_owner_is_not_rung_for_a_group_when_he_takes_no_inbound_calls(system: System) -> None:
    await system.change_operator("2003", inbound=False)
    await desk(system, "linear", ALL, sticky_owner=True)
    phones = [await system.operator(extension) for extension in ("2001", "2003")]
    caller = await system.caller()
    await owned_by(system, "2003", caller.number)
    call = await caller.phone.dial(NUMBER)
    await answer_and_hang_up(call, await phones[0].ringing())
    assert rung(await system.call_record(caller)) == ["2001"]


@pytest.mark.covers("SKZ-22")
async def test_t28_longest_idle_rings_whose_last_conversation_ended_first(system: System) -> None:
    ten = datetime.now(UTC) - timedelta(hours=2)
    for extension, minutes in (("2001", 0), ("2002", 5), ("2003", -10)):
        await system.database.run(talked, extension, ten + timedelta(minutes=minutes))
    await desk(system, "longest_idle", ALL)
    await system.restart()
    phones = {extension: await system.operator(extension) for extension in ALL}
    caller = await system.caller()
    call = await caller.phone.dial(NUMBER)
    for extension in ("2003", "2001"):
        await (await phones[extension].ringing()).refuse()
    await answer_and_hang_up(call, await phones["2002"].ringing())
    assert rung(await system.call_record(caller)) == ["2003", "2001", "2002"]

    again = await system.caller()
    second = await again.phone.dial(NUMBER)
    await answer_and_hang_up(second, await phones["2003"].ringing())
    assert rung(await system.call_record(again)) == ["2003"], "who has just talked is the last now"


@pytest.mark.covers("SKZ-23")
async def test_t29_two_calls_one_after_the_other_both_begin_at_the_first_of_the_order(system: System) -> None:
    await desk(system, "linear", ALL)
    phones = [await system.operator(extension) for extension in ALL]
    for _ in range(2):
        caller = await system.caller()
        call = await caller.phone.dial(NUMBER)
        await answer_and_hang_up(call, await phones[0].ringing())
        assert rung(await system.call_record(caller)) == ["2001"]
        await system.operator_is("2001", "available")


@pytest.mark.covers("SKZ-21", "SKZ-25")
async def test_at_random_each_is_rung_for_the_answer_time_and_nobody_twice(system: System) -> None:
    await desk(system, "random", ALL, ring_seconds=1)
    for extension in ALL:
        await system.operator(extension)
    caller, call = await system.call(NUMBER)
    await call.ended(10)
    record = await decided(system, await system.call_record(caller))
    assert sorted(rung(record)) == sorted(ALL)
    begins = [leg.started_at for leg in record.legs]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(begins)]
    assert gaps == pytest.approx([1, 1], abs=0.5)
    *offers, last = record.decisions
    assert [one.offered[0] for one in offers] == rung(record) and all(one.seed is not None for one in offers)
    assert (last.rule, last.offered) == ("nobody", [])
    assert [why for _, why, _ in last.left_out] == ["already_offered"] * 3


async def test_round_robin_hands_the_calls_round(system: System) -> None:
    await desk(system, "round_robin", ALL)
    phones = [await system.operator(extension) for extension in ALL]
    for phone, extension in zip(phones, ALL, strict=True):
        caller = await system.caller()
        call = await caller.phone.dial(NUMBER)
        await answer_and_hang_up(call, await phone.ringing())
        assert rung(await system.call_record(caller)) == [extension]


async def test_fewest_calls_rings_who_has_had_the_fewest_conversations_today(system: System) -> None:
    await desk(system, "fewest_calls", ALL[:2])
    busy, idle = [await system.operator(extension) for extension in ALL[:2]]
    for declines in (False, True):
        _, call = await system.call(NUMBER)
        if declines:
            await (await idle.ringing()).refuse()
        await answer_and_hang_up(call, await busy.ringing())
        await system.operator_is("2001", "available")
    for _ in range(2):
        caller, call = await system.call(NUMBER)
        await answer_and_hang_up(call, await idle.ringing())
        await system.operator_is("2002", "available")
    record = await decided(system, await system.call_record(caller))
    assert rung(record) == ["2002"], "though the other has been idle for longer"
    assert [one.order for one in record.decisions] == [[["2002", 1], ["2001", 2]]]


async def test_a_weighted_choice_rings_in_the_order_that_its_seed_and_the_weights_give(system: System) -> None:
    weights = dict(zip(ALL, (1, 50, 100), strict=True))
    await desk(system, "weighted_random", [MemberDraft(extension, weight=weights[extension]) for extension in ALL])
    phones = [await system.operator(extension) for extension in ALL]
    caller, call = await system.call(NUMBER)
    for _ in ALL:
        _, offered = await first_of(*phones)
        await offered.refuse()
    await call.ended()
    record = await decided(system, await system.call_record(caller))
    *choices, _ = record.decisions
    assert [one.offered for one in choices] == [[extension] for extension in rung(record)] and sorted(rung(record)) == list(ALL)
    left = list(ALL)
    for choice in choices:
        assert choice.seed is not None
        candidates = [Candidate(RoutedOperator(0, one, "", weights[one]), place) for place, one in enumerate(ALL) if one in left]
        again = weighted_random(candidates, Turn(-1, Random(choice.seed)))
        assert choice.order == [[one.operator.extension, one.operator.weight] for one in again]
        left.remove(choice.offered[0])


async def test_levels_ring_the_lowest_first_and_within_it_the_longest_idle(system: System) -> None:
    await desk(system, "levels", [MemberDraft("2001", level=2), MemberDraft("2002", level=1), MemberDraft("2003", level=1)])
    phones = {extension: await system.operator(extension) for extension in reversed(ALL)}
    caller, call = await system.call(NUMBER)
    for extension in ("2003", "2002"):
        await (await phones[extension].ringing()).refuse()
    await answer_and_hang_up(call, await phones["2001"].ringing())
    record = await decided(system, await system.call_record(caller))
    assert rung(record) == ["2003", "2002", "2001"]
    assert record.decisions[0].order == [["2003", 1], ["2002", 1], ["2001", 2]]


async def test_an_operator_is_left_alone_while_he_wraps_up_and_can_end_that_early(system: System) -> None:
    await desk(system, "linear", ["2001"], wrap_up_seconds=30)
    phone = await system.operator("2001")
    _, first = await system.call(NUMBER)
    await answer_and_hang_up(first, await phone.ringing())
    await eventually(lambda: system.engine.distributor.wrapping_up, "he does not wrap up", until=frozenset({"2001"}))
    await system.operator_is("2001", "wrap_up")
    waiting, second = await system.call(NUMBER)
    await second.hears_sound()
    assert dict(system.engine.distributor.engaged) == {}
    system.bus.send(WrapUpEnded("2001"))
    await answer_and_hang_up(second, await phone.ringing(2))
    assert rung(await system.call_record(waiting)) == ["2001"]
    system.bus.send(WrapUpEnded("2001"))


async def test_the_next_call_comes_when_the_wrap_up_is_over(system: System) -> None:
    await desk(system, "linear", ["2001"], wrap_up_seconds=2)
    phone = await system.operator("2001")
    caller, first = await system.call(NUMBER)
    _, second = await system.call(NUMBER)
    await answer_and_hang_up(first, await phone.ringing())
    offered = await phone.ringing(4)
    leg = (await system.call_record(caller)).talk_leg
    assert leg is not None and first.ended_at is not None
    assert offered.began_at - first.ended_at == pytest.approx(2, abs=0.4)
    await answer_and_hang_up(second, offered)


async def test_a_conversation_that_has_reached_its_longest_is_ended_after_a_warning(system: System) -> None:
    await desk(system, "linear", ["2001"], longest_talk=4)
    phone = await system.operator("2001")
    caller, call = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    begin = asyncio.get_running_loop().time()
    await offered.hears_sound()
    assert asyncio.get_running_loop().time() - begin == pytest.approx(2, abs=0.8)
    await offered.ended()
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert [step.exit for step in record.steps] == ["answered", "next", None]
    assert record.legs[0].talk_ended_at is not None and record.legs[0].talk_started_at is not None
    assert (record.legs[0].talk_ended_at - record.legs[0].talk_started_at).total_seconds() == pytest.approx(4, abs=0.5)


async def test_the_groups_own_longest_wait_counts_and_a_shorter_one_ends_the_wait_of_who_waits_already(system: System) -> None:
    await desk(system, "linear", ["2001"], ring_seconds=20)
    await system.operator("2001")
    _, call = await system.call(NUMBER)
    await call.hears_sound()
    await has_group(system, "linear", ["2001"], ring_seconds=20, longest_wait=1)
    await call.ended(5)


@pytest.mark.covers("SKZ-20")
async def test_the_chosen_operators_are_rung_and_nobody_else_is(system: System) -> None:
    await desk(system, "ring_all", ["2001", "2003"], wait=4)
    chosen, other = [await system.operator(extension) for extension in ("2001", "2003")], await system.operator("2002")
    caller, call = await system.call(NUMBER)
    offers = await asyncio.gather(*(phone.ringing() for phone in chosen))
    await asyncio.gather(*(offer.ended() for offer in offers), call.ended(20))
    record = await system.call_record(caller)
    assert sorted(leg.operator_extension for leg in record.legs) == ["2001", "2003"]
    with pytest.raises(PhoneTimeout):
        await other.ringing(0.5)
    assert system.engine.presence.states["2002"] == "available"


@pytest.mark.covers("SKZ-20")
async def test_a_changed_rule_and_a_new_operator_are_used_by_the_next_offer_while_ten_callers_wait(system: System) -> None:
    await desk(system, "linear", ["2001"], wait=60, ring_seconds=20)
    busy = await system.operator("2001")
    late = [await system.operator(extension) for extension in ("2002", "2003")]
    _, talking = await system.call(NUMBER)
    offered = await busy.ringing()
    await offered.answer()
    await talk(talking, offered)
    waiting = await asyncio.gather(*(system.call(NUMBER) for _ in range(10)))
    order = await _line(system)
    await has_group(system, "ring_all", ["2002", "2001", "2003"], ring_seconds=20)
    rings = await asyncio.gather(*(phone.ringing() for phone in late))
    first = next(one for one in waiting if one[0].number in rings[0].peer)
    assert all(first[0].number in one.peer for one in rings), "the next offer follows the new rule"
    await rings[0].answer()
    await talk(first[1], rings[0])
    record = await decided(system, await system.recorded(first[0], lambda one: bool(one.talk_leg), "nobody talks"))
    choice = record.decisions[0]
    assert record.call.id == order[0], "first come, first served"
    assert (choice.strategy, choice.rule_version) == ("ring_all", system.engine.distributor.rules[GROUP].version)
    assert (choice.offered, [left[:2] for left in choice.left_out]) == (["2002", "2003"], [["2001", "engaged"]])
    assert offered.ended_at is None and all(call.ended_at is None for _, call in waiting), "no call is touched"
    for _, call in waiting:
        await call.hangup()
    await talking.hangup()


@pytest.mark.covers("SKZ-20")
async def test_an_operator_who_is_created_while_ten_callers_wait_gets_the_next_offer_by_the_new_rule(system: System) -> None:
    await desk(system, "linear", ["2001"], wait=60, ring_seconds=20)
    busy = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await busy.ringing()
    await offered.answer()
    await talk(talking, offered)
    waiting = await asyncio.gather(*(system.call(NUMBER) for _ in range(10)))
    order = await _line(system)
    async with await api(system) as client:
        await client.post("/api/v1/operators", json={"extension": "2044", "name": "Newcomer"})
        group = next(one for one in (await client.get("/api/v1/groups")).json()["groups"] if one["name"] == GROUP)
        changed = {
            "name": GROUP,
            "strategy": "levels",
            "ring_seconds": 20,
            "members": [{"extension": "2001", "level": 2}, "2044"],
        }
        assert (await client.put(f"/api/v1/groups/{group['id']}", json=changed)).status_code == 200
    await eventually(lambda: "2044" in system.engine.presence.states, "the engine does not know the newcomer")
    phone = await system.phone_of("2044")
    await phone.register()
    rings = await phone.ringing()
    first = next(one for one in waiting if one[0].number in rings.peer)
    await rings.answer()
    await talk(first[1], rings)
    record = await decided(system, await system.recorded(first[0], lambda one: bool(one.talk_leg), "nobody talks"))
    assert record.call.id == order[0], "first come, first served"
    (choice,) = record.decisions
    assert (choice.strategy, choice.rule_version) == ("levels", system.engine.distributor.rules[GROUP].version)
    assert (choice.order, [left[:2] for left in choice.left_out]) == ([["2044", 1]], [["2001", "engaged"]])
    assert system.engine.distributor.waiting == order[1:]
    assert offered.ended_at is None and all(call.ended_at is None for _, call in waiting), "no call is touched"
    await talking.hangup()
    again = await busy.ringing()
    second = next(caller for caller, _ in waiting if caller.number in again.peer)
    assert (await system.recorded(second, lambda one: bool(one.legs), "nobody is rung")).call.id == order[1]
    for _, call in waiting:
        await call.hangup()


async def _line(system: System) -> tuple[str, ...]:
    await eventually(lambda: len(system.engine.distributor.waiting), "not all callers wait", until=10)
    return system.engine.distributor.waiting


async def test_who_is_taken_out_of_the_group_while_his_phone_rings_may_answer_and_gets_no_other_call(system: System) -> None:
    await desk(system, "linear", ["2001", "2002"], ring_seconds=10)
    first, second = await system.operator("2001"), await system.operator("2002")
    _, call = await system.call(NUMBER)
    offered = await first.ringing()
    await has_group(system, "linear", ["2002"], ring_seconds=10)
    await offered.answer()
    await talk(call, offered)
    await call.hangup()
    _, next_call = await system.call(NUMBER)
    phone, ringing = await first_of(first, second)
    assert phone is second
    await ringing.answer()
    await talk(next_call, ringing)
    await next_call.hangup()


async def test_of_groups_that_share_an_operator_the_more_urgent_is_served_first(system: System) -> None:
    await desk(system, "linear", ["2001"])
    await has_group(system, "linear", ["2001"], name="Urgent", priority=5)
    operation = {"type": "forward_to_group", "group": "Urgent"}
    await system.serves("8112", "urgent", {"urgent": {"operation": operation, "links": {"failed": "sorry"}}})
    phone = await system.operator("2001")
    _, talking = await system.call(NUMBER)
    offered = await phone.ringing()
    await offered.answer()
    usual, usual_call = await system.call(NUMBER)
    await system.comes_to(usual, "desk")
    urgent, urgent_call = await system.call("8112")
    await system.comes_to(urgent, "urgent")
    await talking.hangup()
    for caller, call in ((urgent, urgent_call), (usual, usual_call)):
        again = await phone.ringing()
        assert caller.number in again.peer
        await again.answer()
        await talk(call, again)
        await call.hangup()
