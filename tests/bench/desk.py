"""Operators and callers of the distribution's bench: SIP and RTP by hand, each with sound by which the other knows him."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from controller.routing import SHORTEST_CONVERSATION
from tests.bench.invariants import DROPPED, GAVE_UP, TALKED, TOLD, Break, Invite, Line, Placed
from tests.bench.probes import HOST
from tests.fixtures.raw_sip import RawPhone, offer

PACKET: Final = 160
PACKET_SECONDS: Final = 0.02
OPERATOR_SOUND: Final = 1
"""The sound of the first operator is this byte over and over, of the next one the next byte; callers begin at CALLER_SOUND."""
CALLER_SOUND: Final = 0x40
MISBEHAVES: Final = 0.1
LIMIT: Final = 120.0
DO_NOT_DISTURB, DISTURB = "*43", "*44"
CONFIRMED_WITHIN: Final = 10.0


@dataclass
class Seen:
    """What operators and callers saw. `to_invite` and `to_sound` are in seconds."""

    measured: str
    """The line for whose callers `to_invite` is measured."""
    lines: Mapping[str, Line]
    to_invite: list[float] = field(default_factory=list)
    """From an operator's becoming free, while callers waited for whom nobody was rung, to the INVITE at his phone."""
    to_sound: list[float] = field(default_factory=list)
    """From an operator's 200 until each had heard the other."""
    misbehaved: int = 0
    waiting: int = 0
    ringing: int = 0
    """Both in the measured line."""
    group_of: dict[str, str] = field(default_factory=dict)
    """Whose number each caller has called."""
    only_rings: str = ""
    """A caller whom everybody lets wait."""
    invites: list[Invite] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    _answers: dict[int, tuple[float, list[float]]] = field(default_factory=dict)

    @property
    def ends(self) -> Counter[str]:
        """How often calls ended in each way."""
        return Counter(call.end for call in self.placed)

    def answered(self, operator: int) -> None:
        """An operator has answered a call."""
        self._answers[operator] = (time.monotonic(), [])

    def heard(self, operator: int, at: float) -> None:
        """One of the two of an operator's conversation hears the other."""
        answered, heard = self._answers[operator]
        heard.append(at)
        if len(heard) == 2:
            self.to_sound.append(max(heard) - answered)

    def pause_after(self, invite: Invite) -> float | None:
        """The operator's wrap-up after a call, in seconds; None: who called another number may have come to any line."""
        if invite.answered_at is None or time.time() - invite.answered_at < SHORTEST_CONVERSATION:
            return 0.0
        return self.lines[self.measured].wrap_up if self.group_of.get(invite.caller) == self.measured else None


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
        self._loop = asyncio.get_running_loop()
        self._dialog = ""
        self._rings = False
        self._busy: dict[str, Invite] = {}
        self._free_since: float | None = None
        self._becomes_free: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sound: Sound | None = None
        self._known: set[str] = set()
        self._code_over = asyncio.Event()
        self._on_break = False

    def asked(self, method: str, lines: Sequence[str], body: str) -> None:
        call = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("call-id:"))
        if method == "INVITE":
            if call not in self._known:
                self._known.add(call)
                self._offered(call, lines, body)
        elif method == "CANCEL":
            self.reply(200, lines)
            if call in self._busy and self._busy[call].answered_at is None:
                self._end(call)
                self.reply(487, [line.replace("CANCEL", "INVITE") for line in lines], tag=self._dialog)
        elif method == "BYE":
            self.reply(200, lines)
            self._end(call)
            if call == self._call_id:
                self._code_over.set()
        elif method != "ACK":
            self.reply(200, lines)

    async def takes_a_break(self, seconds: float) -> None:
        """Not be disturbed for so long, by the phone's codes, whatever else the phone does. Raises TimeoutError."""
        self._on_break = True
        self._is_not_free()
        await self._dials(DO_NOT_DISTURB)
        begin = time.time()
        await asyncio.sleep(seconds)
        self._seen.breaks.append(Break(extension(self._place), begin, time.time()))
        await self._dials(DISTURB)
        self._on_break = False

    async def _dials(self, code: str) -> None:
        """Return when Asterisk has ended the line, and so confirmed the code."""
        self._call_id, self._to_tag = secrets.token_hex(8), ""
        self._code_over.clear()
        await self.request("INVITE", code, body=offer())
        await asyncio.wait_for(self._code_over.wait(), CONFIRMED_WITHIN)

    def _offered(self, call: str, lines: Sequence[str], body: str) -> None:
        if self._free_since is not None:
            self._seen.to_invite.append(time.monotonic() - self._free_since)
        self._is_not_free()
        caller = _number(lines)
        invite = Invite(extension(self._place), caller, time.time(), len(self._busy))
        self._seen.invites.append(invite)
        self._rings = self._seen.group_of.get(caller) == self._seen.measured
        self._seen.ringing += self._rings
        self._busy[call] = invite
        self._dialog = secrets.token_hex(4)
        task = asyncio.create_task(self._take(call, lines, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, call: str, lines: Sequence[str], body: str) -> None:
        invite = self._busy[call]
        if invite.caller == self._seen.only_rings:
            self.reply(180, lines, tag=self._dialog)
            return
        bad = self._chance.choice(("refuses", "rings", "drops", "deaf")) if self._chance.random() < MISBEHAVES else ""
        self._seen.misbehaved += bool(bad)
        if bad == "deaf":
            # He never learns of the end: Asterisk may not cancel a call of which nothing was heard.
            del self._busy[call]
            self._rings_no_more()
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
        invite.answered_at = time.time()
        self._seen.answered(self._place)
        self._rings_no_more()
        sound.send_to(body)
        if bad == "drops":
            await asyncio.sleep(0.05)
            self._hang_up(call, lines)
            return
        with suppress(TimeoutError):
            at, _ = await asyncio.wait_for(sound.heard, 5)
            invite.heard_at = time.time()
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
        invite = self._busy.pop(call, None)
        if invite is not None:
            invite.over_at = time.time()
            self._rings_no_more()
            pause = self._seen.pause_after(invite)
            self._becomes_free = None if pause is None else self._loop.call_later(pause, self._is_free)
        if self._sound is not None and not self._busy:
            self._sound.close()
            self._sound = None

    def _is_free(self) -> None:
        wanted = self._seen.waiting > self._seen.ringing and not self._on_break
        self._free_since = time.monotonic() if wanted else None

    def _is_not_free(self) -> None:
        self._free_since = None
        if self._becomes_free is not None:
            self._becomes_free.cancel()


class Caller(RawPhone):
    """Calls once, waits for an operator's voice, talks for a while and hangs up."""

    def __init__(self, port: int, place: int, number: str) -> None:
        super().__init__(port, number)
        self._place, self._own = place, number
        self._over = asyncio.Event()

    def asked(self, method: str, lines: Sequence[str], body: str) -> None:
        self.reply(200, lines)
        if method == "BYE":
            self._over.set()

    async def call(self, number: str, group: str, talk_seconds: float, seen: Seen, patience: float | None = None) -> None:
        """Call the number of a group; who has lost his patience (seconds) hangs up. `seen` is told how it ended."""
        seen.group_of[self._own] = group
        end = await self._calls(number, group == seen.measured, talk_seconds, seen, patience)
        seen.placed.append(Placed(self._own, group, end, time.time()))

    async def _calls(self, number: str, counts: bool, talk_seconds: float, seen: Seen, patience: float | None) -> str:
        sound = Sound(CALLER_SOUND + self._place, range(OPERATOR_SOUND, CALLER_SOUND))
        seen.waiting += counts
        waits = counts
        try:
            answer = await self.request("INVITE", number, body=sound.offer)
            if answer.status != 200:
                return f"refused with {answer.status}"
            sound.send_to(answer.body)
            over = asyncio.create_task(self._over.wait())
            await asyncio.wait({over, sound.heard}, timeout=patience or LIMIT, return_when=asyncio.FIRST_COMPLETED)
            seen.waiting -= waits
            waits = False
            if sound.heard.done():
                at, byte = sound.heard.result()
                seen.heard(byte - OPERATOR_SOUND, at)
                await asyncio.wait({over}, timeout=talk_seconds)
            elif not over.done() and patience is None:
                return "waited for ever"
            if over.done():
                return DROPPED if sound.heard.done() else TOLD
            over.cancel()
            await self.request("BYE", number)
            return TALKED if sound.heard.done() else GAVE_UP
        except TimeoutError:
            return "had no answer from Asterisk"
        finally:
            seen.waiting -= waits
            sound.close()


def _number(lines: Sequence[str]) -> str:
    """Who calls, by the header lines."""
    sender = next(line for line in lines if line.lower().startswith("from:"))
    return sender.partition("sip:")[2].partition("@")[0]


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
