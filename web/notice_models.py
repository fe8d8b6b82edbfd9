"""Voicemails and letters as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from controller.storage.outbox import LetterState, OutboxCounts, OutboxLetter
from controller.storage.voicemails import Voicemail
from web.files import inside


class VoicemailQuery(BaseModel):
    """Which voicemails to list, those of the newest calls first."""

    model_config = ConfigDict(extra="forbid")

    heard: bool | None = Field(None, description="false: only those that nobody has dealt with")
    limit: int = Field(50, ge=1, le=200)
    before: str | None = Field(None, max_length=64, description="id of the last voicemail of the page before")


class VoicemailModel(BaseModel):
    """A caller who went through a voicemail operation. Times are UTC."""

    id: str
    call_id: str
    scenario: str
    node: str
    caller_number: str = Field(description="empty when it was withheld")
    called_number: str
    arrived_at: datetime = Field(description="when the call arrived")
    recorded: bool = Field(description="false: he left no message")
    audio_available: bool = Field(description="whether the file is there")
    length_seconds: float
    failed: bool = Field(description="true: what he said could not be recorded")
    recipients: list[str] = Field(description="addresses that get a letter each")
    heard_at: datetime | None


class VoicemailList(BaseModel):
    """Voicemails, those of the newest calls first."""

    voicemails: list[VoicemailModel]


class HeardChange(BaseModel):
    """Whether somebody has dealt with a voicemail."""

    model_config = ConfigDict(extra="forbid")

    heard: bool


class LetterQuery(BaseModel):
    """Which letters to list, newest first."""

    model_config = ConfigDict(extra="forbid")

    state: LetterState | None = None
    limit: int = Field(50, ge=1, le=200)
    before: str | None = Field(None, max_length=64, description="id of the last letter of the page before")


class LetterModel(BaseModel):
    """A letter of the outbox. Times are UTC."""

    id: str
    kind: str
    state: LetterState
    recipient: str
    subject: str
    attachments: list[str] = Field(description="names of the attached files")
    created_at: datetime
    due_at: datetime | None = Field(description="when it is tried next; null unless it waits")
    attempts: int
    last_error: str = Field(description="what the mail server said last; empty when nothing went wrong")
    sent_at: datetime | None
    given_up_at: datetime | None


class LetterList(BaseModel):
    """Letters, newest first, and how many wait or were given up in all."""

    letters: list[LetterModel]
    waiting: int
    given_up: int
    mail_server_set: bool = Field(description="false: this installation has no mail server, letters wait")


class LetterRetry(BaseModel):
    """How to try a letter again."""

    model_config = ConfigDict(extra="forbid")

    recipient: str | None = Field(None, max_length=254, description="another address to send it to")


def voicemail_model(voicemail: Voicemail, folder: Path) -> VoicemailModel:
    """One voicemail; `folder` is the data folder."""
    return VoicemailModel(
        id=voicemail.id,
        call_id=voicemail.call_id,
        scenario=voicemail.scenario,
        node=voicemail.node,
        caller_number=voicemail.caller_number,
        called_number=voicemail.called_number,
        arrived_at=voicemail.arrived_at,
        recorded=voicemail.path is not None,
        audio_available=voicemail.path is not None and inside(folder, voicemail.path) is not None,
        length_seconds=voicemail.length_seconds,
        failed=voicemail.failed,
        recipients=voicemail.recipients,
        heard_at=voicemail.heard_at,
    )


def letter_model(letter: OutboxLetter) -> LetterModel:
    """One letter."""
    return LetterModel(
        id=letter.id,
        kind=letter.kind,
        state=letter.state,
        recipient=letter.recipient,
        subject=letter.subject,
        attachments=[attachment["name"] for attachment in letter.attachments],
        created_at=letter.created_at,
        due_at=letter.due_at if letter.state == "waiting" else None,
        attempts=letter.attempts,
        last_error=letter.last_error,
        sent_at=letter.sent_at,
        given_up_at=letter.given_up_at,
    )


def letter_list(letters: list[LetterModel], counts: OutboxCounts, mail_server_set: bool) -> LetterList:
    """A page of letters."""
    return LetterList(letters=letters, waiting=counts.waiting, given_up=counts.given_up, mail_server_set=mail_server_set)
