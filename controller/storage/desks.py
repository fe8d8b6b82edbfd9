"""Users' desks: whose an operator's phone is, and how the pages ring for him."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey
from sqlmodel import Field, Session, SQLModel, select

from controller.storage.operators import Operator
from controller.storage.users import User


class Desk(SQLModel, table=True):
    """A user's; `operator_id` is the operator whose phone is his, an operator is at one desk at most.

    `ringtone_path` is relative to the data folder, None for the standard ringtone; `ringtone_name` is what he calls the file.
    """

    __tablename__ = "desks"

    user_id: int = Field(sa_column=Column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    operator_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("operators.id", ondelete="SET NULL"), nullable=True, unique=True)
    )
    ringtone_path: str | None = None
    ringtone_name: str = ""


def find_desk(session: Session, user_id: int) -> Desk | None:
    return session.get(Desk, user_id)


def find_desk_of(session: Session, operator_id: int) -> Desk | None:
    """The desk that an operator's phone stands on."""
    return session.exec(select(Desk).where(Desk.operator_id == operator_id)).first()


def user_of(session: Session, operator_id: int) -> User | None:
    """The user whose phone the operator's is."""
    return session.exec(select(User).join(Desk).where(Desk.operator_id == operator_id)).first()


def operator_of(session: Session, user_id: int) -> Operator | None:
    """The operator whose phone is the user's."""
    return session.exec(select(Operator).join(Desk).where(Desk.user_id == user_id)).first()


def sees_team(session: Session, user: User) -> bool:
    """Whether the user is shown who works here: not if the operator whose phone is his has no access to the team (SKZ-67). Who
    administers or supervises always is.
    """
    own = operator_of(session, user.id) if user.role == "operator" else None
    return own is None or own.team


def linked_operators(session: Session) -> dict[int, Operator]:
    """The operators whose phones are users', by the user's id."""
    return {desk.user_id: operator for desk, operator in session.exec(select(Desk, Operator).join(Operator)).all()}
