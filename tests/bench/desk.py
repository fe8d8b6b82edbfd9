"""Operators and callers of the distribution's bench: SIP and RTP by hand, each with sound by which the other knows him."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.bench.probes import HOST
from tests.fixtures.raw_sip import RawPhone

PACKET: Final = 160
PACKET_SECONDS: Final = 0.02
OPERATOR_SOUND: Final = 1
"""The sound of the first operator is this byte over and over, of the next one the next byte; callers begin at CALLER_SOUND."""
CALLER_SOUND: Final = 0x40
MISBEHAVES: Final = 0.1
LIMIT: Final = 120.0


@dataclass
class Seen:
    """What operators and callers saw. Times are in seconds."""

    to_invite: list[float] = field(default_factory=list)
    """From an operator's becoming free, while callers waited for whom nobody was rung, to the INVITE at his phone."""
    to_sound: list[float] = field(default_factory=list)
    """From an operator's 200 until each had heard the other."""
    offers: int = 0
    misbehaved: int = 0
    calls: int = 0
    waiting: int = 0
    ringing: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """Invariants that did not hold."""
    _answers: dict[int, tuple[float, list[float]]] = field(default_factory=dict)

    def answered(self, operator: int) -> None:
        """An operator has answered a call."""
        self._answers[operator] = (time.monotonic(), [])

    def heard(self, operator: int, at: float) -> None:
        """One of the two of an operator's conversation hears the other."""
        answered, heard = self._answers[operator]
        heard.append(at)
        if len(heard) == 2:
            self.to_sound.append(max(heard) - answered)


class Sound:
    """One end's RTP: sends its byte, and tells when it first hears one of the other kind."""

    def __init__(self, byte: int, others: range) -> None:
        self._packet = bytes([byte]) * PACKET
        self._others = others
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((HOST, 0))
        self._loop.add_reader(self._socket, self._read)
        self._sending: asyncio.Task[None] | None = None
        self.heard: asyncio.Future[tuple[float, int]] = self._loop.create_future()
        """When, and which sound."""

    @property
    def offer(self) -> str:
        """The session as SDP tells it."""
        port = self._socket.getsockname()[1]
        return "\r\n".join(("v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0", f"m=audio {port} RTP/AVP 0", ""))

    def send_to(self, body: str) -> None:
        """Speak to whom this SDP names."""
        self._sending = self._loop.create_task(self._speak((HOST, int(body.partition("m=audio ")[2].split()[0]))))

    def close(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def _speak(self, address: tuple[str, int]) -> None:
        begin = self._loop.time()
        for number in range(1_000_000):
            with suppress(OSError):
                header = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * PACKET, 4711)
                self._socket.sendto(header + self._packet, address)
            await asyncio.sleep(max(begin + (number + 1) * PACKET_SECONDS - self._loop.time(), 0))

    def _read(self) -> None:
        sound = self._socket.recv(2048)[12:]
        if len(sound) == PACKET and sound[0] in self._others and sound == sound[:1] * PACKET and not self.heard.done():
            self.heard.set_result((time.monotonic(), sound[0]))


class Operator(RawPhone):
    """Takes calls for ever; one in ten offers he refuses, lets ring, drops at once, or does not even hear."""

    def __init__(self, port: int, place: int, password: str, seen: Seen, chance: Random) -> None:
        super().__init__(port, extension(place), password)
        self._place, self._seen, self._chance = place, seen, chance
        self._dialog = ""
        self._rings = False
        self._busy: set[str] = set()
        self._free_since: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sound: Sound | None = None
        self._known: set[str] = set()

    def asked(self, method: str, lines: Sequence[str], body: str) -> None:
        call = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("call-id:"))
        if method == "INVITE":
            if call not in self._known:
                self._known.add(call)
                self._offered(call, lines, body)
        elif method == "CANCEL":
            self.reply(200, lines)
            self._end(call)
            self.reply(487, [line.replace("CANCEL", "INVITE") for line in lines], tag=self._dialog)
        elif method == "BYE":
            self.reply(200, lines)
            self._end(call)
        elif method != "ACK":
            self.reply(200, lines)

    def _offered(self, call: str, lines: Sequence[str], body: str) -> None:
        if self._busy:
            self._seen.broken.append(f"{extension(self._place)} is offered two calls at once")
        if self._free_since is not None:
            self._seen.to_invite.append(time.monotonic() - self._free_since)
        self._free_since = None
        self._seen.offers += 1
        self._seen.ringing += 1
        self._rings = True
        self._busy.add(call)
        self._dialog = secrets.token_hex(4)
        task = asyncio.create_task(self._take(call, lines, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, call: str, lines: Sequence[str], body: str) -> None:
        bad = self._chance.choice(("refuses", "rings", "drops", "deaf")) if self._chance.random() < MISBEHAVES else ""
        self._seen.misbehaved += bool(bad)
        if bad == "deaf":
            self._end(call)
            self._free_since = None
            return
        self.reply(180, lines, tag=self._dialog)
        if bad == "refuses":
            self._end(call)
            self.reply(486, lines, tag=self._dialog)
        if bad in ("refuses", "rings"):
            return
        await asyncio.sleep(self._chance.uniform(0.2, 1.0))
        if call not in self._busy:
            return
        sound = self._sound = Sound(OPERATOR_SOUND + self._place, range(CALLER_SOUND, 256))
        self.reply(200, lines, sound.offer, tag=self._dialog)
        self._seen.answered(self._place)
        self._rings_no_more()
        sound.send_to(body)
        if bad == "drops":
            await asyncio.sleep(0.05)
            self._hang_up(call, lines)
            return
        with suppress(TimeoutError):
            at, _ = await asyncio.wait_for(sound.heard, 5)
            self._seen.heard(self._place, at)

    def _rings_no_more(self) -> None:
        self._seen.ringing -= self._rings
        self._rings = False

    def _hang_up(self, call: str, lines: Sequence[str]) -> None:
        given = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        contact = re.search(r"<(sip:[^>]+)>", given["contact"])
        assert contact is not None
        bye = [
            f"BYE {contact.group(1)} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._here};branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: {given['to']};tag={self._dialog}",
            f"To: {given['from']}",
            f"Call-ID: {call}",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self.send("\r\n".join([*bye, "", ""]).encode())
        self._end(call)

    def _end(self, call: str) -> None:
        if call in self._busy:
            self._busy.discard(call)
            self._rings_no_more()
            self._free_since = time.monotonic() if self._seen.waiting > self._seen.ringing else None
        if self._sound is not None and not self._busy:
            self._sound.close()
            self._sound = None


class Caller(RawPhone):
    """Calls once, waits for an operator's voice, talks for a while and hangs up."""

    def __init__(self, port: int, place: int) -> None:
        super().__init__(port, f"7495{secrets.randbelow(10**7):07}")
        self._place = place
        self._over = asyncio.Event()

    def asked(self, method: str, lines: Sequence[str], body: str) -> None:
        self.reply(200, lines)
        if method == "BYE":
            self._over.set()

    async def call(self, number: str, talk_seconds: float, seen: Seen) -> str:
        """Gives how it ended: "talked", "told" (nobody took him, and he was told so), or what went wrong."""
        sound = Sound(CALLER_SOUND + self._place, range(OPERATOR_SOUND, CALLER_SOUND))
        seen.calls += 1
        seen.waiting += 1
        waits = True
        try:
            answer = await self.request("INVITE", number, body=sound.offer)
            if answer.status != 200:
                return f"refused with {answer.status}"
            sound.send_to(answer.body)
            over = asyncio.create_task(self._over.wait())
            await asyncio.wait({over, sound.heard}, timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
            seen.waiting -= 1
            waits = False
            if not sound.heard.done():
                return "told" if over.done() else "lost"
            at, byte = sound.heard.result()
            seen.heard(byte - OPERATOR_SOUND, at)
            await asyncio.wait({over}, timeout=talk_seconds)
            if over.done():
                return "dropped by an operator"
            over.cancel()
            await self.request("BYE", number)
            return "talked"
        except TimeoutError:
            return "lost: Asterisk did not answer"
        finally:
            seen.waiting -= waits
            sound.close()


def extension(place: int) -> str:
    """The extension of an operator."""
    return str(2101 + place)


@asynccontextmanager
async def on_the_net(phone: RawPhone, port: int) -> AsyncIterator[RawPhone]:
    """The phone at a port of its own."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: phone, local_addr=(HOST, 0), remote_addr=(HOST, port)
    )
    try:
        yield phone
    finally:
        transport.close()
