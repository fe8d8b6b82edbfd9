"""Inbound numbers: what callers dial, and the scenario that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.scenarios import StoredScenario


class InboundNumber(SQLModel, table=True):
    """A number of ours. `language` None means the installation's own."""

    __tablename__ = "inbound_numbers"

    id: int = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    line_name: str
    scenario_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("scenarios.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    language: str | None = None


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """Where a call to a number goes. `scenario_version_id` is None when the number has no published scenario."""

    number: str
    line_name: str
    language: str | None
    scenario_version_id: int | None


def list_routes(session: Session) -> list[InboundRoute]:
    """The routes of all numbers, by number."""
    query = (
        select(
            InboundNumber.number,
            InboundNumber.line_name,
            InboundNumber.language,
            StoredScenario.published_version_id,
        )
        .outerjoin(StoredScenario, col(StoredScenario.id) == InboundNumber.scenario_id)
        .order_by(col(InboundNumber.number))
    )
    return [InboundRoute(*row) for row in session.exec(query)]


def list_numbers(session: Session) -> Sequence[InboundNumber]:
    """All numbers of ours, by number."""
    return session.exec(select(InboundNumber).order_by(col(InboundNumber.number))).all()


def find_number(session: Session, number: str) -> InboundNumber | None:
    return session.exec(select(InboundNumber).where(InboundNumber.number == number)).first()


def numbers_of(session: Session, scenario_id: int) -> Sequence[InboundNumber]:
    """The numbers that a scenario answers."""
    return session.exec(select(InboundNumber).where(InboundNumber.scenario_id == scenario_id)).all()
