"""Where a number leads, as calls are told."""

from __future__ import annotations

from controller.storage import Session
from controller.storage.numbers import InboundRoute, list_routes


def find_route(session: Session, number: str) -> InboundRoute | None:
    """The route of a dialled number; None when the number is not ours."""
    return next((route for route in list_routes(session) if route.number == number), None)
