"""Prompts as the API gives and takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from controller.prompts.builtin import BUILTIN, LANGUAGES
from controller.prompts.speech import LONGEST_TEXT, Voice
from controller.storage.prompts import StoredPrompt

Title = Annotated[str, Field(min_length=1, max_length=64)]
Language = Annotated[str, Field(pattern="^[a-z]{2}$", description="en or ru")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
_FILE = {"type": "string", "format": "binary", "description": "mp3, wav, wma, ogg or m4a, at most 10 MB"}


class SoundUpload(BaseModel):
    """A form with a sound file, which takes the place of another."""

    file: Annotated[str, WithJsonSchema(_FILE)]


class NewUpload(SoundUpload):
    """A form with a sound file for a new prompt."""

    title: Title | None = Field(None, description="default: the file's name")
    language: Language | None = Field(None, description="default: the installation's language")
    name: Name | None = Field(None, description="how scenarios name it; default: made of the title")


class NewSpeech(BaseModel):
    """A text to be spoken."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    voice: str = Field(max_length=200, description="the id of a voice")
    title: Title
    name: Name | None = Field(None, description="how scenarios name it; default: made of the title")


class TitleChange(BaseModel):
    """Another title for a prompt."""

    model_config = ConfigDict(extra="forbid")

    title: Title


class PromptModel(BaseModel):
    """A prompt in one language. Of those that ship with Attendant no more is known than their names."""

    name: str = Field(description="how scenarios name it")
    language: str
    title: str
    kind: Literal["builtin", "uploaded", "recorded", "speech"]
    length_seconds: float | None = None
    loudness: float | None = Field(None, description="dB below full scale, RMS of what is not silent")
    waveform: list[float] = Field([], description="the highest level of equal parts, 0 to 1")
    original_name: str | None = None
    original_format: str | None = None
    text: str | None = None
    voice: str | None = None
    content_hash: str | None = Field(None, description="SHA-256 of the original")
    created_at: datetime | None = None
    updated_at: datetime | None = None
    missing: bool = Field(False, description="the sound file has disappeared: callers hear a second of silence")
    used_by: list[str] = Field([], description="who plays it, in words; it can't be deleted as long as there is one")


class PromptList(BaseModel):
    """All prompts by title: the installation's own, then those that ship with Attendant."""

    prompts: list[PromptModel]


class VoiceModel(BaseModel):
    """Somebody who can speak a text."""

    id: str
    title: str
    language: str


class VoiceList(BaseModel):
    """The voices of this machine, the best first; `how_to_add` says what to install if there is none."""

    voices: list[VoiceModel]
    how_to_add: str | None


Uses = Mapping[tuple[str, str], Sequence[str]]


def own_prompt(prompt: StoredPrompt, uses: Uses, missing: bool) -> PromptModel:
    """A prompt of the installation."""
    stored = prompt.model_dump(exclude={"id"})
    return PromptModel(**stored, missing=missing, used_by=list(uses.get((prompt.name, prompt.language), ())))


def builtin_prompts(uses: Uses) -> Iterator[PromptModel]:
    """Those that ship with Attendant, by title."""
    for name, prompt in sorted(BUILTIN.items(), key=lambda item: item[1].title):
        for language in LANGUAGES:
            used = list(uses.get((name, language), ()))
            yield PromptModel(name=name, language=language, title=prompt.title, kind="builtin", used_by=used)


def voice_model(voice: Voice) -> VoiceModel:
    """A voice."""
    return VoiceModel(id=voice.id, title=voice.title, language=voice.language)
