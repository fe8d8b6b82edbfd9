"""What a real Asterisk does to the door: it is killed, it starts again, a second controller comes."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from controller.errors import TelephonyUnavailable
from controller.softphone import PhoneStack
from controller.telephony import ari_transport
from controller.telephony.events import Connected, Disconnected, Gone, PlaybackEnded
from tests.contracts.conftest import RealWorld
from tests.fixtures.asterisk import RunningAsterisk, own_asterisk

__all__ = ["own_asterisk"]

pytestmark = pytest.mark.asterisk


async def test_a_killed_asterisk_loses_its_calls_and_serves_new_ones(own_asterisk: RunningAsterisk) -> None:
    async with own_asterisk.telephony() as telephony, PhoneStack() as phones:
        world = RealWorld(telephony, phones, own_asterisk)
        phone: Any = await world.phone()
        await world.is_free(phone)
        caller = await world.answered_call()
        assert own_asterisk.process.pid is not None
        os.kill(own_asterisk.process.pid, signal.SIGKILL)
        await world.next_system(Disconnected)
        async with asyncio.timeout(10):
            await world.next_system(Connected)
        gone = await world.next(Gone, caller.channel)
        assert gone.lost and not gone.by_us
        # Asterisk writes its database once a second: what was put just before a kill must be put again.
        await world.put_account(phone)
        await phone.phone.register()
        await world.is_free(phone)
        await world.answered_call()


async def test_a_frozen_asterisk_is_noticed_and_its_calls_go_on(
    own_asterisk: RunningAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ari_transport, "HEARTBEAT", 0.4)
    async with own_asterisk.telephony() as telephony, PhoneStack() as phones:
        world = RealWorld(telephony, phones, own_asterisk)
        caller = await world.answered_call()
        pid = own_asterisk.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await world.next_system(Disconnected)
            with pytest.raises(TelephonyUnavailable):
                await telephony.answer(caller.channel)
        finally:
            os.kill(pid, signal.SIGCONT)
        await world.next_system(Connected)
        await telephony.play(caller.channel, "p1", ["sound:digits/1"], "en")
        assert not (await world.next(PlaybackEnded)).failed


async def test_a_second_controller_is_noticed(real_world: RealWorld) -> None:
    async with real_world.asterisk.telephony():
        assert "only one may run" in (await real_world.next_system(Disconnected)).reason


async def test_recording_survives_in_a_folder_yet_to_be_made(real_world: RealWorld, tmp_path: Path) -> None:
    caller = await real_world.answered_call()
    path = tmp_path / "а" / "запись.wav"
    await real_world.telephony.start_recording(caller.channel, str(path))
    await caller.hangup()
    await real_world.gone(caller.channel)
    assert path.exists()
