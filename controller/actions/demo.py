"""The demo that ships: number 8000, three operators in two groups, and the scenario "Demo".

Installing adds what is missing and leaves what is there. Removing takes away what is still as it was installed and is used by
nothing else; the rest belongs to whoever changed or used it. Calls stay in the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from controller.actions.confirmations import confirm_for_good
from controller.actions.groups import create_group, set_members
from controller.actions.numbers import add_number
from controller.actions.operators import create_operator
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, read_document
from controller.actions.usage import scenarios_that_name
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.groups import Group, GroupView, Strategy, find_group, list_groups
from controller.storage.numbers import InboundNumber, find_number, numbers_of, numbers_of_group
from controller.storage.operators import Operator, find_operator
from controller.storage.scenarios import StoredScenario, documents_of, find_scenario
from ivr.lines import LONGEST_WAIT
from ivr.serialization import from_data

NUMBER = "8000"
LINE_NAME = "Demo line"
SCENARIO = "Demo"
OPERATORS = {"2001": "Demo operator 2001", "2002": "Demo operator 2002", "2003": "Demo operator 2003"}
GROUPS = {"Sales": ("2001", "2002"), "Support": ("2003",)}
_DOCUMENT = Path(__file__).with_name("demo_scenario.json")
_STRATEGY: Strategy = "ring_all"
_RING_SECONDS = 20


@dataclass(frozen=True, slots=True)
class DemoRemoval:
    """What was removed, and what was kept because it was changed or is used ("operator 2001")."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def install_demo(session: Session, prompts: KnownPrompts, *, acting_user: str, at: datetime) -> tuple[str, ...]:
    """Add what is missing of the demo; returns what was added ("operator 2001"), nothing when all is there.

    Raises InvalidInput when the demo's prompts are not in the library.
    """
    added = [*_install_operators(session, acting_user, at), *_install_groups(session, acting_user, at)]
    scenario = find_scenario(session, SCENARIO)
    if scenario is None:
        scenario = create_scenario(session, SCENARIO, _DOCUMENT.read_bytes(), acting_user=acting_user, at=at)
        publish(session, scenario.id, prompts, acting_user=acting_user, at=at)
        added.append(f"scenario {SCENARIO}")
    if find_number(session, NUMBER) is None:
        number = add_number(session, NUMBER, LINE_NAME, scenario_id=scenario.id, acting_user=acting_user, at=at)
        confirm_for_good(session, number.id, InboundNumber, acting_user=acting_user, at=at)
        added.append(f"number {NUMBER}")
    return tuple(added)


def remove_demo(session: Session, *, acting_user: str, at: datetime) -> DemoRemoval:
    """Take the demo away; no error when there is none."""
    removal = _Removal(session)
    _remove_number(removal)
    _remove_scenario(removal)
    _remove_groups(removal)
    _remove_operators(removal)
    if removal.removed:
        add_audit(session, at, acting_user, "demo.remove", "demo", removed=removal.removed, kept=removal.kept)
        session.flush()
    return DemoRemoval(tuple(removal.removed), tuple(removal.kept))


class _Removal:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.removed: list[str] = []
        self.kept: list[str] = []

    def remove(self, name: str, row: InboundNumber | StoredScenario | Group | Operator, free: bool) -> None:
        """Delete the row if it is free to go."""
        if free:
            self.session.delete(row)
            self.session.flush()
        (self.removed if free else self.kept).append(name)


def _install_operators(session: Session, actor: str, at: datetime) -> Iterator[str]:
    for extension, name in OPERATORS.items():
        if find_operator(session, extension) is None:
            create_operator(session, extension, name, acting_user=actor, at=at)
            yield f"operator {extension}"


def _install_groups(session: Session, actor: str, at: datetime) -> Iterator[str]:
    for name, extensions in GROUPS.items():
        if find_group(session, name) is None:
            create_group(session, name, _STRATEGY, _RING_SECONDS, acting_user=actor, at=at)
            set_members(session, name, extensions, acting_user=actor, at=at)
            yield f"group {name}"


def _remove_number(removal: _Removal) -> None:
    number = find_number(removal.session, NUMBER)
    scenario = find_scenario(removal.session, SCENARIO)
    if number is not None:
        ours = scenario is not None and number.scenario_id == scenario.id and number.line_name == LINE_NAME
        removal.remove(f"number {NUMBER}", number, ours and _has_standard_settings(number))


def _has_standard_settings(number: InboundNumber) -> bool:
    chosen = (number.language, number.off_hours_scenario_id, number.schedule_id, number.group_id, number.longest_wait)
    return chosen == (None, None, None, None, LONGEST_WAIT) and not number.prompts


def _remove_scenario(removal: _Removal) -> None:
    session = removal.session
    scenario = find_scenario(session, SCENARIO)
    if scenario is None:
        return
    original = read_document(_DOCUMENT.read_bytes())
    unchanged = [from_data(document) for document in (scenario.draft, *documents_of(session, scenario.id))] == [original] * 2
    used = bool(numbers_of(session, scenario.id))
    removal.remove(f"scenario {SCENARIO}", scenario, unchanged and not used)


def _remove_groups(removal: _Removal) -> None:
    for name in GROUPS:
        view = find_group(removal.session, name)
        if view is not None:
            row = removal.session.get_one(Group, view.id)
            used = scenarios_that_name(removal.session, "group", name) or numbers_of_group(removal.session, view.id)
            removal.remove(f"group {name}", row, _is_original(view) and not used)


def _remove_operators(removal: _Removal) -> None:
    members = {member.extension for group in list_groups(removal.session) for member in group.members}
    for extension, name in OPERATORS.items():
        operator = find_operator(removal.session, extension)
        if operator is not None:
            used = extension in members or bool(scenarios_that_name(removal.session, "extension", extension))
            removal.remove(f"operator {extension}", operator, operator.name == name and not used)


def _is_original(group: GroupView) -> bool:
    members = tuple(member.extension for member in group.members)
    return (group.strategy, group.ring_seconds, members) == (_STRATEGY, _RING_SECONDS, GROUPS[group.name])
