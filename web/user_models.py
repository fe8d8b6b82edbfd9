"""Users as the API gives them, and what it changes of them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from controller.storage.operators import Operator
from controller.storage.users import Role, User


class UserChange(BaseModel):
    """What may be changed of a user: where notices of missed calls find him, and which phone is his."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(max_length=320, description="where his notices go; null: nowhere")
    extension: str | None = Field(max_length=8, description="of the operator whose phone is his; null: none")


class UserModel(BaseModel):
    """Somebody who logs in."""

    login: str
    role: Role
    disabled: bool = Field(description="he is not let in, and no letters go to him")
    hears_recordings: bool = Field(description="he may hear what was recorded of callers")
    email: str | None
    extension: str | None


class UserList(BaseModel):
    """All users, by login."""

    users: list[UserModel]


def user_model(user: User, operator: Operator | None) -> UserModel:
    """One user, and the operator whose phone is his."""
    return UserModel(
        login=user.login,
        role=user.role,
        disabled=user.disabled,
        hears_recordings=user.may_hear_recordings,
        email=user.email,
        extension=None if operator is None else operator.extension,
    )
