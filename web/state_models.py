"""Operators' states, transfers and calls that operators ask for, as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.storage.operator_states import MAX_CHANGES, OperatorNow, OperatorStateChange, Wish

_STATES = "offline, available, ringing, talking, wrap_up or do_not_disturb"
_Dialled = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9]{1,20}$")]
CALL_CENTER: Final = "campaign"
"""In place of a number: the transfer numbers of the call's campaign, one after another."""
_Target = Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^(\+?[0-9]{{1,20}}|{CALL_CENTER})$")]


class StateModel(BaseModel):
    """How an operator is."""

    extension: str
    name: str
    state: str = Field(description=_STATES)
    reason: str = Field(description="why he does not want to be disturbed")
    since: datetime | None = Field(description="null: he was never seen")
    changed_by: str = Field(description='a login or token, "operator 2001" by his phone\'s keys, or phone or distribution')
    logged_in: bool
    do_not_disturb: bool | None = Field(description="null: he takes no inbound calls, so he has no such switch")


class StateList(BaseModel):
    """All operators, by extension."""

    operators: list[StateModel]


class StateChoice(BaseModel):
    """What an operator is to be from now on; all other states come by themselves."""

    model_config = ConfigDict(extra="forbid")

    state: Wish = Field(description="available: logged in, no do_not_disturb; offline: logged out")
    reason: str = Field("", max_length=64, description="of do_not_disturb")


class StateChangeModel(BaseModel):
    """A state that he was in from this moment on."""

    at: datetime
    state: str
    reason: str
    changed_by: str


class StateChanges(BaseModel):
    """His last states, newest first."""

    changes: list[StateChangeModel]


class ChangesQuery(BaseModel):
    """How many changes."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=MAX_CHANGES)


class TransferOrder(BaseModel):
    """Where the caller goes."""

    model_config = ConfigDict(extra="forbid")

    to: _Target = Field(
        description='an extension, a number outside, or "campaign": the transfer numbers of the call\'s campaign, tried in order'
    )
    consulting: bool = Field(
        False, description="true: the operator speaks with the target before; he joins the two by hanging up"
    )


class NewCall(BaseModel):
    """A call for an operator: his own phone is called first, and the number when he has answered."""

    model_config = ConfigDict(extra="forbid")

    operator: str = Field(pattern=r"^[0-9]{1,8}$", description="his extension")
    number: _Dialled = Field(description="whom to call: a number outside, or a colleague's extension")
    at_mobile: bool | None = Field(
        None,
        description="true: he is called at the first of his further numbers, false: at his phone; null: as his call mode says",
    )


class CallPlaced(BaseModel):
    """The call has begun; GET /api/v1/calls/{id} tells what becomes of it."""

    id: str


def state_model(one: OperatorNow) -> StateModel:
    """One operator."""
    newest, switches, operator = one.newest, one.switches, one.operator
    undisturbed = switches.do_not_disturb if switches is not None else False
    return StateModel(
        extension=operator.extension,
        name=operator.name,
        state=newest.state if newest is not None else "offline",
        reason=newest.reason if newest is not None else "",
        since=newest.at if newest is not None else None,
        changed_by=newest.changed_by if newest is not None else "",
        logged_in=switches.logged_in if switches is not None else True,
        do_not_disturb=undisturbed if operator.inbound else None,
    )


def change_model(one: OperatorStateChange) -> StateChangeModel:
    """One change."""
    return StateChangeModel(at=one.at, state=one.state, reason=one.reason, changed_by=one.changed_by)
