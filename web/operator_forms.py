"""An operator as people type him: his further numbers are lines of a text, each perhaps with the seconds that it rings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.errors import FieldProblem, InvalidInput
from controller.storage.operators import RING_SECONDS
from web.forms import M, checked
from web.people_models import NewOperator, OperatorChange, OperatorItem

FIELDS = ("extension", "name", "ring_seconds", "numbers", "time_zone", "call_mode")
SWITCHES = ("inbound", "team")


@dataclass(frozen=True, slots=True)
class OperatorText:
    """The fields of the form as they were typed; `switched` has the boxes that are checked."""

    fields: Mapping[str, str] = field(default_factory=lambda: {"ring_seconds": str(RING_SECONDS)})
    switched: frozenset[str] = frozenset(SWITCHES)

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> OperatorText:
        """What a form sent."""
        return cls({name: fields.get(name, "") for name in FIELDS}, frozenset(name for name in SWITCHES if name in fields))

    @classmethod
    def of(cls, operator: OperatorItem) -> OperatorText:
        """A stored operator, to be changed."""
        lines = (f"{one.number}, {one.ring_seconds}" for one in operator.numbers)
        return cls(
            {
                "extension": operator.extension,
                "name": operator.name,
                "ring_seconds": str(operator.ring_seconds),
                "numbers": "\n".join(lines),
                "time_zone": operator.time_zone or "",
                "call_mode": operator.call_mode,
            },
            frozenset(name for name in SWITCHES if getattr(operator, name)),
        )

    def new(self) -> NewOperator:
        """What it means for a new operator. Raises InvalidInput: what is wrong with a number is said of its line."""
        return self._checked(NewOperator, {"extension": self.fields["extension"].strip()})

    def change(self) -> OperatorChange:
        """What it means for one who is there. Raises as `new`."""
        return self._checked(OperatorChange, {})

    def explained(self, refused: InvalidInput) -> InvalidInput:
        """The same with the line that each problem of a number is about."""
        return InvalidInput(str(refused), [_of_line(problem) for problem in refused.problems])

    def _checked(self, model: type[M], more: Mapping[str, Any]) -> M:
        data = {
            "name": self.fields["name"],
            "ring_seconds": self.fields["ring_seconds"],
            "numbers": [_number(line) for line in self.fields["numbers"].splitlines() if line.strip()],
            "time_zone": self.fields["time_zone"].strip() or None,
            "call_mode": self.fields["call_mode"] or "sip_phone",
            **{name: name in self.switched for name in SWITCHES},
            **more,
        }
        try:
            return checked(model, data)
        except InvalidInput as refused:
            raise self.explained(refused) from None


def _number(line: str) -> dict[str, str]:
    """ "+7 916 123-45-67, 15" rings for 15 seconds."""
    number, comma, seconds = line.partition(",")
    return {"number": number.strip(), **({"ring_seconds": seconds.strip()} if comma else {})}


def _of_line(problem: FieldProblem) -> FieldProblem:
    name, _, rest = problem.field.partition(".")
    place = rest.partition(".")[0]
    if name != "numbers" or not place.isdigit():
        return problem
    return FieldProblem("numbers", f"number {int(place) + 1}: {problem.message}")
