"""Keeps voicemails, whatever becomes of call, database and process (UIS-10, UIS-11).

Rules:
- What is known of a voicemail lies in a file of its own from the moment its recording begins until it is in the database. What is
  left of a process that died is found there by the next one.
- A recording is looked at when Asterisk has completed it. One in which nobody speaks is removed: the caller left no message.
- While the database is away it is tried again every RETRY_SECONDS; nothing of a call waits for that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from controller.clock import Clock
from controller.errors import StorageError, TelephonyError
from controller.notices.voicemails import LeftVoicemail, store_voicemail
from controller.recordings.listening import Heard, listen
from controller.settings import Settings
from controller.storage import Database, Session
from controller.storage.scenarios import find_version_name

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.5
LONGEST_RECORDING: Final = 900.0
"""Seconds until a recording that Asterisk still makes is taken as it is."""
AWAY_SECONDS: Final = 60.0
"""Seconds that an Asterisk which does not answer is waited for before its recording is taken as it is."""
MOST_WAITING: Final = 1000
"""Voicemails that may wait in memory; the others wait in their files alone."""
_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class VoicemailDraft:
    """A voicemail on its way. `recording` is its name for `Telephony.record_message`, None when nothing was recorded; of the
    published version `scenario_version` the voicemail gets its scenario's name, unless it has one.
    """

    voicemail: LeftVoicemail
    scenario_version: int | None = None
    recording: str | None = None

    @property
    def id(self) -> str:
        return self.voicemail.id


class VoicemailKeeper:
    """All voicemails of this process. `is_recording` asks Asterisk; `run` belongs to whoever starts it."""

    def __init__(
        self, database: Database, clock: Clock, is_recording: Callable[[str], Awaitable[bool]], settings: Settings
    ) -> None:
        self._database = database
        self._clock = clock
        self._is_recording = is_recording
        self._settings = settings
        self._folder = settings.data_dir / "voicemails"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._expected: set[str] = set()
        self._waiting: dict[str, VoicemailDraft] = {}

    def file(self, recording: str) -> Path:
        """Where a recording lies, as this process sees it."""
        return self._settings.recordings_dir / f"{recording}.wav"

    @property
    def waiting(self) -> int:
        """How many could not be stored yet."""
        return len(self._waiting)

    def expect(self, draft: VoicemailDraft) -> None:
        """The recording begins: should this process die now, the next one keeps what there is."""
        self._expected.add(draft.id)
        self._begin(draft.id, self._note(draft))

    def keep(self, draft: VoicemailDraft) -> None:
        """Keep it; returns at once. What goes wrong is logged and tried again."""
        self._expected.discard(draft.id)
        self._begin(draft.id, self._keep(draft))

    async def run(self) -> None:
        """Take up what an earlier process left, then try again what could not be stored, for ever."""
        for draft in await asyncio.to_thread(self._left_over):
            if draft.id not in self._expected and draft.id not in self._tasks and draft.id not in self._waiting:
                log.info("voicemail %s was left by an earlier run and is kept now", draft.id)
                self._begin(draft.id, self._keep(draft))
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            for draft in list(self._waiting.values()):
                if draft.id not in self._tasks and not await self._store(draft):
                    break

    async def close(self, patience: float) -> None:
        """Wait at most `patience` seconds for what is under way; the next start takes up the rest."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; those of one voicemail run one after another."""
        task = asyncio.create_task(self._in_turn(self._tasks.get(id), work), name=f"voicemail {id}")
        self._tasks[id] = task
        task.add_done_callback(lambda done: self._ended(id, done))

    async def _in_turn(self, before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
        except BaseException:
            work.close()
            raise
        await work

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(id) is task:
            del self._tasks[id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("voicemail %s could not be kept; the next start tries again", id, exc_info=error)

    async def _note(self, draft: VoicemailDraft) -> None:
        try:
            await asyncio.to_thread(self._write, draft)
        except OSError as error:
            log.error("voicemail %s can't be noted on disk: %s", draft.id, error)

    async def _keep(self, draft: VoicemailDraft) -> None:
        await self._note(draft)
        finished = await self._finished(draft)
        self._waiting[draft.id] = finished
        if len(self._waiting) > MOST_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            log.error("too many voicemails wait for the database: %s waits in its file until the next start", oldest)
        await self._store(finished)

    async def _finished(self, draft: VoicemailDraft) -> VoicemailDraft:
        """With what is known once its recording is complete."""
        if draft.recording is None:
            return draft
        await self._completed(draft.recording)
        file = self.file(draft.recording)
        heard = await asyncio.to_thread(listen, file)
        if heard is not None and heard.somebody_spoke:
            return replace(draft, voicemail=self._spoken(draft.voicemail, file, heard))
        if heard is None:
            log.error("the message of voicemail %s could not be recorded", draft.id)
        await asyncio.to_thread(_remove, file)
        return replace(draft, voicemail=replace(draft.voicemail, failed=heard is None), recording=None)

    def _spoken(self, voicemail: LeftVoicemail, file: Path, heard: Heard) -> LeftVoicemail:
        return replace(voicemail, path=str(file.relative_to(self._settings.data_dir)), length_seconds=heard.seconds)

    async def _completed(self, recording: str) -> None:
        """Wait until Asterisk does not record it any more."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        patience = LONGEST_RECORDING
        while loop.time() - began < patience:
            try:
                if not await self._is_recording(recording):
                    return
                patience = LONGEST_RECORDING
            except TelephonyError:
                patience = AWAY_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
        log.warning("Asterisk has not completed the recording %s; it is taken as it is", recording)

    async def _store(self, draft: VoicemailDraft) -> bool:
        """Put it into the database; False when that is away."""
        zone, now = self._settings.zone, self._clock.now()
        try:
            language, region = self._settings.language, self._settings.phone_region
            await self._database.run(_store, draft, language=language, zone=zone, at=now, region=region)
        except StorageError as error:
            log.warning("voicemail %s can't be stored and is tried again: %s", draft.id, error)
            return False
        except Exception:
            log.exception("voicemail %s can't be stored; the next start tries again", draft.id)
            del self._waiting[draft.id]
            return True
        self._waiting.pop(draft.id, None)
        await asyncio.to_thread(_remove, self._path(draft.id))
        return True

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}{_SUFFIX}"

    def _write(self, draft: VoicemailDraft) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(draft.id)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(draft), default=datetime.isoformat))
        os.replace(new, path)

    def _left_over(self) -> list[VoicemailDraft]:
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                found.append(_read(path))
            except (OSError, ValueError, TypeError, KeyError) as error:
                log.error("%s is no voicemail and is put aside: %s", path, error)
                path.replace(path.with_suffix(".unreadable"))
        return found


def _read(path: Path) -> VoicemailDraft:
    """Raises OSError, ValueError, TypeError, KeyError."""
    draft = json.loads(path.read_text())
    given = draft["voicemail"]
    times = {"arrived_at": datetime.fromisoformat(given["arrived_at"]), "recipients": tuple(given["recipients"])}
    return VoicemailDraft(LeftVoicemail(**{**given, **times}), draft["scenario_version"], draft["recording"])


def _store(session: Session, /, draft: VoicemailDraft, **how: Any) -> None:
    name = draft.voicemail.scenario or find_version_name(session, draft.scenario_version)
    store_voicemail(session, replace(draft.voicemail, scenario=name), **how)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s can't be deleted: %s", file, error.strerror)
