"""The OpenAPI document, made from the list of the API's operations and their models. Nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from openapi_pydantic import Components, Info, License, OpenAPI
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from web.errors import ErrorAnswer

View: TypeAlias = Callable[[Request], Awaitable[Response]]
_API_VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One method of one address of the API.

    `audio`: it answers with a sound file instead of a model, `download`: with a file of this type. `upload`: the body is a form
    with a file.
    """

    method: str
    path: str
    view: View
    summary: str
    answer: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    status: int = 200
    errors: tuple[int, ...] = ()
    open: bool = False
    audio: bool = False
    download: str | None = None
    upload: type[BaseModel] | None = None
    extra_answers: tuple[int, ...] = ()

    @property
    def documented_path(self) -> str:
        """The path as OpenAPI writes it: without converters."""
        return _PLACE.sub(r"{\1}", self.path)

    @property
    def error_statuses(self) -> tuple[int, ...]:
        """Every status that is answered with an ErrorAnswer."""
        usual = {500} if self.open else {401, 403, 500, 503}
        if self.query:
            usual |= {422}
        if self.body or self.upload:
            usual |= {400, 413, 415, 422}
        if "{" in self.path:
            usual |= {404}
        return tuple(sorted((usual | set(self.errors)) - set(self.extra_answers)))


def openapi_document(operations: Sequence[ApiOperation]) -> OpenAPI:
    """The whole document."""
    models = _models(operations)
    references, schemas = _schemas(models)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, references)
        paths.setdefault(operation.documented_path, {})[operation.method.lower()] = described
    return OpenAPI.model_validate(
        {
            "openapi": "3.1.0",
            "info": Info(
                title="Attendant",
                version=_API_VERSION,
                description="The API of Attendant, a call-center controller over Asterisk.",
                license=License(name="Apache-2.0", identifier="Apache-2.0"),
            ),
            "paths": paths,
            "components": Components.model_validate(
                {
                    "schemas": schemas,
                    "securitySchemes": {
                        "token": {
                            "type": "http",
                            "scheme": "bearer",
                            "description": "Made by `python -m controller token create --name NAME`.",
                        }
                    },
                }
            ),
            "security": [{"token": []}],
        }
    )


def _models(operations: Iterable[ApiOperation]) -> list[type[BaseModel]]:
    found: dict[type[BaseModel], None] = {ErrorAnswer: None}
    for operation in operations:
        found |= dict.fromkeys(model for model in (operation.answer, operation.body, operation.upload) if model is not None)
    return list(found)


def _schemas(models: Sequence[type[BaseModel]]) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[Any, Any]]:
    generator = GenerateJsonSchema(ref_template=_REF)
    references, definitions = generator.generate_definitions(
        [(model, "serialization", model.__pydantic_core_schema__) for model in models]
    )
    return {model: references[model, "serialization"] for model in models}, dict(definitions)


def _operation(operation: ApiOperation, references: dict[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    error = {"application/json": {"schema": references[ErrorAnswer]}}
    answers: dict[str, Any] = {str(status): _answer(status, error) for status in operation.error_statuses}
    for status in (operation.status, *operation.extra_answers):
        answers[str(status)] = _answer(status, _content(operation, references) if status != 204 else {})
    if operation.audio:
        answers["206"] = _answer(206, _content(operation, references))
        answers["416"] = {"description": "The asked range lies outside of the file."}
    described: dict[str, Any] = {
        "operationId": getattr(operation.view, "__name__", operation.summary),
        "summary": operation.summary,
        "responses": dict(sorted(answers.items())),
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
    }
    if operation.open:
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": references[operation.body]}},
        }
    if operation.upload is not None:
        content = {"multipart/form-data": {"schema": references[operation.upload]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answer(status: int, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": content}


def _content(operation: ApiOperation, references: dict[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    if operation.status == HTTPStatus.NO_CONTENT:
        return {}
    if operation.audio:
        return {"audio/*": {"schema": {"type": "string", "format": "binary"}}}
    if operation.download is not None:
        return {operation.download: {"schema": {"type": "string", "format": "binary"}}}
    schema = {"type": "object"} if operation.answer is None else references[operation.answer]
    return {"application/json": {"schema": schema}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    types = {"int": "integer"}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": types.get(kind, "string")}}
        for name, kind in _PLACE.findall(path)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    properties: dict[str, Any] = model.model_json_schema(by_alias=True)["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            **({"description": schema.pop("description")} if "description" in schema else {}),
        }
        for name, schema in properties.items()
    ]
