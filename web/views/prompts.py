"""The audio library: prompts to look at, hear, upload, have spoken, and delete."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.errors import AttendantError, InvalidInput, NotFound, Refused
from controller.prompts.builtin import LANGUAGES
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.prompts.speech import HOW_TO_ADD, LONGEST_TEXT
from web.errors import WebError, as_web_error
from web.forms import read_form
from web.prompt_models import NewSpeech, TitleChange
from web.rendering import page
from web.services import services
from web.uploads import read_upload
from web.views.api_prompts import (
    drop_prompt,
    load_library,
    load_voices,
    prompt_place,
    replace_upload,
    retitle,
    store_speech,
    store_upload,
)

_FORESEEN = (WebError, InvalidInput, Refused, NotFound)


async def show_prompts(request: Request) -> Response:
    """All prompts, and the forms to add one."""
    return await _library_page(request)


async def upload_prompt(request: Request) -> Response:
    """A file was sent."""
    try:
        async with read_upload(request) as upload:
            prompt = await store_upload(request, upload)
    except _FORESEEN as refused:
        return await _library_page(request, "upload", refused)
    return _back(f"{prompt.name}-{prompt.language}")


async def speak_prompt(request: Request) -> Response:
    """A text was sent."""
    try:
        prompt = await store_speech(request, await read_form(request, NewSpeech))
    except _FORESEEN as refused:
        return await _library_page(request, "speech", refused)
    return _back(f"{prompt.name}-{prompt.language}")


async def change_title(request: Request) -> Response:
    """Another title was sent."""
    try:
        await retitle(request, (await read_form(request, TitleChange)).title)
    except _FORESEEN as refused:
        return await _library_page(request, "list", refused)
    return _back("-".join(prompt_place(request)))


async def change_audio(request: Request) -> Response:
    """Another file was sent for a prompt."""
    try:
        async with read_upload(request) as upload:
            await replace_upload(request, upload)
    except _FORESEEN as refused:
        return await _library_page(request, "list", refused)
    return _back("-".join(prompt_place(request)))


async def take_away(request: Request) -> Response:
    """A prompt is to be deleted."""
    try:
        await drop_prompt(request)
    except _FORESEEN as refused:
        return await _library_page(request, "list", refused)
    return _back("library")


def _back(place: str) -> Response:
    return RedirectResponse(f"/prompts#{place}", status_code=303)


def _in_words(error: WebError) -> str:
    """What to say beside the form, which shows by itself which field is meant if there is but one."""
    if len(error.fields) != 1:
        return error.message
    field, message = error.fields[0].field, error.fields[0].message
    return message[:1].upper() + message[1:] if field in ("file", "text") else f"{field.capitalize()}: {message}"


async def _library_page(request: Request, where: str = "", refused: AttendantError | WebError | None = None) -> Response:
    """The page; with what was refused, beside the form that asked."""
    settings = services(request).settings
    prompts = await load_library(request)
    error = None if refused is None else as_web_error(refused)
    voices = await load_voices(request)
    context: dict[str, Any] = {
        "own": [prompt for prompt in prompts if prompt.kind != "builtin"],
        "builtin": [prompt for prompt in prompts if prompt.kind == "builtin" and prompt.language == LANGUAGES[0]],
        "uploaded": sum(prompt.kind == "uploaded" for prompt in prompts),
        "most_uploaded": settings.most_uploaded_prompts,
        "largest_bytes": LARGEST_FILE_BYTES,
        "longest_minutes": settings.longest_prompt_seconds / 60,
        "longest_text": LONGEST_TEXT,
        "languages": LANGUAGES,
        "language": settings.language,
        "voices": voices,
        "first_voice": next((voice.id for voice in voices if voice.language == settings.language), None),
        "how_to_add": HOW_TO_ADD,
        "error_at": where,
        "error": "" if error is None else _in_words(error),
    }
    return page(request, "prompts.html", context, 200 if error is None else error.status)
