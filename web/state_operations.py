"""The API's addresses for operators' states, transfers and calls that operators ask for."""

from __future__ import annotations

from web.openapi import ApiOperation
from web.state_models import (
    CallPlaced,
    ChangesQuery,
    NewCall,
    StateChanges,
    StateChoice,
    StateList,
    StateModel,
    TransferOrder,
)
from web.views import api_states

_API = "/api/v1"
_STATE = f"{_API}/operators/{{extension}}/state"

STATE_OPERATIONS = (
    ApiOperation("GET", f"{_API}/operators/states", api_states.get_states, "How all operators are", StateList),
    ApiOperation("GET", _STATE, api_states.get_state, "How an operator is", StateModel),
    ApiOperation(
        "PUT",
        _STATE,
        api_states.put_state,
        "Log an operator in or out, or keep calls away from him",
        StateModel,
        body=StateChoice,
        errors=(409,),
    ),
    ApiOperation(
        "GET", f"{_STATE}/changes", api_states.get_state_changes, "What an operator was", StateChanges, query=ChangesQuery
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls/{{id}}/transfer",
        api_states.post_transfer,
        "Transfer the caller of a live call",
        body=TransferOrder,
        status=204,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls/{{id}}/transfer/back",
        api_states.post_transfer_back,
        "Give an operator who consults before a transfer his caller back",
        status=202,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls/{{id}}/transfer/complete",
        api_states.post_transfer_complete,
        "Join the caller with whom his operator consults, as if the operator had hung up",
        status=202,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls",
        api_states.post_call,
        "Call an operator, and then a number for him",
        CallPlaced,
        body=NewCall,
        status=201,
        errors=(404, 409),
    ),
)
