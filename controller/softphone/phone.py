"""SIP phones on baresip: they register, call, ring, answer, press keys, send a tone, and listen.

Every wait has a limit and ends in PhoneTimeout. baresip allows one stack in a process, so one `PhoneStack` carries all phones:

    async with PhoneStack() as stack:
        phone = await stack.phone("2001", password="…", host="127.0.0.1", port=5060)
        await phone.register()
        call = await phone.ringing()
        await call.answer()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

from baresip import Account, AudioNotActive, AudioRestarted, BaresipError, Config, Event, Runtime, StaleHandleError, UserAgent

from controller.errors import AttendantError
from controller.softphone import tones

LIMIT = 10.0
"""Seconds that a wait may take when nothing else is said."""

FRAME = 0.02
"""Seconds between two looks at the sound."""

SENT_AHEAD = 0.1
"""Seconds of a tone that are handed over in advance."""

KEPT = 60
"""Seconds of received sound that are kept."""

RATE = 8000
"""Samples in a second: the phones speak G.711."""

TONE_FOUND = 0.5
TONE_WINDOW, TONE_STEP = 0.2, 0.05
"""Seconds of sound that are looked at together, and from one look to the next."""
SOUND_FOUND = 0.003


class PhoneError(AttendantError):
    """The test phone could not do what was asked."""


class PhoneTimeout(PhoneError):
    """What the test phone waited for did not happen in time."""


class CallOver(PhoneError):
    """The call has ended meanwhile."""


class CallRefused(PhoneError):
    """The call ended before it was answered; `status` is the SIP status, None when there was none."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status


class PhoneStack:
    """The SIP stack that the phones of this process share; an async context manager. Without `sip_port` (UDP and TCP) it takes
    any free one: phones tell the server where they are, only a carrier has to be where it is looked for.
    """

    def __init__(
        self, address: str = "127.0.0.1", rtp_ports: tuple[int, int] = (32000, 39999), sip_port: int | None = None
    ) -> None:
        lines = [f"rtp_ports {rtp_ports[0]}-{rtp_ports[1]}"]
        if sip_port is not None:
            lines.append(f"sip_listen {address}:{sip_port}")
        self._config = Config(
            net_interface=address, max_concurrent_calls=None, extra_config_text="".join(f"{line}\n" for line in lines)
        )
        self._runtime = Runtime()
        self._phones: list[SoftPhone] = []

    async def __aenter__(self) -> PhoneStack:
        try:
            await self._runtime.start(self._config)
        except BaresipError as error:
            raise PhoneError(f"the test phones could not start: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        for phone in self._phones:
            await phone.close()
        await self._runtime.close()

    async def phone(
        self, user: str, *, host: str, port: int, password: str = "", dtmf: Literal["rtpevent", "info"] = "rtpevent"
    ) -> SoftPhone:
        """A phone that belongs to `user` at the SIP server `host`:`port`; without a password it can call but not register."""
        domain = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        account = Account(user, domain, password, reg_interval=60 if password else 0, dtmf_mode=dtmf)
        try:
            agent = await UserAgent.create(self._runtime, account, transfer_policy="reject")
        except BaresipError as error:
            raise PhoneError(f"no test phone for {user}: {error}") from error
        phone = SoftPhone(self._runtime, agent, domain)
        self._phones.append(phone)
        return phone


class SoftPhone:
    """One phone. Made by `PhoneStack.phone`."""

    def __init__(self, runtime: Runtime, agent: Any, domain: str) -> None:
        self._runtime = runtime
        self._agent = agent
        self._domain = domain
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._calls: list[PhoneCall] = []
        agent.on_incoming(self._rings)

    async def register(self, limit: float = LIMIT) -> None:
        """Tell the server where this phone is. A former registration is ended first: baresip would send its end and the new
        one at once, and the server may take them the other way round.
        """
        await self.unregister(limit)
        try:
            await self._agent.register(timeout=limit)
        except BaresipError as error:
            raise PhoneError(f"the phone could not register: {error}") from error

    async def unregister(self, limit: float = LIMIT) -> None:
        with contextlib.suppress(BaresipError):
            await self._agent.unregister(timeout=limit)

    async def dial(self, number: str) -> PhoneCall:
        """Begin a call; `PhoneCall.answered` waits for its outcome."""
        # A call that is answered at once may be so before the stack has told which call it is.
        early: list[Any] = []
        self._runtime.subscribe(early.append)
        try:
            native = await self._agent.dial(f"sip:{number}@{self._domain}")
        except BaresipError as error:
            raise PhoneError(f"the phone could not dial {number}: {error}") from error
        finally:
            self._runtime.unsubscribe(early.append)
        return self._take(PhoneCall(native, self._domain, [event for event in early if event.call == native.handle]))

    async def ringing(self, limit: float = LIMIT) -> PhoneCall:
        """The next call that rings here; it is not answered yet."""
        try:
            async with asyncio.timeout(limit):
                return await self._incoming.get()
        except TimeoutError:
            raise PhoneTimeout(f"the phone did not ring within {limit:g} s") from None

    async def close(self) -> None:
        """Hang up whatever is on and unregister."""
        for call in self._calls:
            await call.close()
        await self.unregister(limit=2)

    def _rings(self, native: Any) -> None:
        self._incoming.put_nowait(self._take(PhoneCall(native, self._domain)))

    def _take(self, call: PhoneCall) -> PhoneCall:
        self._calls = [other for other in self._calls if other.ended_at is None]
        self._calls.append(call)
        return call


class PhoneCall:
    """One call of a phone, in either direction.

    Moments (`began_at`, `answered_at`, `ended_at`) are in the time of the asyncio loop, None until they come.
    """

    def __init__(self, native: Any, domain: str, early: Iterable[Any] = ()) -> None:
        self._native = native
        self._domain = domain
        self._loop = asyncio.get_running_loop()
        self.peer = str(native.peer or "")
        self.began_at = self._loop.time()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.reason = ""
        self._moved: asyncio.Future[None] = self._loop.create_future()
        self._tone = 0.0
        self._sent = 0
        self._heard = bytearray()
        self._forgotten = 0
        self._loud_at = self.began_at
        self.longest_silence = 0.0
        """Seconds between two sounds, or before the first, as far as the sound was not forgotten."""
        self._sound: asyncio.Task[None] | None = None
        native.on(self._take)
        for event in early:
            self._take(event)

    async def answer(self, limit: float = LIMIT) -> None:
        """Pick up; returns when the line is open."""
        await self._do(self._native.answer())
        await self.answered(limit)

    async def refuse(self) -> None:
        """Say busy (486)."""
        await self._do(self._native.reject())

    async def answered(self, limit: float = LIMIT) -> None:
        """Wait until the line is open; raises CallRefused when it ends instead."""
        await self._until(lambda: self.answered_at is not None or self.ended_at is not None, limit, "the call was not answered")
        if self.answered_at is None:
            status = int(self.reason[:3]) if self.reason[:3].isdigit() else None
            raise CallRefused(f"the call was refused: {self.reason or 'no reason given'}", status)

    async def ended(self, limit: float = LIMIT) -> None:
        """Wait until the call is over."""
        await self._until(lambda: self.ended_at is not None, limit, "the call did not end")

    async def hangup(self) -> None:
        """End the call; no error when it is over already."""
        if self.ended_at is None:
            with contextlib.suppress(CallOver):
                await self._do(self._native.hangup())

    async def press(self, keys: str) -> None:
        """Press keys, each for a tenth of a second."""
        await self._do(self._native.send_dtmf(keys))

    async def transfer(self, number: str) -> None:
        """The phone's own transfer key: give the far end to `number`; returns when that succeeded. Raises PhoneError: it did not,
        and the call goes on.
        """
        await self._do(self._native.transfer(f"sip:{number}@{self._domain}"))

    async def transfer_to(self, other: PhoneCall) -> None:
        """The transfer key with a second call: join the far ends of both; as `transfer`."""
        await self._do(self._native.attended_transfer(other._native))

    def send_tone(self, frequency: float) -> None:
        """Say a tone from now on; 0 is silence."""
        self._tone = frequency

    @property
    def heard(self) -> bytes:
        """The sound received so far (the last minute of it)."""
        return bytes(self._heard)

    @property
    def silent_for(self) -> float:
        """Seconds since the last sound, or since the answer, until now or the end of the call."""
        return (self.ended_at or self._loop.time()) - self._loud_at

    async def listen(self, seconds: float, limit: float = LIMIT) -> bytes:
        """The sound that comes in the next `seconds`."""
        begin = self._total
        end = begin + _size(seconds)
        await self._until(lambda: self._total >= end or self.ended_at is not None, limit, f"no {seconds:g} s of sound came")
        first = begin - self._forgotten
        return bytes(self._heard[first : first + _size(seconds)])

    async def hears_tone(self, frequency: float, limit: float = LIMIT) -> None:
        """Wait until a tone fills a fifth of a second, the last one before now or any from now on."""
        place = self._total - _size(TONE_WINDOW)

        def found() -> bool:
            # Sound may have come in one piece of more than a tone's length.
            nonlocal place
            place = max(place, self._forgotten)
            while place + _size(TONE_WINDOW) <= self._total:
                first = place - self._forgotten
                if tones.strength(bytes(self._heard[first : first + _size(TONE_WINDOW)]), frequency, RATE) > TONE_FOUND:
                    return True
                place += _size(TONE_STEP)
            return False

        await self._until(found, limit, f"no tone of {frequency:g} Hz came")

    async def hears_sound(self, limit: float = LIMIT) -> None:
        """Wait until what comes is louder than silence."""
        await self._until(lambda: tones.loudness(self._last(0.04)) > SOUND_FOUND, limit, "no sound came")

    async def hears_silence(self, limit: float = LIMIT, seconds: float = 0.2) -> None:
        """Wait until nothing audible came for so long."""
        await self._until(lambda: self._loop.time() - self._loud_at > seconds, limit, "the sound did not end")

    def forget_sound(self) -> None:
        """Let later waits regard only the sound from now on."""
        self._forgotten += len(self._heard)
        self._heard.clear()
        self._loud_at, self.longest_silence = self._loop.time(), 0.0

    async def close(self) -> None:
        """Hang up, and stop listening."""
        with contextlib.suppress(PhoneError):
            await self.hangup()
        if self._sound is not None:
            self._sound.cancel()
            await asyncio.gather(self._sound, return_exceptions=True)

    @property
    def _total(self) -> int:
        return self._forgotten + len(self._heard)

    def _last(self, seconds: float) -> bytes:
        return bytes(self._heard[-_size(seconds) :])

    def _take(self, event: Any) -> None:
        """An event of the stack, on the loop."""
        now = self._loop.time()
        if event.event is Event.CALL_ESTABLISHED and self.answered_at is None:
            self.answered_at = self._loud_at = now
            self._sound = self._loop.create_task(self._move_sound(), name="phone-sound")
        elif event.event is Event.CALL_CLOSED:
            self.ended_at = now
            self.reason = event.text or ""
        self._notify()

    def _notify(self) -> None:
        moved, self._moved = self._moved, self._loop.create_future()
        moved.set_result(None)

    async def _move_sound(self) -> None:
        while self.ended_at is None:
            with contextlib.suppress(AudioNotActive, AudioRestarted):
                self._send()
                self._receive()
            self._notify()
            await asyncio.sleep(FRAME)
        # The end may be told before the last sound was fetched.
        with contextlib.suppress(BaresipError):
            self._receive()
        self._notify()

    def _send(self) -> None:
        if not self._tone:
            return
        missing = _size(SENT_AHEAD) - self._native.audio.info().tx_buffered
        if missing > 0:
            pcm = tones.sine(self._tone, missing // 2, RATE, first=self._sent)
            self._sent += self._native.audio.write(pcm) // 2

    def _receive(self) -> None:
        pcm = self._native.audio.read(_size(1))
        if pcm:
            self._heard += pcm
            if tones.loudness(pcm) > SOUND_FOUND:
                now = self._loop.time()
                came = len(pcm) / 2 / RATE
                self.longest_silence = max(self.longest_silence, now - self._loud_at - came)
                self._loud_at = now
            surplus = len(self._heard) - _size(KEPT)
            if surplus > 0:
                del self._heard[:surplus]
                self._forgotten += surplus

    async def _until(self, true: Callable[[], bool], limit: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(limit):
                while not true():
                    await asyncio.shield(self._moved)
        except TimeoutError:
            raise PhoneTimeout(f"{otherwise} within {limit:g} s: {self._condition}") from None

    @property
    def _condition(self) -> str:
        """How the call is, for messages."""
        if self.ended_at is not None:
            return f"the call has ended ({self.reason or 'no reason given'})"
        if self.answered_at is None:
            return "it is not answered"
        return f"{self._total / 2 / RATE:.1f} s of sound came, the last {self.silent_for:.1f} s of it silent"

    async def _do(self, action: Awaitable[Any]) -> None:
        try:
            await action
        except StaleHandleError:
            raise CallOver("the call is over") from None
        except BaresipError as error:
            raise PhoneError(str(error)) from error


def _size(seconds: float) -> int:
    """Bytes of that much sound."""
    return 2 * round(seconds * RATE)
