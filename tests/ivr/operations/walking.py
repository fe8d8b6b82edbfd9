"""An operation alone: entered, then told what happens."""

from __future__ import annotations

from ivr.events import DigitReceived, Event, VisitId
from ivr.operations import Operation
from ivr.operations.base import Arrival, Stay, Step

VISIT = VisitId(7)


def after(operation: Operation, *events: Event, linked: frozenset[str] | None = None, entered: str = "") -> Step:
    """The last step; all exits are linked unless `linked` says which."""
    step = operation.enter(Arrival(VISIT, operation.exits() if linked is None else linked, entered))
    for event in events:
        assert isinstance(step, Stay)
        step = step.running.handle(event)
    return step


def keys(typed: str) -> list[Event]:
    return [DigitReceived(key) for key in typed]  # type: ignore[arg-type]
