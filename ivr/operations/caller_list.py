"""Caller list: a branch by who calls (UIS-43)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ivr.commands import CheckCaller
from ivr.events import CallerChecked, Event
from ivr.operations.base import Arrival, ExitName, Leave, Mention, Name, Operation, Stay, Step

_OWN_EXITS: Final = frozenset({"blocked", "known", "unknown"})


class TagBranch(BaseModel):
    """Contacts with a tag leave by an exit of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exit: ExitName = Field(description="name of the exit")
    tag: Name = Field(description="the tag that a contact must carry")


class CallerList(Operation):
    """Branches by the caller's number. The first that fits: "blocked" when it is on the block list (not linked: the list is
    not looked at), the exit of the first tag that the caller's contact carries, "known" for other contacts, "unknown" for
    everybody else and for withheld numbers.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"known", "unknown"})
    OPTIONAL_EXITS: ClassVar = frozenset({"blocked"})
    TAKES_KEYS: ClassVar = True

    type: Literal["caller_list"] = "caller_list"
    block_list: Name | None = Field(None, description="name of the block list; none: the installation's own")
    tags: tuple[TagBranch, ...] = Field((), max_length=20, description="exits for tags, in this order")

    @field_validator("tags")
    @classmethod
    def _one_exit_each(cls, tags: tuple[TagBranch, ...]) -> tuple[TagBranch, ...]:
        exits = [branch.exit for branch in tags]
        taken = sorted({exit for exit in exits if exits.count(exit) > 1 or exit in _OWN_EXITS})
        if taken:
            raise ValueError(f'the exit "{taken[0]}" is there already')
        return tags

    def enter(self, arrival: Arrival) -> Step:
        tags = tuple(branch.tag for branch in self.tags)
        asked = CheckCaller(arrival.visit, self.block_list, tags, with_blocked="blocked" in arrival.linked)
        return Stay(_Checking(self, arrival), (asked,))

    def required_exits(self) -> frozenset[str]:
        return self.REQUIRED_EXITS | {branch.exit for branch in self.tags}

    def mentions(self) -> tuple[Mention, ...]:
        lists = () if self.block_list is None else (Mention("caller_list", self.block_list, "block_list"),)
        tags = (Mention("tag", branch.tag, f"tags.{place}.tag") for place, branch in enumerate(self.tags))
        return (*lists, *tags)


@dataclass(frozen=True, slots=True)
class _Checking:
    operation: CallerList
    arrival: Arrival

    def handle(self, event: Event) -> Step:
        if isinstance(event, CallerChecked) and event.visit == self.arrival.visit:
            return Leave(self._exit(event))
        return Stay(self)

    def _exit(self, caller: CallerChecked) -> str:
        if caller.blocked and "blocked" in self.arrival.linked:
            return "blocked"
        if not caller.known:
            return "unknown"
        return next((branch.exit for branch in self.operation.tags if branch.tag in caller.tags), "known")
