"""Recorded conversations as files, in ranges if the player asks so."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse

from controller.errors import NotFound
from controller.storage.calls import get_call
from controller.storage.recordings import Recording
from web.files import inside
from web.services import services
from web.views.places import text_id


def recording_file(folder: Path, recording: Recording) -> Path | None:
    """The file of a finished recording; None when it is not there, or not inside the folder."""
    return inside(folder, recording.path) if recording.ended_at is not None else None


async def show_recording(request: Request) -> FileResponse:
    """A recording of a call."""
    return await _answer(request, text_id(request, "recording"))


async def show_newest_recording(request: Request) -> FileResponse:
    """The newest finished recording of a call."""
    return await _answer(request, None)


async def _answer(request: Request, wanted: str | None) -> FileResponse:
    given = services(request)
    detail = await given.database.read(get_call, text_id(request))
    for recording in reversed(detail.recordings):
        if wanted in (None, recording.id) and (file := recording_file(given.settings.recordings_dir, recording)):
            name = f"call-{detail.call.id}.wav" if "download" in request.query_params else None
            return FileResponse(file, media_type="audio/wav", filename=name)
    raise NotFound("There is no such recording of this call, or it is not finished.")
