"""Puts the web application together."""

from __future__ import annotations

from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from controller.errors import AttendantError
from controller.prompts.files import PromptFolder
from controller.prompts.ringtones import FOLDER as RINGTONES
from controller.prompts.workshop import Workshop
from ivr.errors import InvalidDocument
from web.errors import WebError, on_error
from web.guards import LimitedBody, NoTraceback, SameOriginOnly, SecurityHeaders
from web.hidden_numbers import HidesNumbers
from web.openapi import openapi_document
from web.rendering import make_templates
from web.routes import OPERATIONS, make_routes
from web.security import make_login_desk
from web.services import WebServices
from web.views.telephone import Telephones

_FORESEEN = (WebError, AttendantError, InvalidDocument, HTTPException)


def create_app(given: WebServices) -> Starlette:
    """The pages and the API as one ASGI application."""
    app = Starlette(
        routes=make_routes(),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(HidesNumbers),
            Middleware(NoTraceback),
            Middleware(SameOriginOnly),
            Middleware(LimitedBody),
        ],
        exception_handlers={kind: on_error for kind in _FORESEEN},
    )
    app.state.services = given
    app.state.templates = make_templates(given.settings.zone)
    app.state.workshop = Workshop(PromptFolder(given.settings.prompts_dir), given.settings.longest_prompt_seconds)
    ringtones = PromptFolder(given.settings.data_dir / RINGTONES)
    app.state.ringtone_workshop = Workshop(ringtones, given.settings.longest_prompt_seconds)
    app.state.telephones = Telephones()
    app.state.login_desk = make_login_desk(given)
    app.state.openapi = _api_described()
    return app


@cache
def _api_described() -> str:
    """The OpenAPI document as JSON; it takes half a second to make and is the same for every application."""
    return openapi_document(OPERATIONS).model_dump_json(by_alias=True, exclude_none=True)
