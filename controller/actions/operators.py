"""Operators and their groups."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, get_args

from controller.actions.fields import checked_name, checked_pattern, invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.groups import Group, GroupTerms, Membership, Strategy, find_group, lock_group, replace_members
from controller.storage.operators import Operator, find_operator, list_operators

LONGEST_WRAP_UP: Final = 3600
LONGEST_WAIT: Final = 3600
LONGEST_TALK: Final = 86400
HIGHEST_PRIORITY: Final = 100
HIGHEST_WEIGHT: Final = 100
HIGHEST_LEVEL: Final = 10


@dataclass(frozen=True, slots=True)
class MemberDraft:
    """An operator to be a member, with his weight (1 to HIGHEST_WEIGHT) and level (1 to HIGHEST_LEVEL)."""

    extension: str
    weight: int = 1
    level: int = 1


def create_operator(session: Session, extension: str, name: str, *, acting_user: str, at: datetime) -> Operator:
    """A new operator with a generated SIP secret.

    Raises InvalidInput: a bad extension or name; Refused: the extension is taken.
    """
    checked_pattern("extension", extension, r"[0-9]{2,8}", "write 2 to 8 digits")
    name = checked_name("name", name)
    if find_operator(session, extension) is not None:
        raise Refused(f"there is already an operator {extension}")
    # Letters and digits only: the secret is copied into configuration files and phones.
    operator = Operator(extension=extension, name=name, sip_secret=secrets.token_hex(12))
    session.add(operator)
    add_audit(session, at, acting_user, "operator.create", f"operator {extension}", name=name)
    session.flush()
    return operator


def create_group(
    session: Session,
    name: str,
    strategy: Strategy = "ring_all",
    ring_seconds: int = 20,
    *,
    acting_user: str,
    at: datetime,
) -> Group:
    """A new group without members.

    Raises InvalidInput: a bad name, strategy or time (1 to 300 s); Refused: the name is taken.
    """
    name = checked_name("name", name)
    if strategy not in get_args(Strategy):
        raise invalid("strategy", f"use one of {', '.join(get_args(Strategy))}")
    if not 1 <= ring_seconds <= 300:
        raise invalid("ring_seconds", "use 1 to 300 seconds")
    if find_group(session, name) is not None:
        raise Refused(f'there is already a group "{name}"')
    group = Group(name=name, strategy=strategy, ring_seconds=ring_seconds)
    session.add(group)
    add_audit(session, at, acting_user, "group.create", f"group {name}", strategy=strategy, ring_seconds=ring_seconds)
    session.flush()
    return group


def set_members(
    session: Session, group_name: str, members: Sequence[str | MemberDraft], *, acting_user: str, at: datetime
) -> None:
    """Make these operators the members of a group, in this order; an extension alone has weight and level 1.

    Raises InvalidInput: an extension twice or unknown, a bad weight or level; NotFound: no such group.
    """
    group = lock_group(session, group_name)
    if group is None:
        raise NotFound(f'there is no group "{group_name}"')
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
    add_audit(session, at, acting_user, "group.set_members", f"group {group_name}", members=[asdict(draft) for draft in drafts])
    session.flush()


def set_terms(session: Session, group_name: str, terms: GroupTerms, *, acting_user: str, at: datetime) -> None:
    """What the group's calls are subject to from the next decision on.

    Raises InvalidInput: a value out of its range; NotFound: no such group.
    """
    group = lock_group(session, group_name)
    if group is None:
        raise NotFound(f'there is no group "{group_name}"')
    _within("wrap_up_seconds", terms.wrap_up_seconds, 0, LONGEST_WRAP_UP)
    _within("longest_wait", terms.longest_wait, 1, LONGEST_WAIT)
    _within("longest_talk", terms.longest_talk, 1, LONGEST_TALK)
    _within("priority", terms.priority, 0, HIGHEST_PRIORITY)
    group.sqlmodel_update(asdict(terms))
    group.version += 1
    add_audit(session, at, acting_user, "group.set_terms", f"group {group_name}", **asdict(terms))
    session.flush()


def _within(field: str, value: int | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:
        raise invalid(field, f"use {lowest} to {highest}")
