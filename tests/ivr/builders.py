"""Short ways to write scenarios in tests, and any scenario there can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from ivr.graph import Scenario, ScenarioBundle
from ivr.operations import OPERATIONS, Operation
from ivr.serialization import SCHEMA_VERSION, from_data


def node(type: str, links: dict[str, str] | None = None, **parameters: Any) -> dict[str, Any]:
    return {"operation": {"type": type, **parameters}, "links": links or {}}


def message(links: dict[str, str], prompt: str = "hello") -> dict[str, Any]:
    return node("info_message", links, message=[prompt])


def menu(links: dict[str, str], wait_seconds: float = 5, prompt: str = "choose", **parameters: Any) -> dict[str, Any]:
    return node("menu", links, prompt=[prompt], wait_seconds=wait_seconds, **parameters)


def in_menu(links: dict[str, str]) -> dict[str, Any]:
    """Forwarding to the extension that was dialled in a menu."""
    return node("dial_extension", links, variant="in_menu")


def insert(name: str, links: dict[str, str]) -> dict[str, Any]:
    return node("insert_scenario", links, scenario=name)


def authorization(links: dict[str, str], code: str = "007") -> dict[str, Any]:
    return node("authorization", links, code=code)


def voicemail(links: dict[str, str] | None = None, mail_to: str = "boss@example.org") -> dict[str, Any]:
    return node("voicemail", links, mail_to=[mail_to])


def group(links: dict[str, str], name: str = "Sales", **parameters: Any) -> dict[str, Any]:
    return node("forward_to_group", links, group=name, **parameters)


def hang_up(cause: str = "normal") -> dict[str, Any]:
    return node("hang_up", cause=cause)


def scenario(first: str = "start", /, **nodes: dict[str, Any]) -> Scenario:
    return from_data({"schema_version": SCHEMA_VERSION, "start": first, "nodes": nodes})


GREETED = scenario(
    start=message({"next": "choice"}),
    choice=menu({"1": "sales", "*": "choice", "wait_expired": "sales", "incorrect_input": "choice"}),
    sales=group({"failed": "end"}),
    end=hang_up(),
)

_TEXTS = ("007", "12", "2045", "+74951234567", "ru", "vip", "a", "boss@example.org", "https://crm.example.org/who?x=1")
_NAMES = ("Inner", "Sales")
"""Groups, schedules and so on in any scenario, and the scenarios of a bundle: those that insert each other among them."""


@cache
def operations() -> st.SearchStrategy[Operation]:
    """Any operation with any parameters, made from its own description: a new one is included by itself."""
    return st.one_of([_operation(kind) for kind in OPERATIONS])


@st.composite
def graphs(draw: st.DrawFn, first: type[Operation] | None = None) -> Scenario:
    """Any graph of all operations, sound or not; `first` is where callers come in."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 5)))]
    nodes = {name: draw(_node(names, None if number else first)) for number, name in enumerate(names)}
    return scenario(names[0] if first else draw(st.sampled_from(names)), **nodes)


def bundles(first: type[Operation] | None = None) -> st.SearchStrategy[ScenarioBundle]:
    """Any scenario with any others to insert, also in a circle."""
    return st.builds(ScenarioBundle, graphs(first), st.fixed_dictionaries({_NAMES[0]: graphs()}, optional={_NAMES[1]: graphs()}))


@st.composite
def _node(draw: st.DrawFn, names: list[str], kind: type[Operation] | None = None) -> dict[str, Any]:
    operation = draw(_operation(kind) if kind else operations())
    exits = [*sorted(operation.exits()), "1", "nowhere"]
    links = draw(st.dictionaries(st.sampled_from(exits), st.sampled_from(names), min_size=len(operation.required_exits())))
    return {"operation": operation.model_dump(mode="json", exclude_none=True), "links": links}


@cache
def _operation(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    schema = kind.model_json_schema(mode="serialization")
    parameters = _values(schema, schema.get("$defs", {}))
    return parameters.map(lambda given: _checked(kind, given)).filter(lambda made: made is not None)  # type: ignore[return-value]


def _checked(kind: type[Operation], parameters: Any) -> Operation | None:
    try:
        return kind.model_validate(parameters)
    except ValidationError:
        return None


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a JSON schema allows, as far as operations use it."""
    match schema:
        case {"$ref": reference}:
            return _values(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": choices}:
            return st.one_of([_values(choice, definitions) for choice in choices])
        case {"const": value}:
            return st.just(value)
        case {"enum": choices}:
            return st.sampled_from(choices)
        case {"type": "null"}:
            return st.none()
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "integer", "minimum": low, "maximum": high}:
            return st.integers(low, min(high, low + 3))
        case {"type": "number", "minimum": low, "maximum": high}:
            return st.floats(low, high)
        case {"type": "string", "pattern": pattern}:
            fitting = [text for text in _TEXTS if re.search(pattern, text)]
            return st.sampled_from(fitting) if fitting else st.from_regex(pattern.replace("$", r"\Z"))
        case {"type": "string", "minLength": _}:
            return st.sampled_from(_NAMES)
        case {"type": "string"}:
            return st.sampled_from(("hello", "choose:ru"))
        case {"type": "array", "items": items}:
            return st.lists(_values(items, definitions), min_size=schema.get("minItems", 0), max_size=3)
        case {"type": "object", "properties": properties}:
            of_all = {name: _values(field, definitions) for name, field in properties.items()}
            required = {"type", *(name for name, field in properties.items() if "default" not in field)} & of_all.keys()
            optional = {name: values for name, values in of_all.items() if name not in required}
            return st.fixed_dictionaries({name: of_all[name] for name in required}, optional=optional)
        case _:
            raise AssertionError(f"operations have no such parameters: {schema}")
