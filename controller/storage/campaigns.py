"""Campaigns: our numbers, the employees who serve their calls, what unknown callers get, and where operators transfer to
(LNR-4 to LNR-6, LNR-12, PRJ-1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, String, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.groups import (
    Distributed,
    Group,
    GroupMemberView,
    GroupTerms,
    GroupView,
    Strategy,
    members_of,
)
from controller.storage.operators import Operator
from controller.storage.rows import by_id

UnknownCallers: TypeAlias = Literal["refuse", "lead_selection", "lead_direct"]
"""What callers get who are no lead of the campaign: they are refused before the answer, or become a lead of this type and are
served like anybody (LNR-4)."""


class Campaign(Distributed, table=True):
    """`version` grows with every change of the campaign, its employees, or the members of its groups. `hide_numbers`: operators
    are shown no digit of its callers' and leads' numbers (LNR-11). `recordings_days` is how long recordings of calls to
    its numbers are kept, None: as others; a number's own days go before them (SKZ-52).
    """

    __tablename__ = "campaigns"
    # The name of its line in the distribution is made of its id: that of one that was removed must not come again.
    __table_args__: ClassVar = {"sqlite_autoincrement": True}

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    unknown_callers: UnknownCallers = Field(default="lead_direct", sa_type=String)
    hide_numbers: bool = False
    recordings_days: int | None = None
    version: int = 1


class CampaignOperator(SQLModel, table=True):
    """An employee of a campaign; `position` counts from 1."""

    __tablename__ = "campaign_operators"

    campaign_id: int = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    operator_id: int = Field(sa_column=Column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True, index=True))
    position: int


class CampaignGroup(SQLModel, table=True):
    """A group whose members are employees of a campaign; `position` counts from 1."""

    __tablename__ = "campaign_groups"

    campaign_id: int = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    group_id: int = Field(sa_column=Column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True))
    position: int


class CampaignTransferNumber(SQLModel, table=True):
    """Where calls are transferred into the call center: position 1 is the main number, the others are tried after it, in order.

    `number` is a phone number as a trunk dials it, or a SIP address ("sip:queue@pbx.example.com").
    """

    __tablename__ = "campaign_transfer_numbers"

    campaign_id: int = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(primary_key=True)
    number: str


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign with what belongs to it, but for its numbers and leads. `operators` are extensions, `groups` names, both in
    order; `members` are its employees all together, each once.
    """

    id: int
    name: str
    unknown_callers: UnknownCallers
    strategy: Strategy
    ring_seconds: int
    terms: GroupTerms
    version: int
    operators: tuple[str, ...]
    groups: tuple[str, ...]
    members: tuple[GroupMemberView, ...]
    transfer_numbers: tuple[str, ...]
    hide_numbers: bool
    recordings_days: int | None

    @property
    def line(self) -> GroupView:
        """The campaign as the distribution sees it: a group of its employees."""
        return GroupView(self.id, line_name(self.id), self.strategy, self.ring_seconds, self.terms, self.version, self.members)


def line_name(campaign_id: int) -> str:
    """The name of a campaign's line in the distribution; it stays when the campaign gets another name. No group can have it,
    for a no-break space is not printable.
    """
    return f"campaign\N{NO-BREAK SPACE}{campaign_id}"


def campaign_views(session: Session) -> list[CampaignView]:
    """All campaigns, by name."""
    return _views(session, session.exec(select(Campaign).order_by(col(Campaign.name))).all())


def campaign_view(session: Session, id: int) -> CampaignView:
    """Raises NotFound."""
    return _views(session, [get_campaign(session, id)])[0]


def get_campaign(session: Session, id: int, *, locked: bool = False) -> Campaign:
    """`locked` is as for `by_id`. Raises NotFound."""
    return by_id(session, Campaign, id, f"campaign {id}", locked=locked)


def find_campaign(session: Session, name: str) -> Campaign | None:
    return session.exec(select(Campaign).where(Campaign.name == name)).first()


def campaign_names(session: Session) -> dict[int, str]:
    """The names of all campaigns, by id."""
    return dict(session.exec(select(Campaign.id, Campaign.name)).all())


def campaigns_of_operator(session: Session, operator_id: int) -> Sequence[str]:
    """The names of the campaigns that he himself is assigned to."""
    query = select(Campaign.name).join(CampaignOperator, col(CampaignOperator.campaign_id) == Campaign.id)
    return session.exec(query.where(CampaignOperator.operator_id == operator_id).order_by(col(Campaign.name))).all()


def campaigns_of_group(session: Session, group_id: int) -> Sequence[str]:
    """The names of the campaigns that a group is assigned to."""
    query = select(Campaign.name).join(CampaignGroup, col(CampaignGroup.campaign_id) == Campaign.id)
    return session.exec(query.where(CampaignGroup.group_id == group_id).order_by(col(Campaign.name))).all()


def count_change_of_group(session: Session, group_id: int) -> None:
    """The members of a group have changed, and so the employees of its campaigns."""
    with_group = select(CampaignGroup.campaign_id).where(CampaignGroup.group_id == group_id)
    session.exec(update(Campaign).where(col(Campaign.id).in_(with_group)).values(version=Campaign.version + 1))


def replace_employees(session: Session, id: int, operator_ids: Iterable[int], group_ids: Iterable[int]) -> None:
    """Make these operators, and the members of these groups, the campaign's employees, in this order."""
    session.exec(delete(CampaignOperator).where(col(CampaignOperator.campaign_id) == id))
    session.exec(delete(CampaignGroup).where(col(CampaignGroup.campaign_id) == id))
    for position, operator_id in enumerate(operator_ids, 1):
        session.add(CampaignOperator(campaign_id=id, operator_id=operator_id, position=position))
    for position, group_id in enumerate(group_ids, 1):
        session.add(CampaignGroup(campaign_id=id, group_id=group_id, position=position))


def replace_transfer_numbers(session: Session, id: int, numbers: Iterable[str]) -> None:
    """Make these the campaign's transfer numbers, the main one first."""
    session.exec(delete(CampaignTransferNumber).where(col(CampaignTransferNumber.campaign_id) == id))
    for position, number in enumerate(numbers, 1):
        session.add(CampaignTransferNumber(campaign_id=id, position=position, number=number))


def _views(session: Session, campaigns: Sequence[Campaign]) -> list[CampaignView]:
    ids = [campaign.id for campaign in campaigns]
    operators: dict[int, list[GroupMemberView]] = defaultdict(list)
    groups: dict[int, list[tuple[int, str]]] = defaultdict(list)
    numbers: dict[int, list[str]] = defaultdict(list)
    assigned = select(CampaignOperator, Operator).join(Operator, col(Operator.id) == CampaignOperator.operator_id)
    in_campaigns = col(CampaignOperator.campaign_id).in_(ids)
    for one, operator in session.exec(assigned.where(in_campaigns).order_by(col(CampaignOperator.position))):
        view = GroupMemberView(operator.id, operator.extension, operator.name, weight=1, level=1, time_zone=operator.time_zone)
        operators[one.campaign_id].append(view)
    with_groups = select(CampaignGroup.campaign_id, Group.id, Group.name).join(Group, col(Group.id) == CampaignGroup.group_id)
    in_campaigns = col(CampaignGroup.campaign_id).in_(ids)
    for campaign_id, group_id, name in session.exec(with_groups.where(in_campaigns).order_by(col(CampaignGroup.position))):
        groups[campaign_id].append((group_id, name))
    members = members_of(session, {group_id for found in groups.values() for group_id, _ in found})
    of_campaigns = select(CampaignTransferNumber).where(col(CampaignTransferNumber.campaign_id).in_(ids))
    for number in session.exec(of_campaigns.order_by(col(CampaignTransferNumber.position))):
        numbers[number.campaign_id].append(number.number)
    return [
        CampaignView(
            campaign.id,
            campaign.name,
            campaign.unknown_callers,
            campaign.strategy,
            campaign.ring_seconds,
            campaign.terms,
            campaign.version,
            tuple(operator.extension for operator in operators[campaign.id]),
            tuple(name for _, name in groups[campaign.id]),
            _each_once(operators[campaign.id], *(members[group_id] for group_id, _ in groups[campaign.id])),
            tuple(numbers[campaign.id]),
            campaign.hide_numbers,
            campaign.recordings_days,
        )
        for campaign in campaigns
    ]


def _each_once(*members: Sequence[GroupMemberView]) -> tuple[GroupMemberView, ...]:
    """Who is named twice counts where he is named first."""
    found: dict[int, GroupMemberView] = {}
    for member in (one for some in members for one in some):
        found.setdefault(member.operator_id, member)
    return tuple(found.values())
