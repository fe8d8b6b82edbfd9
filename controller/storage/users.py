"""People and programs that may enter: users, their sessions in a browser, and API tokens. Secrets are stored hashed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import ForeignKey, String, delete
from sqlmodel import Column, Field, Session, SQLModel, col, select

from controller.storage.columns import UtcDateTime

Role: TypeAlias = Literal["administrator", "supervisor", "operator"]


class User(SQLModel, table=True):
    """Someone who logs in. `password_hash` is argon2id's own format; `email` is where his notices go, None: nowhere."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    login: str = Field(unique=True)
    password_hash: str
    role: Role = Field(sa_type=String)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled: bool = False
    hears_recordings: bool = False
    email: str | None = None

    @property
    def address(self) -> str | None:
        """Where letters to him go; None: he has no address, or is not let in any more."""
        return None if self.disabled else self.email

    @property
    def may_configure(self) -> bool:
        """Whether he may change how calls are served: operators may not (SKZ-59)."""
        return self.role != "operator"

    @property
    def may_hear_recordings(self) -> bool:
        """Administrators always may."""
        return self.role == "administrator" or self.hears_recordings


class WebSession(SQLModel, table=True):
    """A logged-in browser. `id` is the SHA-256 (hexadecimal) of the token in its cookie."""

    __tablename__ = "web_sessions"

    id: str = Field(primary_key=True)
    user_id: int = Field(sa_column=Column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True))
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class ApiToken(SQLModel, table=True):
    """A program's permission. `token_hash` is the SHA-256 (hexadecimal) of what the program sends."""

    __tablename__ = "api_tokens"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    token_hash: str = Field(unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    hears_recordings: bool = False


def list_users(session: Session) -> Sequence[User]:
    """All users by login, disabled ones too."""
    return session.exec(select(User).order_by(col(User.login))).all()


def find_user(session: Session, login: str) -> User | None:
    return session.exec(select(User).where(User.login == login)).first()


def find_web_session(session: Session, id: str, at: datetime) -> tuple[WebSession, User] | None:
    """The session with this hash and its user; None when there is none, it has expired, or the user is disabled."""
    query = (
        select(WebSession, User)
        .join(User, col(User.id) == WebSession.user_id)
        .where(WebSession.id == id, WebSession.expires_at > at, col(User.disabled).is_(False))
    )
    row = session.exec(query).first()
    return None if row is None else (row[0], row[1])


def list_api_tokens(session: Session) -> Sequence[ApiToken]:
    """All tokens by name, revoked ones too."""
    return session.exec(select(ApiToken).order_by(col(ApiToken.name))).all()


def find_api_token(session: Session, token_hash: str) -> ApiToken | None:
    """The token with this hash; None when there is none or it is revoked."""
    return session.exec(select(ApiToken).where(ApiToken.token_hash == token_hash, col(ApiToken.revoked_at).is_(None))).first()


def find_api_token_by_name(session: Session, name: str) -> ApiToken | None:
    """The token of this name, revoked or not."""
    return session.exec(select(ApiToken).where(ApiToken.name == name)).first()


def delete_web_session(session: Session, id: str) -> None:
    session.exec(delete(WebSession).where(col(WebSession.id) == id))


def delete_web_sessions_of(session: Session, user_id: int) -> None:
    session.exec(delete(WebSession).where(col(WebSession.user_id) == user_id))


def delete_expired_web_sessions(session: Session, at: datetime) -> None:
    session.exec(delete(WebSession).where(col(WebSession.expires_at) <= at))
