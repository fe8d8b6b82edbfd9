"""What people do with live calls, for the audit log. The live engine does it: see `controller.calls`."""

from __future__ import annotations

from datetime import datetime

from controller.storage import Session
from controller.storage.audit import add_audit


def note_transfer(session: Session, call: str, to: str, consulting: bool, *, acting_user: str, at: datetime) -> None:
    """A call was transferred through the API."""
    add_audit(session, at, acting_user, "call.transfer", f"call {call}", to=to, consulting=consulting)


def note_conclusion(session: Session, call: str, completes: bool, *, acting_user: str, at: datetime) -> None:
    """The consultation before a transfer was ended through the API or on the desk: the caller goes back, or to the target."""
    add_audit(session, at, acting_user, "call.transfer_complete" if completes else "call.transfer_back", f"call {call}")


def note_outgoing_call(session: Session, call: str, operator: str, number: str, *, acting_user: str, at: datetime) -> None:
    """A call for an operator was begun through the API."""
    add_audit(session, at, acting_user, "call.place", f"call {call}", operator=operator, number=number)
