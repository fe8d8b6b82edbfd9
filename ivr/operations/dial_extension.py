"""Forwarding to an extension (UIS-34 to UIS-37), and its variant for a menu (UIS-21 to UIS-29)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from ivr.commands import Command, Play, RouteToExtension
from ivr.digits import Collected, Collecting, DigitCollector
from ivr.events import Event, VisitId
from ivr.operations.base import (
    MAX_NUMBER_LENGTH,
    Arrival,
    Leave,
    Mention,
    Operation,
    Playing,
    Prompts,
    Reaching,
    Stay,
    Step,
    playback_id,
)
from ivr.prompts import ENTER_EXTENSION, SECOND_OF_SILENCE, PromptRef

_Extension = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]
_INTERVAL: Final = 5.0


class DialExtension(Operation):
    """Connects the caller with an employee; all the employee's numbers are rung one after another. The standard variant asks
    for the extension: a key stops the prompt, "#" ends the entry, and so does the inter-digit interval, counted from the end
    of the prompt or from the last key. With a fixed extension nobody is asked; own prompts are played to their end before.

    The variant "in_menu" takes the number that the caller dialled in a menu ("extension_entry"), or that another system named
    ("operator" of an HTTP lookup): it plays no message and has no interval of its own.

    Leaves by "wrong_number" when nobody has the extension or nothing was entered, after "wrong_number_prompt" (in a menu, if
    none is chosen, a second of silence); by "failed" when the employee was not reached; by "answered" after a conversation
    that the employee ended (not linked: the call ends there).
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed", "wrong_number"})
    OPTIONAL_EXITS: ClassVar = frozenset({"answered"})
    CONCLUDING_EXITS: ClassVar = frozenset({"answered"})
    TAKES_KEYS: ClassVar = True
    ENDS_CALL: ClassVar = True

    type: Literal["dial_extension"] = "dial_extension"
    variant: Literal["standard", "in_menu"] = "standard"
    extension: _Extension | None = Field(None, description="whom to call; none: the caller dials")
    prompt: Prompts = Field((), description="played before; none: the standard message where the caller dials")
    inter_digit_seconds: float = Field(_INTERVAL, ge=0.5, le=60, description="longest pause before each key")
    wrong_number_prompt: Prompts = Field((), description="played when nobody has the extension")
    type_ahead: bool = Field(True, description="keys pressed before the prompt count")

    @model_validator(mode="after")
    def _nothing_of_its_own_in_a_menu(self) -> DialExtension:
        if self.variant == "in_menu":
            if self.extension is not None or self.prompt:
                raise ValueError("in a menu it has no fixed extension and plays no message before")
            if self.inter_digit_seconds != _INTERVAL:
                raise ValueError("in a menu the inter-digit interval is the menu's wait timeout: change it there")
        return self

    def enter(self, arrival: Arrival) -> Step:
        if self.variant == "in_menu":
            return self.dial(arrival.visit, arrival.entered)
        if self.extension is None:
            interval = self.inter_digit_seconds
            begun = DigitCollector(arrival.visit, MAX_NUMBER_LENGTH, interval, interval).begin(self._before())
            return Stay(_Asking(self, begun.collector), begun.commands)
        dialled = self.dial(arrival.visit, self.extension)
        if not self.prompt:
            return dialled
        playback = playback_id(arrival.visit)
        return Stay(Playing(playback, dialled), (Play(playback, self.prompt),))

    def dial(self, visit: VisitId, number: str, before: tuple[Command, ...] = ()) -> Step:
        """Ring the employee, if it can be a number at all."""
        unknown = self._unknown(visit)
        if not (number.isascii() and number.isdigit()):
            return (
                Stay(unknown.running, before + unknown.commands) if isinstance(unknown, Stay) else Leave("wrong_number", before)
            )
        return Stay(Reaching(visit, unknown), (*before, RouteToExtension(visit, number)))

    def takes_keys(self) -> bool:
        return self.type_ahead and self.variant == "standard" and self.extension is None

    def takes_number(self) -> bool:
        return self.variant == "in_menu"

    def prompts(self) -> tuple[PromptRef, ...]:
        return self._before() + self._wrong_number()

    def mentions(self) -> tuple[Mention, ...]:
        return () if self.extension is None else (Mention("extension", self.extension, "extension"),)

    def _before(self) -> tuple[PromptRef, ...]:
        asks = self.variant == "standard" and self.extension is None
        return self.prompt or ((ENTER_EXTENSION,) if asks else ())

    def _wrong_number(self) -> tuple[PromptRef, ...]:
        return self.wrong_number_prompt or ((SECOND_OF_SILENCE,) if self.variant == "in_menu" else ())

    def _unknown(self, visit: VisitId) -> Stay | Leave:
        prompts, playback = self._wrong_number(), playback_id(visit, 2)
        wrong = Leave("wrong_number")
        return Stay(Playing(playback, wrong), (Play(playback, prompts),)) if prompts else wrong


@dataclass(frozen=True, slots=True)
class _Asking:
    operation: DialExtension
    entry: DigitCollector

    def handle(self, event: Event) -> Step:
        match self.entry.take(event):
            case Collecting(entry, commands):
                return Stay(_Asking(self.operation, entry), commands)
            case Collected(number, commands):
                return self.operation.dial(self.entry.visit, number, commands)
            case None:
                return Stay(self)
