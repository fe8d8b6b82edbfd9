"""What a caller hears while somebody is searched for him (SKZ-43 to SKZ-47, "Unified: Prompts"): pure, `holding` carries it out.

    somebody is rung for him:   arrival, waiting, waiting, …
    all are busy:               arrival, all busy, waiting, all busy, waiting, …

What changes meanwhile counts from the end of what plays at the moment. The standard waiting prompt is a spoken one, so music
follows it; one's own is a melody, played over and over. When nobody can be reached the search ends before anything is played.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from controller.routing import Situation
from ivr.commands import HoldPrompts
from ivr.lines import LinePrompts
from ivr.prompts import LINE_WAITING, PromptRef

Element: TypeAlias = Literal["arrival", "all_busy", "waiting", "music"]

MUSIC_SECONDS: Final = 20.0
"""How long music plays between two waiting prompts."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """The prompts of one search; an element without prompts is left out, and music stands in for `waiting`.

    `music` follows every waiting prompt.
    """

    arrival: tuple[PromptRef, ...]
    all_busy: tuple[PromptRef, ...]
    waiting: tuple[PromptRef, ...]
    music: bool

    def prompts(self, element: Element) -> tuple[PromptRef, ...]:
        """What is played; nothing for music."""
        return {"arrival": self.arrival, "all_busy": self.all_busy, "waiting": self.waiting, "music": ()}[element]


def in_line(line: LinePrompts, chosen: HoldPrompts, greeted: bool) -> Treatment:
    """In a group's line: the number's prompts, or those that the scenario has chosen. The number's arrival prompt is for a caller
    who has heard nothing yet: whoever came through a scenario that spoke has been greeted.
    """
    arrival = () if greeted or line.arrival is None else (line.arrival,)
    return _treatment(
        arrival if chosen.arrival is None else chosen.arrival,
        (line.all_busy,) if chosen.all_busy is None else chosen.all_busy,
        (line.waiting,) if chosen.waiting is None else chosen.waiting,
    )


def for_person(line: LinePrompts) -> Treatment:
    """While one person is rung."""
    return _treatment((), (), (line.waiting,))


def following(treatment: Treatment, last: Element | None, situation: Situation) -> Element:
    """What comes after `last`; None is the beginning."""
    if last is None and treatment.arrival:
        return "arrival"
    if last == "waiting" and treatment.music:
        return "music"
    if situation == "busy" and last != "all_busy" and treatment.all_busy:
        return "all_busy"
    return "waiting" if treatment.waiting else "music"


def _treatment(arrival: tuple[PromptRef, ...], all_busy: tuple[PromptRef, ...], waiting: tuple[PromptRef, ...]) -> Treatment:
    spoken = all(prompt.name == LINE_WAITING.name for prompt in waiting)
    return Treatment(arrival, all_busy, waiting, music=spoken)
