"""The form of an operation's parameters, made from the operation's own description, and read back from what was posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from starlette.datastructures import ImmutableMultiDict

from ivr.operations import OPERATIONS, Operation

Option: TypeAlias = tuple[str, str]
"""What is posted, and what people see."""
FieldKind: TypeAlias = Literal["text", "number", "check", "choice", "choices", "lines"]

BY_TYPE: Final[Mapping[str, type[Operation]]] = {str(kind.model_fields["type"].default): kind for kind in OPERATIONS}
_LABELS: Final[Mapping[str, str]] = {
    "wait_seconds": "Wait timeout, seconds",
    "inter_digit_seconds": "Inter-digit interval, seconds",
    "repeat_times": "Number of repetitions",
    "repeat": "Repetition",
    "period": "Activity period",
    "mail_to": "E-mail addresses, one a line",
    "answers": "Answers, one a line",
    "tags": "Tags, one a line: exit = tag",
    "url": "Address",
}
_SPARE_CHOICES: Final = 2


@dataclass(frozen=True, slots=True)
class Choices:
    """What an installation has that parameters may name."""

    prompts: Sequence[Option]
    groups: Sequence[str]
    schedules: Sequence[str]
    scenarios: Sequence[str]
    extensions: Sequence[Option]
    languages: Sequence[str]

    def of(self, name: str) -> list[Option] | None:
        """For a parameter that names something of the installation; None for any other."""
        match name:
            case "group":
                return [(each, each) for each in self.groups]
            case "schedule":
                return [(each, each) for each in self.schedules]
            case "scenario":
                return [(each, each) for each in self.scenarios]
            case "language":
                return [(each, each) for each in self.languages]
            case "extension":
                return list(self.extensions)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class FormField:
    """One parameter as people see it; `values` has one for all kinds but "choices"."""

    name: str
    label: str
    kind: FieldKind
    values: Sequence[str]
    required: bool
    help: str = ""
    options: Sequence[Option] = ()
    low: float | None = None
    high: float | None = None
    step: str = "any"
    problems: Sequence[str] = field(default=())


def fields_of(
    kind: type[Operation],
    values: Mapping[str, Any],
    choices: Choices,
    problems: Mapping[str, Sequence[str]],
    without: frozenset[str] = frozenset(),
) -> list[FormField]:
    """The fields of an operation's form, filled with `values` where they are given, with the defaults elsewhere."""
    schema = kind.model_json_schema(mode="serialization")
    defaults = {name: one.get_default() for name, one in kind.model_fields.items() if not one.is_required()}
    made = []
    for name, described in schema["properties"].items():
        if name == "type" or name in without:
            continue
        value = values.get(name, defaults.get(name))
        made.append(_field(name, described, value, name not in defaults, choices, problems.get(name, ())))
    return made


def read_parameters(kind: type[Operation], form: ImmutableMultiDict[str, Any]) -> dict[str, Any]:
    """The parameters that were posted, unchecked: `ivr.serialization.read_operation` says what is wrong with them."""
    schema = kind.model_json_schema(mode="serialization")
    found = {"type": str(kind.model_fields["type"].default)}
    return found | {name: value for name, value in _posted(schema["properties"], form) if value is not None}


def _posted(properties: Mapping[str, Any], form: ImmutableMultiDict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, described in properties.items():
        if name == "type" or (f"parameter.{name}" not in form and _kind(name, described) != "check"):
            continue
        given = [value for value in form.getlist(f"parameter.{name}") if isinstance(value, str)]
        match _kind(name, described):
            case "check":
                yield name, bool(given)
            case "choices":
                yield name, [value for value in given if value] or None
            case "lines":
                lines = [line.strip() for line in given[0].splitlines() if line.strip()]
                yield name, [_tag(line) for line in lines] if name == "tags" else lines
            case "number":
                yield name, given[0].strip().replace(",", ".") or None
            case _:
                yield name, given[0].strip() or None


def _tag(line: str) -> dict[str, str]:
    exit, _, tag = line.partition("=")
    return {"exit": exit.strip(), "tag": tag.strip()}


def _field(
    name: str, described: Mapping[str, Any], value: Any, required: bool, choices: Choices, problems: Sequence[str]
) -> FormField:
    plain = _plain(described)
    kind = _kind(name, described)
    values = _shown(kind, value)
    return FormField(
        name=name,
        label=_LABELS.get(name, name.replace("_seconds", ", seconds").replace("_", " ").capitalize()),
        kind=kind,
        values=values,
        required=required,
        help=described.get("description", ""),
        options=_options(name, kind, plain, values, required, choices),
        low=plain.get("minimum"),
        high=plain.get("maximum"),
        step="1" if plain.get("type") == "integer" else "any",
        problems=problems,
    )


def _kind(name: str, described: Mapping[str, Any]) -> FieldKind:
    plain = _plain(described)
    match plain:
        case {"enum": _}:
            return "choice"
        case {"type": "boolean"}:
            return "check"
        case {"type": "number" | "integer"}:
            return "number"
        case {"type": "array"}:
            return "lines" if name in ("mail_to", "answers", "tags") else "choices"
        case _:
            return "choice" if name in _NAMED else "text"


_NAMED: Final = frozenset({"group", "schedule", "scenario", "language", "extension"})


def _plain(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter that may be left out is described as one of two: of what it is otherwise."""
    given: Mapping[str, Any] = next((one for one in described.get("anyOf", ()) if one.get("type") != "null"), described)
    return given


def _shown(kind: FieldKind, value: Any) -> list[str]:
    match kind:
        case "choices":
            chosen = [str(each) for each in value or ()]
            return [*chosen, *[""] * (1 if chosen else _SPARE_CHOICES)]
        case "lines":
            return ["\n".join(_line(each) for each in value or ())]
        case "check":
            return ["on"] if value else []
        case "number":
            return [f"{value:g}" if isinstance(value, float | int) else str(value or "")]
        case _:
            return ["" if value is None else str(value)]


def _line(value: Any) -> str:
    return f"{value['exit']} = {value['tag']}" if isinstance(value, Mapping) else str(value)


def _options(
    name: str, kind: FieldKind, plain: Mapping[str, Any], values: Sequence[str], required: bool, choices: Choices
) -> list[Option]:
    if kind == "choices":
        options = list(choices.prompts)
    elif kind == "choice":
        options = choices.of(name) if "enum" not in plain else [(each, each.replace("_", " ")) for each in plain["enum"]]  # type: ignore[assignment]
    else:
        return []
    known = {value for value, _ in options}
    strange = [(value, f"{value} (not there)") for value in values if value and value not in known]
    nothing = [("", "–")] if kind == "choices" or not required or values == [""] else []  # noqa: RUF001
    return [*nothing, *options, *strange]
