"""Who may hear recordings, who paused one, and the end of one (SKZ-52)."""

from __future__ import annotations

from datetime import datetime

from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.recordings import get_recording, remove_recordings
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


def delete_recording(session: Session, call_id: str, id: str, *, acting_user: str, at: datetime) -> str:
    """Forget a recording; returns the path of its file, which is to be removed after the transaction.

    Raises Refused: it is still being made; NotFound: the call has no such recording.
    """
    recording = get_recording(session, id)
    if recording.call_id != call_id:
        raise NotFound(f"call {call_id} has no recording {id}")
    if recording.ended_at is None:
        raise Refused(f"recording {id} is still being made: delete it when the conversation is over")
    remove_recordings(session, [id])
    add_audit(session, at, acting_user, "recording.delete", f"call {call_id}", recording=id)
    session.flush()
    return recording.path


def _let(session: Session, found: User | ApiToken | None, who: str, allowed: bool, acting_user: str, at: datetime) -> None:
    if found is None:
        raise NotFound(f"there is no {who}")
    if found.hears_recordings != allowed:
        found.hears_recordings = allowed
        add_audit(session, at, acting_user, "recordings.allow" if allowed else "recordings.forbid", who)
        session.flush()
