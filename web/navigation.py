"""The pages' menu: groups, each with its pages; the first page of a group is where its name leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu, with all that is below its address; `of_the_team`: it lists employees (SKZ-67)."""

    address: str
    title: str
    of_the_team: bool = False

    def leads_to(self, path: str) -> bool:
        return path == self.address or path.startswith(f"{self.address}/")


@dataclass(frozen=True, slots=True)
class Group:
    """Some pages; `administrators`: of no concern to others."""

    title: str
    entries: tuple[Entry, ...]
    administrators: bool = False

    def leads_to(self, path: str) -> bool:
        return any(entry.leads_to(path) for entry in self.entries)


MENU: Final = (
    Group(
        "Calls",
        (
            Entry("/live", "Live"),
            Entry("/calls", "History"),
            Entry("/missed-calls", "Missed calls"),
            Entry("/voicemails", "Voicemails"),
        ),
    ),
    Group(
        "Scenarios",
        (
            Entry("/scenarios", "Scenarios"),
            Entry("/numbers", "Numbers"),
            Entry("/trunks", "Trunks"),
            Entry("/campaigns", "Campaigns"),
            Entry("/prompts", "Prompts"),
            Entry("/schedules", "Schedules"),
            Entry("/setup", "Set-up"),
        ),
    ),
    Group(
        "People",
        (
            Entry("/team", "Team", of_the_team=True),
            Entry("/groups", "Groups", of_the_team=True),
            Entry("/contacts", "Contacts"),
            Entry("/blocked-numbers", "Blocked numbers"),
            Entry("/forwarding-phones", "Phones to forward to"),
        ),
    ),
    Group("Costs", (Entry("/costs", "Costs"), Entry("/rates", "Rates")), administrators=True),
    Group("Outbox", (Entry("/outbox", "Outbox"),)),
    Group("My desk", (Entry("/desk", "My desk"),)),
)


def menu_for(*, administrator: bool, sees_team: bool) -> tuple[Group, ...]:
    """The menu as somebody sees it."""
    groups = (group for group in MENU if administrator or not group.administrators)
    if sees_team:
        return tuple(groups)
    return tuple(replace(group, entries=tuple(entry for entry in group.entries if not entry.of_the_team)) for group in groups)
