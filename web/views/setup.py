"""The page of the whole set-up: download it, look what another one would change, and take it in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.errors import InvalidInput, Refused
from web.errors import WebError, as_web_error
from web.rendering import page
from web.security import administrators_only
from web.setup_models import SetupTaken
from web.uploads import read_upload
from web.views import api_setup


async def show_setup(request: Request) -> Response:
    """The page."""
    return _page(request)


async def take_setup_in(request: Request) -> Response:
    """A set-up was sent, to be looked at or to be taken in."""
    administrators_only(request)
    try:
        async with read_upload(request) as upload:
            return _page(request, taken=await api_setup.take_in_upload(request, upload))
    except (WebError, InvalidInput, Refused) as refused:
        return _page(request, error=as_web_error(refused))


def _page(request: Request, taken: SetupTaken | None = None, error: WebError | None = None) -> Response:
    context = {"taken": taken, "error": error}
    return page(request, "setup.html", context, status_code=200 if error is None else error.status)
