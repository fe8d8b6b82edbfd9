"""Voicemails and the letters of the outbox, as people look after them."""

from __future__ import annotations

from datetime import datetime

from controller.actions.fields import invalid
from controller.addresses import email_address
from controller.errors import Refused
from controller.notices.voicemails import occasion
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.outbox import OutboxLetter, find_by_occasion, get_letter
from controller.storage.voicemails import Voicemail, get_voicemail


def set_heard(session: Session, id: str, heard: bool, *, acting_user: str, at: datetime) -> Voicemail:
    """Mark a voicemail as dealt with, or not; heard twice it keeps the first time. Raises NotFound."""
    voicemail = get_voicemail(session, id)
    if heard != (voicemail.heard_at is not None):
        voicemail.heard_at = at if heard else None
        add_audit(session, at, acting_user, "voicemail.heard" if heard else "voicemail.not_heard", f"voicemail {id}")
        session.flush()
    return voicemail


def delete_voicemail(session: Session, id: str, *, acting_user: str, at: datetime) -> str | None:
    """Remove a voicemail; returns the path of its file, which is to be removed after the transaction.

    Raises Refused: a letter about it still waits, and would come without the recording; NotFound.
    """
    voicemail = get_voicemail(session, id)
    for recipient in voicemail.recipients:
        letter = find_by_occasion(session, occasion(id, recipient))
        if letter is not None and letter.state == "waiting":
            raise Refused(f"the letter about voicemail {id} to {recipient} was not sent yet: wait for it, or remove it first")
    session.delete(voicemail)
    add_audit(session, at, acting_user, "voicemail.delete", f"voicemail {id}", caller=voicemail.caller_number)
    session.flush()
    return voicemail.path


def retry_letter(session: Session, id: str, recipient: str | None = None, *, acting_user: str, at: datetime) -> OutboxLetter:
    """Try a letter again at once, as if for the first time; to another address if one is given.

    Raises InvalidInput: no e-mail address; Refused: it was sent; NotFound.
    """
    letter = get_letter(session, id)
    if letter.state == "sent":
        raise Refused(f"letter {id} was sent already")
    try:
        letter.recipient = email_address(letter.recipient if recipient is None else recipient)
    except ValueError as error:
        raise invalid("recipient", str(error)) from None
    letter.due_at, letter.attempts, letter.first_tried_at, letter.given_up_at = at, 0, None, None
    add_audit(session, at, acting_user, "letter.retry", f"letter {id}", recipient=letter.recipient)
    session.flush()
    return letter


def delete_letter(session: Session, id: str, *, acting_user: str, at: datetime) -> None:
    """Take a letter out of the outbox; one that waits is not sent any more. Raises NotFound."""
    letter = get_letter(session, id)
    session.delete(letter)
    add_audit(session, at, acting_user, "letter.delete", f"letter {id}", recipient=letter.recipient, state=letter.state)
    session.flush()
