"""The recording of what caller and operator say to each other: one file for each conversation, with pauses (SKZ-52)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Final

from controller.calls.facts import CallFacts, CallTools
from controller.errors import Refused, TelephonyError
from controller.ids import ChannelId
from controller.recordings.stereo import RAW
from controller.storage.journal_changes import Pause, RecordingEnded, RecordingPaused, RecordingStarted

log = logging.getLogger(__name__)

SHORTEST: Final = timedelta(seconds=1)
"""A recording of less may hold nothing though all is well."""


class ConversationRecorder:
    """Records the conversations of one call, one after another."""

    def __init__(self, facts: CallFacts, tools: CallTools) -> None:
        self._facts = facts
        self._tools = tools
        self._path: PurePosixPath | None = None
        self._since = datetime.min
        self._pauses: list[Pause] = []
        self._begun: set[ChannelId] = set()
        self._parts = 0

    async def begin(self, leg: ChannelId) -> None:
        """Record the conversation with who is on `leg`; a call without a recording is better than no call."""
        now = self._tools.clock.now()
        path = PurePosixPath(f"{now:%Y/%m/%d}", f"{self._name(leg)}.wav")
        written = path if self._tools.stereo is None else path.with_suffix(RAW)
        try:
            await self._tools.telephony.start_recording(self._facts.channel, self._tools.recording_path(written))
        except TelephonyError as error:
            log.warning("call %s is not recorded: %s", self._facts.call, error)
            return
        self._path, self._since, self._pauses = path, now, []
        self._tools.journal.record(RecordingStarted(self._facts.call, path.stem, now, str(path)))

    def _name(self, leg: ChannelId) -> str:
        """Who talks again with somebody after a consultation gets a recording of its own."""
        again, self._parts = leg in self._begun, self._parts + 1
        self._begun.add(leg)
        return f"{leg}-{self._parts}" if again else leg

    async def pause(self, paused: bool) -> str:
        """Leave out what is said from now on, or no longer; gives the recording's id. Nothing happens if it is so already.

        Raises Refused: nothing is recorded; TelephonyError.
        """
        if self._path is None:
            raise Refused("nothing is recorded: nobody talks with the caller at the moment")
        if paused != self._is_paused:
            await self._tools.telephony.pause_recording(self._facts.channel, paused)
            self._note_pause(paused)
        return self._path.stem

    async def stop(self) -> None:
        """The conversation is over and the caller stays. Raises TelephonyError."""
        if self._path is not None:
            self.ended()
            await self._tools.telephony.stop_recording(self._facts.channel)

    def ended(self) -> None:
        """The recording has ended, if there was one."""
        if self._path is None:
            return
        if self._is_paused:
            self._note_pause(False)
        now = self._tools.clock.now()
        self._tools.journal.record(RecordingEnded(self._facts.call, self._path.stem, now))
        if now - self._since >= SHORTEST:
            self._tools.written.look_at(self._facts.call, self._path)
        if self._tools.stereo is not None:
            self._tools.stereo.complete(self._path)
        self._path = None

    @property
    def _is_paused(self) -> bool:
        return bool(self._pauses) and self._pauses[-1].end is None

    def _note_pause(self, paused: bool) -> None:
        assert self._path is not None
        now = self._tools.clock.now()
        if paused:
            self._pauses.append(Pause(now))
        else:
            self._pauses[-1] = Pause(self._pauses[-1].begin, now)
        self._tools.journal.record(RecordingPaused(self._facts.call, self._path.stem, tuple(self._pauses)))
