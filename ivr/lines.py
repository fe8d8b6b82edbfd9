"""A number's own treatment of its callers: five prompts, and the scenario that serves them when it has none of its own
(SKZ-39 to SKZ-47, "Unified: Off-hours").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias, cast

from ivr.graph import Node, NodeId, Scenario
from ivr.operations import AnyOperation, ForwardToGroup, HangUp, InfoMessage, Schedule
from ivr.prompts import LINE_ALL_BUSY, LINE_ARRIVAL, LINE_NO_ANSWER, LINE_OFF_HOURS, LINE_WAITING, Prompt, PromptRef, parse_prompt

Slot: TypeAlias = Literal["arrival", "waiting", "all_busy", "no_answer", "off_hours"]
SLOTS: Final[tuple[Slot, ...]] = ("arrival", "waiting", "all_busy", "no_answer", "off_hours")
OPTIONAL_SLOTS: Final[frozenset[Slot]] = frozenset({"arrival"})
"""Those that may be left unused (SKZ-47)."""
LONGEST_WAIT: Final = 300
"""Seconds that a caller waits for an operator when nothing else is set."""

_HOURS, _GROUP, _NO_ANSWER, _OFF_HOURS, _GOODBYE = map(NodeId, ("hours", "group", "no_answer", "off_hours", "goodbye"))


@dataclass(frozen=True, slots=True)
class LinePrompts:
    """What plays on arrival, while the caller waits, when all operators are busy, when nobody can answer, and off-hours.

    `arrival` None is left unused. The defaults are the prompts that come with Attendant (SKZ-39).
    """

    arrival: Prompt | None = LINE_ARRIVAL
    waiting: Prompt = LINE_WAITING
    all_busy: Prompt = LINE_ALL_BUSY
    no_answer: Prompt = LINE_NO_ANSWER
    off_hours: Prompt = LINE_OFF_HOURS

    @classmethod
    def read(cls, written: Mapping[str, str | None]) -> LinePrompts:
        """From `written`; a slot that is not named has its standard prompt. Raises ValueError."""
        chosen: dict[str, Any] = {
            slot: None if prompt is None else parse_prompt(prompt) for slot, prompt in written.items() if slot in SLOTS
        }
        return cls(**chosen)

    def written(self) -> dict[str, str | None]:
        """The slots that differ from the standard, prompts as scenarios write them."""
        return {slot: prompt and str(prompt) for slot, prompt in self.by_slot().items() if prompt != standard_prompt(slot)}

    def by_slot(self) -> dict[Slot, PromptRef | None]:
        """Every slot with its prompt."""
        return {cast(Slot, field.name): getattr(self, field.name) for field in fields(self)}


STANDARD_PROMPTS: Final = LinePrompts()


def standard_prompt(slot: Slot) -> PromptRef:
    """What plays where nothing else was chosen."""
    return cast(PromptRef, getattr(STANDARD_PROMPTS, slot))


@dataclass(frozen=True, slots=True)
class Line:
    """The settings of a number that its callers' treatment follows from. `schedule` names its own schedule, `group` who answers
    where it has no scenario; `longest_wait` in seconds.
    """

    prompts: LinePrompts = STANDARD_PROMPTS
    schedule: str | None = None
    group: str | None = None
    longest_wait: int = LONGEST_WAIT


def line_scenario(line: Line) -> Scenario:
    """Serves callers by the line's settings alone. Off-hours: the off-hours prompt, and the end. Otherwise the group; where
    nobody can answer or there is no group, the no-answer prompt, and the end.
    """
    nodes = {
        _NO_ANSWER: _message(line.prompts.no_answer),
        _GOODBYE: Node(operation=HangUp()),
    }
    start = _NO_ANSWER
    if line.group is not None:
        forward = ForwardToGroup(group=line.group, max_wait_seconds=line.longest_wait)
        start, nodes[_GROUP] = _GROUP, _node(forward, failed=_NO_ANSWER)
    if line.schedule is not None:
        nodes[_OFF_HOURS] = _message(line.prompts.off_hours)
        start, nodes[_HOURS] = _HOURS, _node(Schedule(schedule=line.schedule), open=start, closed=_OFF_HOURS)
    return Scenario(start=start, nodes=nodes)


def _message(prompt: PromptRef) -> Node:
    return _node(InfoMessage(message=(prompt,)), next=_GOODBYE)


def _node(operation: AnyOperation, **links: NodeId) -> Node:
    return Node(operation=operation, links=links)
