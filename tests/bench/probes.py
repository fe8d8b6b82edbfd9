"""Callers that measure, beside SIPp's load: how long from a key to the first packet of the next prompt.

A small SIP caller of our own on UDP. Every other call presses the key as an ordinary phone does, in RTP, and its clock runs
from the first packet of the press: the 100 ms for which the key is down are in the figure. The calls between tell of a
finished key by SIP INFO, and their clock runs from that. The moment a packet arrives is the kernel's, so it matters little
how busy we are.
"""

from __future__ import annotations

import asyncio
import enum
import random
import socket
import struct
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from tests.bench.tones import FIRST, SECOND

HOST: Final = "127.0.0.1"
PATIENCE: Final = 8.0
_SO_TIMESTAMPNS: Final = 35
_RTP_HEADER: Final = 12
_VOICE_PACKETS: Final = 5
_PACKET_SECONDS, _PACKET_SAMPLES = 0.02, 160
_VOICE_TYPE, _EVENT_TYPE, _MARKER = 0, 101, 0x80
_PRESS_PACKETS, _END_PACKETS = 5, 3
"""100 ms of a key that is down, then its end, told three times (RFC 4733)."""
_KEY, _VOLUME, _END = 1, 10, 0x80


class Measure(enum.StrEnum):
    """What is timed until the next prompt."""

    PRESS = "press_to_prompt"
    """From the first packet of a press of 100 ms (RFC 4733)."""
    FINISHED_KEY = "finished_key_to_prompt"
    """From the SIP INFO that tells of a key already released."""


_ALTERNATELY: Final = tuple(Measure)


@dataclass
class ProbeResult:
    """Seconds to the next prompt, and how many calls did not come to that."""

    times: dict[Measure, list[float]] = field(default_factory=lambda: {measure: [] for measure in Measure})
    calls: int = 0
    failed: int = 0


async def probe(sip_port: int, number: str, callers: int, seconds: float) -> ProbeResult:
    """Have `callers` call `number`, each again and again, until no further call fits into `seconds`."""
    result = ProbeResult()
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def call_on_and_on(place: int) -> None:
        await asyncio.sleep(2.0 * place / callers)
        while loop.time() < end:
            measure = _ALTERNATELY[result.calls % len(_ALTERNATELY)]
            result.calls += 1
            try:
                async with asyncio.timeout(PATIENCE):
                    result.times[measure].append(await _Caller(sip_port, number, measure).call())
            except (TimeoutError, ConnectionError):
                result.failed += 1

    await asyncio.gather(*(call_on_and_on(place) for place in range(callers)))
    return result


class _Caller:
    """One call."""

    def __init__(self, sip_port: int, number: str, measure: Measure) -> None:
        self._measure = measure
        self._server = (HOST, sip_port)
        self._uri = f"sip:{number}@{HOST}:{sip_port}"
        self._id = uuid.uuid4().hex
        self._sip, self._rtp = _udp_socket(), _udp_socket()
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._own = f"{HOST}:{self._sip.getsockname()[1]}"
        self._from = f"<sip:5550199@{self._own}>;tag={self._id[:8]}"
        self._to = f"<{self._uri}>"
        self._media = (HOST, 0)
        self._rtp_sent = 0
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[int] = self._loop.create_future()
        self._first_heard: asyncio.Future[float] = self._loop.create_future()
        self._second_heard: asyncio.Future[float] = self._loop.create_future()
        self._over: asyncio.Future[None] = self._loop.create_future()

    async def call(self) -> float:
        """From INVITE to the far end's BYE. Raises ConnectionError when it goes another way."""
        self._loop.add_reader(self._sip, self._read_sip)
        self._loop.add_reader(self._rtp, self._read_rtp)
        try:
            self._send("INVITE", 1, "application/sdp", self._offer())
            self._media = (HOST, await self._answered)
            spoken_since = self._loop.time()
            await self._speak()
            await self._first_heard
            await asyncio.sleep(random.uniform(0.5, 0.7))
            started = time.time()
            if self._measure is Measure.PRESS:
                await self._press(round((self._loop.time() - spoken_since) * 8000))
            else:
                self._send("INFO", 2, "application/dtmf-relay", f"Signal={_KEY}\r\nDuration=100\r\n")
            heard = await self._second_heard
            await self._over
            return heard - started
        finally:
            for one in (self._sip, self._rtp):
                self._loop.remove_reader(one)
                one.close()

    async def _speak(self) -> None:
        """The first tenth of a second of a voice, as SIPp's callers send it."""
        for number in range(_VOICE_PACKETS):
            self._send_rtp(_VOICE_TYPE, number * _PACKET_SAMPLES, FIRST)
            await asyncio.sleep(_PACKET_SECONDS)

    async def _press(self, timestamp: int) -> None:
        """The key for 100 ms, a packet each 20 ms. Late packets do not make later ones late."""
        start = self._loop.time()
        for number in range(_PRESS_PACKETS + _END_PACKETS):
            end = _END if number >= _PRESS_PACKETS else 0
            duration = min(number + 1, _PRESS_PACKETS) * _PACKET_SAMPLES
            event = struct.pack("!BBH", _KEY, end | _VOLUME, duration)
            self._send_rtp(_EVENT_TYPE | (0 if number else _MARKER), timestamp, event)
            await asyncio.sleep(start + (number + 1) * _PACKET_SECONDS - self._loop.time())

    def _send_rtp(self, kind: int, timestamp: int, payload: bytes) -> None:
        header = struct.pack("!BBHII", 0x80, kind, self._rtp_sent, timestamp, 4711)
        self._rtp.sendto(header + payload, self._media)
        self._rtp_sent += 1

    def _offer(self) -> str:
        """Key presses in RTP are offered by those alone who press so: Asterisk then expects no INFO."""
        lines = ["v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"]
        audio = f"m=audio {self._rtp.getsockname()[1]} RTP/AVP {_VOICE_TYPE}"
        voice = f"a=rtpmap:{_VOICE_TYPE} PCMU/8000"
        if self._measure is Measure.PRESS:
            events = (f"a=rtpmap:{_EVENT_TYPE} telephone-event/8000", f"a=fmtp:{_EVENT_TYPE} 0-15")
            lines += [f"{audio} {_EVENT_TYPE}", voice, *events]
        else:
            lines += [audio, voice]
        return "\r\n".join((*lines, ""))

    def _send(self, method: str, number: int, kind: str = "", body: str = "") -> None:
        lines = [
            f"{method} {self._uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._own};branch=z9hG4bK{uuid.uuid4().hex};rport",
            f"From: {self._from}",
            f"To: {self._to}",
            f"Call-ID: {self._id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:5550199@{self._own}>",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body)}",
        ]
        self._sip.sendto("\r\n".join((*lines, "", body)).encode(), self._server)

    def _read_sip(self) -> None:
        head, _, body = self._sip.recv(65535).decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if first.startswith("BYE"):
            self._acknowledge(lines)
            if not self._over.done():
                self._over.set_result(None)
        elif first.startswith("SIP/2.0") and int(first.split()[1]) >= 200:
            self._take_answer(int(first.split()[1]), headers, body)

    def _take_answer(self, status: int, headers: dict[str, str], body: str) -> None:
        if status >= 300:
            for future in (self._answered, self._second_heard):
                if not future.done():
                    future.set_exception(ConnectionError(f"refused: {status}"))
        elif headers["cseq"].endswith("INVITE"):
            self._to = headers["to"]
            self._send("ACK", 1)
            if not self._answered.done():
                self._answered.set_result(int(body.partition("m=audio ")[2].split()[0]))

    def _acknowledge(self, request: list[str]) -> None:
        kept = ("via:", "from:", "to:", "call-id:", "cseq:")
        lines = ["SIP/2.0 200 OK", *(line for line in request if line.lower().startswith(kept)), "Content-Length: 0", "", ""]
        self._sip.sendto("\r\n".join(lines).encode(), self._server)

    def _read_rtp(self) -> None:
        packet, ancillary, _, _ = self._rtp.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        sound = packet[_RTP_HEADER:]
        for prompt, heard in ((FIRST, self._first_heard), (SECOND, self._second_heard)):
            if sound == prompt and not heard.done():
                heard.set_result(seconds + nanoseconds / 1e9)


def _udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((HOST, 0))
    return made
