"""A file that was sent in a form, with the form's other fields."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request

from controller.prompts.facts import invalid_file
from web.errors import WebError


@dataclass(frozen=True, slots=True)
class Upload:
    """`file_name` is what the sender calls the file: text for people, never a path. An empty field is the same as none."""

    file: BinaryIO
    file_name: str
    fields: dict[str, str]


@asynccontextmanager
async def read_upload(request: Request) -> AsyncIterator[Upload]:
    """The form's file and fields; the file is gone at the end of the block.

    Raises InvalidInput: no file; WebError: no such form, too large, or broken off.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise WebError(415, "not_a_form", "Send the file in a form: multipart/form-data with the field file.")
    try:
        form = await request.form(max_files=1, max_fields=10)
    except ClientDisconnect:
        raise WebError(400, "bad_request", "The upload was broken off.") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise invalid_file("choose a file")
        fields = {name: value.strip() for name, value in form.items() if isinstance(value, str) and value.strip()}
        yield Upload(file.file, file.filename, fields)
    finally:
        await form.close()


@contextmanager
def disk_errors() -> Iterator[None]:
    """A disk that does not take a sound is answered with 507."""
    try:
        yield
    except OSError as error:
        raise WebError(507, "no_room", f"The sound could not be stored: {error.strerror}.") from error
