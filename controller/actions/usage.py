"""Who uses what: nothing that a scenario names is taken away from under it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from controller.errors import Refused
from controller.storage import Session
from controller.storage.scenarios import scenarios_in_use
from ivr.serialization import from_data

Kind: TypeAlias = Literal["group", "extension", "schedule"]


def scenarios_that_name(session: Session, kind: Kind, name: str) -> list[str]:
    """The scenarios whose draft or published version names it, by name."""
    return sorted(
        {
            scenario
            for scenario, document in scenarios_in_use(session)
            for node in from_data(document).nodes.values()
            for mention in node.operation.mentions()
            if (mention.kind, mention.name) == (kind, name)
        }
    )


def refuse_if_named(session: Session, kind: Kind, name: str, what: str, purpose: str) -> None:
    """Raises Refused: a scenario names it, so `what` can't be `purpose` ("removed")."""
    users = scenarios_that_name(session, kind, name)
    if users:
        scenarios = ", ".join(f'"{user}"' for user in users)
        raise Refused(f"{what} can't be {purpose}: it is used by the scenario {scenarios}")
