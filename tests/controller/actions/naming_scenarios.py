"""A scenario that names an operator or a group."""

from __future__ import annotations

from typing import Any

from controller.actions.scenarios import create_scenario
from controller.storage import Session


def scenario_with(session: Session, operation: dict[str, Any], **by: Any) -> None:
    """The scenario "Reception", stored: it begins with this operation. `by` is as for `create_scenario`."""
    links = {exit: "end" for exit in ("failed", "wrong_number")[: 1 if operation["type"] == "forward_to_group" else 2]}
    nodes = {"first": {"operation": operation, "links": links}, "end": {"operation": {"type": "hang_up"}}}
    create_scenario(session, "Reception", {"schema_version": 2, "start": "first", "nodes": nodes}, **by)
