"""Letters that tell ahead that the confirmation of a number ends (SKZ-11)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from controller.clock import Clock
from controller.errors import AttendantError
from controller.notices.letters import Letter, write_letter
from controller.notices.outbox import enqueue
from controller.storage import Database, Session
from controller.storage.confirmations import Confirmable
from controller.storage.forwarding import PhoneView, list_phones
from controller.storage.numbers import InboundNumber, list_numbers

log = logging.getLogger(__name__)

KIND: Final = "confirmation_ends"
KIND_OF_NUMBERS: Final = "number_confirmation_ends"
LOOK_EVERY: Final = 3600.0
"""Seconds between two looks at the confirmations."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Who is told, in which language, and the zone that moments are written in."""

    recipient: str
    language: str
    zone: tzinfo


def warn_of_ends(session: Session, warned: Warned, at: datetime) -> int:
    """Put a letter into the outbox for each confirmation that ends soon, one for each end; returns how many end soon. There is
    none about numbers that are shown to nobody anyway.
    """
    shown = [number for number in list_numbers(session) if number.outgoing]
    ending = [
        *(_letter_about_phone(view, warned) for view in list_phones(session) if view.row.expires_soon(at)),
        *(_letter_about_number(number, warned) for number in shown if number.expires_soon(at)),
    ]
    for letter in ending:
        enqueue(session, letter, at=at)
    return len(ending)


async def keep_warning(database: Database, warned: Warned, clock: Clock) -> None:
    """Look every LOOK_EVERY seconds, for ever; a database that is away is waited for."""
    while True:
        try:
            await database.run(warn_of_ends, warned, clock.now())
        except AttendantError as error:
            log.warning("the confirmations of numbers could not be looked at: %s", error)
        await asyncio.sleep(LOOK_EVERY)


def _letter_about_phone(view: PhoneView, warned: Warned) -> Letter:
    operator = "" if view.operator is None else f"{view.operator.name} ({view.operator.extension})"
    return _letter(KIND, view.row, warned, operator=operator)


def _letter_about_number(number: InboundNumber, warned: Warned) -> Letter:
    return _letter(KIND_OF_NUMBERS, number, warned)


def _letter(kind: str, row: Confirmable, warned: Warned, **facts: object) -> Letter:
    end = row.expires_at
    assert end is not None
    local = end.astimezone(warned.zone)
    facts |= {"number": row.number, "end": f"{local:%Y-%m-%d %H:%M} {local.tzname()}"}
    subject, body = write_letter(kind, warned.language, facts)
    return Letter(kind, warned.language, warned.recipient, subject, body, dedupe_key=f"{kind}:{row.id}:{end:%Y-%m-%dT%H:%M:%S}")
