"""Which media Asterisk plays for a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from controller.prompts.builtin import BUILTIN, LANGUAGES
from ivr.prompts import PromptRef


class PromptLibrary:
    """All prompts that exist, in every language of LANGUAGES.

    `recordings` lists the files of each: one of Asterisk's sound packages, named by its path in a language's folder, or an
    absolute path, which then serves every language. Without their extension.
    """

    def __init__(self, recordings: Mapping[str, Sequence[str]] = BUILTIN) -> None:
        self._recordings = recordings

    @property
    def known(self) -> frozenset[tuple[str, str]]:
        """Every (name, language) there is."""
        return frozenset((name, language) for name in self._recordings for language in LANGUAGES)

    def media(self, prompts: Iterable[PromptRef], language: str) -> tuple[str, ...]:
        """Media addresses for `Telephony.play`, in order; a prompt that does not exist is left out."""
        return tuple(
            f"sound:{recording}" if recording.startswith("/") else f"sound:{prompt.language or language}/{recording}"
            for prompt in prompts
            if (prompt.language or language) in LANGUAGES
            for recording in self._recordings.get(prompt.name, ())
        )
