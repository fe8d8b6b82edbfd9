"""Phone numbers in text, and text without those that its reader must not see (LNR-11).

Whatever a page is made of, a number is found in it by its digits: with or without a plus, international or as people of its
country write it, with separators between the digits or without, in the text, in a link, or in the name of a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

MARK: Final = "hidden number"
"""Stands in the place of a number."""
FEWEST_DIGITS: Final = 5
"""Shorter numbers are extensions and services of the installation; they are not hidden."""
_MOST_DIGITS: Final = 20
_MOST_GROUPS: Final = 8
_DIGITS: Final = re.compile(r"[0-9]+")
_BETWEEN: Final = re.compile(r"(?:[\s().\-/\u00a0\u2010-\u2015]|%20|%28|%29|&nbsp;){1,3}")
_BEFORE: Final = re.compile(r"(?:\+|%2B|&#43;)?\(?\Z", re.IGNORECASE)
_LONGEST_BEFORE: Final = 6


def digits_of(number: str) -> str:
    """The digits of a number, without all that people write between them."""
    return "".join(_DIGITS.findall(number))


def possible_numbers(text: str) -> set[str]:
    """The digits of all that may be a phone number in this text."""
    return {digits for _, ends in _places(text) for digits, _ in ends}


def without(text: str, hidden: Collection[str]) -> str:
    """The text with MARK in the place of each number whose digits are among these."""
    parts, at = [], 0
    for start, ends in _places(text):
        end = max((end for digits, end in ends if digits in hidden), default=0)
        if start >= at and end:
            before = _BEFORE.search(text[max(at, start - _LONGEST_BEFORE) : start])
            parts += [text[at : start - (len(before[0]) if before else 0)], MARK]
            at = end
    return "".join([*parts, text[at:]])


def _places(text: str) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Where digits begin, with all that may be one number from there: its digits, and where it ends."""
    groups = list(_DIGITS.finditer(text))
    for place, first in enumerate(groups):
        digits, end = "", first.start()
        found = []
        for group in groups[place : place + _MOST_GROUPS]:
            if digits and _BETWEEN.fullmatch(text, end, group.start()) is None:
                break
            digits, end = digits + group[0], group.end()
            if len(digits) > _MOST_DIGITS:
                break
            if len(digits) >= FEWEST_DIGITS:
                found.append((digits, end))
        if found:
            yield first.start(), found
