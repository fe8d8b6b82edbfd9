"""The call's detail record: turns what the interpreter did into changes of the journal (UIS-41)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from controller.calls.facts import CallFacts
from controller.ids import CallId
from controller.storage.calls import place_name
from controller.storage.journal_changes import CallStarted, Change, StepEntered, StepLeft
from ivr.commands import Command, Play
from ivr.events import VisitId
from ivr.graph import NodeId, ScenarioBundle
from ivr.interpreter import Entered, Left, Move, Typed
from ivr.prompts import PromptRef

MOST_HEARD: Final = 50
"""Prompts of one wait that are on record; an hour of waiting has hundreds."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node that the caller came to; `scenario` is the name of the inserted scenario that it belongs to, None for the call's
    own.
    """

    node: NodeId
    title: str
    scenario: str | None


@dataclass(slots=True)
class _OpenStep:
    digits: str = ""
    prompts: list[str] = field(default_factory=list)


def started(facts: CallFacts) -> CallStarted:
    """What the journal is told of a new call."""
    return CallStarted(
        facts.call,
        facts.arrived_at,
        facts.caller_number,
        facts.caller_name,
        facts.called_number,
        facts.line_name,
        facts.language,
        facts.scenario_version,
        facts.inserted_versions,
        facts.direction,
        facts.source,
        None if facts.campaign is None else facts.campaign.id,
        facts.hours,
    )


class Trail:
    """Notes the keys and prompts of each node until the caller leaves it."""

    def __init__(self, call: CallId, bundle: ScenarioBundle) -> None:
        self._call = call
        self._bundle = bundle
        self._open: dict[VisitId, _OpenStep] = {}
        self._places: dict[VisitId, Place] = {}

    def place(self, visit: VisitId) -> Place:
        """Where the caller was on this visit. Raises KeyError for one that was not noted."""
        return self._places[visit]

    def note_commands(self, commands: Iterable[Command]) -> None:
        """To be called with every command that is carried out, before `changes` of the same transition."""
        for command in commands:
            if isinstance(command, Play):
                visit = VisitId(int(command.playback.partition(".")[0]))
                self._open.setdefault(visit, _OpenStep()).prompts.extend(map(str, command.prompts))

    def note_heard(self, visit: VisitId, prompts: Iterable[PromptRef]) -> None:
        """A waiting caller hears these: what is repeated at once is noted once, and no more than MOST_HEARD."""
        step = self._open.get(visit)
        written = [str(prompt) for prompt in prompts]
        if step is not None and len(step.prompts) < MOST_HEARD and step.prompts[-len(written) :] != written:
            step.prompts += written

    def changes(self, moves: Iterable[Move], at: datetime) -> Iterator[Change]:
        """What the journal has to store of these moves."""
        for move in moves:
            match move:
                case Entered(visit, node, operation, scenario):
                    self._open.setdefault(visit, _OpenStep())
                    title = self._title(scenario, node)
                    self._places[visit] = Place(node, title, scenario)
                    yield StepEntered(self._call, visit, at, place_name(scenario, node), title, operation)
                case Typed(visit, digits):
                    self._open[visit].digits += digits
                case Left(visit, exit):
                    step = self._open.pop(visit)
                    yield StepLeft(self._call, visit, at, exit, step.digits, tuple(step.prompts))

    def close(self, at: datetime) -> Iterator[Change]:
        """The call is over, whatever the interpreter knows of it: what is still open ended there."""
        for visit, step in reversed(self._open.items()):
            yield StepLeft(self._call, visit, at, None, step.digits, tuple(step.prompts))
        self._open.clear()

    def _title(self, scenario: str | None, node: NodeId) -> str:
        walked = self._bundle.scenario(scenario)
        return walked.nodes[node].title if walked is not None else ""
