"""What the caller says into a voicemail."""

from __future__ import annotations

import logging

from controller.calls.facts import CallFacts, CallTools
from controller.telephony.mailboxes import Mailbox
from ivr.commands import Record, SaveVoicemail
from ivr.events import RecordingFinished, RecordingId

log = logging.getLogger(__name__)


class MessageRecorder:
    """Records the caller of one call, and keeps what he said."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox

    async def record(self, command: Record) -> None:
        """Begin to record; one `RecordingFinished` follows in the mailbox."""
        self._mailbox.put_nowait(RecordingFinished(command.recording, 0))

    async def stop(self, recording: RecordingId) -> None:
        """Stop it; its `RecordingFinished` still follows."""

    def save(self, command: SaveVoicemail) -> None:
        """Keep the voicemail of a visit, whatever becomes of the call."""
        log.warning("call %s: %r is not carried out", self._facts.call, command)
