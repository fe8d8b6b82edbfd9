"""The API's own affairs: health, its description, and addresses that it does not have."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from web.rendering import ModelResponse
from web.services import Health, services


class HealthAnswer(Health):
    """How the installation is. Answered with 503 when the database is down: nothing can be served then."""

    status: Literal["ok", "degraded", "down"] = Field(description='"degraded": pages work, calls may not')


async def show_health(request: Request) -> Response:
    """Health, for anyone."""
    health = await services(request).health()
    down = health.database.state == "down"
    status: Literal["ok", "degraded", "down"] = "down" if down else "ok" if health.is_whole else "degraded"
    return ModelResponse(HealthAnswer(status=status, **dict(health)), 503 if down else 200)


async def show_openapi(request: Request) -> Response:
    """The OpenAPI document, for anyone."""
    return Response(request.app.state.openapi, media_type="application/json")
