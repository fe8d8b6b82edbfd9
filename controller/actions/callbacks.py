"""What people change about callbacks."""

from __future__ import annotations

from datetime import datetime

from controller.errors import Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.callbacks import Callback, close_callback, find_open_callback, get_callback


def cancel_callback(session: Session, id: int, *, acting_user: str, at: datetime) -> Callback:
    """Take somebody who waits out of the line. Raises Refused: he is being called, or is not waiting any more; NotFound."""
    callback = get_callback(session, id)
    if callback.state == "calling":
        raise Refused(f"callback {id} is being made at this moment")
    if callback.state != "waiting" or not close_callback(session, id, "cancelled", f"by {acting_user}", at):
        raise Refused(f"callback {id} is {callback.state} already")
    add_audit(session, at, acting_user, "callback.cancel", f"callback {id}", number=callback.number, group=callback.group_name)
    session.flush()
    session.refresh(callback)
    return callback


def retry_callback(session: Session, id: int, *, acting_user: str, at: datetime) -> Callback:
    """Have somebody called as soon as it is his turn, with all attempts before him: one who waits for his next attempt, or
    whose callback is over. He keeps the place he had.

    Raises Refused: he is being called, or his number waits for the group once more; NotFound.
    """
    callback = get_callback(session, id)
    if callback.state == "calling":
        raise Refused(f"callback {id} is being made at this moment")
    other = find_open_callback(session, callback.number, callback.group_name)
    if other is not None and other.id != id:
        raise Refused(f"{callback.number} waits for {callback.group_name} already: callback {other.id}")
    callback.state, callback.attempts, callback.detail, callback.ended_at = "waiting", 0, "", None
    callback.opened_at = callback.due_at = at
    add_audit(session, at, acting_user, "callback.retry", f"callback {id}", number=callback.number, group=callback.group_name)
    session.flush()
    return callback
