"""Names that follow a template (LNR-1): pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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
    if not text.replace("{trunk}", "").strip():
        raise ValueError("{trunk} alone names nothing where a number has no trunk: add a word, {number} or {n}")
    return text


def named_by(template: str, number: str, trunk: str | None, taken: Collection[str]) -> str:
    """The name of a new number; `{n}` counts from 1 to the first name that is not taken. Of what would be longer than LONGEST
    the trunk's name is shortened, and then the end is left out.

    >>> named_by("Line {n}", "8000", None, ["Line 1"])
    'Line 2'
    """

    def name(n: int) -> str:
        of_trunk = trunk or ""
        while len(filled := _filled(template, {"number": number, "trunk": of_trunk, "n": str(n)})) > LONGEST and of_trunk:
            of_trunk = of_trunk[:-1]
        return filled[:LONGEST].rstrip()

    # One more than are taken: where the count itself is left out, the last is as good as the others.
    counts = range(1, len(taken) + 2 if "{n}" in template else 2)
    return next((one for one in map(name, counts) if one not in taken), name(counts[-1]))


def _filled(template: str, values: Mapping[str, str]) -> str:
    return " ".join(re.sub(r"\{(\w+)\}", lambda place: values[place[1]], template).split())
