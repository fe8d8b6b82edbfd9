"""What confirms that a number is ours: a code that was told to it, for some months, or an administrator's word (SKZ-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from controller.storage.columns import UtcDateTime
from controller.storage.locks import CONFIRMATIONS, hold

ConfirmationState: TypeAlias = Literal["unconfirmed", "confirmed", "expired"]

WARNED_BEFORE: Final = timedelta(days=14)
"""Before the end of a confirmation people are told of it."""


class Confirmable(SQLModel):
    """A number that must be confirmed before it is used.

    `confirmed_at` None: nobody has proven yet that it is ours. A confirmation without `expires_at` never ends. `code_hash` is the
    salted SHA-256 of the code that was given last, "" when there is none; `code_tries` counts what was typed for it.
    """

    id: int = Field(default=None, primary_key=True)
    number: str
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code_hash: str = ""
    code_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code_tries: int = 0

    def state(self, at: datetime) -> ConfirmationState:
        """How its confirmation is at a moment."""
        if self.confirmed_at is None:
            return "unconfirmed"
        return "confirmed" if self.expires_at is None or self.expires_at > at else "expired"

    def expires_soon(self, at: datetime) -> bool:
        """Whether its confirmation ends within WARNED_BEFORE."""
        return self.state(at) == "confirmed" and self.expires_at is not None and self.expires_at - at <= WARNED_BEFORE

    @property
    def confirmed_for_good(self) -> bool:
        """Whether it is a number of our own trunk, as an administrator has said."""
        return self.confirmed_at is not None and self.expires_at is None

    def forget_confirmation(self) -> None:
        """It has to be confirmed anew."""
        self.confirmed_at = self.expires_at = None
        self.code_hash = ""


class GivenCode(SQLModel, table=True):
    """A code that was told by a call or sent, kept for as long as it counts against the limits."""

    __tablename__ = "given_codes"

    id: int = Field(default=None, primary_key=True)
    number: str
    asked_by: str
    at: datetime = Field(sa_type=UtcDateTime, index=True)


def take_try(session: Session, row: Confirmable, at: datetime, most: int) -> bool:
    """Count a code that was typed; False when there is none to compare it with: never made, too old, or tried too often."""
    of = type(row)
    valid = (col(of.code_hash) != "") & (col(of.code_expires_at) > at)
    query = update(of).where(col(of.id) == row.id, valid, col(of.code_tries) < most).values(code_tries=col(of.code_tries) + 1)
    return session.exec(query).rowcount == 1


def codes_since(session: Session, moment: datetime) -> Sequence[GivenCode]:
    """The codes after a moment, the first first; those before it are forgotten. Others wait until the transaction ends."""
    hold(session, CONFIRMATIONS)
    session.exec(delete(GivenCode).where(col(GivenCode.at) <= moment))
    return session.exec(select(GivenCode).order_by(col(GivenCode.at))).all()


def forget_code(session: Session, number: str, at: datetime) -> None:
    """The code of this moment was not given."""
    session.exec(delete(GivenCode).where(col(GivenCode.number) == number, col(GivenCode.at) == at))
