"""Users in the API."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.desks import link_user
from controller.actions.users import set_email
from controller.errors import NotFound
from controller.storage import Session
from controller.storage.desks import linked_operators, operator_of
from controller.storage.users import find_user, list_users
from web.forms import read_json
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.user_models import UserChange, UserList, UserModel, user_model
from web.views.places import login_of


async def get_users(request: Request) -> Response:
    """All users."""
    return ModelResponse(UserList(users=await services(request).database.read(_all)))


async def get_one_user(request: Request) -> Response:
    """One user."""
    return ModelResponse(await services(request).database.read(_one, login_of(request)))


async def put_user(request: Request) -> Response:
    """Say where his notices go, and which phone is his."""
    given, change, by = services(request), await read_json(request, UserChange), acting_user(request)
    now = given.clock.now()
    return ModelResponse(await given.database.run(_changed, login_of(request), change, acting_user=by, at=now))


def _all(session: Session) -> list[UserModel]:
    operators = linked_operators(session)
    return [user_model(user, operators.get(user.id)) for user in list_users(session)]


def _one(session: Session, login: str) -> UserModel:
    user = find_user(session, login)
    if user is None:
        raise NotFound(f'there is no user "{login}"')
    return user_model(user, operator_of(session, user.id))


def _changed(session: Session, login: str, change: UserChange, *, acting_user: str, at: datetime) -> UserModel:
    before = _one(session, login)
    if change.email != before.email:
        set_email(session, login, change.email, acting_user=acting_user, at=at)
    if change.extension != before.extension:
        link_user(session, login, change.extension, acting_user=acting_user, at=at)
    return _one(session, login)
