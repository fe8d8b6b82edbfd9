"""The line to somebody outside whom we have called and who stands as the caller, on the call's record: it costs too (SKZ-76)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from controller.ids import CallId, ChannelId
from controller.storage.journal_changes import Change, LegAnswered, LegEnded, LegStarted, PaidLine
from controller.telephony.events import Gone


@dataclass(frozen=True, slots=True)
class ClientLine:
    """The line on `channel` through the trunk of this id; `answered_at` is Asterisk's time of that, None: he has not."""

    call: CallId
    channel: ChannelId
    number: str
    trunk: int | None
    begun_at: datetime
    answered_at: datetime | None = None

    def opened(self) -> Iterator[Change]:
        """He was called and has answered."""
        yield self._started()
        if self.answered_at is not None:
            yield LegAnswered(self.call, self.channel, self.answered_at)

    def ended(self, at: datetime, gone: Gone | None) -> LegEnded:
        """The line of who had answered is over; `gone` None: nobody has seen its end."""
        if gone is None or gone.lost or self.answered_at is None:
            return LegEnded(self.call, self.channel, at, None)
        return LegEnded(self.call, self.channel, at, gone.cause, gone.sip_status, self._paid(gone.at))

    def missed(self, at: datetime, cause: int | None) -> Iterator[Change]:
        """He was called and has not answered."""
        yield self._started()
        yield LegEnded(self.call, self.channel, at, cause, paid=self._paid(at))

    def _started(self) -> LegStarted:
        return LegStarted(
            self.call, self.channel, self.begun_at, None, "", self.number, self.number, trunk=self.trunk, of_client=True
        )

    def _paid(self, ended_at: datetime) -> PaidLine | None:
        if self.trunk is None:
            return None
        open_for = None if self.answered_at is None else ended_at - self.answered_at
        return PaidLine(self.trunk, self.number, self.begun_at, open_for)
