"""Calls to the world outside, through a trunk."""

from __future__ import annotations

import pytest

from controller.actions.trunks import TrunkDraft, change_trunk, delete_trunk
from controller.engine import sip_trunk
from controller.storage.trunks import Trunk
from tests.fixtures.carrier import carrier
from tests.fixtures.sounds import SORRY
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk

pytestmark = pytest.mark.asterisk
NUMBER = "8060"
OUTSIDE = "74951234567"


async def forwards(system: System, number: str = OUTSIDE, ring_seconds: float = 20) -> None:
    """NUMBER leads to a number outside."""
    operation = {"type": "forward_to_external", "number": number, "ring_seconds": ring_seconds}
    await system.serves(NUMBER, "outside", {"outside": {"operation": operation, "links": {"failed": "sorry"}}})


def draft_of(trunk: Trunk, **changed: object) -> TrunkDraft:
    return TrunkDraft(**{**trunk.model_dump(exclude={"id"}), **changed})


@pytest.mark.covers("SKZ-5")
async def test_a_caller_talks_with_a_number_outside(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    await forwards(system)
    caller, call = await system.call(NUMBER)
    ringing = await phone.ringing()
    assert caller.number in ringing.peer
    await call.hears_sound()
    await ringing.answer()
    await talk(call, ringing)
    await ringing.listen(1.0)
    await ringing.hangup()
    await call.ended()
    record = await system.call_record(caller)
    assert [step.exit for step in record.steps] == ["answered"]
    assert (record.call.outcome, record.call.ended_by) == ("talked", "operator")
    leg = record.talk_leg
    assert leg is not None and (leg.operator_id, leg.operator_extension, leg.number) == (None, OUTSIDE, OUTSIDE)
    assert len(record.recordings) == 1


@pytest.mark.covers("SKZ-5")
async def test_a_key_leads_to_a_number_outside(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    await system.has_trunk()
    keys = {
        "operation": {"type": "menu", "prompt": ["menu"]},
        "links": dict.fromkeys(("wait_expired", "incorrect_input"), "sorry"),
    }
    keys["links"]["3"] = "outside"
    outside = {"operation": {"type": "forward_to_external", "number": OUTSIDE}, "links": {"failed": "sorry"}}
    await system.serves(NUMBER, "menu", {"menu": keys, "outside": outside})
    caller, call = await system.call(NUMBER)
    await call.press("3")
    ringing = await phone.ringing()
    await ringing.answer()
    await talk(call, ringing)
    await call.hangup()
    await ringing.ended()
    assert [step.exit for step in (await system.call_record(caller)).steps] == ["3", None]


async def test_the_trunks_caller_id_is_shown_outside(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    await system.has_trunk(caller_id="74950000000")
    await forwards(system)
    _, call = await system.call(NUMBER)
    ringing = await phone.ringing()
    assert "74950000000" in ringing.peer
    await call.hangup()
    await ringing.ended()


async def test_a_trunk_with_a_password_registers_until_it_is_removed(system: System) -> None:
    async with carrier(user="office", password="s3cret") as server:
        trunk = await system.has_trunk(server.port, username="office", secret="s3cret", registers=True)
        first = await server.gets("REGISTER")
        assert "authorization" not in first.headers and "sip:office@" in first.headers["from"]
        let_in = await server.gets("REGISTER")
        assert "authorization" in let_in.headers and "sip:office@" in let_in.headers["contact"]
        await eventually(system.engine.trunk_states, "it is not registered", until={trunk.id: "ready"}, limit=14)
        await system.change(delete_trunk, trunk.id)
        gone = await server.gets("REGISTER")
        assert gone.headers.get("expires") == "0" or "expires=0" in gone.headers["contact"]


async def test_a_wrong_password_is_tried_again_and_mended_without_a_restart(system: System) -> None:
    async with carrier(user="office", password="s3cret") as server:
        trunk = await system.has_trunk(server.port, username="office", secret="wrong", registers=True)
        await server.gets("REGISTER")
        assert "authorization" in (await server.gets("REGISTER")).headers
        assert await system.engine.trunk_states() == {trunk.id: "not_registered"}
        await system.change(change_trunk, trunk.id, draft_of(trunk, secret="s3cret"))
        await eventually(system.engine.trunk_states, "it is not registered", until={trunk.id: "ready"}, limit=14)
        await system.change(delete_trunk, trunk.id)
        await eventually(system.engine.ami.registrations, "it is still there", until={})


@pytest.mark.covers("SKZ-5")
async def test_calls_go_through_the_first_enabled_trunk_and_through_the_next_when_that_is_switched_off(system: System) -> None:
    phone = await system.phone_outside(OUTSIDE)
    async with carrier(603) as refusing:
        second = await system.has_trunk(position=2)
        first = await system.has_trunk(refusing.port, position=1)
        await forwards(system)
        _, refused = await system.call(NUMBER)
        assert (await refusing.gets("INVITE")).uri.startswith(f"sip:{OUTSIDE}@127.0.0.1:{refusing.port}")
        await refused.hears_tone(SORRY.frequency)
        await system.change(change_trunk, first.id, draft_of(first, enabled=False))
        await eventually(
            lambda: system.engine.people.outside_device("100"),
            "the other is not used",
            until=f"PJSIP/100@{sip_trunk(second).name}",
        )
        _, call = await system.call(NUMBER)
        ringing = await phone.ringing()
        await ringing.answer()
        await talk(call, ringing)
        await call.hangup()
        await ringing.ended()
