"""Notices: letters that people get. They are kept in the database first, sent and retried from there."""

from controller.notices.letters import Attachment, Letter, write_letter
from controller.notices.outbox import OutboxSender, enqueue, open_sender

__all__ = ["Attachment", "Letter", "OutboxSender", "enqueue", "open_sender", "write_letter"]
