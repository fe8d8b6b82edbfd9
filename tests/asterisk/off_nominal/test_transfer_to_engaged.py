"""Nobody is transferred, or put through, to a colleague whose own phone is quiet, but whom another call is just going to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from controller.errors import Refused
from controller.softphone import PhoneError
from controller.storage.operators import RungNumber
from tests.asterisk.nominal.test_callbacks import accepts, busy_operator, offers, stands_in_line
from tests.fixtures.sounds import NOT_POSSIBLE
from tests.fixtures.system import System, eventually
from tests.fixtures.talk import talk
from tests.fixtures.transfers import conversation, transfer_target, way

pytestmark = pytest.mark.asterisk

DIRECT, MOBILE = "8071", "79161234567"


async def called_at_his_mobile(system: System) -> None:
    """2003 has refused a call at his own phone; it rings at his further number now."""
    mobile = await system.phone_outside(MOBILE)
    await system.change_operator("2003", numbers=[RungNumber(MOBILE, 20)])
    operation = {"type": "dial_extension", "extension": "2003"}
    links = {"failed": "sorry", "wrong_number": "sorry"}
    await system.serves(DIRECT, "direct", {"direct": {"operation": operation, "links": links}})
    phone = await transfer_target(system)
    await system.call(DIRECT)
    await (await phone.ringing()).refuse()
    await mobile.ringing()


async def kept_for_a_callback(system: System) -> None:
    """2003 is kept for somebody who is being called back, and whose phone rings."""
    await offers(system)
    _, talking = await busy_operator(system)
    caller = await accepts(system)
    await stands_in_line(system)
    await talking.hangup()
    await caller.phone.ringing()


@pytest.mark.covers("SKZ-68", "SKZ-64")
@pytest.mark.parametrize("engaged", [called_at_his_mobile, kept_for_a_callback])
async def test_t40_a_colleague_whom_another_call_is_going_to_can_not_be_chosen_and_the_conversation_goes_on(
    system: System, engaged: Callable[[System], Awaitable[None]]
) -> None:
    await system.has_trunk()
    talking = await conversation(system)
    await system.operator("2002")
    await engaged(system)
    await system.operator_is("2003", "available")
    await eventually(lambda: "2003" in system.engine.transfer_targets.told, "Asterisk does not know it", until=False)
    with pytest.raises(Refused, match="another call is being put through to him"):
        await talking.transfer("2003")
    with pytest.raises(PhoneError, match="404"):
        await talking.line.transfer("2003")
    with pytest.raises(Refused, match="another call is being put through to him"):
        system.engine.outgoing.place("2002", "2003")
    await talking.line.press("*12003#")
    await talking.line.hears_tone(NOT_POSSIBLE.frequency)
    await talk(talking.call, talking.line)
    await talking.call.hangup()
    assert way(await talking.record()) == [("2001", "", True)]
