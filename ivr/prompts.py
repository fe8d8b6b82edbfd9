"""How a scenario names a prompt: by its name in the library, and its language if not the call's own.

Written in a document as "demo-greeting" (the call's language) or "demo-greeting:ru" (always Russian).
"""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

_WRITTEN = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.-]{0,63})(?::(?P<language>[a-z]{2}))?")


class PromptRef(NamedTuple):
    """A prompt of the library; `language` None means the language of the call."""

    name: str
    language: str | None = None

    def __str__(self) -> str:
        return self.name if self.language is None else f"{self.name}:{self.language}"


def parse_prompt(value: object) -> PromptRef:
    """Read "name" or "name:language".

    Raises ValueError for anything else.
    """
    if isinstance(value, PromptRef):
        return value
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a prompt is written "name" or "name:ru"; names have small letters, digits, "-", "_" and "."')
    return PromptRef(match["name"], match["language"])


Prompt = Annotated[PromptRef, BeforeValidator(parse_prompt), PlainSerializer(str, return_type=str)]
"""The type of an operation's parameter that holds a prompt."""

# The standard messages of operations and numbers: names of prompts that come with Attendant.
ENTER_CODE: Final = PromptRef("authorization")
ENTER_EXTENSION: Final = PromptRef("extension-entry")
SECOND_OF_SILENCE: Final = PromptRef("second-of-silence")
LEAVE_A_MESSAGE: Final = PromptRef("voicemail-greeting")
BEEP: Final = PromptRef("beep")
CALLBACK_OFFER: Final = PromptRef("callback-offer")
CALLBACK_ACCEPTED: Final = PromptRef("callback-accepted")
LINE_ARRIVAL: Final = PromptRef("line-arrival")
LINE_WAITING: Final = PromptRef("line-waiting")
LINE_ALL_BUSY: Final = PromptRef("line-busy")
LINE_NO_ANSWER: Final = PromptRef("line-no-answer")
LINE_OFF_HOURS: Final = PromptRef("line-off-hours")
