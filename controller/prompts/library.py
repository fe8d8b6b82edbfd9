"""Which media Asterisk plays for a prompt."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from controller.prompts.announcements import ANNOUNCEMENTS
from controller.prompts.builtin import BUILTIN, LANGUAGES, SILENCE
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, str]
"""Name and language."""
_BUILTIN: Mapping[Key, Sequence[str]] = {
    (name, language): prompt.recordings_in(language) for name, prompt in BUILTIN.items() for language in LANGUAGES
}
_ANNOUNCEMENTS: Mapping[Key, Sequence[str]] = {
    (name, language): prompt.recordings_in(language) for name, prompt in ANNOUNCEMENTS.items() for language in LANGUAGES
}


@dataclass(frozen=True, slots=True)
class OwnPrompts:
    """The installation's own prompts by name and language: all that there are, and those whose files have disappeared."""

    there: frozenset[Key] = frozenset()
    missing: frozenset[Key] = field(default=frozenset())


class PromptLibrary:
    """All prompts that exist, in every language of LANGUAGES: those that ship, and the installation's own.

    `folder` is that of the own ones, as Asterisk sees it. `shipped` takes the place of what ships: recordings by name, those of
    Asterisk's sound packages by their path in a language's folder, others as absolute paths; without their extension.
    """

    def __init__(self, shipped: Mapping[str, Sequence[str]] | None = None, folder: PurePosixPath | None = None) -> None:
        self._listed = _BUILTIN if shipped is None else _in_all_languages(shipped)
        self._shipped = {**_ANNOUNCEMENTS, **self._listed}
        self._folder = folder or PurePosixPath("/")
        self._own = OwnPrompts()

    @property
    def known(self) -> frozenset[Key]:
        """Every (name, language) there is for scenarios and numbers."""
        return frozenset(self._listed) | self._own.there

    def set_own(self, own: OwnPrompts) -> None:
        """What the installation's own prompts are from now on. Files that newly disappeared are named in the log."""
        for name, language in sorted(own.missing - self._own.missing):
            log.error('the sound file of the prompt "%s" (%s) is gone: callers hear a second of silence', name, language)
        self._own = own

    def media(self, prompts: Iterable[PromptRef], language: str) -> tuple[str, ...]:
        """Media addresses for `Telephony.play`, in order.

        A prompt that is not there in its language is played in another one: that is better than nothing. One whose file has
        disappeared is a second of silence. One that does not exist at all is left out, with a line in the log.
        """
        return tuple(address for prompt in prompts for address in self._media_of(prompt.name, prompt.language or language))

    def is_there(self, prompt: PromptRef, language: str) -> bool:
        """Whether something of its own is heard when it is played, be it in another language."""
        asked = prompt.language or language
        keys = [(prompt.name, asked), *((prompt.name, other) for other in LANGUAGES)]
        return any(key in self._shipped or key in self._own.there for key in keys)

    def _media_of(self, name: str, language: str) -> list[str]:
        for candidate in (language, *(other for other in LANGUAGES if other != language)):
            key = (name, candidate)
            if key in self._own.missing:
                continue
            if key in self._own.there:
                return [f"sound:{self._folder / candidate / name}"]
            if key in self._shipped:
                return [_address(recording, candidate) for recording in self._shipped[key]]
        if any(key[0] == name for key in self._own.missing):
            return [_address(recording, LANGUAGES[0]) for recording in _BUILTIN[SILENCE, LANGUAGES[0]]]
        log.warning('there is no prompt "%s": it is left out', name)
        return []


def _in_all_languages(recordings: Mapping[str, Sequence[str]]) -> dict[Key, Sequence[str]]:
    return {(name, language): files for name, files in recordings.items() for language in LANGUAGES}


def _address(recording: str, language: str) -> str:
    return f"sound:{recording}" if recording.startswith("/") else f"sound:{language}/{recording}"
