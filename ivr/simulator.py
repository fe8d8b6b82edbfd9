"""A scripted caller on a virtual clock: which path would he take? No time passes; the interpreter is the live one.

>>> simulate(scenario, [Press(after=2.0, digit="1"), Routing(outcome="answered")]).path
(Step(node="greeting", exit="next"), Step(node="menu", exit="1"), Step(node="sales", exit=None))
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ivr.commands import CancelTimer, Command, Connect, Play, RouteToGroup, StartTimer, StopPlayback
from ivr.events import (
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    Key,
    PlaybackFinished,
    RoutingEnded,
    RoutingOutcome,
    TimerExpired,
)
from ivr.graph import NodeId, Scenario
from ivr.interpreter import EndReason, Entered, Left, Run, Transition, Typed, advance, start
from ivr.prompts import PromptRef

MAX_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses a key `after` seconds since his last action or, for the first, since the call began."""

    after: float
    digit: Key


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up `after` seconds since his last action."""

    after: float


CallerAction: TypeAlias = Press | HangUp


@dataclass(frozen=True, slots=True)
class World:
    """What the call meets: how long prompts are, how searches for an operator end (in turn; the last one repeats), how long
    operators take to answer and talk. All in seconds.
    """

    prompt_seconds: Callable[[PromptRef], float] = lambda _: 3.0
    routing: Sequence[RoutingOutcome] = ("answered",)
    answer_seconds: float = 5.0
    talk_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the path; `exit` None: the call ended there. Times are seconds since the call began."""

    node: NodeId
    exit: str | None
    entered_at: float
    left_at: float


@dataclass(frozen=True, slots=True)
class Walk:
    """What the simulated caller went through."""

    path: tuple[Step, ...]
    ended: EndReason | None
    seconds: float
    commands: tuple[Command, ...]


@dataclass(slots=True)
class _Timeline:
    """Events to come, on the virtual clock."""

    now: float = 0.0
    _queue: list[tuple[float, int, Event]] = field(default_factory=list)
    _count: int = 0

    def add(self, delay: float, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + delay, self._count, event))

    def drop(self, matches: Callable[[Event], bool]) -> None:
        self._queue = [entry for entry in self._queue if not matches(entry[2])]
        heapq.heapify(self._queue)

    def next(self) -> Event | None:
        if not self._queue:
            return None
        self.now, _, event = heapq.heappop(self._queue)
        return event


def simulate(scenario: Scenario, caller: Sequence[CallerAction] = (), world: World | None = None) -> Walk:
    """Walk `scenario` until the call ends, or nothing more can happen, or after MAX_EVENTS events (`ended` is None then)."""
    return _Simulation(world or World()).walk(scenario, caller)


class _Simulation:
    def __init__(self, world: World) -> None:
        self._world = world
        self._timeline = _Timeline()
        self._routings = 0
        self._open: dict[int, tuple[NodeId, float]] = {}
        self._path: list[Step] = []
        self._commands: list[Command] = []

    def walk(self, scenario: Scenario, caller: Sequence[CallerAction]) -> Walk:
        delay = 0.0
        for action in caller:
            delay += action.after
            self._timeline.add(delay, DigitReceived(action.digit) if isinstance(action, Press) else CallerHungUp())
        run = self._apply(start(scenario))
        for _ in range(MAX_EVENTS):
            event = self._timeline.next() if run.ended is None else None
            if event is None:
                break
            run = self._apply(advance(run, event))
        return Walk(tuple(self._path), run.ended, self._timeline.now, tuple(self._commands))

    def _apply(self, transition: Transition) -> Run:
        now = self._timeline.now
        for move in transition.moves:
            match move:
                case Entered(visit, node):
                    self._open[visit] = (node, now)
                case Left(visit, exit):
                    node, entered_at = self._open.pop(visit)
                    self._path.append(Step(node, exit, entered_at, now))
                case Typed():
                    pass
        for command in transition.commands:
            self._commands.append(command)
            self._obey(command)
        return transition.run

    def _obey(self, command: Command) -> None:
        match command:
            case Play(playback, prompts):
                self._timeline.add(sum(map(self._world.prompt_seconds, prompts)), PlaybackFinished(playback))
            case StopPlayback(playback):
                self._timeline.drop(lambda event: isinstance(event, PlaybackFinished) and event.playback == playback)
                self._timeline.add(0, PlaybackFinished(playback))
            case StartTimer(timer, seconds):
                self._timeline.add(seconds, TimerExpired(timer))
            case CancelTimer(timer):
                self._timeline.drop(lambda event: event == TimerExpired(timer))
            case RouteToGroup(visit, _, max_wait):
                outcome = self._world.routing[min(self._routings, len(self._world.routing) - 1)]
                self._routings += 1
                delay = {"timeout": max_wait, "no_operators": 0.0}.get(outcome, self._world.answer_seconds)
                self._timeline.add(delay, RoutingEnded(visit, outcome))
            case Connect(visit):
                self._timeline.add(self._world.talk_seconds, ConversationEnded(visit))
            case _:
                pass
