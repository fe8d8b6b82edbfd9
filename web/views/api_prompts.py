"""Prompts in the API; what the pages do with prompts is done here as well."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from controller.actions.prompts import (
    PromptDetails,
    add_prompt,
    all_uses,
    remove_prompt,
    replace_sound,
    retitle_prompt,
    title_from_file,
)
from controller.bus import PromptsChanged
from controller.errors import FieldProblem, InvalidInput, NotFound
from controller.prompts.builtin import BUILTIN, LANGUAGES
from controller.prompts.files import PromptFolder
from controller.prompts.speech import HOW_TO_ADD, Voice, find_voices
from controller.storage import Session
from controller.storage.prompts import StoredPrompt, get_prompt, list_prompts
from web.forms import read_json
from web.prompt_models import (
    NewSpeech,
    PromptList,
    PromptModel,
    TitleChange,
    VoiceList,
    builtin_prompts,
    own_prompt,
    voice_model,
)
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services, workshop
from web.uploads import Upload, disk_errors, read_upload

_MEDIA_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "wma": "audio/x-ms-wma", "ogg": "audio/ogg", "m4a": "audio/mp4"}


async def get_prompts(request: Request) -> Response:
    """All prompts."""
    return ModelResponse(PromptList(prompts=await load_library(request)))


async def get_one_prompt(request: Request) -> Response:
    """One prompt in one language."""
    name, language = prompt_place(request)
    found = (prompt for prompt in await load_library(request) if (prompt.name, prompt.language) == (name, language))
    prompt = next(found, None)
    if prompt is None:
        raise NotFound(f'there is no prompt "{name}" in the language {language}')
    return ModelResponse(prompt)


async def post_prompt(request: Request) -> Response:
    """A new prompt from a sound file."""
    async with read_upload(request) as upload:
        prompt = await store_upload(request, upload)
    return ModelResponse(own_prompt(prompt, {}, False), 201)


async def put_prompt_audio(request: Request) -> Response:
    """Another sound file for a prompt."""
    async with read_upload(request) as upload:
        await replace_upload(request, upload)
    return await get_one_prompt(request)


async def post_speech(request: Request) -> Response:
    """A new prompt from a text."""
    prompt = await store_speech(request, await read_json(request, NewSpeech))
    return ModelResponse(own_prompt(prompt, {}, False), 201)


async def get_voices(request: Request) -> Response:
    """Who can speak a text."""
    voices = await load_voices(request)
    return ModelResponse(VoiceList(voices=[voice_model(voice) for voice in voices], how_to_add=None if voices else HOW_TO_ADD))


async def patch_prompt(request: Request) -> Response:
    """Another title."""
    await retitle(request, (await read_json(request, TitleChange)).title)
    return await get_one_prompt(request)


async def delete_prompt(request: Request) -> Response:
    """Take a prompt away."""
    await drop_prompt(request)
    return Response(status_code=204)


async def get_prompt_audio(request: Request) -> Response:
    """What callers hear, as WAV; in ranges if the player asks so."""
    prompt = await _own_prompt(request)
    file = _folder(request).preview(prompt.name, prompt.language)
    if not await asyncio.to_thread(file.is_file):
        raise NotFound("The sound file of this prompt has disappeared.")
    return FileResponse(file, media_type="audio/wav")


async def get_prompt_original(request: Request) -> Response:
    """The file as it was sent."""
    prompt = await _own_prompt(request)
    file = _folder(request).original(prompt.name, prompt.language, prompt.original_format)
    if not await asyncio.to_thread(file.is_file):
        raise NotFound("The original of this prompt has disappeared.")
    name = f"{prompt.name}-{prompt.language}.{prompt.original_format}"
    return FileResponse(file, media_type=_MEDIA_TYPES[prompt.original_format], filename=name)


async def load_library(request: Request) -> list[PromptModel]:
    """The installation's own prompts, then those that ship."""
    return await services(request).database.read(_library, _folder(request))


async def load_voices(request: Request) -> list[Voice]:
    """The voices of this machine."""
    return await asyncio.to_thread(find_voices, services(request).settings.data_dir / "voices")


async def store_upload(request: Request, upload: Upload) -> StoredPrompt:
    """A new prompt from a file. Raises as `add_prompt`, and WebError when the disk does not take it."""
    given, fields = services(request), upload.fields
    title = fields.get("title") or title_from_file(upload.file_name)
    language = fields.get("language", given.settings.language)
    details = PromptDetails(title, language, "uploaded", fields.get("name"), upload.file_name)
    with disk_errors():
        async with workshop(request).prepared(upload.file) as sound:
            by, now, most = acting_user(request), given.clock.now(), given.settings.most_uploaded_prompts
            prompt = await given.database.run(add_prompt, _folder(request), sound, details, most, acting_user=by, at=now)
    given.bus.send(PromptsChanged())
    return prompt


async def replace_upload(request: Request, upload: Upload) -> None:
    """Another sound for a prompt. Raises as `replace_sound`, and WebError when the disk does not take it."""
    given, (name, language) = services(request), prompt_place(request)
    details = PromptDetails("", language, "uploaded", name, upload.file_name)
    await given.database.read(get_prompt, name, language)
    with disk_errors():
        async with workshop(request).prepared(upload.file) as sound:
            by, now, most = acting_user(request), given.clock.now(), given.settings.most_uploaded_prompts
            await given.database.run(replace_sound, _folder(request), sound, name, details, most, acting_user=by, at=now)
    given.bus.send(PromptsChanged())


async def store_speech(request: Request, new: NewSpeech) -> StoredPrompt:
    """A new prompt from a text. Raises as `add_prompt`; InvalidInput: no such voice, or it can't speak the text."""
    given = services(request)
    voice = next((voice for voice in await load_voices(request) if voice.id == new.voice), None)
    if voice is None:
        raise InvalidInput("voice: there is no such voice here", [FieldProblem("voice", "there is no such voice here")])
    details = PromptDetails(new.title, voice.language, "speech", new.name, text=new.text, voice=voice.id)
    with disk_errors():
        async with workshop(request).spoken(new.text, voice) as sound:
            by, now = acting_user(request), given.clock.now()
            prompt = await given.database.run(add_prompt, _folder(request), sound, details, 0, acting_user=by, at=now)
    given.bus.send(PromptsChanged())
    return prompt


async def retitle(request: Request, title: str) -> None:
    """Another title for a prompt."""
    given, (name, language) = services(request), prompt_place(request)
    by, now = acting_user(request), given.clock.now()
    await given.database.run(retitle_prompt, name, language, title, acting_user=by, at=now)


async def drop_prompt(request: Request) -> None:
    """Take a prompt away, and then its files. Raises Refused when it is in use."""
    given, (name, language) = services(request), prompt_place(request)
    by, now = acting_user(request), given.clock.now()
    await given.database.run(remove_prompt, name, language, acting_user=by, at=now)
    given.bus.send(PromptsChanged())
    await asyncio.to_thread(_folder(request).remove, name, language)


def prompt_place(request: Request) -> tuple[str, str]:
    """Name and language of the address."""
    return str(request.path_params["name"]), str(request.path_params["language"])


async def _own_prompt(request: Request) -> StoredPrompt:
    name, language = prompt_place(request)
    if name in BUILTIN and language in LANGUAGES:
        raise NotFound("This prompt ships with Attendant: its recordings are Asterisk's.")
    return await services(request).database.read(get_prompt, name, language)


def _folder(request: Request) -> PromptFolder:
    return workshop(request).folder


def _library(session: Session, folder: PromptFolder) -> list[PromptModel]:
    uses = all_uses(session)
    own = (own_prompt(prompt, uses, not folder.is_there(prompt.name, prompt.language)) for prompt in list_prompts(session))
    return [*own, *builtin_prompts(uses)]
