"""What an operation is: parameters, named exits, and how it behaves while a caller is in it.

An operation is entered once per visit and answers each event with a step: stay (perhaps doing something), leave by an exit,
run another scenario, or end the call. It never looks at a clock and never waits. To add one, see README, "How the house is
built".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ivr.commands import Command, Connect
from ivr.events import ConversationEnded, Event, PlaybackFinished, PlaybackId, RoutingEnded, TimerId, VisitId
from ivr.prompts import Prompt, PromptRef

Prompts: TypeAlias = Annotated[tuple[Prompt, ...], Field(max_length=20)]
"""The type of a parameter with prompts that are played in order."""
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""The type of a parameter that names a group, a schedule and so on."""
ExitName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""The type of a parameter that gives the operation an exit."""
MAX_NUMBER_LENGTH = 32
"""No number that callers type is longer."""


class Running(Protocol):
    """An operation with a caller in it; frozen, so that each event gives a new one."""

    def handle(self, event: Event) -> Step:
        """What happens next. An event that means nothing here: stay, unchanged.

        `CallerHungUp` ends the call whatever comes back; the commands of an `End` are still carried out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller comes to a node: `linked` are its exits that lead somewhere, `entered` is the number that the operation before
    handed over (see Operation.NUMBER_EXITS).
    """

    visit: VisitId
    linked: frozenset[str] = frozenset()
    entered: str = ""


@dataclass(frozen=True, slots=True)
class Stay:
    """The caller stays in the node."""

    running: Running
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller leaves by an exit; `commands` tidy up before the next node is entered, which gets the number `entered`."""

    exit: str
    commands: tuple[Command, ...] = ()
    entered: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """The caller walks another scenario; where that ends without ending the call, he leaves this node by "next"."""

    scenario: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """The operation ends the call."""

    commands: tuple[Command, ...]


Step: TypeAlias = Stay | Leave | Insert | End


@dataclass(frozen=True, slots=True)
class Mention:
    """Something outside the scenario that an operation names, and in which of its parameters."""

    kind: Literal["group", "schedule", "extension", "caller_list", "tag", "language", "scenario"]
    name: str
    field: str


class Operation(BaseModel):
    """Parameters of one operation, checked; the docstring is the help text of the editor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    REQUIRED_EXITS: ClassVar[frozenset[str]] = frozenset()
    """An unlinked one is reported."""
    OPTIONAL_EXITS: ClassVar[frozenset[str]] = frozenset()
    """May stay unlinked; the help text says what that means."""
    CONCLUDING_EXITS: ClassVar[frozenset[str]] = frozenset()
    """Not linked, they end the call, even in an inserted scenario: the caller has got what he called for."""
    NUMBER_EXITS: ClassVar[frozenset[str]] = frozenset()
    """They hand over a number, and lead only to operations that take one."""
    TAKES_KEYS: ClassVar[bool] = False
    """Keys typed ahead, in the node before, are for this one, or for the next if it has no use for them."""
    SECRET_KEYS: ClassVar[bool] = False
    """What is typed here is stored nowhere."""
    ENDS_CALL: ClassVar[bool] = False
    """A call can end here other than by the caller's hanging up."""

    type: str

    def enter(self, arrival: Arrival) -> Step:
        """A caller arrives."""
        raise NotImplementedError

    def required_exits(self) -> frozenset[str]:
        """REQUIRED_EXITS, and what these parameters add or take away."""
        return self.REQUIRED_EXITS

    def optional_exits(self) -> frozenset[str]:
        """OPTIONAL_EXITS, and what these parameters add or take away."""
        return self.OPTIONAL_EXITS

    def unused_exits(self) -> Mapping[str, str]:
        """Exits that no caller can take with these parameters, and why."""
        return {}

    def takes_keys(self) -> bool:
        """TAKES_KEYS, unless the parameters say otherwise."""
        return self.TAKES_KEYS

    def takes_number(self) -> bool:
        """Whether it can work only with a number from the operation before."""
        return False

    def prompts(self) -> tuple[PromptRef, ...]:
        """Every prompt it may play."""
        return ()

    def mentions(self) -> tuple[Mention, ...]:
        """Everything else that must exist for it to work."""
        return ()

    def exits(self) -> frozenset[str]:
        """Every exit there is."""
        return self.required_exits() | self.optional_exits()

    def groups(self) -> tuple[str, ...]:
        """Every operator group it may send a caller to."""
        return tuple(mention.name for mention in self.mentions() if mention.kind == "group")

    def scenarios(self) -> tuple[str, ...]:
        """Every scenario it inserts."""
        return tuple(mention.name for mention in self.mentions() if mention.kind == "scenario")


@dataclass(frozen=True, slots=True)
class Playing:
    """A prompt is played to its end; then comes the step `then`."""

    playback: PlaybackId
    then: Step

    def handle(self, event: Event) -> Step:
        if isinstance(event, PlaybackFinished) and event.playback == self.playback:
            return self.then
        return Stay(self)


@dataclass(frozen=True, slots=True)
class Reaching:
    """Somebody is searched for the caller, who then talks with him; who drops the call at once has not taken it, and the search
    goes on. Leaves by "failed" when there was no conversation, by "answered" after one; the step `unknown` follows when nobody
    has the number.
    """

    visit: VisitId
    unknown: Step = Leave("failed")

    def handle(self, event: Event) -> Step:
        match event:
            case RoutingEnded(visit, "answered") if visit == self.visit:
                return Stay(_Talking(visit), (Connect(visit),))
            case RoutingEnded(visit, "unknown_number") if visit == self.visit:
                return self.unknown
            case RoutingEnded(visit, _) if visit == self.visit:
                return Leave("failed")
            case _:
                return Stay(self)


@dataclass(frozen=True, slots=True)
class _Talking:
    visit: VisitId

    def handle(self, event: Event) -> Step:
        if isinstance(event, ConversationEnded) and event.visit == self.visit:
            return Leave("answered") if event.established else Stay(Reaching(self.visit))
        return Stay(self)


def playback_id(visit: VisitId, number: int = 1) -> PlaybackId:
    """The id of the `number`-th playback of a visit."""
    return PlaybackId(f"{visit}.{number}")


def timer_id(visit: VisitId, number: int = 1) -> TimerId:
    """The id of the `number`-th timer of a visit."""
    return TimerId(f"{visit}.{number}")
