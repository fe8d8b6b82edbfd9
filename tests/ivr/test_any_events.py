"""Any graph of all operations, and any order of events: right ones, late ones, wrong ids, the same twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.commands import (
    Answer,
    CheckCaller,
    CheckSchedule,
    Command,
    Hangup,
    Play,
    Record,
    RouteToExtension,
    RouteToExternal,
    RouteToGroup,
    RouteToManager,
    SaveVoicemail,
    StartTimer,
)
from ivr.events import (
    KEYS,
    CallbackAnswered,
    CallbackOutcome,
    CallerChecked,
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    LookupAnswered,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
    RoutingEnded,
    RoutingOutcome,
    ScheduleChecked,
    ScheduleState,
    TimerExpired,
    TimerId,
    VisitId,
)
from ivr.graph import ScenarioBundle
from ivr.interpreter import MASK, MAX_DEPTH, MAX_TYPED_AHEAD, Entered, Left, Move, Run, Transition, Typed, advance, start
from ivr.operations import OPERATIONS, Operation
from ivr.operations.base import MAX_NUMBER_LENGTH
from tests.ivr.builders import bundles

_OUTCOMES: tuple[RoutingOutcome, ...] = ("answered", "no_answer", "no_operators", "timeout", "unknown_number")
_STATES: tuple[ScheduleState, ...] = ("open", "closed", "holiday")
_ANSWERS: tuple[CallbackOutcome, ...] = ("possible", "accepted", "not_possible")
_Id = TypeVar("_Id")


class Ids:
    """The ids that a call has used, and the answers that its commands ask for, as they usually come."""

    def __init__(self) -> None:
        self.playbacks = [PlaybackId("0.1")]
        self.recordings = [RecordingId("0.1")]
        self.timers = [TimerId("0.1")]
        self.awaited: list[Event] = []

    @staticmethod
    def ago(ids: list[_Id], back: int) -> _Id:
        """The id that was used `back` before the last."""
        return ids[-1 - min(back, len(ids) - 1)]

    def note(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case Play(playback):
                    self.playbacks.append(playback)
                    self.awaited.append(PlaybackFinished(playback))
                case Record(recording):
                    self.recordings.append(recording)
                    self.awaited.append(RecordingFinished(recording, 10, 5))
                case StartTimer(timer):
                    self.timers.append(timer)
                    self.awaited.append(TimerExpired(timer))
                case RouteToGroup(visit) | RouteToExtension(visit) | RouteToManager(visit) | RouteToExternal(visit):
                    self.awaited.append(RoutingEnded(visit, "no_answer"))
                case CheckSchedule(visit):
                    self.awaited.append(ScheduleChecked(visit, "open"))
                case CheckCaller(visit):
                    self.awaited.append(CallerChecked(visit, known=True))


Happening = Callable[[Run, Ids], Event]
"""An event that depends on where the call is by then."""

_BACK = st.one_of(st.just(0), st.integers(0, 5))
"""How many ids ago: mostly the last."""


def _visit(run: Run, offset: int) -> VisitId:
    return VisitId(run.visit + offset)


def _hangs_up(run: Run, ids: Ids) -> Event:
    return CallerHungUp()


def _happenings() -> st.SearchStrategy[Happening]:
    """What fits the state, and what does not."""
    yes_or_no, offset = st.booleans(), st.one_of(st.just(0), st.integers(-3, 2))
    names = st.sampled_from([None, "a", "vip", "2045", "next"])
    tags = st.frozensets(st.sampled_from(["Sales", "Inner"]))
    seconds = st.sampled_from([0.0, 3.0, 180.0])
    awaited = st.just(lambda run, ids: ids.awaited.pop() if ids.awaited else CallerHungUp())
    key: st.SearchStrategy[Happening] = st.builds(lambda key: lambda run, ids: DigitReceived(key), st.sampled_from(KEYS))
    makers: list[st.SearchStrategy[Happening]] = [
        st.builds(lambda back, no: lambda run, ids: PlaybackFinished(ids.ago(ids.playbacks, back), no), _BACK, yes_or_no),
        st.builds(lambda back: lambda run, ids: TimerExpired(ids.ago(ids.timers, back)), _BACK),
        st.builds(
            lambda back, one, two: lambda run, ids: RecordingFinished(ids.ago(ids.recordings, back), one, two),
            *(_BACK, seconds, seconds),
        ),
        st.builds(lambda at, how: lambda run, ids: RoutingEnded(_visit(run, at), how), offset, st.sampled_from(_OUTCOMES)),
        st.builds(lambda at, yes: lambda run, ids: ConversationEnded(_visit(run, at), yes), offset, yes_or_no),
        st.builds(lambda at, how: lambda run, ids: ScheduleChecked(_visit(run, at), how), offset, st.sampled_from(_STATES)),
        st.builds(
            lambda at, blocked, known, found: lambda run, ids: CallerChecked(_visit(run, at), blocked, known, found),
            *(offset, yes_or_no, yes_or_no, tags),
        ),
        st.builds(lambda at, one, two: lambda run, ids: LookupAnswered(_visit(run, at), one, two), offset, names, names),
        st.builds(lambda at, how: lambda run, ids: CallbackAnswered(_visit(run, at), how), offset, st.sampled_from(_ANSWERS)),
        st.just(_hangs_up),
    ]
    return st.one_of(awaited, awaited, key, st.one_of(makers))


CALLS = st.lists(_happenings(), min_size=4, max_size=40)
ANY_FIRST = pytest.mark.parametrize("first", OPERATIONS, ids=lambda kind: kind.__name__)
"""Each operation is once the one that callers come to first."""
ENDED_CALLS = CALLS.map(lambda call: [*call, _hangs_up])


def drive(bundle: ScenarioBundle, call: list[Happening]) -> list[Transition]:
    """A call in which all of this happens."""
    ids = Ids()
    transitions = [start(bundle)]
    for happening in call:
        ids.note(transitions[-1].commands)
        run = transitions[-1].run
        transitions.append(advance(run, happening(run, ids)))
    return transitions


def moves_of(transitions: list[Transition]) -> list[Move]:
    return [move for transition in transitions for move in transition.moves]


def entered(transitions: list[Transition]) -> dict[VisitId, Entered]:
    return {move.visit: move for move in moves_of(transitions) if isinstance(move, Entered)}


@pytest.mark.covers("UIS-1", "UIS-3")
@ANY_FIRST
@settings(max_examples=25)
@given(st.data(), CALLS)
def test_any_events_on_any_graph_neither_raise_nor_lose_the_caller(
    first: type[Operation], data: st.DataObject, call: list[Happening]
) -> None:
    opened = False
    for transition in drive(data.draw(bundles(first)), call):
        assert (transition.run.running is None) == (transition.run.ended is not None), "who has not left is somewhere"
        answers = sum(isinstance(command, Answer) for command in transition.commands)
        assert answers + opened <= 1, "the line is opened once"
        opened = opened or bool(answers)
        assert len(transition.run.frames) <= MAX_DEPTH
    if transition.run.ended == "scenario_ended" and transition.commands:
        assert isinstance(transition.commands[-1], Hangup), "a scenario that ends hangs up"


@pytest.mark.covers("UIS-41")
@ANY_FIRST
@settings(max_examples=25)
@given(st.data(), st.one_of(CALLS, ENDED_CALLS))
def test_moves_tell_a_path_without_gaps(first: type[Operation], data: st.DataObject, call: list[Happening]) -> None:
    bundle = data.draw(bundles(first))
    transitions = drive(bundle, call)
    count, inside = 0, []
    for move in moves_of(transitions):
        match move:
            case Entered(visit):
                count += 1
                assert visit == count
                inside.append(visit)
            case Typed(visit):
                assert visit == inside[-1]
            case Left(visit):
                assert visit == inside.pop(), "only the node that he is in can be left"
    run = transitions[-1].run
    assert (count, inside) == (run.visits, [] if run.ended else [*(frame.visit for frame in run.frames), run.visit])


@pytest.mark.covers("UIS-6")
@ANY_FIRST
@settings(max_examples=25)
@given(st.data(), CALLS)
def test_what_is_typed_for_an_authorization_is_in_no_move(
    first: type[Operation], data: st.DataObject, call: list[Happening]
) -> None:
    bundle = data.draw(bundles(first))
    transitions = drive(bundle, call)
    secrets = any(node.operation.SECRET_KEYS for node in bundle.nodes())
    visits = entered(transitions)
    for move in moves_of(transitions):
        if isinstance(move, Typed):
            operation = visits[move.visit].operation
            nobodys = operation in {"info_message", "schedule", "insert_scenario", "personal_manager", "http_lookup"}
            if operation == "authorization" or (secrets and nobodys):
                assert set(move.digits) == {MASK}


@pytest.mark.covers("UIS-10", "UIS-11")
@ANY_FIRST
@settings(max_examples=25)
@given(st.data(), st.one_of(CALLS, ENDED_CALLS))
def test_every_visit_of_a_voicemail_that_is_over_has_saved_exactly_one(
    first: type[Operation], data: st.DataObject, call: list[Happening]
) -> None:
    bundle = data.draw(bundles(first))
    transitions = drive(bundle, call)
    over = {move.visit for move in moves_of(transitions) if isinstance(move, Left)}
    visits = {visit for visit, move in entered(transitions).items() if move.operation == "voicemail" and visit in over}
    commands = (command for transition in transitions for command in transition.commands)
    assert Counter(command.visit for command in commands if isinstance(command, SaveVoicemail)) == Counter(visits)


@settings(max_examples=30)
@given(bundles(), st.lists(st.sampled_from(KEYS), min_size=200, max_size=200))
def test_two_hundred_keys_at_once_are_bounded_in_every_operation(bundle: ScenarioBundle, keys: list[str]) -> None:
    run = start(bundle).run
    for key in keys:
        transition = advance(run, DigitReceived(key))  # type: ignore[arg-type]
        run = transition.run
        assert len(transition.commands) <= 4 * MAX_TYPED_AHEAD
    assert len(run.typed) <= MAX_TYPED_AHEAD
    entry = getattr(run.running, "entry", None)
    assert entry is None or len(entry.digits) < max(MAX_NUMBER_LENGTH, entry.longest)
