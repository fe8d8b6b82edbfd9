"""Who may hear recordings, and who paused one (SKZ-52)."""

from __future__ import annotations

from datetime import datetime

from controller.errors import NotFound
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.users import ApiToken, User, find_api_token_by_name, find_user


def let_user_hear(session: Session, login: str, allowed: bool, *, acting_user: str, at: datetime) -> None:
    """Let a user hear recordings, or no longer; administrators always may. Raises NotFound."""
    _let(session, find_user(session, login), f"user {login}", allowed, acting_user, at)


def let_token_hear(session: Session, name: str, allowed: bool, *, acting_user: str, at: datetime) -> None:
    """Let a program hear recordings, or no longer. Raises NotFound."""
    _let(session, find_api_token_by_name(session, name), f"token {name}", allowed, acting_user, at)


def note_pause(session: Session, call_id: str, recording: str, paused: bool, *, acting_user: str, at: datetime) -> None:
    """For the audit log: somebody paused the recording of a live call, or had it go on."""
    kind = "recording.pause" if paused else "recording.resume"
    add_audit(session, at, acting_user, kind, f"call {call_id}", recording=recording)


def _let(session: Session, found: User | ApiToken | None, who: str, allowed: bool, acting_user: str, at: datetime) -> None:
    if found is None:
        raise NotFound(f"there is no {who}")
    if found.hears_recordings != allowed:
        found.hears_recordings = allowed
        add_audit(session, at, acting_user, "recordings.allow" if allowed else "recordings.forbid", who)
        session.flush()
