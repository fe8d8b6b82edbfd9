"""Names that follow a template (LNR-1): pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import count
from typing import Final

PLACEHOLDERS: Final = ("number", "trunk", "n")
LONGEST: Final = 64


def checked_template(template: str) -> str:
    """The template, without the blanks around it. Raises ValueError: it could make no name, or names what is not known."""
    text = template.strip()
    unknown = set(re.findall(r"\{([^{}]*)\}", text)) - {*PLACEHOLDERS}
    if unknown or re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise ValueError(f"only {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)} stand for something")
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        raise ValueError(f"write 1 to {LONGEST} characters on one line")
    return text


def named_by(template: str, number: str, trunk: str | None, taken: Collection[str]) -> str:
    """The name of a new number; `{n}` counts from 1 to the first name that is not taken.

    >>> named_by("Line {n}", "8000", None, ["Line 1"])
    'Line 2'
    """

    def name(values: Mapping[str, str]) -> str:
        filled = re.sub(r"\{(\w+)\}", lambda place: values[place[1]], template)
        return " ".join(filled.split())

    given = {"number": number, "trunk": trunk or ""}
    names = (name({**given, "n": str(n)}) for n in count(1))
    return next(one for one in names if "{n}" not in template or one not in taken)
