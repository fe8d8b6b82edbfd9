"""Who may enter: users with passwords, browser sessions, API tokens. What is stored lets nobody in who reads it.

Tokens are long and random, so a plain SHA-256 keeps them; passwords are people's, so argon2id does. A password is hashed
before the transaction's first statement: the database is not kept waiting for it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.actions.fields import checked_name, checked_pattern, invalid
from controller.addresses import email_address
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.users import (
    ApiToken,
    Role,
    User,
    WebSession,
    delete_expired_web_sessions,
    delete_web_session,
    delete_web_sessions_of,
    find_api_token,
    find_api_token_by_name,
    find_user,
    find_web_session,
)

_SHORTEST_PASSWORD = 10
_LONGEST_PASSWORD = 200
# What OWASP advises for servers: 19 MiB each, so that many log-ins at once don't exhaust the machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def generate_password() -> str:
    """A password nobody can guess: 20 letters and digits that are not mistaken for each other."""
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(20))


def create_user(
    session: Session, login: str, password: str, role: Role, *, hears_recordings: bool = False, acting_user: str, at: datetime
) -> User:
    """Raises InvalidInput: a bad login or password; Refused: the login is taken."""
    checked_pattern("login", login, r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", "write letters, digits and . _ @ - only, at most 64")
    hashed = _hash(password)
    if find_user(session, login) is not None:
        raise Refused(f'there is already a user "{login}"')
    user = User(login=login, password_hash=hashed, role=role, created_at=at, hears_recordings=hears_recordings)
    session.add(user)
    add_audit(session, at, acting_user, "user.create", f"user {login}", role=role, hears_recordings=hears_recordings)
    session.flush()
    return user


def change_password(session: Session, login: str, password: str, *, acting_user: str, at: datetime) -> None:
    """Set a new password; every browser the user is logged in with is logged out. Raises InvalidInput, NotFound."""
    hashed = _hash(password)
    user = _user(session, login)
    user.password_hash = hashed
    delete_web_sessions_of(session, user.id)
    add_audit(session, at, acting_user, "user.change_password", f"user {login}")
    session.flush()


def set_email(session: Session, login: str, email: str | None, *, acting_user: str, at: datetime) -> None:
    """Say where a user's notices go; None: nowhere. Raises InvalidInput: no e-mail address; NotFound."""
    user = _user(session, login)
    try:
        user.email = None if email is None else email_address(email)
    except ValueError as error:
        raise invalid("email", str(error)) from None
    add_audit(session, at, acting_user, "user.email", f"user {login}", email=user.email)
    session.flush()


def set_disabled(session: Session, login: str, disabled: bool, *, acting_user: str, at: datetime) -> None:
    """Lock a user out, or let him in again. Raises NotFound."""
    user = _user(session, login)
    user.disabled = disabled
    if disabled:
        delete_web_sessions_of(session, user.id)
    add_audit(session, at, acting_user, "user.disable" if disabled else "user.enable", f"user {login}")
    session.flush()


def verify_login(session: Session, login: str, password: str) -> User | None:
    """The user, if the password is his and he is not disabled. Takes the same time whether or not there is such a user.

    Only reads. About 40 ms of CPU time: limit the rate.
    """
    user = find_user(session, login)
    stranger = _hash_of_nobody()
    matches = _matches(stranger if user is None else user.password_hash, password[:_LONGEST_PASSWORD])
    return user if user is not None and matches and not user.disabled else None


def start_web_session(session: Session, user_id: int, lifetime: timedelta, *, at: datetime) -> str:
    """Log a browser in; returns the token for its cookie. Sessions that have expired are removed."""
    token = secrets.token_urlsafe(32)
    delete_expired_web_sessions(session, at)
    session.add(WebSession(id=_sha256(token), user_id=user_id, created_at=at, expires_at=at + lifetime))
    session.flush()
    return token


def web_session_user(session: Session, token: str, at: datetime) -> User | None:
    """Whose browser this is; None when the session is unknown or over, or the user is disabled. Only reads."""
    found = find_web_session(session, _sha256(token), at)
    return None if found is None else found[1]


def end_web_session(session: Session, token: str) -> None:
    """Log a browser out; no error when it is not logged in."""
    delete_web_session(session, _sha256(token))


def create_token(session: Session, name: str, *, hears_recordings: bool = False, acting_user: str, at: datetime) -> str:
    """A new API token; what is returned can't be had again. A name is used once, even if revoked: the audit log names it.

    Raises InvalidInput: a bad name; Refused: the name is taken.
    """
    name = checked_name("name", name)
    if find_api_token_by_name(session, name) is not None:
        raise Refused(f'there is already a token "{name}": choose another name')
    token = f"att_{secrets.token_urlsafe(32)}"
    session.add(ApiToken(name=name, token_hash=_sha256(token), created_at=at, hears_recordings=hears_recordings))
    add_audit(session, at, acting_user, "token.create", f"token {name}", hears_recordings=hears_recordings)
    session.flush()
    return token


def verify_token(session: Session, token: str) -> ApiToken | None:
    """The token's row, if it is one of ours and not revoked. Only reads."""
    return find_api_token(session, _sha256(token))


def note_token_use(session: Session, token_id: int, *, at: datetime) -> None:
    """Remember when a token was last used. It is a write: once a minute is often enough."""
    found = session.get(ApiToken, token_id)
    if found is not None:
        found.last_used_at = at


def revoke_token(session: Session, name: str, *, acting_user: str, at: datetime) -> None:
    """End a token; no error when it is ended already. Raises NotFound."""
    found = find_api_token_by_name(session, name)
    if found is None:
        raise NotFound(f'there is no token "{name}"')
    if found.revoked_at is None:
        found.revoked_at = at
        add_audit(session, at, acting_user, "token.revoke", f"token {name}")


def _user(session: Session, login: str) -> User:
    user = find_user(session, login)
    if user is None:
        raise NotFound(f'there is no user "{login}"')
    return user


def _hash(password: str) -> str:
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise invalid("password", f"use {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters")
    return _HASHER.hash(password.encode(errors="surrogatepass"))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password.encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash(secrets.token_bytes(16))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
