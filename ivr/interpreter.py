"""Walks a caller through a scenario: an event in, the next state and commands out. Pure; the same function serves live
calls, the simulator and tests.

Rules:
- The line is opened (`Answer`) before the first command that needs it, so a scenario may refuse a call unanswered.
- An exit that is not linked ends the call.
- MAX_IDLE_VISITS nodes left in a row without anything that takes time (a prompt played, a wait, a key, a conversation) is a
  loop that would never let the caller be: the run ends as "looping".
- After the end every event gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ivr.commands import NEEDS_OPEN_LINE, Answer, Command, Hangup
from ivr.events import CallerHungUp, ConversationEnded, DigitReceived, Event, PlaybackFinished, TimerExpired, VisitId
from ivr.graph import Node, NodeId, Scenario
from ivr.operations.base import End, Leave, Running, Stay, Step

MAX_IDLE_VISITS = 50
_BEFORE_THE_FIRST = VisitId(0)
EndReason: TypeAlias = Literal["scenario_ended", "caller_hung_up", "looping"]


@dataclass(frozen=True, slots=True)
class Entered:
    """The caller came to a node."""

    visit: VisitId
    node: NodeId
    operation: str


@dataclass(frozen=True, slots=True)
class Left:
    """The caller left a node; `exit` is None when the call ended in it."""

    visit: VisitId
    exit: str | None


Move: TypeAlias = Entered | Left


@dataclass(frozen=True, slots=True)
class Run:
    """Where a call is. `running` is None before the start and after the end."""

    scenario: Scenario
    visit: VisitId = _BEFORE_THE_FIRST
    node: NodeId | None = None
    running: Running | None = None
    line_open: bool = False
    idle_visits: int = 0
    ended: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The result of one event: the new state, what to do in this order, and the nodes left and entered on the way."""

    run: Run
    commands: tuple[Command, ...] = ()
    moves: tuple[Move, ...] = ()


def start(scenario: Scenario) -> Transition:
    """The call arrives."""
    return _opening_the_line(_enter(Run(scenario), scenario.start))


def advance(run: Run, event: Event) -> Transition:
    """Something happened to the call."""
    if run.running is None:
        return Transition(run)
    if isinstance(event, CallerHungUp):
        return Transition(replace(run, running=None, ended="caller_hung_up"), (), (Left(run.visit, None),))
    step = run.running.handle(event)
    if step == Stay(run.running):
        return Transition(run)
    if _takes_time(event):
        run = replace(run, idle_visits=0)
    return _opening_the_line(_follow(run, step))


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


def _follow(run: Run, step: Step) -> Transition:
    """Take steps until the call stays somewhere or ends."""
    commands: tuple[Command, ...] = ()
    moves: tuple[Move, ...] = ()
    while run.idle_visits < MAX_IDLE_VISITS:
        commands += step.commands
        match step:
            case Stay(running):
                return Transition(replace(run, running=running), commands, moves)
            case End():
                return Transition(replace(run, running=None, ended="scenario_ended"), commands, (*moves, Left(run.visit, None)))
            case Leave(exit):
                moves += (Left(run.visit, exit),)
                target = _node(run).links.get(exit)
                if target is None:
                    return Transition(replace(run, running=None, ended="scenario_ended"), (*commands, Hangup()), moves)
                run, step, entered = _step_into(run, target)
                moves += (entered,)
    return Transition(replace(run, running=None, ended="looping"), commands, (*moves, Left(run.visit, None)))


def _enter(run: Run, target: NodeId) -> Transition:
    run, step, entered = _step_into(run, target)
    transition = _follow(run, step)
    return replace(transition, moves=(entered, *transition.moves))


def _step_into(run: Run, target: NodeId) -> tuple[Run, Step, Entered]:
    run = replace(run, visit=VisitId(run.visit + 1), node=target, idle_visits=run.idle_visits + 1)
    node = _node(run)
    step = node.operation.enter(run.visit, frozenset(node.links))
    return run, step, Entered(run.visit, target, node.operation.type)


def _node(run: Run) -> Node:
    assert run.node is not None
    return run.scenario.nodes[run.node]


def _opening_the_line(transition: Transition) -> Transition:
    """Put `Answer` before the first command that needs an open line, once per call."""
    run, commands = transition.run, transition.commands
    if run.line_open:
        return transition
    for place, command in enumerate(commands):
        if isinstance(command, NEEDS_OPEN_LINE):
            opened = (*commands[:place], Answer(), *commands[place:])
            return replace(transition, run=replace(run, line_open=True), commands=opened)
    return transition
