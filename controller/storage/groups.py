"""Operator groups: who belongs to them and how calls are offered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, String, delete
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.operators import RING_SECONDS, Operator
from controller.storage.rows import by_id

Strategy: TypeAlias = Literal[
    "ring_all", "linear", "random", "weighted_random", "longest_idle", "round_robin", "fewest_calls", "levels"
]
"""How a group chooses among its free operators; each is described in `controller.routing.strategies`."""


@dataclass(frozen=True, slots=True)
class GroupTerms:
    """What a group's calls are subject to, in seconds; None: no limit of the group's own.

    `wrap_up_seconds`: what an operator has after a conversation before he is offered the next. `longest_wait`: of a caller, until
    an operator answers. `longest_talk`: of a conversation. `priority`: of the group's callers where groups share operators, the
    higher first. `sticky_owner`: the caller's own operator is rung first (SKZ-24). `announce_every`: while all operators are busy
    a caller is told so often of his place in line, of the expected wait, or of both; None: never.
    """

    wrap_up_seconds: int = 0
    longest_wait: int | None = None
    longest_talk: int | None = None
    priority: int = 0
    sticky_owner: bool = False
    announce_every: int | None = None
    announce_place: bool = True
    announce_wait: bool = True


class Distributed(SQLModel):
    """The columns of a table each row of which is a line of the distribution: `ring_seconds` is how long one offer rings before
    the next is made; the others are those of `GroupTerms`.
    """

    strategy: Strategy = Field(default="ring_all", sa_type=String)
    ring_seconds: int = RING_SECONDS
    wrap_up_seconds: int = 0
    longest_wait: int | None = None
    longest_talk: int | None = None
    priority: int = 0
    sticky_owner: bool = False
    announce_every: int | None = None
    announce_place: bool = True
    announce_wait: bool = True

    @property
    def terms(self) -> GroupTerms:
        """What its calls are subject to."""
        return GroupTerms(**{each.name: getattr(self, each.name) for each in fields(GroupTerms)})


class Group(Distributed, table=True):
    """`version` grows with every change of the group or its members."""

    __tablename__ = "groups"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    version: int = 1


class GroupMember(SQLModel, table=True):
    """An operator's place in a group; `position` counts from 1 and is the order of "linear".

    `weight` is his share with "weighted_random", `level` his turn with "levels": the lowest comes first.
    """

    __tablename__ = "group_members"

    group_id: int = Field(sa_column=Column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True))
    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True, index=True))
    position: int
    weight: int = 1
    level: int = 1


@dataclass(frozen=True, slots=True)
class Membership:
    """An operator as a member: see `GroupMember`."""

    operator_id: int
    weight: int = 1
    level: int = 1


@dataclass(frozen=True, slots=True)
class GroupMemberView:
    """What routing needs to know of an operator."""

    operator_id: int
    extension: str
    name: str
    weight: int
    level: int
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its operators in order."""

    id: int
    name: str
    strategy: Strategy
    ring_seconds: int
    terms: GroupTerms
    version: int
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


def members_of(session: Session, group_ids: Iterable[int]) -> dict[int, list[GroupMemberView]]:
    """The members of these groups, in order."""
    members: dict[int, list[GroupMemberView]] = {id: [] for id in group_ids}
    query = (
        select(GroupMember, Operator)
        .join(Operator, col(Operator.id) == GroupMember.operator_id)
        .where(col(GroupMember.group_id).in_(members))
        .order_by(col(GroupMember.position))
    )
    for member, operator in session.exec(query):
        members[member.group_id].append(
            GroupMemberView(operator.id, operator.extension, operator.name, member.weight, member.level, operator.time_zone)
        )
    return members


def _views(session: Session, groups: Sequence[Group]) -> list[GroupView]:
    members = members_of(session, (group.id for group in groups))
    return [
        GroupView(group.id, group.name, group.strategy, group.ring_seconds, group.terms, group.version, tuple(members[group.id]))
        for group in groups
    ]


def get_group(session: Session, id: int) -> Group:
    """Raises NotFound."""
    return by_id(session, Group, id, f"group {id}")


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


def replace_members(session: Session, group_id: int, members: Sequence[Membership]) -> None:
    """Make these operators the members of a group, in this order."""
    session.exec(delete(GroupMember).where(col(GroupMember.group_id) == group_id))
    for position, member in enumerate(members, 1):
        session.add(GroupMember(group_id=group_id, position=position, **asdict(member)))
