"""Own prompts as they travel between installations: what is known of each, and the file as it was sent."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.actions.prompts import PromptDetails
from controller.errors import Refused
from controller.prompts.files import PromptFolder
from controller.storage.prompts import PromptKind, StoredPrompt

_Text = Annotated[str, StringConstraints(max_length=200)]


class CarriedPrompt(BaseModel):
    """A prompt's facts; its file is found by them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    language: str = Field(pattern=r"^[a-z]{2}$")
    title: str = Field(min_length=1, max_length=64)
    kind: PromptKind
    format: Literal["mp3", "wav", "wma", "ogg", "m4a"]
    original_name: _Text
    text: str | None = Field(None, max_length=10_000)
    voice: _Text | None = None

    @property
    def key(self) -> tuple[str, str]:
        """How it is named."""
        return self.name, self.language

    @property
    def file(self) -> str:
        """Its place in the archive."""
        return f"prompts/{self.language}/{self.name}.{self.format}"

    def details(self) -> PromptDetails:
        """The same for the action."""
        return PromptDetails(self.title, self.language, self.kind, self.name, self.original_name, self.text, self.voice)


def carried(prompt: StoredPrompt) -> CarriedPrompt:
    """A prompt of the library."""
    return CarriedPrompt(
        name=prompt.name,
        language=prompt.language,
        title=prompt.title,
        kind=prompt.kind,
        format=prompt.original_format,
        original_name=prompt.original_name,
        text=prompt.text,
        voice=prompt.voice,
    )


def original(folder: PromptFolder, prompt: CarriedPrompt) -> bytes:
    """Its file. Raises Refused: it has disappeared."""
    try:
        return folder.original(prompt.name, prompt.language, prompt.format).read_bytes()
    except OSError as error:
        raise Refused(f'the file of the prompt "{prompt.title}" ({prompt.language}) can\'t be read: {error.strerror}') from error


def digest(content: bytes) -> str:
    """As the library keeps it of an original."""
    return hashlib.sha256(content).hexdigest()
