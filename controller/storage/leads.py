"""Leads: the people a campaign is about, each known by his number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Column, ForeignKey, String, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, func, select

from controller.errors import NotFound
from controller.storage.columns import UtcDateTime

LeadType: TypeAlias = Literal["selection", "direct"]
"""A label that says what the operator talks about with him."""


class Lead(SQLModel, table=True):
    """`number` is as `controller.addresses.phone_number` gives it; a campaign has each once. `call_id` is the call that made him
    known, None when somebody has added him.
    """

    __tablename__ = "leads"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    number: str
    type: LeadType = Field(sa_type=String)
    created_at: datetime = Field(sa_type=UtcDateTime)
    call_id: str | None = None


def find_lead(session: Session, campaign_id: int, number: str) -> Lead | None:
    """The campaign's lead with this number."""
    return session.exec(select(Lead).where(Lead.campaign_id == campaign_id, Lead.number == number)).first()


def get_lead(session: Session, campaign_id: int, id: int) -> Lead:
    """Raises NotFound: the campaign has no such lead."""
    found = session.get(Lead, id)
    if found is None or found.campaign_id != campaign_id:
        raise NotFound(f"the campaign {campaign_id} has no lead {id}")
    return found


def list_leads(session: Session, campaign_id: int, limit: int = 50, after: int = 0) -> Sequence[Lead]:
    """A campaign's leads in the order they were made; `after` is the last id of the page before."""
    query = select(Lead).where(Lead.campaign_id == campaign_id, col(Lead.id) > after)
    return session.exec(query.order_by(col(Lead.id)).limit(limit)).all()


def count_leads(session: Session) -> dict[int, int]:
    """How many leads campaigns have, by their ids; none: not named."""
    return dict(session.exec(select(Lead.campaign_id, func.count()).group_by(col(Lead.campaign_id))).all())


def add_lead_row(
    session: Session, campaign_id: int, number: str, type: LeadType, *, at: datetime, call_id: str | None = None
) -> Lead:
    """A lead who is not there yet; the database refuses one who is (Refused)."""
    lead = Lead(campaign_id=campaign_id, number=number, type=type, created_at=at, call_id=call_id)
    session.add(lead)
    session.flush()
    return lead
