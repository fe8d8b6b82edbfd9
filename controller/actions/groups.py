"""Groups of operators: their members, their terms, and how their calls are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, get_args

from controller.actions.fields import checked_name, checked_seconds, invalid
from controller.actions.operators import LONGEST_RING
from controller.actions.usage import refuse_if_named, scenarios_that_name
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.campaigns import campaigns_of_group, count_change_of_group
from controller.storage.groups import (
    Group,
    GroupTerms,
    Membership,
    Strategy,
    find_group,
    get_group,
    lock_group,
    replace_members,
)
from controller.storage.numbers import numbers_of_group
from controller.storage.operators import RING_SECONDS, list_operators

LONGEST_WRAP_UP: Final = 3600
LONGEST_WAIT: Final = 3600
LONGEST_TALK: Final = 86400
HIGHEST_PRIORITY: Final = 100
SHORTEST_PAUSE: Final = 10
LONGEST_PAUSE: Final = 3600
"""Seconds between two announcements."""
HIGHEST_WEIGHT: Final = 100
HIGHEST_LEVEL: Final = 10


@dataclass(frozen=True, slots=True)
class MemberDraft:
    """An operator to be a member, with his weight (1 to HIGHEST_WEIGHT) and level (1 to HIGHEST_LEVEL)."""

    extension: str
    weight: int = 1
    level: int = 1


def create_group(
    session: Session,
    name: str,
    strategy: Strategy = "ring_all",
    ring_seconds: int = RING_SECONDS,
    *,
    acting_user: str,
    at: datetime,
) -> Group:
    """A new group without members.

    Raises InvalidInput: a bad name, strategy or time (1 to 300 s); Refused: the name is taken.
    """
    name = _checked_group(session, name, strategy, ring_seconds, None)
    group = Group(name=name, strategy=strategy, ring_seconds=ring_seconds)
    session.add(group)
    add_audit(session, at, acting_user, "group.create", f"group {name}", strategy=strategy, ring_seconds=ring_seconds)
    session.flush()
    return group


def change_group(
    session: Session, id: int, name: str, strategy: Strategy, ring_seconds: int, *, acting_user: str, at: datetime
) -> Group:
    """Another name, strategy or time; the next decision uses it.

    Raises InvalidInput: as `create_group`; Refused: the name is taken, or a scenario uses the old one; NotFound.
    """
    group = get_group(session, id)
    name = _checked_group(session, name, strategy, ring_seconds, id)
    if name != group.name:
        refuse_if_named(session, "group", group.name, f'the group "{group.name}"', "given another name")
    group.name, group.strategy, group.ring_seconds = name, strategy, ring_seconds
    group.version += 1
    add_audit(session, at, acting_user, "group.change", f"group {name}", strategy=strategy, ring_seconds=ring_seconds)
    session.flush()
    return group


def delete_group(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Raises Refused: a scenario, a number or a campaign uses it; NotFound."""
    group = get_group(session, id)
    users = users_of_group(session, group)
    if users:
        raise Refused(f'the group "{group.name}" can\'t be removed: it is used by {", ".join(users)}')
    session.delete(group)
    add_audit(session, at, acting_user, "group.delete", f"group {group.name}")
    session.flush()


def users_of_group(session: Session, group: Group) -> list[str]:
    """The scenarios that forward to it, the numbers that it answers, and the campaigns that it is assigned to."""
    scenarios = [f'the scenario "{name}"' for name in scenarios_that_name(session, "group", group.name)]
    numbers = [f"the number {row.number}" for row in numbers_of_group(session, group.id)]
    return [*scenarios, *numbers, *(f'the campaign "{name}"' for name in campaigns_of_group(session, group.id))]


def set_members(
    session: Session, group_name: str, members: Sequence[str | MemberDraft], *, acting_user: str, at: datetime
) -> None:
    """Make these operators the members of a group, in this order; an extension alone has weight and level 1.

    Raises InvalidInput: an extension twice or unknown, a bad weight or level; NotFound: no such group.
    """
    group = _locked_group(session, group_name)
    drafts = [MemberDraft(member) if isinstance(member, str) else member for member in members]
    extensions = [draft.extension for draft in drafts]
    if len(set(extensions)) != len(extensions):
        raise invalid("members", "an operator is named twice")
    ids = {operator.extension: operator.id for operator in list_operators(session)}
    unknown = [extension for extension in extensions if extension not in ids]
    if unknown:
        raise invalid("members", f"there is no operator {', '.join(unknown)}")
    for place, draft in enumerate(drafts):
        _within(f"members.{place}.weight", draft.weight, 1, HIGHEST_WEIGHT)
        _within(f"members.{place}.level", draft.level, 1, HIGHEST_LEVEL)
    replace_members(session, group.id, [Membership(ids[draft.extension], draft.weight, draft.level) for draft in drafts])
    group.version += 1
    count_change_of_group(session, group.id)
    add_audit(session, at, acting_user, "group.set_members", f"group {group_name}", members=[asdict(draft) for draft in drafts])
    session.flush()


def set_terms(session: Session, group_name: str, terms: GroupTerms, *, acting_user: str, at: datetime) -> None:
    """What the group's calls are subject to from the next decision on.

    Raises InvalidInput: a value out of its range; NotFound: no such group.
    """
    group = _locked_group(session, group_name)
    check_terms(terms)
    group.sqlmodel_update(asdict(terms))
    group.version += 1
    add_audit(session, at, acting_user, "group.set_terms", f"group {group_name}", **asdict(terms))
    session.flush()


def check_terms(terms: GroupTerms) -> None:
    """Raises InvalidInput: a value out of its range."""
    _within("wrap_up_seconds", terms.wrap_up_seconds, 0, LONGEST_WRAP_UP)
    _within("longest_wait", terms.longest_wait, 1, LONGEST_WAIT)
    _within("longest_talk", terms.longest_talk, 1, LONGEST_TALK)
    _within("priority", terms.priority, 0, HIGHEST_PRIORITY)
    _within("announce_every", terms.announce_every, SHORTEST_PAUSE, LONGEST_PAUSE)
    if terms.announce_every is not None and not (terms.announce_place or terms.announce_wait):
        raise invalid("announce_every", "choose what callers are told: their place, the expected wait, or both")


def check_strategy(strategy: Strategy, ring_seconds: int) -> None:
    """Raises InvalidInput: no strategy, or a time out of its range (1 to 300 s)."""
    if strategy not in get_args(Strategy):
        raise invalid("strategy", f"use one of {', '.join(get_args(Strategy))}")
    checked_seconds("ring_seconds", ring_seconds, LONGEST_RING)


def _locked_group(session: Session, name: str) -> Group:
    group = lock_group(session, name)
    if group is None:
        raise NotFound(f'there is no group "{name}"')
    return group


def _checked_group(session: Session, name: str, strategy: Strategy, ring_seconds: int, id: int | None) -> str:
    name = checked_name("name", name)
    check_strategy(strategy, ring_seconds)
    found = find_group(session, name)
    if found is not None and found.id != id:
        raise Refused(f'there is already a group "{name}"')
    return name


def _within(field: str, value: int | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:
        raise invalid(field, f"use {lowest} to {highest}")
