"""Phone numbers in text, and text without those that its reader must not see (LNR-11).

Whatever a page is made of, a number is found in it by its digits: with or without a plus, international or as people of its
country write it, with separators between the digits or without, in the text, in a link, or in the name of a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import Final

MARK: Final = "hidden number"
"""Stands in the place of a number."""
FEWEST_DIGITS: Final = 5
"""Shorter numbers are extensions and services of the installation; they are not hidden."""
_MOST_DIGITS: Final = 20
_MOST_GROUPS: Final = 8
_DIGITS: Final = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])[0-9]+")
"""Not those of an escaped character in a link: %20, %2B."""
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
    for start, end in _cuts(text, hidden):
        parts += [text[at:start], MARK]
        at = end
    return "".join([*parts, text[at:]])


def restored(text: str, before: str, hidden: Collection[str]) -> str:
    """What somebody means who was shown `before` without the hidden numbers and has made this text of it: each MARK is the number
    that it stands for. Where one was removed or added nobody can tell which, and all stay MARKs.
    """
    numbers = [before[start:end] for start, end in _cuts(before, hidden)]
    parts = text.split(MARK)
    if len(parts) != len(numbers) + 1:
        return text
    return "".join(part for pair in zip_longest(parts, numbers, fillvalue="") for part in pair)


def _cuts(text: str, hidden: Collection[str]) -> Iterator[tuple[int, int]]:
    """From where to where hidden numbers are in the text, with the plus before them."""
    at = 0
    for start, ends in _places(text):
        end = max((end for digits, end in ends if digits in hidden), default=0)
        if start >= at and end:
            before = _BEFORE.search(text[max(at, start - _LONGEST_BEFORE) : start])
            yield start - (len(before[0]) if before else 0), end
            at = end


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
