"""Every error of the controller, in one tree. The message is written for the person who must mend it.

AttendantError
├── SettingsError             a setting is wrong; names the setting
├── SetupError                the machine can't run this yet; says what is missing
├── StorageError
│   └── NotFound              no such row
├── Refused                   a change that may not be made as asked
│   └── InvalidInput          ... with the fields at fault
├── TelephonyError            Asterisk refused or did not answer
│   ├── TelephonyUnavailable  no connection, or no answer in time
│   └── ChannelGone           the channel, bridge or playback is no more
└── MailError                 a letter was not sent
    ├── MailUnavailable       the mail server can't be reached or used: the same for every letter
    ├── LetterDeferred        the server does not take this letter now
    └── LetterRefused         the server will never take this letter
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AttendantError(Exception):
    """Something went wrong that Attendant knows how to name."""


class SettingsError(AttendantError):
    """A setting has a value that can't be used."""


class SetupError(AttendantError):
    """This machine lacks something that Attendant needs."""


class StorageError(AttendantError):
    """The database refused or could not be reached."""


class NotFound(StorageError):
    """There is no such thing."""


class Refused(AttendantError):
    """The change was refused; nothing was changed."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a submitted value.

    `field` is a dotted path ("nodes.menu.exits.1"); empty for the whole.
    """

    field: str
    message: str


class InvalidInput(Refused):
    """The change was refused because of the values given; nothing was changed."""

    def __init__(self, message: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class TelephonyError(AttendantError):
    """Asterisk refused a request."""


class TelephonyUnavailable(TelephonyError):
    """Asterisk can't be reached or did not answer in time."""


class ChannelGone(TelephonyError):
    """The channel, bridge or playback does not exist (any more)."""


class MailError(AttendantError):
    """A letter was not sent."""


class MailUnavailable(MailError):
    """The mail server can't be reached, or doesn't let us in: no letter can be sent."""


class LetterDeferred(MailError):
    """The mail server does not take this letter now, but may later."""


class LetterRefused(MailError):
    """The mail server will never take this letter."""
