"""Information message (UIS-13, UIS-14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import Play
from ivr.events import Event, PlaybackFinished, PlaybackId, VisitId
from ivr.operations.base import Leave, Operation, Stay, Step, playback_id
from ivr.prompts import Prompt, PromptRef


class InfoMessage(Operation):
    """Plays a message to its end and goes on. Keys do not skip it, and nobody is rung before it is over."""

    REQUIRED_EXITS: ClassVar = frozenset({"next"})

    type: Literal["info_message"] = "info_message"
    message: tuple[Prompt, ...] = Field(min_length=1, max_length=20, description="prompts, played in order")

    def enter(self, visit: VisitId, linked: frozenset[str]) -> Step:
        playback = playback_id(visit)
        return Stay(_Playing(playback), (Play(playback, self.message),))

    def prompts(self) -> tuple[PromptRef, ...]:
        return self.message


@dataclass(frozen=True, slots=True)
class _Playing:
    playback: PlaybackId

    def handle(self, event: Event) -> Step:
        if isinstance(event, PlaybackFinished) and event.playback == self.playback:
            return Leave("next")
        return Stay(self)
