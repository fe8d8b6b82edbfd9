"""What the caller says into a voicemail (UIS-10 to UIS-12)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import PurePosixPath
from typing import Any, Final

from controller.calls.facts import CallFacts, CallTools
from controller.calls.keeping import VoicemailDraft
from controller.calls.trail import Place
from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.notices.voicemails import LeftVoicemail
from controller.recordings.listening import listen
from controller.telephony.events import MessageRecorded
from controller.telephony.mailboxes import Mailbox
from ivr.commands import Record, SaveVoicemail
from ivr.events import RecordingFinished, RecordingId, VisitId

log = logging.getLogger(__name__)

OVERDUE_SECONDS: Final = 5.0
"""Beyond its longest time, until a recording whose end was not reported is ended from here."""


class MessageRecorder:
    """Records the caller of one call, one message at a time, and keeps what he said. `place` tells which node a visit was of;
    `folder` is where in the recordings folder the files lie.
    """

    def __init__(
        self,
        facts: CallFacts,
        tools: CallTools,
        mailbox: Mailbox,
        place: Callable[[VisitId], Place],
        folder: str = "voicemail",
    ) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._place = place
        self._folder = folder
        self._current: RecordingId | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._begun: dict[VisitId, RecordingId] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed = False
        """Nothing could be written of what was recorded last."""

    async def record(self, command: Record) -> None:
        """Begin to record; one `RecordingFinished` follows in the mailbox. Raises TelephonyUnavailable, ChannelGone."""
        how = {"max_seconds": command.max_seconds, "max_silence": command.max_silence}
        self._current = self._begun[_visit_of(command.recording)] = command.recording
        self.failed = False
        try:
            await self._tools.telephony.record_message(self._facts.channel, self.name_of(command.recording), **how)
        except (TelephonyUnavailable, ChannelGone):
            self._current = None
            raise
        except TelephonyError as error:
            log.error("call %s: the message can't be recorded: %s", self._facts.call, error)
            self.failed = True
            self._finished(RecordingFinished(command.recording, 0))
            return
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(command.max_seconds + OVERDUE_SECONDS, self._begin, self._overdue, command.recording)

    async def stop(self, recording: RecordingId) -> None:
        """Stop it; its `RecordingFinished` still follows."""
        await self._tools.telephony.stop_message(self.name_of(recording))

    def recorded(self, name: str) -> None:
        """The recording that telephony calls `name` is over: look what there is, and say so by `RecordingFinished`."""
        if self._current is not None and name == self.name_of(self._current):
            self._begin(self._listen, self._current)

    async def check(self) -> None:
        """Events may have been lost: a recording that Asterisk no longer makes is over."""
        if self._current is not None and not await self._tools.telephony.recording_message(self.name_of(self._current)):
            self.recorded(self.name_of(self._current))

    def expect(self, command: SaveVoicemail) -> None:
        """So it shall be kept if the process dies before the caller is through."""
        self._tools.voicemails.expect(self._draft(command))

    def save(self, command: SaveVoicemail) -> None:
        """Keep the voicemail of a visit, whatever becomes of the call."""
        self._tools.voicemails.keep(self._draft(command))

    async def leave(self) -> None:
        """The caller goes elsewhere: what is recorded ends here. Raises TelephonyError."""
        if self._current is not None:
            await self.stop(self._current)

    def close(self) -> None:
        """The call is over."""
        self._end_limit()
        for task in self._tasks:
            task.cancel()

    async def _overdue(self, recording: RecordingId) -> None:
        log.warning("call %s: the end of a recording was not reported", self._facts.call)
        await self.stop(recording)
        self._mailbox.put_nowait(MessageRecorded(self._facts.channel, self.name_of(recording)))

    async def _listen(self, recording: RecordingId) -> None:
        heard = await asyncio.to_thread(listen, self._tools.voicemails.file(self.name_of(recording)))
        if heard is None:
            self.failed = True
            self._finished(RecordingFinished(recording, 0))
            return
        silence = heard.seconds - heard.loud_seconds if heard.somebody_spoke else heard.seconds
        self._finished(RecordingFinished(recording, heard.seconds, silence))

    def _finished(self, event: RecordingFinished) -> None:
        if self._current == event.recording:
            self._current = None
            self._end_limit()
            self._mailbox.put_nowait(event)

    def _draft(self, command: SaveVoicemail) -> VoicemailDraft:
        facts, place = self._facts, self._place(command.visit)
        voicemail = LeftVoicemail(
            id=f"{facts.call}-{command.visit}",
            call_id=facts.call,
            scenario=place.scenario or "",
            node=place.title or place.node,
            caller_number=facts.caller_number,
            called_number=facts.called_number,
            arrived_at=facts.arrived_at,
            recipients=command.mail_to,
        )
        # Also one in which nothing was said: its file has to go.
        begun = self._begun.get(command.visit)
        recording = None if begun is None else self.name_of(begun)
        return VoicemailDraft(voicemail, facts.scenario_version, recording)

    def name_of(self, recording: RecordingId) -> str:
        """What telephony calls it: its path in the recordings folder, without ".wav"."""
        arrived = self._facts.arrived_at
        return str(PurePosixPath(self._folder, f"{arrived:%Y/%m/%d}", f"{self._facts.call}-{recording}"))

    def _begin(self, work: Callable[[RecordingId], Coroutine[Any, Any, None]], recording: RecordingId) -> None:
        task = asyncio.create_task(work(recording))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s: a recording could not be looked after", self._facts.call, exc_info=error)
            if self._current is not None:
                self._finished(RecordingFinished(self._current, 0))

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def _visit_of(recording: RecordingId) -> VisitId:
    return VisitId(int(recording.partition(".")[0]))
