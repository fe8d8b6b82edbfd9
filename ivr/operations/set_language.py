"""Set caller language."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ivr.commands import SetLanguage as ChangeLanguage
from ivr.operations.base import Arrival, Leave, Mention, Operation, Step

_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]


class SetLanguage(Operation):
    """From here on the caller hears prompts in this language, except those that have a language of their own."""

    REQUIRED_EXITS: ClassVar = frozenset({"next"})
    TAKES_KEYS: ClassVar = True

    type: Literal["set_language"] = "set_language"
    language: _Language = Field(description="two letters, such as ru")

    def enter(self, arrival: Arrival) -> Step:
        return Leave("next", (ChangeLanguage(self.language),))

    def mentions(self) -> tuple[Mention, ...]:
        return (Mention("language", self.language, "language"),)
