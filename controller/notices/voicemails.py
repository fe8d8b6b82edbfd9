"""What happens to a voicemail: it is kept, and a letter tells of it (UIS-10, UIS-11, T-15)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, tzinfo
from pathlib import PurePosixPath

from controller.notices.hiding import without_hidden_numbers
from controller.notices.letters import Attachment, Letter, write_letter
from controller.notices.outbox import enqueue
from controller.storage import Session
from controller.storage.voicemails import Voicemail, find_voicemail

KIND = "voicemail"


@dataclass(frozen=True, slots=True)
class LeftVoicemail:
    """A caller went through a voicemail operation, whether or not he said something.

    `id` is made before the recording starts and sorts by time; `caller_number` is empty when it was withheld; `arrived_at` is
    when the call arrived; `path` is relative to the data folder, None when nothing was recorded; `failed`: what he said could
    not be recorded; each of the e-mail addresses `recipients` gets a letter.
    """

    id: str
    call_id: str
    scenario: str
    node: str
    caller_number: str
    called_number: str
    arrived_at: datetime
    path: str | None = None
    length_seconds: float = 0.0
    failed: bool = False
    recipients: tuple[str, ...] = ()


def store_voicemail(
    session: Session, left: LeftVoicemail, *, language: str, zone: tzinfo, at: datetime, region: str | None = None
) -> Voicemail:
    """Keep it and put its letters into the outbox, in one transaction. Told twice of the same voicemail it is kept once.

    `language` is the letters', `zone` the one its times are written in. They are without a number that is hidden
    (LNR-11), whoever gets them; `region` is as for `controller.addresses.phone_number`.
    """
    before = find_voicemail(session, left.id)
    if before is not None:
        return before
    recipients = tuple(dict.fromkeys(address for each in left.recipients if (address := each.strip())))
    left = replace(left, caller_number=_printable(left.caller_number), recipients=recipients)
    voicemail = Voicemail(**{**asdict(left), "recipients": list(recipients)}, created_at=at)
    session.add(voicemail)
    for recipient in recipients:
        letter = _letter(left, recipient, language, zone)
        enqueue(session, without_hidden_numbers(session, letter, region), at=at)
    session.flush()
    return voicemail


def occasion(voicemail_id: str, recipient: str) -> str:
    """The letter of a voicemail to one address, as the outbox knows it."""
    return f"{KIND}:{voicemail_id}:{recipient}"


def _letter(left: LeftVoicemail, recipient: str, language: str, zone: tzinfo) -> Letter:
    arrived = left.arrived_at.astimezone(zone)
    facts: dict[str, object] = {
        "caller": left.caller_number,
        "called": left.called_number,
        "arrived": f"{arrived:%Y-%m-%d %H:%M} {arrived.tzname()}",
        "recorded": left.path is not None,
        "failed": left.failed,
        "length": _length(left.length_seconds),
        "scenario": left.scenario,
        "node": left.node,
    }
    subject, body = write_letter(KIND, language, facts)
    attachments = () if left.path is None else (_sound(left.path, left, arrived),)
    return Letter(KIND, language, recipient, subject, body, attachments, occasion(left.id, recipient))


def _sound(path: str, left: LeftVoicemail, arrived: datetime) -> Attachment:
    caller = "".join(character for character in left.caller_number if character.isascii() and character.isalnum())
    name = f"voicemail-{arrived:%Y%m%d-%H%M}-{caller or 'withheld'}{PurePosixPath(path).suffix}"
    return Attachment(path, name, "audio/wav")


def _printable(text: str) -> str:
    """What callers send may hold what a database refuses."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
