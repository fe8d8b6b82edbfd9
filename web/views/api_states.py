"""Operators' states, transfers, and calls that operators ask for, in the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.calls import note_conclusion, note_outgoing_call, note_transfer
from controller.actions.operator_states import choose_state
from controller.bus import DirectoryChanged
from controller.errors import NotFound, Refused
from controller.storage import Session
from controller.storage.calls import get_call
from controller.storage.operator_states import OperatorNow, OperatorStateChange, operator_now, operators_now, state_changes
from controller.storage.operators import Operator, find_operator
from web.forms import read_json, read_query
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.state_models import (
    CallPlaced,
    ChangesQuery,
    NewCall,
    StateChanges,
    StateChoice,
    StateList,
    TransferOrder,
    change_model,
    state_model,
)
from web.views.places import text_id


async def get_states(request: Request) -> Response:
    """How all operators are."""
    found = await services(request).database.read(operators_now)
    return ModelResponse(StateList(operators=[state_model(one) for one in found]))


async def get_state(request: Request) -> Response:
    """How one operator is."""
    return ModelResponse(state_model(await services(request).database.read(_now, text_id(request, "extension"))))


async def put_state(request: Request) -> Response:
    """Log an operator in or out, or keep calls away from him."""
    body, extension = await read_json(request, StateChoice), text_id(request, "extension")
    await set_state(request, extension, body)
    return ModelResponse(state_model(await services(request).database.read(_now, extension)))


async def get_state_changes(request: Request) -> Response:
    """What an operator was."""
    given, query = services(request), read_query(request, ChangesQuery)
    found = await given.database.read(_changes, text_id(request, "extension"), query.limit)
    return ModelResponse(StateChanges(changes=[change_model(one) for one in found]))


async def post_transfer(request: Request) -> Response:
    """Transfer the caller of a live call."""
    body, call = await read_json(request, TransferOrder), text_id(request)
    await _live_call(request, call)
    await transfer_call(request, call, body)
    return Response(status_code=204)


async def post_transfer_back(request: Request) -> Response:
    """Give an operator who consults before a transfer his caller back."""
    return await _conclude(request, completes=False)


async def post_transfer_complete(request: Request) -> Response:
    """Join the caller with whom his operator consults."""
    return await _conclude(request, completes=True)


async def post_call(request: Request) -> Response:
    """Call an operator, and then a number for him."""
    body = await read_json(request, NewCall)
    await services(request).database.read(_operator, body.operator)
    return ModelResponse(CallPlaced(id=await place_call(request, body.operator, body.number, body.at_mobile)), 201)


async def set_state(request: Request, extension: str, choice: StateChoice) -> None:
    """What an operator is to be from now on. Raises as `choose_state`."""
    given, by = services(request), acting_user(request)
    chosen = await given.database.run(choose_state, extension, choice.state, choice.reason, acting_user=by, at=given.clock.now())
    given.state_chosen(extension, chosen)
    given.bus.send(DirectoryChanged())


async def transfer_call(request: Request, call: str, order: TransferOrder) -> None:
    """Have whoever talks in a live call transfer its caller. Raises Refused."""
    given, by = services(request), acting_user(request)
    await given.transfer(call, order.to, order.consulting)
    await given.database.run(note_transfer, call, order.to, order.consulting, acting_user=by, at=given.clock.now())


async def conclude_transfer(request: Request, call: str, *, completes: bool) -> None:
    """End the consultation before a transfer: join caller and target, or give the operator his caller back. Raises Refused."""
    given, by = services(request), acting_user(request)
    await given.conclude_transfer(call, completes)
    await given.database.run(note_conclusion, call, completes, acting_user=by, at=given.clock.now())


async def place_call(request: Request, operator: str, number: str, at_mobile: bool | None = None) -> str:
    """Begin a call that the operator of this extension has asked for; gives its id. Raises Refused."""
    given, by = services(request), acting_user(request)
    call = given.place_call(operator, number, at_mobile)
    await given.database.run(note_outgoing_call, call, operator, number, acting_user=by, at=given.clock.now())
    return call


async def _conclude(request: Request, *, completes: bool) -> Response:
    call = text_id(request)
    await _live_call(request, call)
    await conclude_transfer(request, call, completes=completes)
    return Response(status_code=202)


async def _live_call(request: Request, call: str) -> None:
    """Raises NotFound; Refused: it is over."""
    detail = await services(request).database.read(get_call, call)
    if detail.call.ended_at is not None:
        raise Refused("the call is over: it can't be transferred any more")


def _operator(session: Session, extension: str) -> Operator:
    operator = find_operator(session, extension)
    if operator is None:
        raise NotFound(f"there is no operator {extension}")
    return operator


def _now(session: Session, extension: str) -> OperatorNow:
    return operator_now(session, _operator(session, extension))


def _changes(session: Session, extension: str, limit: int) -> list[OperatorStateChange]:
    return list(state_changes(session, _operator(session, extension).id, limit))
