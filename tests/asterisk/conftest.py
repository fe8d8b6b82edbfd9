"""Real calls: a whole system on a real Asterisk, SIP callers and SIP operator phones."""

from __future__ import annotations

from tests.fixtures.asterisk import asterisk, own_asterisk
from tests.fixtures.browser import chromium
from tests.fixtures.mail import mail_server
from tests.fixtures.system import callers_are_never_left_in_silence, system, system_of_its_own

__all__ = [
    "asterisk",
    "callers_are_never_left_in_silence",
    "chromium",
    "mail_server",
    "own_asterisk",
    "system",
    "system_of_its_own",
]
