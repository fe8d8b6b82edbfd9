"""What the form says with which an operator gives his caller to somebody else (SKZ-66 to SKZ-68)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.errors import FieldProblem, InvalidInput
from web.colleagues import Colleague
from web.state_models import CALL_CENTER, TransferOrder
from web.words import operator_words

OUTSIDE: Final = "outside"
"""Chosen in place of a colleague: the number that was typed."""
_BETWEEN_DIGITS: Final = re.compile(r"[\s().\-/]+")
_NUMBER: Final = re.compile(r"\+?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class TransferText:
    """The form as it was sent: `to` is an extension, OUTSIDE, CALL_CENTER, or empty when nobody was chosen."""

    to: str = ""
    number: str = ""
    consulting: bool = False

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> TransferText:
        """A number that was typed is meant where nobody was chosen."""
        number = fields.get("number", "").strip()
        return cls(fields.get("to", "") or (OUTSIDE if number else ""), number, "consulting" in fields)

    def order(self, colleagues: Sequence[Colleague]) -> TransferOrder:
        """What is asked for; `colleagues` are those whom the operator sees. Raises InvalidInput."""
        if self.number and self.to not in ("", OUTSIDE):
            raise self.wrong("choose “Phone”, or leave the number empty", "number")
        if self.to == OUTSIDE:
            return TransferOrder(to=self._outside(), consulting=self.consulting)
        if self.to == CALL_CENTER:
            return TransferOrder(to=CALL_CENTER, consulting=self.consulting)
        chosen = next((one for one in colleagues if one.extension == self.to), None)
        if chosen is None:
            raise self.wrong("none of your colleagues is this one" if self.to else "choose a colleague, or enter a number")
        if not chosen.is_available:
            raise self.wrong(f"{chosen.name} can't be chosen: {operator_words(chosen.state).text.lower()}")
        return TransferOrder(to=chosen.extension, consulting=self.consulting)

    def wrong(self, message: str, field: str = "") -> InvalidInput:
        """What is wrong with a field: with that of the target, if none is named."""
        return InvalidInput(message, [FieldProblem(field or ("number" if self.to == OUTSIDE else "to"), f"{message}.")])

    def _outside(self) -> str:
        number = _BETWEEN_DIGITS.sub("", self.number)
        if _NUMBER.fullmatch(number) is None:
            raise self.wrong("write at most 20 digits, with a + before them if you like" if number else "enter the number")
        return number


def target_name(to: str, colleagues: Sequence[Colleague]) -> str:
    """Who was chosen, in words."""
    names = {one.extension: one.name for one in colleagues}
    return names.get(to) or ("The call center" if to == CALL_CENTER else "The number")
