"""Letters without the numbers that are hidden from operators (LNR-11)."""

from __future__ import annotations

from dataclasses import replace

from controller.hiding import without
from controller.notices.letters import Letter
from controller.storage import Session
from controller.storage.hidden_numbers import hidden_in


def without_hidden_numbers(session: Session, letter: Letter, region: str | None) -> Letter:
    """The letter as operators may read it, names of its files included; `region` is as for `phone_number`."""
    names = [attachment.name for attachment in letter.attachments]
    hidden = hidden_in(session, "\n".join((letter.subject, letter.body, *names)), region)
    attachments = tuple(replace(one, name=without(one.name, hidden).replace(" ", "-")) for one in letter.attachments)
    return replace(letter, subject=without(letter.subject, hidden), body=without(letter.body, hidden), attachments=attachments)
