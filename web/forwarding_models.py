"""Phones that missed calls are forwarded to, as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from controller.storage.confirmations import Confirmable, ConfirmationState
from controller.storage.forwarding import Approval, PhoneView
from web.prompt_models import Language


class NewPhone(BaseModel):
    """A phone outside; an operator has one, so another of his takes its place."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=40, description="as the trunk dials it, perhaps with a + before it")
    operator: str | None = Field(None, max_length=8, description="extension of whose own it is; null: a common one")


class CodeOrder(BaseModel):
    """A call that dictates a code."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = Field(None, description="of the digits; null: the installation's")


class CodeEntry(BaseModel):
    """A code as it was heard."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=20)


class ConfirmationModel(BaseModel):
    """What confirms that a number is ours."""

    state: ConfirmationState
    confirmed_at: datetime | None
    expires_at: datetime | None = Field(description="null: not confirmed, or confirmed for ever")
    expires_soon: bool = Field(description="within 14 days")


class PhoneModel(ConfirmationModel):
    """A phone that missed calls may be forwarded to."""

    id: int
    number: str
    operator: str | None = Field(description="extension of whose own it is; null: a common one")
    operator_name: str | None
    approval: Approval | None = Field(description="of an operator's own; null: a common phone needs none")
    used: bool = Field(description="calls may be forwarded to it now")


class PhoneList(BaseModel):
    """All phones: the common ones, then the operators'."""

    phones: list[PhoneModel]


class CodeCall(BaseModel):
    """The call that dictates the code has begun; GET /api/v1/calls/{id} tells what becomes of it."""

    id: str


def confirmation_model(row: Confirmable, at: datetime) -> ConfirmationModel:
    """What confirms a number at a moment."""
    return ConfirmationModel(
        state=row.state(at), confirmed_at=row.confirmed_at, expires_at=row.expires_at, expires_soon=row.expires_soon(at)
    )


def phone_model(view: PhoneView, at: datetime) -> PhoneModel:
    """One phone at a moment."""
    row, operator = view.row, view.operator
    return PhoneModel(
        id=row.id,
        number=row.number,
        operator=None if operator is None else operator.extension,
        operator_name=None if operator is None else operator.name,
        approval=None if operator is None else row.approval,
        used=row.is_used(at),
        **dict(confirmation_model(row, at)),
    )
