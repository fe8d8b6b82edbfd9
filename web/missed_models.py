"""Missed calls as the API gives and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from controller.actions.missed_calls import LONGEST_NOTE
from controller.errors import FieldProblem, InvalidInput
from controller.storage.missed_calls import MissedFilters, MissedKind, MissedStatus, MissedView, Owner
from controller.storage.outbox import LetterState


class MissedCallQuery(BaseModel):
    """Which missed calls to list, those that arrived last first."""

    model_config = ConfigDict(extra="forbid")

    status: MissedStatus | None = None
    owner_user: str | None = Field(None, max_length=64, description="the login of the user whose they are")
    owner_operator: str | None = Field(None, max_length=64, description="the extension of the operator whose they are")
    limit: int = Field(50, ge=1, le=200)
    before: str | None = Field(None, max_length=64, description="id of the last missed call of the page before")

    def filters(self) -> MissedFilters:
        """The same for the storage. Raises InvalidInput: two owners."""
        if self.owner_user is not None and self.owner_operator is not None:
            message = "a missed call has one owner: name a user or an operator"
            raise InvalidInput(f"owner_operator: {message}", [FieldProblem("owner_operator", message)])
        owner = Owner(self.owner_user, self.owner_operator)
        return MissedFilters(self.status, owner=None if owner == Owner() else owner)


class OwnerModel(BaseModel):
    """Whose a missed call is: a user or an operator, one of them."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(None, max_length=64, description="a login")
    operator: str | None = Field(None, max_length=64, description="an extension")


class MissedCallModel(BaseModel):
    """A caller whom nobody has spoken to. Times are UTC."""

    id: str = Field(description="of the call")
    caller_number: str = Field(description="as the carrier gave it; empty when it was withheld")
    caller_name: str
    contact: str | None = Field(description="the name of the contact who has this number")
    called_number: str
    line_name: str
    arrived_at: datetime
    ended_at: datetime
    kind: MissedKind = Field(description="nobody_present: in working time, when no operator was there")
    offered_to: str | None = Field(description="the extension of the operator who was rung first; null: nobody was")
    owner: OwnerModel | None
    status: MissedStatus = Field(description="called_back comes by itself when somebody has spoken with this number")
    note: str
    notified: str | None = Field(description="where the letter went; null: nobody whom it concerns has an e-mail address")
    letter: LetterState | None = Field(description="how the letter is; null: there is none, or not any more")
    closed_at: datetime | None
    closed_by: str | None = Field(description="a login or token; null: nobody, or the call in which the caller was reached")
    closed_by_call: str | None = Field(description="the call in which somebody spoke with him")


class MissedCallList(BaseModel):
    """Missed calls, those that arrived last first."""

    missed_calls: list[MissedCallModel]


class MissedCallChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    owner: OwnerModel | None = Field(None, description="null: nobody's")
    status: MissedStatus = "open"
    note: str = Field("", max_length=LONGEST_NOTE)


def missed_call_model(view: MissedView, contacts: Mapping[str, str], letter: LetterState | None) -> MissedCallModel:
    """One missed call; `contacts` are names by the numbers as they came."""
    row, owner = view.row, view.owner
    return MissedCallModel(
        id=row.call_id,
        caller_number=row.caller_number,
        caller_name=row.caller_name,
        contact=contacts.get(row.caller_number),
        called_number=row.called_number,
        line_name=row.line_name,
        arrived_at=row.arrived_at,
        ended_at=row.ended_at,
        kind=row.kind,
        offered_to=row.offered_to or None,
        owner=None if owner is None else OwnerModel(user=owner.user, operator=owner.operator),
        status=row.status,
        note=row.note,
        notified=row.recipient or None,
        letter=letter,
        closed_at=row.closed_at,
        closed_by=row.closed_by or None,
        closed_by_call=row.closed_by_call,
    )
