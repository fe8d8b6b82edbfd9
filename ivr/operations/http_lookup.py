"""HTTP lookup (UIS-45): another system says where the call goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints, field_validator

from ivr.commands import CancelTimer, LookUp, StartTimer
from ivr.events import Event, LookupAnswered, TimerExpired
from ivr.operations.base import MAX_NUMBER_LENGTH, Arrival, ExitName, Leave, Operation, Stay, Step, timer_id

_Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s/?#\x00-\x1f]+[^\s\x00-\x1f]*$")]
_OWN_EXITS: Final = frozenset({"failed", "operator"})


class HttpLookup(Operation):
    """Asks another system by HTTP: it is sent the caller's and the called number, and answers with a JSON object. {"exit":
    "vip"} takes the exit "vip" if it is listed in "answers"; {"operator": "2045"} takes the exit "operator", which leads to a
    "Forward to extension" in its menu variant and calls that extension. Everything else, no answer in time included, takes
    "failed".
    """

    REQUIRED_EXITS: ClassVar = frozenset({"failed"})
    OPTIONAL_EXITS: ClassVar = frozenset({"operator"})
    NUMBER_EXITS: ClassVar = frozenset({"operator"})
    TAKES_KEYS: ClassVar = True

    type: Literal["http_lookup"] = "http_lookup"
    url: _Url = Field(description="address that the question is sent to by POST")
    timeout_seconds: float = Field(3.0, ge=0.5, le=30, description="longest wait for the answer")
    answers: tuple[ExitName, ...] = Field((), max_length=20, description="exits that the answer may name")

    @field_validator("answers")
    @classmethod
    def _one_exit_each(cls, answers: tuple[str, ...]) -> tuple[str, ...]:
        taken = sorted({answer for answer in answers if answers.count(answer) > 1 or answer in _OWN_EXITS})
        if taken:
            raise ValueError(f'the exit "{taken[0]}" is there already')
        return answers

    def enter(self, arrival: Arrival) -> Step:
        question = LookUp(arrival.visit, self.url, self.timeout_seconds, self.answers)
        return Stay(_Asking(self, arrival), (question, StartTimer(timer_id(arrival.visit), self.timeout_seconds)))

    def required_exits(self) -> frozenset[str]:
        return self.REQUIRED_EXITS | frozenset(self.answers)


@dataclass(frozen=True, slots=True)
class _Asking:
    operation: HttpLookup
    arrival: Arrival

    def handle(self, event: Event) -> Step:
        match event:
            case LookupAnswered(visit, exit, operator) if visit == self.arrival.visit:
                return self._leave(exit, operator)
            case TimerExpired(timer) if timer == timer_id(self.arrival.visit):
                return Leave("failed")
            case _:
                return Stay(self)

    def _leave(self, exit: str | None, operator: str | None) -> Step:
        tidy_up = (CancelTimer(timer_id(self.arrival.visit)),)
        if exit in self.operation.answers:
            return Leave(exit, tidy_up)
        if operator and len(operator) <= MAX_NUMBER_LENGTH and "operator" in self.arrival.linked:
            return Leave("operator", tidy_up, operator)
        return Leave("failed", tidy_up)
