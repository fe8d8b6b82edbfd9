"""Operator groups: who belongs to them and how calls are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, String, delete
from sqlmodel import Field, Session, SQLModel, col, select

from controller.errors import NotFound
from controller.storage.operators import Operator

Strategy: TypeAlias = Literal["ring_all", "linear"]


class Group(SQLModel, table=True):
    """`ring_seconds` is how long one offer rings before the next is made."""

    __tablename__ = "groups"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    strategy: Strategy = Field(default="ring_all", sa_type=String)
    ring_seconds: int = 20


class GroupMember(SQLModel, table=True):
    """An operator's place in a group; `position` counts from 1 and is the order of "linear"."""

    __tablename__ = "group_members"

    group_id: int = Field(sa_column=Column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True))
    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True, index=True))
    position: int


@dataclass(frozen=True, slots=True)
class GroupMemberView:
    """What routing needs to know of an operator."""

    operator_id: int
    extension: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its operators in order."""

    id: int
    name: str
    strategy: Strategy
    ring_seconds: int
    members: tuple[GroupMemberView, ...]


def find_group(session: Session, name: str) -> GroupView | None:
    """The group with its operators, as they are now; None when there is no such group."""
    group = session.exec(select(Group).where(Group.name == name)).first()
    return None if group is None else _views(session, [group])[0]


def list_groups(session: Session) -> list[GroupView]:
    """All groups by name, with their operators."""
    return _views(session, session.exec(select(Group).order_by(col(Group.name))).all())


def group_names(session: Session) -> frozenset[str]:
    """What a scenario may forward to."""
    return frozenset(session.exec(select(Group.name)))


def _views(session: Session, groups: Sequence[Group]) -> list[GroupView]:
    members: dict[int | None, list[GroupMemberView]] = {group.id: [] for group in groups}
    query = (
        select(GroupMember.group_id, col(Operator.id), Operator.extension, Operator.name)
        .join(Operator, col(Operator.id) == GroupMember.operator_id)
        .where(col(GroupMember.group_id).in_(members))
        .order_by(col(GroupMember.position))
    )
    for group_id, operator_id, extension, name in session.exec(query):
        members[group_id].append(GroupMemberView(operator_id or 0, extension, name))
    return [
        GroupView(group.id or 0, group.name, group.strategy, group.ring_seconds, tuple(members[group.id])) for group in groups
    ]


def get_group(session: Session, id: int) -> Group:
    """Raises NotFound."""
    found = session.get(Group, id)
    if found is None:
        raise NotFound(f"there is no group {id}")
    return found


def group_view(session: Session, id: int) -> GroupView:
    """Raises NotFound."""
    return _views(session, [get_group(session, id)])[0]


def groups_of(session: Session, operator_id: int) -> Sequence[str]:
    """The names of the groups that an operator is in."""
    query = select(Group.name).join(GroupMember, col(GroupMember.group_id) == Group.id)
    return session.exec(query.where(GroupMember.operator_id == operator_id).order_by(col(Group.name))).all()


def lock_group(session: Session, name: str) -> Group | None:
    """The group's row, with others kept from changing it until the transaction ends."""
    return session.exec(select(Group).where(Group.name == name).with_for_update()).first()


def replace_members(session: Session, group_id: int, operator_ids: Sequence[int]) -> None:
    """Make these operators the members of a group, in this order."""
    session.exec(delete(GroupMember).where(col(GroupMember.group_id) == group_id))
    for position, operator_id in enumerate(operator_ids, 1):
        session.add(GroupMember(group_id=group_id, operator_id=operator_id, position=position))
