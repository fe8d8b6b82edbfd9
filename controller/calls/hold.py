"""What a caller hears while somebody is searched for him (SKZ-43 to SKZ-47, "Unified: Prompts"): pure, `holding` carries it out.

    somebody is rung for him:   arrival, waiting, waiting, …
    all are busy:               arrival, all busy, waiting, all busy, waiting, …
    … and he is to be told:     arrival, all busy, announcement, waiting, …, all busy, announcement, waiting, …

How he stands in the line of a group that wants that he is told once at the beginning and then in the group's interval, behind the
all-busy prompt; a melody and music are cut short for it, words are not.

What changes meanwhile counts from the end of what plays at the moment. The standard waiting prompt is a spoken one, so music
follows it; one's own is a melody, played over and over. When nobody can be reached the search ends before anything is played.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from controller.prompts.announcements import place_prompt, wait_prompt
from controller.routing import Outlook, Situation
from controller.storage.groups import GroupTerms
from ivr.commands import HoldPrompts
from ivr.lines import LinePrompts
from ivr.prompts import LINE_WAITING, PromptRef

Element: TypeAlias = Literal["arrival", "all_busy", "announcement", "waiting", "music"]

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
        """What is always the same of an element: nothing of music and announcements."""
        played: dict[Element, tuple[PromptRef, ...]] = {
            "arrival": self.arrival,
            "all_busy": self.all_busy,
            "waiting": self.waiting,
        }
        return played.get(element, ())

    def may_be_cut(self, element: Element) -> bool:
        """Whether it is a sound to wait by, and no words."""
        return element == "music" or (element == "waiting" and not self.music)


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


def following(treatment: Treatment, last: Element | None, situation: Situation, *, news: bool = False) -> Element:
    """What comes after `last`; None is the beginning. `news`: it is time to tell the caller how he stands."""
    if last is None and treatment.arrival:
        return "arrival"
    told = news and situation == "busy" and last != "announcement"
    if last == "waiting" and treatment.music and not told:
        return "music"
    if situation == "busy" and last not in ("all_busy", "announcement") and treatment.all_busy:
        return "all_busy"
    if told:
        return "announcement"
    return "waiting" if treatment.waiting else "music"


def announcement(terms: GroupTerms, outlook: Outlook | None, language: str) -> tuple[PromptRef, ...]:
    """What a caller who stands so in the line of a group with these terms is told; nothing when nothing can be said."""
    if outlook is None or terms.announce_every is None:
        return ()
    place = place_prompt(outlook.position) if terms.announce_place else None
    known = terms.announce_wait and outlook.expected_wait is not None
    wait = wait_prompt(outlook.expected_wait or 0, language) if known else None
    return tuple(prompt for prompt in (place, wait) if prompt is not None)


def _treatment(arrival: tuple[PromptRef, ...], all_busy: tuple[PromptRef, ...], waiting: tuple[PromptRef, ...]) -> Treatment:
    spoken = all(prompt.name == LINE_WAITING.name for prompt in waiting)
    return Treatment(arrival, all_busy, waiting, music=spoken)
