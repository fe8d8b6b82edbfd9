"""Callbacks as the API gives them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from controller.storage.callbacks import Callback, CallbackState


class CallbackQuery(BaseModel):
    """Which callbacks to list, those asked for last first."""

    model_config = ConfigDict(extra="forbid")

    state: CallbackState | None = None
    limit: int = Field(50, ge=1, le=200)
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="id of the last callback of the page before")


class CallbackModel(BaseModel):
    """A caller who keeps his place in a group's line without holding the phone. Times are UTC."""

    id: int
    state: CallbackState
    number: str
    caller_name: str
    group: str
    called_number: str
    line_name: str
    call_id: str = Field(description="the call in which he asked for it")
    asked_at: datetime
    place_at: datetime = Field(description="when he took his place in the line")
    due_at: datetime | None = Field(description="not called before; null unless he waits")
    attempts: int
    last_call_id: str | None = Field(description="the call made to him last; it is on record if he answered")
    detail: str = Field(description="what came of the last attempt, or why it is over")
    ended_at: datetime | None


class CallbackList(BaseModel):
    """Callbacks, those asked for last first."""

    callbacks: list[CallbackModel]


def callback_model(callback: Callback) -> CallbackModel:
    """One callback."""
    return CallbackModel(
        id=callback.id,
        state=callback.state,
        number=callback.number,
        caller_name=callback.caller_name,
        group=callback.group_name,
        called_number=callback.called_number,
        line_name=callback.line_name,
        call_id=callback.call_id,
        asked_at=callback.asked_at,
        place_at=callback.place_at,
        due_at=callback.due_at if callback.state == "waiting" else None,
        attempts=callback.attempts,
        last_call_id=callback.last_call_id,
        detail=callback.detail,
        ended_at=callback.ended_at,
    )
