"""Notices: letters that people get. They are kept in the database first, sent and retried from there."""

from controller.notices.letters import Attachment, Letter, write_letter
from controller.notices.outbox import OutboxSender, enqueue, open_sender
from controller.notices.voicemails import LeftVoicemail, store_voicemail

__all__ = [
    "Attachment",
    "LeftVoicemail",
    "Letter",
    "OutboxSender",
    "enqueue",
    "open_sender",
    "store_voicemail",
    "write_letter",
]
