"""Checks that several actions share."""

from __future__ import annotations

import re

from controller.errors import FieldProblem, InvalidInput


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


def invalid(field: str, message: str) -> InvalidInput:
    """One field is wrong."""
    return InvalidInput(f"{field}: {message}", [FieldProblem(field, message)])
