"""A letter of the outbox as a message (RFC 5322), with its attachments as they are at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from controller.notices.letters import Attachment, write_letter
from controller.storage.outbox import OutboxLetter

# Not every server takes 8-bit lines.
_POLICY = SMTP.clone(cte_type="7bit")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Envelope:
    """What letters of this installation have in common. `folder` is the data folder; `max_attachment` is in bytes."""

    sender: str
    folder: Path
    max_attachment: int


def compose(letter: OutboxLetter, envelope: Envelope) -> bytes:
    """The whole message. It reads files: do it in a thread.

    The Message-ID is the same each time, so that a letter that is sent again after a crash is seen to be the same. An attachment
    that is gone or too large becomes a sentence that says so.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = envelope.sender
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = letter.created_at
    message["Message-ID"] = f"<{letter.id}@{envelope.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice comes back
    attached: list[tuple[Attachment, bytes]] = []
    notes: list[str] = []
    for given in letter.attachments:
        attachment = Attachment(**given)
        found = _content(attachment, envelope, letter.language)
        if isinstance(found, bytes):
            attached.append((attachment, found))
        else:
            notes.append(found)
    message.set_content("\n".join([letter.body, *notes]))
    for attachment, content in attached:
        main, _, sub = attachment.media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=attachment.name)
    return message.as_bytes()


def _content(attachment: Attachment, envelope: Envelope, language: str) -> bytes | str:
    """The file, or why it is not in the letter."""
    root = envelope.folder.resolve()
    path = (root / attachment.path).resolve()
    facts: dict[str, object] = {"name": attachment.name, "path": path}
    try:
        if not path.is_relative_to(root):
            raise FileNotFoundError(path)
        size = path.stat().st_size
        if size <= envelope.max_attachment:
            return path.read_bytes()
    except OSError:
        return write_letter("attachment_missing", language, facts)[1]
    return write_letter("attachment_too_large", language, {**facts, "megabytes": round(size / _MEGABYTE, 1)})[1]
