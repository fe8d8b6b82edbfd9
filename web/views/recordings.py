"""Recorded conversations as files, in ranges if the player asks so; and the pauses of those that are being recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from controller.actions.recordings import delete_recording, note_pause
from controller.errors import NotFound, Refused
from controller.storage.calls import get_call
from controller.storage.recordings import Recording
from web.call_models import RecordingState
from web.files import inside
from web.rendering import ModelResponse
from web.security import acting_user, check_hearing
from web.services import services
from web.views.places import text_id


def recording_file(folder: Path, recording: Recording) -> Path | None:
    """The file of a finished recording; None when it is not there, or not inside the folder."""
    return inside(folder, recording.path) if recording.ended_at is not None and not recording.failed else None


async def show_recording(request: Request) -> FileResponse:
    """A recording of a call, for those who may hear it."""
    return await _answer(request, text_id(request, "recording"))


async def show_newest_recording(request: Request) -> FileResponse:
    """The newest finished recording of a call."""
    return await _answer(request, None)


async def pause_recording(request: Request) -> Response:
    """Leave out of a live call's recording what is said from now on."""
    return await _switch(request, True)


async def resume_recording(request: Request) -> Response:
    """Record a live call again."""
    return await _switch(request, False)


async def delete_one_recording(request: Request) -> Response:
    """Forget a recording, for those who may hear it, and then remove its file."""
    check_hearing(request)
    given, by = services(request), acting_user(request)
    call, id = text_id(request), text_id(request, "recording")
    path = await given.database.run(delete_recording, call, id, acting_user=by, at=given.clock.now())
    file = inside(given.settings.recordings_dir, path)
    if file is not None:
        await asyncio.to_thread(file.unlink, missing_ok=True)
    return Response(status_code=204)


async def _switch(request: Request, paused: bool) -> Response:
    given, call, by = services(request), text_id(request), acting_user(request)
    detail = await given.database.read(get_call, call)
    if detail.call.ended_at is not None:
        raise Refused("the call is over: its recording can't be paused any more")
    recording = await given.pause_recording(call, paused)
    await given.database.run(note_pause, call, recording, paused, acting_user=by, at=given.clock.now())
    return ModelResponse(RecordingState(recording=recording, paused=paused))


async def _answer(request: Request, wanted: str | None) -> FileResponse:
    check_hearing(request)
    given = services(request)
    detail = await given.database.read(get_call, text_id(request))
    for recording in reversed(detail.recordings):
        if wanted in (None, recording.id) and (file := recording_file(given.settings.recordings_dir, recording)):
            name = f"call-{detail.call.id}.wav" if "download" in request.query_params else None
            return FileResponse(file, media_type="audio/wav", filename=name)
    raise NotFound("There is no such recording of this call, or it is not finished.")
