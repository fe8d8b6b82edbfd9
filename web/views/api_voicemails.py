"""Voicemails and the outbox in the API."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from controller.actions.voicemails import delete_letter, delete_voicemail, retry_letter, set_heard
from controller.errors import NotFound
from controller.storage.outbox import OutboxLetter, count_letters, get_letter, list_letters
from controller.storage.voicemails import Voicemail, get_voicemail, list_voicemails
from web.files import inside
from web.forms import read_json, read_query
from web.notice_models import (
    HeardChange,
    LetterQuery,
    LetterRetry,
    VoicemailList,
    VoicemailQuery,
    letter_list,
    letter_model,
    voicemail_model,
)
from web.rendering import ModelResponse
from web.security import acting_user, check_hearing
from web.services import services
from web.views.places import text_id


async def get_voicemails(request: Request) -> Response:
    """Voicemails, those of the newest calls first."""
    given, query = services(request), read_query(request, VoicemailQuery)
    found = await given.database.read(list_voicemails, query.heard, query.limit, query.before)
    return ModelResponse(VoicemailList(voicemails=[voicemail_model(one, given.settings.data_dir) for one in found]))


async def get_one_voicemail(request: Request) -> Response:
    """One voicemail."""
    given = services(request)
    found = await given.database.read(get_voicemail, text_id(request))
    return ModelResponse(voicemail_model(found, given.settings.data_dir))


async def get_voicemail_audio(request: Request) -> Response:
    """What the caller said."""
    check_hearing(request)
    given = services(request)
    found = await given.database.read(get_voicemail, text_id(request))
    file = None if found.path is None else inside(given.settings.data_dir, found.path)
    if file is None:
        raise NotFound("There is no recording of this voicemail.")
    return FileResponse(file, media_type="audio/wav")


async def put_heard(request: Request) -> Response:
    """Mark a voicemail as dealt with, or not."""
    changed = await mark_heard(request, (await read_json(request, HeardChange)).heard)
    return ModelResponse(voicemail_model(changed, services(request).settings.data_dir))


async def remove_voicemail(request: Request) -> Response:
    """Remove a voicemail and its file."""
    await drop_voicemail(request)
    return Response(status_code=204)


async def get_letters(request: Request) -> Response:
    """Letters of the outbox, newest first."""
    given, query = services(request), read_query(request, LetterQuery)
    found = await given.database.read(list_letters, query.state, query.limit, query.before)
    counts = await given.database.read(count_letters)
    return ModelResponse(letter_list([letter_model(one) for one in found], counts, given.settings.smtp_url is not None))


async def get_one_letter(request: Request) -> Response:
    """One letter."""
    return ModelResponse(letter_model(await services(request).database.read(get_letter, text_id(request))))


async def post_retry(request: Request) -> Response:
    """Try a letter again at once."""
    body = await read_json(request, LetterRetry, if_empty=LetterRetry())
    return ModelResponse(letter_model(await try_again(request, body.recipient)))


async def remove_letter(request: Request) -> Response:
    """Take a letter out of the outbox."""
    await drop_letter(request)
    return Response(status_code=204)


async def mark_heard(request: Request, heard: bool) -> Voicemail:
    """Mark a voicemail as dealt with, or not. Raises NotFound."""
    given, id = services(request), text_id(request)
    return await given.database.run(set_heard, id, heard, acting_user=acting_user(request), at=given.clock.now())


async def drop_voicemail(request: Request) -> None:
    """Remove a voicemail, and then its file. Raises Refused as long as its letter waits."""
    given = services(request)
    id, by, now = text_id(request), acting_user(request), given.clock.now()
    path = await given.database.run(delete_voicemail, id, acting_user=by, at=now)
    file = None if path is None else inside(given.settings.data_dir, path)
    if file is not None:
        await asyncio.to_thread(file.unlink, missing_ok=True)


async def try_again(request: Request, recipient: str | None) -> OutboxLetter:
    """Try a letter again at once, perhaps to another address. Raises as `retry_letter`."""
    given, id = services(request), text_id(request)
    return await given.database.run(retry_letter, id, recipient, acting_user=acting_user(request), at=given.clock.now())


async def drop_letter(request: Request) -> None:
    """Take a letter out of the outbox."""
    given = services(request)
    await given.database.run(delete_letter, text_id(request), acting_user=acting_user(request), at=given.clock.now())
