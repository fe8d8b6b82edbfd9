"""The call's detail record: turns what the interpreter did into changes of the journal (UIS-41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from controller.ids import CallId
from controller.storage.journal_changes import Change, StepEntered, StepLeft
from ivr.commands import Command, Play
from ivr.events import DigitReceived, Event, VisitId
from ivr.graph import Scenario
from ivr.interpreter import Entered, Move


@dataclass(slots=True)
class _OpenStep:
    digits: str = ""
    prompts: list[str] = field(default_factory=list)


class Trail:
    """Notes keys and prompts of the node a caller is in, until he leaves it."""

    def __init__(self, call: CallId, scenario: Scenario) -> None:
        self._call = call
        self._scenario = scenario
        self._open: dict[VisitId, _OpenStep] = {}

    def note_event(self, event: Event) -> None:
        """To be called before the interpreter takes the event: a key belongs to the node it was pressed in."""
        if isinstance(event, DigitReceived):
            for step in self._open.values():
                step.digits += event.digit

    def note_commands(self, commands: Iterable[Command]) -> None:
        """To be called with every command that is carried out, before `changes` of the same transition."""
        for command in commands:
            if isinstance(command, Play):
                visit = VisitId(int(command.playback.partition(".")[0]))
                self._open.setdefault(visit, _OpenStep()).prompts.extend(map(str, command.prompts))

    def changes(self, moves: Iterable[Move], at: datetime) -> list[Change]:
        """What the journal has to store of these moves."""
        return [self._change(move, at) for move in moves]

    def _change(self, move: Move, at: datetime) -> Change:
        if isinstance(move, Entered):
            self._open.setdefault(move.visit, _OpenStep())
            node = self._scenario.nodes[move.node]
            return StepEntered(self._call, move.visit, at, move.node, node.title, move.operation)
        step = self._open.pop(move.visit, _OpenStep())
        return StepLeft(self._call, move.visit, at, move.exit, step.digits, tuple(step.prompts))
