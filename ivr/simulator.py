"""A scripted caller on a virtual clock: which path would he take? No time passes; the interpreter is the live one.

>>> from ivr.serialization import from_data
>>> way = {"1": "manager", "wait_expired": "end", "incorrect_input": "menu"}
>>> scenario = from_data({"schema_version": 2, "start": "menu", "nodes": {
...     "menu": {"operation": {"type": "menu", "prompt": ["choose"]}, "links": way},
...     "manager": {"operation": {"type": "personal_manager"}, "links": {"failed": "end"}},
...     "end": {"operation": {"type": "hang_up"}}}})
>>> walk = simulate(scenario, [Press(2.0, "7"), Press(4.0, "1")], World(has_manager=False))
>>> [(step.node, step.exit, step.left_at) for step in walk.path]
[('menu', 'incorrect_input', 2.0), ('menu', '1', 6.0), ('manager', 'failed', 6.0), ('end', None, 6.0)]
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ivr.commands import (
    CancelTimer,
    CheckCallback,
    CheckCaller,
    CheckSchedule,
    Command,
    Connect,
    LookUp,
    Play,
    Record,
    RequestCallback,
    RouteToExtension,
    RouteToExternal,
    RouteToGroup,
    RouteToManager,
    StartTimer,
    StopPlayback,
    StopRecording,
)
from ivr.events import (
    CallbackAnswered,
    CallbackOutcome,
    CallerChecked,
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    Key,
    LookupAnswered,
    PlaybackFinished,
    RecordingFinished,
    RoutingEnded,
    RoutingOutcome,
    ScheduleChecked,
    ScheduleState,
    TimerExpired,
    VisitId,
)
from ivr.graph import NodeId, Scenario, ScenarioBundle
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
class Caller:
    """What is known of the caller: is his number blocked, does a contact have it, and with which tags."""

    blocked: bool = False
    known: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """What another system answers `after` seconds; neither exit nor operator: nothing that can be used."""

    exit: str | None = None
    operator: str | None = None
    after: float = 0.5


@dataclass(frozen=True, slots=True)
class World:
    """What the call meets. Of each sequence the entries are used in turn, and the last one repeats. Times in seconds.

    routing: how searches for a person end. extensions: those that exist (None: any). schedule: how it stands when it is asked.
    callback: what comes of wanting one; "possible": it is offered, and is not possible any more when the caller accepts.
    message_seconds: how long the caller speaks into a voicemail before he falls silent.
    """

    prompt_seconds: Callable[[PromptRef], float] = lambda _: 3.0
    routing: Sequence[RoutingOutcome] = ("answered",)
    answer_seconds: float = 5.0
    talk_seconds: float = 60.0
    extensions: frozenset[str] | None = None
    has_manager: bool = True
    schedule: Sequence[ScheduleState] = ("open",)
    caller: Caller = Caller()
    replies: Sequence[Reply] = (Reply(),)
    callback: CallbackOutcome = "accepted"
    message_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the path, its `visit`-th; `exit` None: the call ended there. Times are seconds since the call began.
    `scenario` is the inserted scenario that the node belongs to, if any; a node that inserts one stands behind the nodes of that.
    """

    visit: VisitId
    node: NodeId
    exit: str | None
    entered_at: float
    left_at: float
    scenario: str | None = None


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


def simulate(scenario: Scenario | ScenarioBundle, caller: Sequence[CallerAction] = (), world: World | None = None) -> Walk:
    """Walk `scenario` until the call ends, or nothing more can happen, or after MAX_EVENTS events (`ended` is None then)."""
    return _Simulation(world or World()).walk(scenario, caller)


_T = TypeVar("_T")


class _Simulation:
    def __init__(self, world: World) -> None:
        self._world = world
        self._timeline = _Timeline()
        self._asked: dict[str, int] = {}
        self._open: dict[VisitId, Entered] = {}
        self._entered_at: dict[VisitId, float] = {}
        self._recording: tuple[Record, float] | None = None
        self._path: list[Step] = []
        self._commands: list[Command] = []

    def walk(self, scenario: Scenario | ScenarioBundle, caller: Sequence[CallerAction]) -> Walk:
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
                case Entered(visit):
                    self._open[visit] = move
                    self._entered_at[visit] = now
                case Left(visit, exit):
                    entered = self._open.pop(visit)
                    self._path.append(Step(visit, entered.node, exit, self._entered_at.pop(visit), now, entered.scenario))
                case Typed():
                    pass
        for command in transition.commands:
            self._commands.append(command)
            self._obey(command)
        return transition.run

    def _obey(self, command: Command) -> None:
        world, add = self._world, self._timeline.add
        match command:
            case Play(playback, prompts):
                add(sum(map(world.prompt_seconds, prompts)), PlaybackFinished(playback))
            case StopPlayback(playback):
                self._timeline.drop(lambda event: isinstance(event, PlaybackFinished) and event.playback == playback)
                add(0, PlaybackFinished(playback))
            case StartTimer(timer, seconds):
                add(seconds, TimerExpired(timer))
            case CancelTimer(timer):
                self._timeline.drop(lambda event: event == TimerExpired(timer))
            case Record(_, max_seconds, max_silence):
                self._recording = (command, self._timeline.now)
                self._end_recording(min(max_seconds, world.message_seconds + max_silence))
            case StopRecording(recording):
                self._timeline.drop(lambda event: isinstance(event, RecordingFinished) and event.recording == recording)
                self._end_recording(0)
            case RouteToGroup(visit, _, max_wait):
                self._search(visit, max_wait)
            case RouteToExtension(visit, extension):
                self._search(visit, exists=world.extensions is None or extension in world.extensions)
            case RouteToManager(visit):
                self._search(visit, exists=world.has_manager)
            case RouteToExternal(visit, _, ring_seconds):
                self._search(visit, ring_seconds)
            case Connect(visit):
                add(world.talk_seconds, ConversationEnded(visit))
            case CheckSchedule(visit):
                add(0, ScheduleChecked(visit, self._in_turn("schedule", world.schedule)))
            case CheckCaller(visit, _, tags):
                add(0, CallerChecked(visit, world.caller.blocked, world.caller.known, world.caller.tags.intersection(tags)))
            case LookUp(visit):
                reply = self._in_turn("lookup", world.replies)
                add(reply.after, LookupAnswered(visit, reply.exit, reply.operator))
            case CheckCallback(visit):
                add(0, CallbackAnswered(visit, "possible" if world.callback != "not_possible" else "not_possible"))
            case RequestCallback(visit):
                add(0, CallbackAnswered(visit, "accepted" if world.callback == "accepted" else "not_possible"))
            case _:
                pass

    def _search(self, visit: VisitId, longest: float | None = None, exists: bool = True) -> None:
        if not exists:
            self._timeline.add(0, RoutingEnded(visit, "unknown_number"))
            return
        outcome = self._in_turn("routing", self._world.routing)
        waited = self._world.answer_seconds if longest is None else longest
        delay = {"timeout": waited, "no_operators": 0.0, "unknown_number": 0.0}.get(outcome, self._world.answer_seconds)
        self._timeline.add(delay, RoutingEnded(visit, outcome))

    def _end_recording(self, delay: float) -> None:
        """The recording that is being made ends after `delay`."""
        if self._recording is not None:
            record, began = self._recording
            length = self._timeline.now + delay - began
            silence = max(0.0, length - self._world.message_seconds)
            self._timeline.add(delay, RecordingFinished(record.recording, length, silence))

    def _in_turn(self, what: str, entries: Sequence[_T]) -> _T:
        place = self._asked.get(what, 0)
        self._asked[what] = place + 1
        return entries[min(place, len(entries) - 1)]
