"""Whoever is at the other end of a fake line: callers who press keys, and phones that do as they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from controller.ids import ChannelId
from controller.telephony.causes import BUSY, NORMAL_CLEARING, REJECTED
from controller.telephony.events import DeviceState
from ivr.events import Key

if TYPE_CHECKING:
    from controller.telephony.fake import FakeChannel, FakeTelephony


class FakeCaller:
    """Somebody who called. `heard` is every medium that was played to him, `ended_with` the cause his call ended with."""

    def __init__(self, telephony: FakeTelephony, channel: ChannelId) -> None:
        self._telephony = telephony
        self.channel = channel
        self.state: Literal["ringing", "answered", "ended"] = "ringing"
        self.heard: list[str] = []
        self.ended_with: int | None = None
        self.continued_at: str | None = None
        """"context,extension" once the dialplan has him again."""
        self._spoken: list[tuple[float, float | None]] = []

    def press(self, *keys: Key) -> None:
        """Press keys, one after another."""
        for key in keys:
            self._telephony.key(self.channel, key)

    @property
    def is_speaking(self) -> bool:
        return bool(self._spoken) and self._spoken[-1][1] is None

    def speaks(self, speaking: bool = True) -> None:
        """Speak from now on, or fall silent."""
        now = asyncio.get_running_loop().time()
        if speaking and not self.is_speaking:
            self._spoken.append((now, None))
        elif not speaking and self.is_speaking:
            self._spoken[-1] = (self._spoken[-1][0], now)
        self._telephony.spoke_or_fell_silent(self.channel)

    def spoken_seconds(self, since: float) -> float:
        """For how long he has spoken since a moment of the loop's clock."""
        now = asyncio.get_running_loop().time()
        ends = [(begin, now if end is None else end) for begin, end in self._spoken]
        return sum(max(0.0, end - max(begin, since)) for begin, end in ends)

    def hangup(self) -> None:
        line = self._telephony.lines.get(self.channel)
        if line is not None:
            self._telephony.end(line, NORMAL_CLEARING)

    @property
    def hears_music(self) -> bool:
        line = self._telephony.lines.get(self.channel)
        return line is not None and line.music

    @property
    def talks_with(self) -> set[ChannelId]:
        """The other channels of the bridge the caller is in."""
        line = self._telephony.lines.get(self.channel)
        members = self._telephony.bridges.get(line.bridge, set()) if line is not None and line.bridge else set()
        return members - {self.channel}

    def line_ended(self, cause: int) -> None:
        self.state, self.ended_with = "ended", cause


class FakePhone:
    """An operator's phone. Tell it once what it does when it rings; every such method gives the phone back."""

    def __init__(self, telephony: FakeTelephony, device: str) -> None:
        self._telephony = telephony
        self.device = device
        self.is_off = True
        self.rung = 0
        """How often it rang."""
        self._line: FakeChannel | None = None
        self._script: Callable[[FakeChannel], None] | None = None

    def answers(self, after: float = 0) -> FakePhone:
        """It is picked up `after` seconds of ringing."""
        return self._does(lambda line: self._later(after, lambda: self._pick_up(line)))

    def answers_and_drops(self, after: float = 0) -> FakePhone:
        """It is picked up, and put down at once."""
        return self._does(lambda line: self._later(after, lambda: self._pick_up_and_drop(line)))

    def busy(self) -> FakePhone:
        return self._does(lambda line: self._telephony.end(line, BUSY, 486))

    def refuses(self) -> FakePhone:
        return self._does(lambda line: self._telephony.end(line, REJECTED, 603))

    def silent(self) -> FakePhone:
        """It rings, and nobody comes; `pick_up` still does."""
        return self._does(None)

    def off(self) -> FakePhone:
        """It is not registered."""
        self.is_off = True
        self._telephony.device_changed(self)
        return self

    def pick_up(self) -> None:
        """Answer what rings now."""
        assert self._line is not None, f"{self.device} does not ring"
        self._pick_up(self._line)

    def press(self, *keys: Key) -> None:
        assert self._line is not None, f"{self.device} is in no call"
        for key in keys:
            self._telephony.key(self._line.id, key)

    def transfer(self, number: str) -> None:
        """Press its own transfer key, and put down."""
        assert self._line is not None, f"{self.device} is in no call"
        self._telephony.transfer(self._line, number)
        self.hangup()

    def hangup(self) -> None:
        """Put down what it is in."""
        if self._line is not None:
            self._telephony.end(self._line, NORMAL_CLEARING)

    @property
    def channel(self) -> ChannelId | None:
        """The leg that rings here or is talked on."""
        return self._line.id if self._line is not None else None

    @property
    def state(self) -> DeviceState:
        if self.is_off:
            return "unavailable"
        if self._line is None:
            return "not_in_use"
        return "in_use" if self._line.answered else "ringing"

    def line_rings(self, line: FakeChannel) -> None:
        self.rung += 1
        if self._line is not None:
            self._telephony.end(line, BUSY, 486)
            return
        self._line = line
        self._telephony.ring(line)
        self._telephony.device_changed(self)
        if self._script is not None:
            self._script(line)

    def line_ended(self) -> None:
        if self._line is not None and self._line.id not in self._telephony.lines:
            self._line = None
            self._telephony.device_changed(self)

    def _does(self, script: Callable[[FakeChannel], None] | None) -> FakePhone:
        self._script = script
        if self.is_off:
            self.is_off = False
            self._telephony.device_changed(self)
        return self

    def _pick_up(self, line: FakeChannel) -> None:
        self._telephony.pick_up(line)
        self._telephony.device_changed(self)

    def _pick_up_and_drop(self, line: FakeChannel) -> None:
        self._pick_up(line)
        self._telephony.end(line, NORMAL_CLEARING)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, action)
