"""Authorization (UIS-6 to UIS-9): a code that opens a way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ivr.digits import Collected, Collecting, DigitCollector
from ivr.events import Event
from ivr.operations.base import Arrival, Leave, Operation, Prompts, Stay, Step
from ivr.prompts import ENTER_CODE, PromptRef

_Code = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]


class Authorization(Operation):
    """Asks for a code. The exit "yes" is taken when exactly the code was entered, "no" for everything else, also for nothing.
    The entry is complete by "#", when it is longer than the code, or when the inter-digit interval has passed without a key;
    it counts from the end of the prompt for the first key, and from each key for the next. A key stops the prompt. What the
    caller types is stored nowhere. One try per pass: link "no" back to here for more.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"yes", "no"})
    TAKES_KEYS: ClassVar = True
    SECRET_KEYS: ClassVar = True

    type: Literal["authorization"] = "authorization"
    code: _Code = Field(description="digits, any number of them; leading zeros count", repr=False)
    prompt: Prompts = Field((), description="prompts, played in order; none: the standard message")
    inter_digit_seconds: float = Field(5.0, ge=0.5, le=60, description="longest pause before each key")
    type_ahead: bool = Field(True, description="keys pressed before the prompt count")

    def enter(self, arrival: Arrival) -> Step:
        entry = DigitCollector(arrival.visit, len(self.code) + 1, self.inter_digit_seconds, self.inter_digit_seconds)
        begun = entry.begin(self.prompts())
        return Stay(_Asking(self.code, begun.collector), begun.commands)

    def takes_keys(self) -> bool:
        return self.type_ahead

    def prompts(self) -> tuple[PromptRef, ...]:
        return self.prompt or (ENTER_CODE,)


@dataclass(frozen=True, slots=True)
class _Asking:
    code: str = field(repr=False)
    entry: DigitCollector

    def handle(self, event: Event) -> Step:
        match self.entry.take(event):
            case Collecting(entry, commands):
                return Stay(_Asking(self.code, entry), commands)
            case Collected(digits, commands):
                return Leave("yes" if digits == self.code else "no", commands)
            case None:
                return Stay(self)
