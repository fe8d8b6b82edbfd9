"""Walks a caller through a scenario: an event in, the next state and commands out. Pure; the same function serves live
calls, the simulator and tests.

Rules:
- The line is opened (`Answer`) before the first command that needs it, so a scenario may refuse a call unanswered.
- An exit that is not linked, or leads to a node that does not exist, ends the call.
- A key that a node has no use for is kept for the next one, if that takes keys (type-ahead), and forgotten if not.
- MAX_IDLE_VISITS nodes left in a row without anything that takes time (a prompt played, a wait, a key, a conversation) is a
  loop that would never let the caller be: the run ends as "looping".
- After the end every event gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from ivr.commands import NEEDS_OPEN_LINE, Answer, Command, Hangup, Play, StopPlayback
from ivr.events import CallerHungUp, ConversationEnded, DigitReceived, Event, Key, PlaybackFinished, TimerExpired, VisitId
from ivr.graph import Node, NodeId, Scenario
from ivr.operations.base import End, Leave, Running, Stay, Step

MAX_IDLE_VISITS = 50
MAX_TYPED_AHEAD = 32
_BEFORE_THE_FIRST = VisitId(0)
EndReason: TypeAlias = Literal["scenario_ended", "caller_hung_up", "looping"]


@dataclass(frozen=True, slots=True)
class Entered:
    """The caller came to a node."""

    visit: VisitId
    node: NodeId
    operation: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The node took these keys, or they were pressed in it in vain."""

    visit: VisitId
    digits: str


@dataclass(frozen=True, slots=True)
class Left:
    """The caller left a node; `exit` is None when the call ended in it."""

    visit: VisitId
    exit: str | None


Move: TypeAlias = Entered | Typed | Left


@dataclass(frozen=True, slots=True)
class Run:
    """Where a call is. `running` is None before the start and after the end; `typed` are keys kept for the next node."""

    scenario: Scenario
    visit: VisitId = _BEFORE_THE_FIRST
    node: NodeId | None = None
    running: Running | None = None
    line_open: bool = False
    idle_visits: int = 0
    typed: str = ""
    ended: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The result of one event: the new state, what to do in this order, and the nodes left and entered on the way."""

    run: Run
    commands: tuple[Command, ...] = ()
    moves: tuple[Move, ...] = ()


def start(scenario: Scenario) -> Transition:
    """The call arrives."""
    walk = _Walk(Run(scenario))
    walk.follow(walk.enter(scenario.start) if scenario.start in scenario.nodes else End((Hangup(),)))
    return walk.transition()


def advance(run: Run, event: Event) -> Transition:
    """Something happened to the call."""
    if run.running is None:
        return Transition(run)
    if isinstance(event, CallerHungUp):
        walk = _Walk(run)
        walk.end("caller_hung_up")
        return walk.transition()
    step = run.running.handle(event)
    if step == Stay(run.running):
        return Transition(_kept(run, event))
    walk = _Walk(replace(run, idle_visits=0) if _takes_time(event) else run)
    if isinstance(event, DigitReceived):
        walk.moves.append(Typed(run.visit, event.digit))
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

    def follow(self, step: Step) -> None:
        while self.run.idle_visits < MAX_IDLE_VISITS:
            self.commands += step.commands
            match step:
                case Stay(running):
                    self.run = replace(self.run, running=running)
                    return
                case End():
                    self.end("scenario_ended")
                    return
                case Leave(exit):
                    target = self._node.links.get(exit)
                    if target is None or target not in self.run.scenario.nodes:
                        self.commands.append(Hangup())
                        self.end("scenario_ended", exit)
                        return
                    self._leave(exit, target)
                    step = self.enter(target)
        self.end("looping")

    def enter(self, target: NodeId) -> Step:
        """Come to a node, with what was typed ahead."""
        run = self.run
        self.run = replace(run, visit=VisitId(run.visit + 1), node=target, idle_visits=run.idle_visits + 1)
        operation = self._node.operation
        self.moves.append(Entered(self.run.visit, target, operation.type))
        step = operation.enter(self.run.visit, frozenset(self._node.links))
        while self.run.typed and isinstance(step, Stay):
            digit = self.run.typed[0]
            self.run = replace(self.run, typed=self.run.typed[1:], idle_visits=0)
            self.moves.append(Typed(self.run.visit, digit))
            answer = step.running.handle(DigitReceived(cast(Key, digit)))
            step = replace(answer, commands=_without_unheard((*step.commands, *answer.commands)))
        return step

    def end(self, reason: EndReason, exit: str | None = None) -> None:
        self._note_typed()
        if self.run.node is not None:
            self.moves.append(Left(self.run.visit, exit))
        self.run = replace(self.run, running=None, ended=reason)

    def transition(self) -> Transition:
        """All of it; `Answer` stands before the first command that needs an open line, once per call."""
        run, commands = self.run, self.commands
        place = next((place for place, command in enumerate(commands) if isinstance(command, NEEDS_OPEN_LINE)), None)
        if place is not None and not run.line_open:
            commands.insert(place, Answer())
            run = replace(run, line_open=True)
        return Transition(run, tuple(commands), tuple(self.moves))

    def _leave(self, exit: str, target: NodeId) -> None:
        if not self.run.scenario.nodes[target].operation.TAKES_KEYS:
            self._note_typed()
        self.moves.append(Left(self.run.visit, exit))

    def _note_typed(self) -> None:
        if self.run.typed:
            self.moves.append(Typed(self.run.visit, self.run.typed))
            self.run = replace(self.run, typed="")

    @property
    def _node(self) -> Node:
        assert self.run.node is not None
        return self.run.scenario.nodes[self.run.node]


def _without_unheard(commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """Leave out prompts that are stopped before they could begin."""
    stopped = {command.playback for command in commands if isinstance(command, StopPlayback)}
    begun = {command.playback for command in commands if isinstance(command, Play)}
    unheard = stopped & begun
    return tuple(
        command for command in commands if not (isinstance(command, Play | StopPlayback) and command.playback in unheard)
    )
