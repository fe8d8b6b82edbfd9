"""What a waiting caller is told of his place in line and of how long it will take."""

from __future__ import annotations

import pytest

from controller.actions import groups
from controller.softphone import PhoneCall
from tests.fixtures.distributing import has_group
from tests.fixtures.lines import GROUP, NUMBER, has_operator_busy, open_line
from tests.fixtures.sounds import A_MINUTE, FIRST_IN_LINE, SECOND_IN_LINE, heard_in_order
from tests.fixtures.system import System
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk


async def test_callers_hear_their_place_behind_all_busy_again_after_a_while_and_as_it_has_become(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "SHORTEST_PAUSE", 1)
    await open_line(system)
    await has_group(system, "ring_all", ["2001"], name=GROUP, ring_seconds=30, announce_every=4)
    _, first = await has_operator_busy(system)
    second, ahead = await system.call(NUMBER)
    await system.comes_to(second, "group")
    third, call = await system.call(NUMBER)
    await ahead.hears_tone(FIRST_IN_LINE.frequency)
    await call.hears_tone(SECOND_IN_LINE.frequency)
    assert heard_in_order(call.heard)[:3] == ["arrival", "all-busy", "line-place-2"]
    await ahead.hangup()
    await call.hears_tone(FIRST_IN_LINE.frequency, limit=15)
    heard = heard_in_order(call.heard)
    assert heard[heard.index("line-first") - 1] == "all-busy" and "waiting" in heard
    await call.hangup()
    await first.hangup()
    (step,) = (await system.call_record(third)).steps
    assert step.prompts[:4] == ["arrival", "all-busy", "line-place-2", "waiting"] and "line-first" in step.prompts


async def test_the_expected_wait_is_told_once_it_is_known_and_nothing_while_somebody_is_rung(system: System) -> None:
    await open_line(system)
    await has_group(system, "ring_all", ["2001"], name=GROUP, ring_seconds=30, announce_every=10, announce_place=False)
    operator = await system.operator("2001")

    async def talks() -> tuple[PhoneCall, PhoneCall]:
        _, call = await system.call(NUMBER)
        offered = await operator.ringing()
        await offered.answer()
        await talk(call, offered)
        await offered.listen(1.1)
        assert "line-wait-1" not in heard_in_order(call.heard), "somebody was rung for him"
        return call, offered

    for _ in range(3):
        call, offered = await talks()
        await call.hangup()
        await offered.ended()
        await system.operator_is("2001", "available")
    talking, _ = await talks()
    _, call = await system.call(NUMBER)
    await call.hears_tone(A_MINUTE.frequency)
    assert heard_in_order(call.heard)[:3] == ["arrival", "all-busy", "line-wait-1"]
    await call.hangup()
    await talking.hangup()
