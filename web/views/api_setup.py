"""The whole set-up in the API; what the page does with it is done here as well."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.fields import invalid
from controller.actions.packing import pack
from controller.actions.setups import Setup, read_setup, read_zip, setup_files, sounds_to_convert, take_in
from controller.bus import PromptsChanged, ScenarioPublished
from controller.errors import InvalidInput
from controller.prompts.facts import PreparedSound
from controller.prompts.files import PromptFolder
from controller.storage import Session
from web.errors import WebError
from web.hidden_numbers import hidden_from
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services, workshop
from web.setup_models import SetupTaken, setup_taken
from web.uploads import Upload, disk_errors, read_upload


async def get_setup(request: Request) -> Response:
    """The set-up as a zip file. Who is no administrator gets none that holds a number which is hidden from him."""
    content, documents = await services(request).database.read(_packed, workshop(request).folder)
    if await hidden_from(request, documents):
        raise WebError(403, "forbidden", "The set-up holds numbers that are hidden from you: an administrator can download it.")
    header = 'attachment; filename="attendant-setup.zip"'
    return Response(content, media_type="application/zip", headers={"Content-Disposition": header})


async def post_setup(request: Request) -> Response:
    """Take a set-up in."""
    async with read_upload(request) as upload:
        return ModelResponse(await take_in_upload(request, upload))


async def take_in_upload(request: Request, upload: Upload) -> SetupTaken:
    """The set-up that was sent; with the field dry_run only what would come of it.

    Raises InvalidInput, Refused as `take_in`; WebError when the disk does not take the prompts.
    """
    trial = upload.fields.get("dry_run", "false").lower()
    if trial not in ("true", "false"):
        raise invalid("dry_run", "write true or false")
    given, maker = services(request), workshop(request)
    setup = await asyncio.to_thread(_read, upload.file)
    sounds: dict[tuple[str, str], PreparedSound | InvalidInput] = {}
    with disk_errors():
        async with AsyncExitStack() as prepared:
            for prompt in await given.database.read(sounds_to_convert, setup):
                try:
                    sounds[prompt.key] = await prepared.enter_async_context(maker.prepared(setup.sound_of(prompt)))
                except InvalidInput as error:
                    sounds[prompt.key] = error
            taken = await given.database.run(
                take_in,
                maker.folder,
                setup,
                sounds,
                given.prompts(),
                given.settings,
                trial=trial == "true",
                acting_user=acting_user(request),
                at=given.clock.now(),
            )
    if trial == "false":
        if taken.prompts:
            given.bus.send(PromptsChanged())
        if taken.directory:
            await given.directory_changed()
        for scenario in taken.published:
            given.bus.send(ScenarioPublished(scenario))
    return setup_taken(taken, trial == "true")


def _packed(session: Session, folder: PromptFolder) -> tuple[bytes, str]:
    """With the text of all its documents."""
    files = setup_files(session, folder)
    return pack(files), "\n".join(content.decode() for path, content in files.items() if path.endswith(".json"))


def _read(file: BinaryIO) -> Setup:
    return read_setup(read_zip(file))
