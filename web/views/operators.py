"""The operator whose phone is the user's, and his colleagues as they are now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from starlette.requests import Request

from controller.errors import NotFound
from controller.storage import Session
from controller.storage.desks import operator_of
from controller.storage.operators import Operator, list_operators
from web.colleagues import Colleague
from web.services import services


async def own_operator(request: Request) -> Operator:
    """Whose phone is the user's. Raises NotFound."""
    operator = await services(request).database.read(operator_of, request.state.user.id)
    if operator is None:
        raise NotFound("This account is not linked to an operator's phone.")
    return operator


async def are_shown(request: Request) -> Callable[[Operator], bool]:
    """Which operators stand in the lists that the user is shown: without access to the team himself alone (SKZ-67)."""
    if request.state.sees_team:
        return lambda _: True
    own = await own_operator(request)
    return lambda one: one.id == own.id


async def can_be_chosen(request: Request, operators: Iterable[Operator], chosen: Collection[str] = ()) -> list[Operator]:
    """Those of these operators whom a form offers: those of the user's lists, and whose extension is chosen there already."""
    shown = await are_shown(request)
    return [one for one in operators if shown(one) or one.extension in chosen]


def team_of(session: Session, operator: Operator) -> tuple[Operator, ...]:
    """Everybody but himself, by extension."""
    return tuple(one for one in list_operators(session) if one.id != operator.id)


def as_they_are(request: Request, operators: Iterable[Operator]) -> list[Colleague]:
    """Operators with their states."""
    return [Colleague(one.extension, one.name, state_of(request, one.extension)) for one in operators]


def state_of(request: Request, extension: str) -> str:
    """How an operator's phone is."""
    states: Mapping[str, str] = services(request).operator_states()
    return states.get(extension, "offline")
