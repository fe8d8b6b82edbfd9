"""What a request carries, read into a model: query, form or JSON body.

Raises InvalidInput with the fields at fault, and WebError for a body that can't be read at all.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from controller.errors import AttendantError, FieldProblem, InvalidInput
from web.errors import WebError

M = TypeVar("M", bound=BaseModel)


def read_query(request: Request, model: type[M]) -> M:
    """The query parameters; an empty one is the same as none."""
    return _validate(model, _given(request.query_params))


async def read_form(request: Request, model: type[M]) -> M:
    """The fields of a posted form."""
    async with request.form(max_files=0, max_fields=50) as form:
        return _validate(model, _given(form))


async def form_fields(request: Request, most: int = 50) -> dict[str, str]:
    """A posted form's fields, so many at most, as they were typed: to be shown again should something be wrong with them."""
    async with request.form(max_files=0, max_fields=most) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def form_items(request: Request, most: int) -> list[tuple[str, str]]:
    """As `form_fields`, for a form of at most so many fields some of which have the same name, in order."""
    async with request.form(max_files=0, max_fields=most) as form:
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def checked(model: type[M], data: object) -> M:
    """The data as a model. Raises InvalidInput."""
    return _validate(model, data)


def status_of(refused: AttendantError | None) -> int:
    """What a page is answered with whose form was refused, or (None) was not."""
    return 200 if refused is None else 422 if isinstance(refused, InvalidInput) else 409


def errors_by_field(refused: AttendantError | None) -> dict[str, str]:
    """What to say beside each field of a form: "numbers.2" is said beside "numbers"; what is about no field is under "".
    None: nothing is wrong.
    """
    if refused is None:
        return {}
    problems = refused.problems if isinstance(refused, InvalidInput) else ()
    errors: dict[str, str] = {}
    for problem in problems or (FieldProblem("", str(refused)),):
        message = problem.message[:1].upper() + problem.message[1:]
        errors.setdefault(problem.field.partition(".")[0], message)
    return errors


async def read_json(request: Request, model: type[M], if_empty: M | None = None) -> M:
    """The JSON body; `if_empty` allows a request without one."""
    if if_empty is not None and not await request.body():
        return if_empty
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise WebError(415, "not_json", "Send the body as application/json.")
    try:
        data = json.loads(await request.body(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise WebError(400, "malformed_json", f"The body is not JSON: {error}") from None
    return _validate(model, data)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _given(values: ImmutableMultiDict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != ""}


def _validate(model: type[M], data: object) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [
            FieldProblem(".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_url=False, include_input=False)[:50]
        ]
        first = problems[0]
        raise InvalidInput(f"{first.field or 'body'}: {first.message}", problems) from None
