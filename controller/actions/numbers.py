"""Inbound numbers and what answers them."""

from __future__ import annotations

from datetime import datetime

from controller.actions.fields import checked_name, checked_pattern
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.numbers import InboundNumber, find_number
from controller.storage.scenarios import get_scenario


def add_number(
    session: Session,
    number: str,
    line_name: str,
    *,
    language: str | None = None,
    scenario_id: int | None = None,
    acting_user: str,
    at: datetime,
) -> InboundNumber:
    """A number of ours, answered by a scenario once that is published.

    Raises InvalidInput: a bad number, name or language; Refused: the number is there already; NotFound: no such scenario.
    """
    number = checked_pattern("number", number, r"\+?[0-9]{1,20}", "write 1 to 20 digits, perhaps with a + before them")
    line_name = checked_name("line_name", line_name)
    if language is not None:
        checked_pattern("language", language, r"[a-z]{2}", "write two small letters, such as en")
    if find_number(session, number) is not None:
        raise Refused(f"the number {number} is there already")
    if scenario_id is not None:
        get_scenario(session, scenario_id)
    added = InboundNumber(number=number, line_name=line_name, language=language, scenario_id=scenario_id)
    session.add(added)
    add_audit(session, at, acting_user, "number.add", f"number {number}", line_name=line_name, scenario_id=scenario_id)
    session.flush()
    return added


def attach_scenario(session: Session, number: str, scenario_id: int | None, *, acting_user: str, at: datetime) -> None:
    """Have a number answered by a scenario, or by none. Raises NotFound."""
    found = find_number(session, number)
    if found is None:
        raise NotFound(f"there is no number {number}")
    if scenario_id is not None:
        get_scenario(session, scenario_id)
    found.scenario_id = scenario_id
    add_audit(session, at, acting_user, "number.attach", f"number {number}", scenario_id=scenario_id)
    session.flush()
