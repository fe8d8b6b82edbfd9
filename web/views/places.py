"""Ids and logins in addresses."""

from __future__ import annotations

import re

from starlette.requests import Request

from controller.errors import NotFound

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_LOGIN = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_LARGEST_KEY = 2**31 - 1


def text_id(request: Request, name: str = "id") -> str:
    """An id of ours. Raises NotFound for what can't be one."""
    value = str(request.path_params[name])
    if _ID.fullmatch(value) is None:
        raise NotFound("there is nothing of this id")
    return value


def login_of(request: Request) -> str:
    """A user's login. Raises NotFound for what can't be one."""
    value = str(request.path_params["login"])
    if _LOGIN.fullmatch(value) is None:
        raise NotFound("there is no such user")
    return value


def number_id(request: Request, name: str = "id") -> int:
    """A key of a table. Raises NotFound for one that no table holds."""
    value = int(request.path_params[name])
    if value > _LARGEST_KEY:
        raise NotFound(f"there is no number {value}")
    return value
