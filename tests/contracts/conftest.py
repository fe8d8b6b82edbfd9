"""The two worlds that the contract of `Telephony` is tested in: one in memory, and a real Asterisk with SIP phones."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from controller.ids import BridgeId, ChannelId
from controller.softphone import CallRefused, PhoneCall, PhoneStack, SoftPhone
from controller.telephony.ari import AriTelephony
from controller.telephony.events import CallEvent, ChannelEntered, DeviceStateChanged, Gone, SystemEvent
from controller.telephony.fake import FakeTelephony
from controller.telephony.fake_people import FakeCaller, FakePhone
from controller.telephony.mailboxes import Mailbox, new_mailbox
from controller.telephony.port import TRANSFER_CONTEXT, TRANSFERS_TO_ALL, SipAccount, Telephony
from tests.fixtures.asterisk import RunningAsterisk, asterisk, phones
from tests.fixtures.real_calls import sends_sip

__all__ = ["asterisk", "phones"]

LIMIT = 8.0
SIP_STATUS = {17: 486, 34: 503, 21: 403, 1: 404, 16: 603}
NUMBER = "74951112233"
SECRET = "a-Secret.1"

Event = TypeVar("Event")
_NUMBERS = itertools.count(1)


class Caller(Protocol):
    channel: ChannelId

    async def is_answered(self) -> None: ...
    async def press(self, keys: str) -> None: ...
    def speaks(self, speaking: bool) -> None: ...
    async def says(self, seconds: float) -> None:
        """Speak for so long, and fall silent."""
        ...

    async def hangup(self) -> None: ...
    async def hears_something(self) -> None: ...
    async def hears_nothing(self) -> None: ...
    async def is_refused(self) -> int:
        """The SIP status."""
        ...

    async def is_over(self) -> None: ...


class Phone(Protocol):
    device: str

    async def rings(self) -> str:
        """The caller number shown."""
        ...

    async def pick_up(self) -> None: ...
    async def refuse(self) -> None: ...
    async def press(self, keys: str) -> None: ...
    async def transfer(self, number: str) -> None:
        """By its own key; then it puts down."""
        ...

    async def hangup(self) -> None: ...
    async def switch_off(self) -> None: ...


class World:
    """A telephony, one mailbox for all calls of the test, and what came."""

    real = False

    def __init__(self, telephony: Telephony, recordings: Path) -> None:
        self.telephony = telephony
        self.recordings = recordings
        self.mailbox: Mailbox = new_mailbox()
        self.came: list[CallEvent] = []
        self.system: asyncio.Queue[SystemEvent] = asyncio.Queue()
        telephony.listen(self.system.put_nowait)
        telephony.mailboxes.on_newcomer(self._newcomer)

    def _newcomer(self, event: ChannelEntered) -> None:
        self.telephony.mailboxes.expect(event.channel, self.mailbox)
        self.mailbox.put_nowait(event)

    async def next(self, kind: type[Event], channel: ChannelId | None = None) -> Event:
        """The next event of a kind; those before it are kept in `came`."""
        async with asyncio.timeout(LIMIT):
            while True:
                event: Any = await self.mailbox.get()
                self.came.append(event)
                if isinstance(event, kind) and channel in (None, event.channel):
                    return event

    async def next_system(self, kind: type[Event], **values: object) -> Event:
        async with asyncio.timeout(LIMIT):
            while True:
                event: Any = await self.system.get()
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
                    return event

    async def is_free(self, phone: Phone) -> None:
        """Wait until the phone can be rung: one that has just registered is asked for a sign of life first."""
        if await self.telephony.watch_device(phone.device) != "not_in_use":
            await self.next_system(DeviceStateChanged, device=phone.device, state="not_in_use")

    async def gone(self, channel: ChannelId) -> Gone:
        """Wait for a channel's `Gone`, and see that it comes once: a request that is answered later shows what came meanwhile."""
        gone = await self.next(Gone, channel)
        await self.telephony.channels()
        await asyncio.sleep(0)
        while not self.mailbox.empty():
            event: Any = self.mailbox.get_nowait()
            self.came.append(event)
            assert event.channel != channel, f"{event} came after the channel was gone"
        assert channel not in self.telephony.mailboxes.expected
        return gone

    async def answered_call(self, number: str = "8000") -> Caller:
        caller = await self.call(number)
        await self.telephony.answer(caller.channel)
        await caller.is_answered()
        return caller

    async def dial(self, phone: str, *, ring_seconds: float = 5, originator: ChannelId | None = None) -> ChannelId:
        leg = ChannelId(f"leg-{time.time_ns()}-{next(_NUMBERS)}")
        self.telephony.mailboxes.expect(leg, self.mailbox)
        await self.telephony.dial(
            leg,
            phone,
            ring_seconds=ring_seconds,
            originator=originator,
            caller_number=NUMBER,
            caller_name="Анна",
            variables={"ATTENDANT_CALL": "call-1", TRANSFER_CONTEXT: TRANSFERS_TO_ALL},
        )
        return leg

    def new_bridge(self) -> BridgeId:
        return BridgeId(f"bridge-{time.time_ns()}-{next(_NUMBERS)}")

    async def call(self, number: str = "8000") -> Caller:
        raise NotImplementedError

    async def phone(self) -> Phone:
        """A phone that is on, and rings until somebody comes."""
        raise NotImplementedError

    async def hear_each_other(self, caller: Caller, phone: Phone) -> None:
        raise NotImplementedError


class _FakeCallerInTest:
    def __init__(self, caller: FakeCaller) -> None:
        self.caller = caller
        self.channel = caller.channel

    async def is_answered(self) -> None:
        assert self.caller.state == "answered"

    async def press(self, keys: str) -> None:
        self.caller.press(*keys)  # type: ignore[arg-type]

    def speaks(self, speaking: bool) -> None:
        self.caller.speaks(speaking)

    async def says(self, seconds: float) -> None:
        self.speaks(True)
        await asyncio.sleep(seconds)
        self.speaks(False)

    async def hangup(self) -> None:
        self.caller.hangup()

    async def hears_something(self) -> None:
        assert self.caller.heard or self.caller.hears_music

    async def hears_nothing(self) -> None:
        assert not self.caller.hears_music

    async def is_refused(self) -> int:
        assert self.caller.ended_with is not None
        return SIP_STATUS[self.caller.ended_with]

    async def is_over(self) -> None:
        assert self.caller.state == "ended" or self.caller.continued_at


class _FakePhoneInTest:
    def __init__(self, phone: FakePhone, fake: FakeTelephony) -> None:
        self.phone, self.fake = phone, fake
        self.device = phone.device

    async def rings(self) -> str:
        assert self.phone.channel is not None
        dialled = next(one for one in self.fake.requests if one.arguments.get("channel") == self.phone.channel)
        return str(dialled.arguments["caller_number"])

    async def pick_up(self) -> None:
        self.phone.pick_up()

    async def refuse(self) -> None:
        line = self.fake.lines[self.phone.channel]  # type: ignore[index]
        self.fake.end(line, 17, 486)

    async def press(self, keys: str) -> None:
        self.phone.press(*keys)  # type: ignore[arg-type]

    async def transfer(self, number: str) -> None:
        self.phone.transfer(number)

    async def hangup(self) -> None:
        self.phone.hangup()

    async def switch_off(self) -> None:
        self.phone.off()


class FakeWorld(World):
    def __init__(self, fake: FakeTelephony, recordings: Path) -> None:
        super().__init__(fake, recordings)
        self.fake = fake
        fake.hold_playbacks = True

    async def call(self, number: str = "8000") -> Caller:
        caller = _FakeCallerInTest(self.fake.call(number, caller=NUMBER))
        await self.next(ChannelEntered)
        return caller

    async def phone(self) -> Phone:
        return _FakePhoneInTest(self.fake.phone(f"PJSIP/{2000 + next(_NUMBERS)}").silent(), self.fake)

    async def hear_each_other(self, caller: Caller, phone: Phone) -> None:
        assert isinstance(caller, _FakeCallerInTest) and isinstance(phone, _FakePhoneInTest)
        assert caller.caller.talks_with == {phone.phone.channel}
        assert not caller.caller.hears_music


class _RealCaller:
    def __init__(self, call: PhoneCall, channel: ChannelId) -> None:
        self.call, self.channel = call, channel

    async def is_answered(self) -> None:
        await self.call.answered()

    async def press(self, keys: str) -> None:
        await self.call.press(keys)

    def speaks(self, speaking: bool) -> None:
        self.call.send_tone(440 if speaking else 0)

    async def says(self, seconds: float) -> None:
        self.speaks(True)
        await asyncio.sleep(seconds)
        self.speaks(False)

    async def hangup(self) -> None:
        await self.call.hangup()

    async def hears_something(self) -> None:
        await self.call.hears_sound()

    async def hears_nothing(self) -> None:
        await self.call.hears_silence()

    async def is_refused(self) -> int:
        with pytest.raises(CallRefused) as refused:
            await self.call.answered()
        assert refused.value.status is not None
        return refused.value.status

    async def is_over(self) -> None:
        await self.call.ended()


class _RealPhone:
    def __init__(self, phone: SoftPhone, device: str) -> None:
        self.phone, self.device = phone, device
        self.call: PhoneCall | None = None

    async def rings(self) -> str:
        self.call = await self.phone.ringing()
        return self.call.peer.removeprefix("sip:").partition("@")[0]

    async def pick_up(self) -> None:
        assert self.call is not None
        await self.call.answer()

    async def refuse(self) -> None:
        assert self.call is not None
        await self.call.refuse()

    async def press(self, keys: str) -> None:
        assert self.call is not None
        await self.call.press(keys)

    async def transfer(self, number: str) -> None:
        assert self.call is not None
        await self.call.transfer(number)

    async def hangup(self) -> None:
        assert self.call is not None
        await self.call.hangup()

    async def switch_off(self) -> None:
        await self.phone.unregister()


class RealWorld(World):
    real = True

    def __init__(self, telephony: AriTelephony, phones: PhoneStack, asterisk: RunningAsterisk) -> None:
        super().__init__(telephony, asterisk.settings.recordings_dir)
        self.phones, self.asterisk = phones, asterisk

    async def call(self, number: str = "8000", dtmf: str = "rtpevent") -> Caller:
        host, port = self.asterisk.sip
        phone = await self.phones.phone(NUMBER, host=host, port=port, dtmf=dtmf)  # type: ignore[arg-type]
        call = await phone.dial(number)
        return _RealCaller(call, (await self.next(ChannelEntered)).channel)

    async def phone(self) -> Phone:
        host, port = self.asterisk.sip
        name = f"{2000 + next(_NUMBERS)}"
        phone = _RealPhone(await self.phones.phone(name, password=SECRET, host=host, port=port), f"PJSIP/{name}")
        await self.put_account(phone)
        await phone.phone.register()
        return phone

    @property
    def web_sip(self) -> str:
        """Where Asterisk speaks SIP over websockets."""
        return f"{self.asterisk.process.ports.ari_url}ws"

    async def put_account(self, phone: Phone) -> None:
        name = phone.device.removeprefix("PJSIP/")
        await self.telephony.put_sip_account(SipAccount(name, SECRET, "Operator", "from-operators"))

    async def hear_each_other(self, caller: Caller, phone: Phone) -> None:
        assert isinstance(caller, _RealCaller) and isinstance(phone, _RealPhone) and phone.call is not None
        caller.call.send_tone(440)
        phone.call.send_tone(700)
        await phone.call.hears_tone(440)
        await caller.call.hears_tone(700)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.asterisk)])
@sends_sip(when="real")
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Each world in turn."""
    if request.param == "fake":
        yield FakeWorld(FakeTelephony(tmp_path), tmp_path)
        return
    async for one in _real(request):
        yield one


@pytest.fixture
@sends_sip()
async def real_world(request: pytest.FixtureRequest) -> AsyncIterator[RealWorld]:
    """For what only a real Asterisk can show; such tests carry the marker `asterisk`."""
    async for one in _real(request):
        yield one


async def _real(request: pytest.FixtureRequest) -> AsyncIterator[RealWorld]:
    asterisk: RunningAsterisk = request.getfixturevalue("asterisk")
    async with asterisk.telephony() as telephony, PhoneStack() as phones:
        yield RealWorld(telephony, phones, asterisk)
