"""Checks that several actions share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from controller.errors import FieldProblem, InvalidInput
from controller.schedules import zone_named

MOST_DAYS: Final = 36_500
"""That recordings may be kept."""


def checked_name(field: str, value: str, longest: int = 64) -> str:
    """A name for people to see, without the blanks around it.

    Control characters are refused because names travel into Asterisk's configuration. Raises InvalidInput.
    """
    name = value.strip()
    if not 1 <= len(name) <= longest or not name.isprintable():
        raise invalid(field, f"write 1 to {longest} characters on one line")
    return name


def checked_pattern(field: str, value: str, pattern: str, message: str) -> str:
    """The value, if all of it matches. Raises InvalidInput."""
    if re.fullmatch(pattern, value) is None:
        raise invalid(field, message)
    return value


def checked_seconds(field: str, value: int, longest: int) -> int:
    """A time of 1 to `longest` seconds. Raises InvalidInput."""
    if not 1 <= value <= longest:
        raise invalid(field, f"use 1 to {longest} seconds")
    return value


def checked_zone(field: str, name: str | None) -> str | None:
    """A time zone's IANA name, None for none. Raises InvalidInput."""
    try:
        return None if name is None else zone_named(name).key
    except ValueError as error:
        raise invalid(field, str(error)) from None


def days_problems(days: int | None) -> Iterator[FieldProblem]:
    """What is wrong with the days that recordings of a number's, or a campaign's, calls are kept; None: no own ones."""
    if days is not None and not 1 <= days <= MOST_DAYS:
        yield FieldProblem("recordings_days", f"use 1 to {MOST_DAYS} days, or none for as long as other recordings")


def dialled_number(text: str) -> str | None:
    """A number as a trunk dials it: what was written, without what people put between digits; None for what is none."""
    written = re.sub(r"[\s().\-/]+", "", text)
    return written if re.fullmatch(r"\+?[0-9]{2,20}", written) else None


def invalid(field: str, message: str) -> InvalidInput:
    """One field is wrong."""
    return InvalidInput(f"{field}: {message}", [FieldProblem(field, message)])
