"""Walks a caller through a scenario: an event in, the next state and commands out. Pure; the same function serves live
calls, the simulator and tests.

Rules:
- The line is opened (`Answer`) before the first command that needs it, so a scenario may refuse a call unanswered.
- An exit that is not linked, or leads to a node that does not exist, ends the call. In an inserted scenario it ends only that,
  and the caller leaves the node that inserted it by "next"; except an exit that concludes the call ("answered").
- A scenario that is not there, or inserted deeper than MAX_DEPTH, is passed over.
- A key that a node has no use for is kept for the next one, if that takes keys (type-ahead), and forgotten if not.
- Keys typed where they are secret are noted as MASK; so are keys that nobody took, in a bundle that asks for a secret anywhere:
  they may have been meant for that.
- MAX_IDLE_VISITS nodes entered in a row without anything that takes time (a prompt played, a wait, a key, a conversation) is a
  loop that would never let the caller be: the run ends as "looping".
- When the caller hangs up, the operation may still have something done (a voicemail saved).
- After the end every event gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, cast

from ivr.commands import NEEDS_OPEN_LINE, Answer, CancelTimer, Command, Hangup, Play, StartTimer, StopPlayback
from ivr.events import (
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    Key,
    PlaybackFinished,
    RecordingFinished,
    TimerExpired,
    VisitId,
)
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle
from ivr.operations.base import Arrival, End, Insert, Leave, Running, Stay, Step

MAX_IDLE_VISITS = 50
MAX_TYPED_AHEAD = 32
MAX_DEPTH = 10
MASK: Final = "•"
_BEFORE_THE_FIRST = VisitId(0)
EndReason: TypeAlias = Literal["scenario_ended", "caller_hung_up", "looping"]


@dataclass(frozen=True, slots=True)
class Entered:
    """The caller came to a node; `scenario` is the name of the inserted scenario that it belongs to, None for the call's own."""

    visit: VisitId
    node: NodeId
    operation: str
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    """The node took these keys, or they were pressed in it in vain; MASK stands for each that is secret."""

    visit: VisitId
    digits: str


@dataclass(frozen=True, slots=True)
class Left:
    """The caller left a node; `exit` is None when the call ended in it. The visits of an inserted scenario lie between the
    entering and the leaving of the node that inserted it.
    """

    visit: VisitId
    exit: str | None


Move: TypeAlias = Entered | Typed | Left


@dataclass(frozen=True, slots=True)
class Frame:
    """A node whose inserted scenario the caller is in; `scenario` is the one that the node belongs to."""

    scenario: str | None
    node: NodeId
    visit: VisitId


@dataclass(frozen=True, slots=True)
class Run:
    """Where a call is: in `node` of `scenario` (None: the bundle's root), on its `visit`; `visits` counts them all. `running`
    is None before the start and after the end; `typed` are keys kept for the next node; `frames` lead back out of inserted
    scenarios, the innermost last.
    """

    bundle: ScenarioBundle
    scenario: str | None = None
    visit: VisitId = _BEFORE_THE_FIRST
    visits: int = 0
    node: NodeId | None = None
    running: Running | None = None
    frames: tuple[Frame, ...] = ()
    line_open: bool = False
    idle_visits: int = 0
    typed: str = field(default="", repr=False)
    ended: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The result of one event: the new state, what to do in this order, and the nodes left and entered on the way."""

    run: Run
    commands: tuple[Command, ...] = ()
    moves: tuple[Move, ...] = ()


def start(scenario: Scenario | ScenarioBundle) -> Transition:
    """The call arrives."""
    bundle = scenario if isinstance(scenario, ScenarioBundle) else ScenarioBundle(scenario)
    walk = _Walk(Run(bundle))
    first = bundle.root.start
    walk.follow(walk.enter(first) if first in bundle.root.nodes else End((Hangup(),)))
    return walk.transition()


def advance(run: Run, event: Event) -> Transition:
    """Something happened to the call."""
    if run.running is None:
        return Transition(run)
    step = run.running.handle(event)
    if isinstance(event, CallerHungUp):
        walk = _Walk(run)
        walk.commands += step.commands if isinstance(step, End) else ()
        walk.end("caller_hung_up")
        return walk.transition()
    if step == Stay(run.running):
        return Transition(_kept(run, event))
    walk = _Walk(replace(run, idle_visits=0) if _takes_time(event) else run)
    if isinstance(event, DigitReceived):
        walk.note_taken(event.digit)
    walk.follow(step)
    return walk.transition()


def _kept(run: Run, event: Event) -> Run:
    """A key that meant nothing waits for the next node."""
    if isinstance(event, DigitReceived) and len(run.typed) < MAX_TYPED_AHEAD:
        return replace(run, typed=run.typed + event.digit)
    return run


def _takes_time(event: Event) -> bool:
    """Whether the caller has heard, done or waited for something before this."""
    match event:
        case DigitReceived() | TimerExpired():
            return True
        case PlaybackFinished(_, failed):
            return not failed
        case RecordingFinished(_, seconds):
            return seconds > 0
        case ConversationEnded(_, established):
            return established
        case _:
            return False


class _Walk:
    """The way from one event until the call stays somewhere or ends."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.commands: list[Command] = []
        self.moves: list[Move] = []

    def follow(self, first: Step) -> None:
        step: Step | None = first
        while step is not None:
            self.commands += step.commands
            match step:
                case Stay(running):
                    step = self._stay(running)
                case Leave(exit, _, entered):
                    step = self._leave(exit, entered)
                case Insert(scenario):
                    step = self._insert(scenario)
                case End():
                    self.end("scenario_ended")
                    return

    def enter(self, target: NodeId, entered: str = "") -> Step:
        """Come to a node of the scenario."""
        run = self.run
        visit = VisitId(run.visits + 1)
        self.run = replace(run, visit=visit, visits=visit, node=target, idle_visits=run.idle_visits + 1)
        self.moves.append(Entered(visit, target, self._node.operation.type, run.scenario))
        return self._node.operation.enter(Arrival(visit, frozenset(self._node.links), entered))

    def note_taken(self, digit: str) -> None:
        """The operation took a key."""
        self.moves.append(Typed(self.run.visit, MASK if self._node.operation.SECRET_KEYS else digit))

    def end(self, reason: EndReason, exit: str | None = None) -> None:
        """The call is over, in every scenario it was in."""
        self._note_in_vain()
        if self.run.node is not None:
            self.moves.append(Left(self.run.visit, exit))
        self.moves += (Left(frame.visit, None) for frame in reversed(self.run.frames))
        self.run = replace(self.run, running=None, frames=(), ended=reason)

    def transition(self) -> Transition:
        """All of it; `Answer` stands before the first command that needs an open line, once per call."""
        run, commands = self.run, _without_unheard(self.commands)
        place = next((place for place, command in enumerate(commands) if isinstance(command, NEEDS_OPEN_LINE)), None)
        if place is not None and not run.line_open:
            commands.insert(place, Answer())
            run = replace(run, line_open=True)
        return Transition(run, tuple(commands), tuple(self.moves))

    def _stay(self, running: Running) -> Step | None:
        """Stay, with the next key typed ahead if the operation has a use for it."""
        self.run = replace(self.run, running=running)
        if not self.run.typed or not self._node.operation.takes_keys():
            return None
        digit, rest = self.run.typed[0], self.run.typed[1:]
        step = running.handle(DigitReceived(cast(Key, digit)))
        if step == Stay(running):
            return None
        self.run = replace(self.run, typed=rest, idle_visits=0)
        self.note_taken(digit)
        return step

    def _leave(self, exit: str, entered: str) -> Step | None:
        target = self._node.links.get(exit)
        if target in self._scenario.nodes:
            return self._go_on(exit, target, entered)
        if not self.run.frames or exit in self._node.operation.CONCLUDING_EXITS:
            self.commands.append(Hangup())
            self.end("scenario_ended", exit)
            return None
        self.moves.append(Left(self.run.visit, exit))
        return self._return()

    def _go_on(self, exit: str, target: NodeId, entered: str) -> Step | None:
        if self.run.idle_visits >= MAX_IDLE_VISITS:
            self.end("looping", exit)
            return None
        if not self._scenario.nodes[target].operation.takes_keys():
            self._note_in_vain()
        self.moves.append(Left(self.run.visit, exit))
        return self.enter(target, entered)

    def _insert(self, name: str) -> Step | None:
        scenario = self.run.bundle.scenario(name)
        run, node = self.run, self.run.node
        if scenario is None or scenario.start not in scenario.nodes or node is None or len(run.frames) >= MAX_DEPTH:
            return Leave("next")
        if run.idle_visits >= MAX_IDLE_VISITS:
            self.end("looping")
            return None
        if not scenario.nodes[scenario.start].operation.takes_keys():
            self._note_in_vain()
        frame = Frame(run.scenario, node, run.visit)
        self.run = replace(self.run, scenario=name, frames=(*run.frames, frame))
        return self.enter(scenario.start)

    def _return(self) -> Step:
        """Back to the node that inserted the scenario which has ended."""
        *outer, frame = self.run.frames
        self.run = replace(self.run, scenario=frame.scenario, node=frame.node, visit=frame.visit, frames=tuple(outer))
        return Leave("next")

    def _note_in_vain(self) -> None:
        """Keys that nobody took are forgotten."""
        if self.run.typed:
            secret = any(node.operation.SECRET_KEYS for node in self.run.bundle.nodes())
            self.moves.append(Typed(self.run.visit, MASK * len(self.run.typed) if secret else self.run.typed))
            self.run = replace(self.run, typed="")

    @property
    def _scenario(self) -> Scenario:
        scenario = self.run.bundle.scenario(self.run.scenario)
        assert scenario is not None
        return scenario

    @property
    def _node(self) -> Node:
        assert self.run.node is not None
        return self._scenario.nodes[self.run.node]


def _without_unheard(commands: list[Command]) -> list[Command]:
    """Leave out prompts and timers that are stopped in the moment in which they begin."""
    stopped = {_stopped(command) for command in commands}
    begun = {_begun(command) for command in commands}
    gone = (stopped & begun) - {None}
    return [command for command in commands if _stopped(command) not in gone and _begun(command) not in gone]


def _begun(command: Command) -> tuple[str, str] | None:
    match command:
        case Play(playback):
            return "playback", playback
        case StartTimer(timer):
            return "timer", timer
        case _:
            return None


def _stopped(command: Command) -> tuple[str, str] | None:
    match command:
        case StopPlayback(playback):
            return "playback", playback
        case CancelTimer(timer):
            return "timer", timer
        case _:
            return None
