"""A prompt spoken into a phone: whoever dials the feature code hears a beep, speaks, and decides what becomes of it (UIS-47).

    beep → recording, ended by "#" or silence → what was recorded → "1 keeps, 2 hears it again, 3 records again"

Only "1" keeps it. Whoever hangs up before, decides nothing or says nothing MOST_TRIES times has recorded nothing. Where nothing
can be written (disk full) he is told at once that his prompt was not kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from controller.calls.facts import CallFacts, CallTools
from controller.calls.messages import MessageRecorder
from controller.calls.requests import CheckUp, Dismiss
from controller.calls.trail import Place, started
from controller.errors import AttendantError, TelephonyError
from controller.storage.journal_changes import CallAnswered, CallEnded
from controller.telephony.events import Gone, KeyPressed, MessageRecorded, PlaybackEnded
from controller.telephony.mailboxes import Mailbox
from ivr.commands import Record
from ivr.events import Key, RecordingFinished, RecordingId, VisitId
from ivr.prompts import BEEP, PromptRef

log = logging.getLogger(__name__)

LINE_NAME: Final = "Prompt recording"
MOST_TRIES: Final = 3
MOST_TAKES: Final = 20
LONGEST_SECONDS: Final = 600.0
"""Of a recording; more would be too large for the library."""
MOST_SILENCE: Final = 10.0
DECISION_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 10.0
_FOLDER: Final = "dictation"
_REVIEW, _SAVED, _EMPTY, _SORRY = (
    PromptRef(name) for name in ("prompt-review", "voicemail-saved", "voicemail-too-short", "prompt-not-kept")
)


@dataclass(frozen=True, slots=True)
class PromptStudio:
    """`code` is the number that is dialled. `keep` puts a WAV file, spoken at the phone of this extension, into the library and
    gives its name there; it raises AttendantError and OSError.
    """

    code: str
    longest_seconds: float
    keep: Callable[[Path, str], Awaitable[str]]


class _Over(Exception):
    """The caller is gone, or has to go."""


class Dictation:
    """One call of the feature code. `run()` is its whole life."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, studio: PromptStudio) -> None:
        self.facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._studio = studio
        self._recorder = MessageRecorder(facts, tools, mailbox, _nowhere, _FOLDER)
        self._playing: str | None = None
        self._plays = 0
        self._takes = 0
        self._gone: Gone | None = None

    async def run(self) -> None:
        """Serve the call to its end. Never raises, except when cancelled."""
        facts, journal, clock = self.facts, self._tools.journal, self._tools.clock
        journal.record(replace(started(facts), line_name=LINE_NAME))
        try:
            await self._tools.telephony.answer(facts.channel)
            journal.record(CallAnswered(facts.call, clock.now()))
            await self._dictate()
        except _Over:
            pass
        except TelephonyError as error:
            log.info("call %s: %s", facts.call, error)
        except Exception:
            log.exception("call %s failed", facts.call)
        finally:
            await self._end()

    async def _dictate(self) -> None:
        """Take after take, until one is kept or given up."""
        tries = 0
        while tries < MOST_TRIES and self._takes < MOST_TAKES:
            await self._play(BEEP)
            take = await self._record()
            if self._recorder.failed:
                log.error("call %s: nothing of what %s said could be written", self.facts.call, self.facts.caller_number)
                await self._play(_SORRY)
                return
            if take is None:
                tries += 1
                await self._play(_EMPTY)
                continue
            tries = 0
            decision = await self._decide(take)
            if decision == "1":
                await self._play(_SAVED if await self._keep(take) else _SORRY)
            if decision != "3":
                return

    async def _record(self) -> RecordingId | None:
        """What was said; None when nothing was."""
        self._takes += 1
        take = RecordingId(f"{self._takes}.1")
        longest = min(self._studio.longest_seconds, LONGEST_SECONDS)
        await self._recorder.record(Record(take, longest, MOST_SILENCE))
        while True:
            match await self._next():
                case KeyPressed(_, _, "#"):
                    await self._recorder.stop(take)
                case RecordingFinished(recording, seconds, silence) if recording == take:
                    return take if seconds > silence else None

    async def _decide(self, take: RecordingId) -> Key | None:
        """1, 3, or nothing at all; a key stops what is played."""
        heard = self._tools.recording_path(PurePosixPath(self._recorder.name_of(take)))
        repeat: tuple[str, ...] = (f"sound:{heard}",)
        for _ in range(MOST_TRIES):
            key = await self._ask((*repeat, *self._media(_REVIEW)))
            while key == "2":
                key = await self._ask((f"sound:{heard}", *self._media(_REVIEW)))
            if key is not None:
                return key
            repeat = ()
        return None

    async def _ask(self, media: tuple[str, ...]) -> Key | None:
        """One of 1, 2 and 3, pressed while it is played or within DECISION_SECONDS behind it."""
        await self._start(media)
        while True:
            event = await self._next(None if self._playing is not None else DECISION_SECONDS)
            if event is None:
                return None
            if isinstance(event, KeyPressed) and event.key in ("1", "2", "3"):
                await self._silence()
                return event.key

    async def _keep(self, take: RecordingId) -> bool:
        facts = self.facts
        try:
            name = await self._studio.keep(self._tools.voicemails.file(self._recorder.name_of(take)), facts.caller_number)
        except (AttendantError, OSError) as error:
            log.error("call %s: the prompt spoken by %s was not kept: %s", facts.call, facts.caller_number, error)
            return False
        log.info("call %s: %s has recorded the prompt %s", facts.call, facts.caller_number, name)
        return True

    def _media(self, prompt: PromptRef) -> tuple[str, ...]:
        return self._tools.prompts.media((prompt,), self.facts.language)

    async def _play(self, prompt: PromptRef) -> None:
        """Play it to its end."""
        await self._start(self._media(prompt))
        while self._playing is not None:
            await self._next()

    async def _start(self, media: tuple[str, ...]) -> None:
        self._plays += 1
        self._playing = f"{self.facts.call}-{self._plays}"
        await self._tools.telephony.play(self.facts.channel, self._playing, media, self.facts.language)

    async def _silence(self) -> None:
        """Stop what is played, and wait until it has stopped: a recording would wait for it too."""
        if self._playing is not None:
            await self._tools.telephony.stop_playback(self._playing)
        while self._playing is not None:
            await self._next()

    async def _next(self, limit: float | None = None) -> object:
        """The next event; None when none comes within `limit` seconds. Raises _Over when the call is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                event = await self._mailbox.get()
            await self._take(event)
            return event
        return None

    async def _take(self, event: object) -> None:
        match event:
            case Gone(channel) if channel == self.facts.channel:
                self._gone = event
                raise _Over
            case Dismiss():
                raise _Over
            case PlaybackEnded(_, playback) if playback == self._playing:
                self._playing = None
            case MessageRecorded(_, recording):
                self._recorder.recorded(recording)
            case CheckUp():
                await self._recorder.check()
                if self._playing is not None and not await self._tools.telephony.playing(self._playing):
                    self._playing = None

    async def _end(self) -> None:
        """Hang up, and leave nothing behind."""
        if self._gone is None:
            with suppress(TelephonyError):
                await self._recorder.leave()
                await self._tools.telephony.hangup(self.facts.channel)
            with suppress(TimeoutError, _Over, TelephonyError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    while True:
                        await self._next()
        self._recorder.close()
        await asyncio.to_thread(self._remove_takes)
        cause = self._gone.cause if self._gone is not None else None
        by_us = self._gone is None or self._gone.by_us
        ended = CallEnded(self.facts.call, self._tools.clock.now(), "scenario" if by_us else "caller", cause, "ended")
        self._tools.journal.record(ended)

    def _remove_takes(self) -> None:
        for take in range(1, self._takes + 1):
            file = self._tools.voicemails.file(self._recorder.name_of(RecordingId(f"{take}.1")))
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s can't be deleted: %s", file, error.strerror)


def _nowhere(_visit: VisitId) -> Place:
    raise AssertionError("a dictation leaves no voicemail")
