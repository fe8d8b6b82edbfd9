"""The API's addresses for users."""

from __future__ import annotations

from web.openapi import ApiOperation
from web.user_models import UserChange, UserList, UserModel
from web.views import api_users

_USERS = "/api/v1/users"
_USER = f"{_USERS}/{{login}}"

USER_OPERATIONS = (
    ApiOperation("GET", _USERS, api_users.get_users, "List users", UserList),
    ApiOperation("GET", _USER, api_users.get_one_user, "One user", UserModel),
    ApiOperation(
        "PUT",
        _USER,
        api_users.put_user,
        "Say where a user's notices go, and which operator's phone is his",
        UserModel,
        body=UserChange,
        errors=(409,),
    ),
)
