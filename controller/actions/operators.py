"""Operators and their groups."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from controller.actions.fields import checked_name, checked_pattern, invalid
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.groups import Group, Strategy, find_group, lock_group, replace_members
from controller.storage.operators import Operator, find_operator, list_operators


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


def set_members(session: Session, group_name: str, extensions: Sequence[str], *, acting_user: str, at: datetime) -> None:
    """Make these operators the members of a group, in this order.

    Raises InvalidInput: an extension twice or unknown; NotFound: no such group.
    """
    group = lock_group(session, group_name)
    if group is None:
        raise NotFound(f'there is no group "{group_name}"')
    if len(set(extensions)) != len(extensions):
        raise invalid("extensions", "an operator is named twice")
    ids = {operator.extension: operator.id for operator in list_operators(session)}
    unknown = [extension for extension in extensions if extension not in ids]
    if unknown:
        raise invalid("extensions", f"there is no operator {', '.join(unknown)}")
    replace_members(session, group.id, [ids[extension] for extension in extensions])
    add_audit(session, at, acting_user, "group.set_members", f"group {group_name}", extensions=list(extensions))
    session.flush()
