"""Every error as an answer of one shape: a page for people, JSON for programs. Never a traceback.

{"error": {"code": "invalid_input", "message": "...", "fields": [{"field": "nodes.menu.links.1", "message": "..."}]}}
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from controller.errors import AttendantError, InvalidInput, NotFound, Refused, StorageError, TelephonyError
from ivr.errors import InvalidDocument
from web.rendering import ModelResponse, is_api, page

_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One thing wrong with what was sent."""

    field: str = Field(description='dotted path, such as "nodes.menu.operation.wait_seconds"; empty for the whole')
    message: str


class ErrorBody(BaseModel):
    """`code` is for programs and stays; `message` is for people and may change."""

    code: str
    message: str
    fields: list[FieldError]


class ErrorAnswer(BaseModel):
    """What every refused request is answered with."""

    error: ErrorBody


class WebError(Exception):
    """A request that is answered with an error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = dict(headers or {})


_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    416: "range_not_satisfiable",
}
_MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}


def as_web_error(error: Exception) -> WebError:
    """What to answer for an error; one that nobody foresaw gives no details away."""
    match error:
        case WebError():
            return error
        case HTTPException(status_code=status):
            message = _MESSAGES.get(status, error.detail)
            return WebError(status, _CODES.get(status, "http_error"), message, headers=error.headers)
        case InvalidInput():
            fields = tuple(FieldError(field=problem.field, message=problem.message) for problem in error.problems)
            return WebError(422, "invalid_input", str(error), fields)
        case InvalidDocument():
            fields = tuple(FieldError(field=problem.where, message=problem.message) for problem in error.problems)
            return WebError(422, "invalid_document", str(error), fields)
        case Refused():
            return WebError(409, "refused", str(error))
        case NotFound():
            return WebError(404, "not_found", str(error))
        case StorageError():
            return WebError(503, "unavailable", "The database did not take the request. The log says why.")
        case TelephonyError():
            return WebError(503, "unavailable", str(error))
        case AttendantError():
            return WebError(500, "failed", str(error))
        case _:
            return WebError(500, "internal_error", "Something went wrong here. It was written to the log.")


async def on_error(request: Request, error: Exception) -> Response:
    """The application's exception handler."""
    known = as_web_error(error)
    if known.status >= 500:
        _log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return error_response(request, known)


def error_response(request: Request, error: WebError) -> Response:
    """The error as JSON under /api, as a page elsewhere."""
    if is_api(request):
        body = ErrorBody(code=error.code, message=error.message, fields=list(error.fields))
        return ModelResponse(ErrorAnswer(error=body), status_code=error.status, headers=error.headers)
    context = {"status": error.status, "phrase": HTTPStatus(error.status).phrase, "error": error}
    return page(request, "error.html", context, status_code=error.status, headers=error.headers)


async def answer_error(scope: Scope, receive: Receive, send: Send, error: WebError) -> None:
    """Answer from a middleware."""
    await error_response(Request(scope), error)(scope, receive, send)
