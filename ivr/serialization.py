"""Scenario documents: JSON with `schema_version`, read strictly, written canonically (equal scenarios, equal text).

Version 2 brought new operations, and parameters that may be left out; a document of version 1 means the same in it.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from ivr.errors import DocumentProblem, InvalidDocument
from ivr.graph import Scenario
from ivr.operations import OPERATIONS, AnyOperation

SCHEMA_VERSION = 2
_READ = (1, SCHEMA_VERSION)
MAX_BYTES = 2_000_000
_MAX_PROBLEMS = 50
_OPERATION: TypeAdapter[AnyOperation] = TypeAdapter(AnyOperation)
_TYPES = {operation.model_fields["type"].default for operation in OPERATIONS}


def load(document: bytes | str) -> Scenario:
    """A scenario from JSON text.

    Raises InvalidDocument: too large, not JSON, of another version, or with wrong nodes or fields (all of them, up to 50).
    """
    if len(document) > MAX_BYTES:
        _refuse("", f"{len(document)} bytes; at most {MAX_BYTES} are read")
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        _refuse("", f"not JSON: {error}")
    return from_data(parsed)


def from_data(data: object) -> Scenario:
    """A scenario from parsed JSON.

    Raises InvalidDocument.
    """
    if not isinstance(data, dict):
        _refuse("", "a scenario is a JSON object")
    body: dict[str, Any] = dict(data)
    version = body.pop("schema_version", None)
    if version not in _READ or not isinstance(version, int) or isinstance(version, bool):
        _refuse("schema_version", f"{version!r} is not known; this Attendant reads {' and '.join(map(str, _READ))}")
    try:
        return Scenario.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise InvalidDocument([_problem(item) for item in error.errors(include_url=False)[:_MAX_PROBLEMS]]) from None


def read_operation(data: object) -> AnyOperation:
    """An operation from parsed JSON. Raises InvalidDocument; its problems name the operation's fields."""
    try:
        return _OPERATION.validate_json(json.dumps(data))
    except ValidationError as error:
        found = error.errors(include_url=False)[:_MAX_PROBLEMS]
        problems = [_problem({**item, "loc": ("operation", *item["loc"])}) for item in found]
        raise InvalidDocument([DocumentProblem(one.where[len("operation.") :], one.message) for one in problems]) from None


def to_data(scenario: Scenario) -> dict[str, Any]:
    """The document as plain data."""
    return {"schema_version": SCHEMA_VERSION, **scenario.model_dump(mode="json", exclude_none=True)}


def dump(scenario: Scenario) -> str:
    """The document as text: keys sorted, two spaces of indent, a final newline."""
    return json.dumps(to_data(scenario), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _problem(item: Any) -> DocumentProblem:
    path = [str(part) for part in item["loc"]]
    if "operation" in path:
        place = path.index("operation") + 1
        if len(path) > place and path[place] in _TYPES:
            del path[place]
    return DocumentProblem(".".join(path), item["msg"].removeprefix("Value error, "))


def _refuse(where: str, message: str) -> NoReturn:
    raise InvalidDocument([DocumentProblem(where, message)])
