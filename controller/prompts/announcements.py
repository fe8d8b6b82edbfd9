"""What a waiting caller is told of his place in line and of how long it will take. Made, as the other standard prompts, of
Asterisk's sound packages; they are no part of the library's lists, for nothing but a line says them.

    first in line     "you are first in line …"
    place 2 to 99     "you are caller number" · the number · "waiting to be answered"; a later place is not said
    expected wait     "the estimated hold time is" · minutes, rounded up; more than an hour is not said

Russian counts minutes in three forms, of which the package has two: there, between one minute and an hour, only multiples of
five are said, which have the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Final

from controller.prompts.builtin import BuiltinPrompt
from ivr.prompts import PromptRef

LAST_PLACE: Final = 99
LONGEST_WAIT: Final = 60
"""Minutes."""
_FIVES: Final = tuple(range(5, LONGEST_WAIT + 1, 5))
_MINUTES: Final[Mapping[str, tuple[int, ...]]] = {"en": (1, 2, 3, 4, *_FIVES), "ru": (1, *_FIVES)}
"""What is said, by language."""
_FIRST: Final = PromptRef("line-first")


def place_prompt(place: int) -> PromptRef | None:
    """Says a caller's place in line, 1 for who is next; None for one that can't be said."""
    if place == 1:
        return _FIRST
    return PromptRef(f"line-place-{place}") if 1 < place <= LAST_PLACE else None


def wait_prompt(seconds: float, language: str) -> PromptRef | None:
    """Says how long it will take, in the minutes that the language has words for; None for what can't be said."""
    said = _MINUTES.get(language, _FIVES)
    minutes = next((minutes for minutes in said if minutes >= ceil(seconds / 60)), None)
    return None if minutes is None else PromptRef(f"line-wait-{minutes}")


def _number(number: int) -> Iterator[str]:
    tens, ones = divmod(number, 10)
    if number <= 20 or not ones:
        yield f"digits/{number}"
    else:
        yield from (f"digits/{tens}0", f"digits/{ones}")


def _place(place: int) -> BuiltinPrompt:
    return BuiltinPrompt(f"Number {place} in the line", ("queue-thereare", *_number(place), "queue-callswaiting"))


def _wait(minutes: int) -> BuiltinPrompt:
    if minutes == 1:
        one = ("queue-holdtime", "digits/1", "queue-minute")
        return BuiltinPrompt("Expected wait: a minute", one, {"ru": ("queue-holdtime", "digits/1n", "queue-minute")})
    return BuiltinPrompt(f"Expected wait: {minutes} minutes", ("queue-holdtime", *_number(minutes), "queue-minutes"))


ANNOUNCEMENTS: Final[Mapping[str, BuiltinPrompt]] = {
    **{f"line-place-{place}": _place(place) for place in range(2, LAST_PLACE + 1)},
    **{f"line-wait-{minutes}": _wait(minutes) for minutes in _MINUTES["en"]},
}
