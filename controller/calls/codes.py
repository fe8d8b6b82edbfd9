"""Feature codes: what operators dial, or press during a conversation, to tell the system something. Pure.

Dialled on an operator's phone:   log in · log out · do not disturb, with a digit for the reason · end it · pick up a call that
                                  rings at a colleague of one's groups, or (with an extension) at that colleague
Pressed during a conversation:    transfer, consult before a transfer (both with a number and "#"; "#" alone is the call center of
                                  the campaign) · back to the caller
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from controller.settings import Settings

LONGEST_NUMBER: Final = 20
CALL_CENTER: Final = "campaign"
"""In place of a number: the transfer numbers of the call's campaign, one after another."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """He takes calls from now on."""


@dataclass(frozen=True, slots=True)
class LogOut:
    """He takes no more calls."""


@dataclass(frozen=True, slots=True)
class DoNotDisturb:
    """He takes no calls for a while; `reason` may be empty."""

    reason: str


@dataclass(frozen=True, slots=True)
class Disturb:
    """Do not disturb is over: he takes calls again."""


@dataclass(frozen=True, slots=True)
class PickUp:
    """He takes a call that rings elsewhere: at `extension`, or at any colleague of his groups."""

    extension: str | None


@dataclass(frozen=True, slots=True)
class WrongCode:
    """It begins like a code, and is none."""


Code: TypeAlias = LogIn | LogOut | DoNotDisturb | Disturb | PickUp | WrongCode


@dataclass(frozen=True, slots=True)
class Transfer:
    """He gives his caller to `number`, or to CALL_CENTER; `consulting`: he wants to speak with that person before."""

    number: str
    consulting: bool


@dataclass(frozen=True, slots=True)
class Return:
    """He ends his consultation and goes back to his caller."""


Order: TypeAlias = Transfer | Return


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The codes of the installation; `reasons` are those of do not disturb, by their digit from 1 on."""

    log_in: str = "*41"
    log_out: str = "*42"
    do_not_disturb: str = "*43"
    disturb: str = "*44"
    pick_up: str = "*8"
    transfer: str = "*1"
    consult: str = "*2"
    back: str = "*3"
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> FeatureCodes:
        """The codes of the settings."""
        return cls(
            settings.code_log_in,
            settings.code_log_out,
            settings.code_do_not_disturb,
            settings.code_disturb,
            settings.code_pick_up,
            settings.code_transfer,
            settings.code_consult,
            settings.code_back,
            settings.do_not_disturb_reasons,
        )

    def read(self, dialled: str) -> Code | None:
        """What an operator has dialled; None when it does not begin like a code."""
        for code, meaning in ((self.log_in, LogIn()), (self.disturb, Disturb()), (self.log_out, LogOut())):
            if dialled == code:
                return meaning
        if dialled.startswith(self.do_not_disturb):
            return self._reason(dialled.removeprefix(self.do_not_disturb))
        if dialled.startswith(self.pick_up):
            extension = dialled.removeprefix(self.pick_up)
            return PickUp(extension or None) if extension.isdigit() or not extension else WrongCode()
        return WrongCode() if dialled.startswith(("*", "#")) else None

    def _reason(self, digit: str) -> Code:
        if digit in ("", "0"):
            return DoNotDisturb("")
        if len(digit) == 1 and digit.isdigit() and int(digit) <= len(self.reasons):
            return DoNotDisturb(self.reasons[int(digit) - 1])
        return WrongCode()


@dataclass(frozen=True, slots=True)
class DeskRules:
    """What operators can do with their phones. Who is wanted by a transfer has `transfer_seconds` to answer; then the call is
    ended, or returns to who transferred it (`transfer_returns`; SKZ-69).
    """

    codes: FeatureCodes = FeatureCodes()
    transfer_seconds: float = 30
    transfer_returns: bool = False

    @classmethod
    def of(cls, settings: Settings) -> DeskRules:
        """The rules of the settings."""
        return cls(FeatureCodes.of(settings), settings.transfer_seconds, settings.transfer_returns)


class KeysOfOperator:
    """Reads the keys of an operator in a conversation; what is no code concerns nobody here."""

    def __init__(self, codes: FeatureCodes) -> None:
        self._codes = codes
        self._typed = ""

    def press(self, key: str) -> Order | None:
        """One more key; gives the order that it completes."""
        self._typed += key
        if self._typed == self._codes.back:
            self._typed = ""
            return Return()
        for code, consulting in ((self._codes.transfer, False), (self._codes.consult, True)):
            if self._typed.startswith(code) and self._typed.endswith("#"):
                number = self._typed.removeprefix(code).removesuffix("#")
                self._typed = ""
                return Transfer(number or CALL_CENTER, consulting)
        if not self._may_become_an_order():
            # The key that broke the code may begin another.
            self._typed = key if len(self._typed) > 1 and self._begins(key) else ""
        return None

    def forget(self) -> None:
        """He has paused for too long."""
        self._typed = ""

    @property
    def typing(self) -> bool:
        """Keys of a code have come, and not all."""
        return bool(self._typed)

    def _may_become_an_order(self) -> bool:
        if self._begins(self._typed):
            return True
        for code in (self._codes.transfer, self._codes.consult):
            rest = self._typed.removeprefix(code)
            if self._typed.startswith(code) and rest.isdigit() and len(rest) <= LONGEST_NUMBER:
                return True
        return False

    def _begins(self, typed: str) -> bool:
        return any(code.startswith(typed) for code in (self._codes.transfer, self._codes.consult, self._codes.back))
