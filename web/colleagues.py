"""Whom somebody means who types into the search line for colleagues (SKZ-64)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the team, and how he is."""

    extension: str
    name: str
    state: str

    @property
    def is_available(self) -> bool:
        """Whether he can be called, and given a caller (SKZ-64, SKZ-68)."""
        return self.state == "available"


def fitting(colleagues: Iterable[Colleague], typed: str) -> list[Colleague]:
    """Who has this extension or this whole name; else everybody whose extension begins with it, or whose name has words that
    begin with each of the words typed. Letters' case does not matter.
    """
    everybody, wanted = list(colleagues), typed.casefold().split()
    if not wanted:
        return []
    exact = [one for one in everybody if wanted in ([one.extension.casefold()], one.name.casefold().split())]
    return exact or [one for one in everybody if _fits(one, wanted)]


def _fits(colleague: Colleague, wanted: list[str]) -> bool:
    words = (colleague.extension, *colleague.name.casefold().split())
    return all(any(word.startswith(part) for word in words) for part in wanted)
