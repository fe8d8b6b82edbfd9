"""Operators: people with a phone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Field, Session, SQLModel, col, select


class Operator(SQLModel, table=True):
    """`extension` is the short number and the SIP user; `sip_secret` its password, in clear because Asterisk needs it so."""

    __tablename__ = "operators"
    # Legs of calls name operators: the id of one that was removed must not come again.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int = Field(default=None, primary_key=True)
    extension: str = Field(unique=True)
    name: str
    sip_secret: str


def list_operators(session: Session) -> Sequence[Operator]:
    """All operators, by extension."""
    return session.exec(select(Operator).order_by(col(Operator.extension))).all()


def find_operator(session: Session, extension: str) -> Operator | None:
    return session.exec(select(Operator).where(Operator.extension == extension)).first()
