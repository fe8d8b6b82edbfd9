"""Which media Asterisk plays for a prompt."""

from __future__ import annotations

from collections.abc import Iterable

from controller.prompts.builtin import BUILTIN, LANGUAGES
from ivr.prompts import PromptRef


class PromptLibrary:
    """All prompts that exist."""

    @property
    def known(self) -> frozenset[tuple[str, str]]:
        """Every (name, language) there is."""
        return frozenset((name, language) for name in BUILTIN for language in LANGUAGES)

    def media(self, prompts: Iterable[PromptRef], language: str) -> tuple[str, ...]:
        """Media addresses for `Telephony.play`, in order; a prompt that does not exist is left out."""
        return tuple(
            f"sound:{prompt.language or language}/{recording}"
            for prompt in prompts
            if (prompt.language or language) in LANGUAGES
            for recording in BUILTIN.get(prompt.name, ())
        )
