"""Answers: pages from templates, and models as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from web import words
from web.navigation import menu_for

_TEMPLATES = Path(__file__).parent / "templates"


class ModelResponse(Response):
    """A model as JSON."""

    media_type = "application/json"

    def __init__(self, model: BaseModel, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(model.model_dump_json(by_alias=True), status_code, headers)


@cache
def make_templates(zone: tzinfo) -> Environment:
    """The templates' environment: everything is escaped, a name that is not given is an error, times are those of the zone.
    Applications of one zone share theirs, and so the templates that are compiled already.
    """
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["duration"] = words.duration
    templates.filters["exit_words"] = words.exit_words
    templates.filters["decision_words"] = words.decision_words
    templates.filters["operation_words"] = words.operation_words
    templates.filters["letter_words"] = words.letter_words
    templates.filters["missed_words"] = words.missed_words
    templates.filters["schedule_words"] = words.schedule_words
    templates.filters["operator_words"] = words.operator_words
    templates.filters["trunk_words"] = words.trunk_words
    templates.filters["confirmation_words"] = words.confirmation_words
    templates.filters["approval_words"] = words.approval_words
    templates.filters["outcome"] = words.outcome_words
    templates.filters["prompt_title"] = words.prompt_title
    templates.filters["number"] = words.number
    templates.filters["iso"] = _iso
    templates.filters["utc"] = _utc
    templates.filters["local"] = lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    templates.globals["zone"] = str(zone)
    return templates


def is_api(request: Request) -> bool:
    """Whether programs, not people, asked."""
    return request.url.path.startswith("/api/")


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page. What is shown on each of them (who is logged in, health …) is there once `web.security` let the request in."""
    templates: Environment = request.app.state.templates
    waiting: Mapping[str, tuple[int, str]] = getattr(request.state, "waiting", {})
    user = getattr(request.state, "user", None)
    everywhere = {
        "user": user,
        "health": getattr(request.state, "health", None),
        "waiting": waiting,
        "all_waiting": sum(many for many, _ in waiting.values()),
        "path": request.url.path,
        "menu": menu_for(
            administrator=user is not None and user.role == "administrator",
            sees_team=getattr(request.state, "sees_team", True),
        ),
    }
    return HTMLResponse(templates.get_template(template).render({**everywhere, **context}), status_code, headers)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
