"""Information message (UIS-13, UIS-14)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import Play
from ivr.operations.base import Arrival, Leave, Operation, Playing, Prompts, Stay, Step, playback_id
from ivr.prompts import PromptRef


class InfoMessage(Operation):
    """Plays a message to its end and goes on. Keys do not skip it, and nobody is rung before it is over."""

    REQUIRED_EXITS: ClassVar = frozenset({"next"})

    type: Literal["info_message"] = "info_message"
    message: Prompts = Field(min_length=1, description="prompts, played in order")

    def enter(self, arrival: Arrival) -> Step:
        playback = playback_id(arrival.visit)
        return Stay(Playing(playback, Leave("next")), (Play(playback, self.message),))

    def prompts(self) -> tuple[PromptRef, ...]:
        return self.message
