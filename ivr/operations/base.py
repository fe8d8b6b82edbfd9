"""What an operation is: parameters, named exits, and how it behaves while a caller is in it.

An operation is entered once per visit and answers each event with a step: stay (perhaps doing something) or leave by an
exit. It never looks at a clock and never waits. To add one, see README, "How the house is built".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from ivr.commands import Command
from ivr.events import Event, PlaybackId, TimerId, VisitId
from ivr.prompts import PromptRef


class Running(Protocol):
    """An operation with a caller in it; frozen, so that each event gives a new one."""

    def handle(self, event: Event) -> Step:
        """What happens next. An event that means nothing here: stay, unchanged."""
        ...


@dataclass(frozen=True, slots=True)
class Stay:
    """The caller stays in the node."""

    running: Running
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller leaves by an exit; `commands` tidy up before the next node is entered."""

    exit: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """The operation ends the call."""

    commands: tuple[Command, ...]


Step: TypeAlias = Stay | Leave | End


class Operation(BaseModel):
    """Parameters of one operation, checked; the docstring is the help text of the editor.

    REQUIRED_EXITS: an unlinked one is an error. OPTIONAL_EXITS: may stay unlinked; the help text says what that means.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    REQUIRED_EXITS: ClassVar[frozenset[str]] = frozenset()
    OPTIONAL_EXITS: ClassVar[frozenset[str]] = frozenset()
    TAKES_KEYS: ClassVar[bool] = False
    """Keys typed ahead, in the node before, are for this one."""
    ENDS_CALL: ClassVar[bool] = False
    """A call can end here other than by the caller's hanging up."""

    type: str

    def enter(self, visit: VisitId, linked: frozenset[str]) -> Step:
        """A caller arrives; `linked` are the exits of the node that lead somewhere."""
        raise NotImplementedError

    def allows_exit(self, name: str) -> bool:
        """Whether an exit of this name exists."""
        return name in self.REQUIRED_EXITS or name in self.OPTIONAL_EXITS

    def prompts(self) -> tuple[PromptRef, ...]:
        """Every prompt it may play."""
        return ()

    def groups(self) -> tuple[str, ...]:
        """Every operator group it may send a caller to."""
        return ()


def playback_id(visit: VisitId, number: int = 1) -> PlaybackId:
    """The id of the `number`-th playback of a visit."""
    return PlaybackId(f"{visit}.{number}")


def timer_id(visit: VisitId, number: int = 1) -> TimerId:
    """The id of the `number`-th timer of a visit."""
    return TimerId(f"{visit}.{number}")
