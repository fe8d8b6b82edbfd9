"""Operators, groups and trunks in the API."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.groups import change_group, create_group, delete_group, set_members, set_terms
from controller.actions.operators import change_operator, create_operator, delete_operator, renew_secret
from controller.actions.trunks import change_trunk, create_trunk, delete_trunk
from controller.bus import WrapUpEnded
from controller.storage import Session
from controller.storage.groups import GroupView, group_view, list_groups
from controller.storage.operators import Operator, OperatorView, get_operator, operator_view, operator_views
from controller.storage.trunks import get_trunk, list_trunks
from web.forms import read_json
from web.people_models import (
    GroupChange,
    GroupList,
    NewOperator,
    OperatorChange,
    OperatorCreated,
    OperatorList,
    SipAccountModel,
    TrunkChange,
    TrunkList,
    group_model,
    operator_item,
    sip_account_model,
    trunk_model,
)
from web.rendering import ModelResponse
from web.security import acting_user
from web.services import services
from web.views.places import number_id


async def get_operators(request: Request) -> Response:
    """All operators."""
    found = await services(request).database.read(operator_views)
    return ModelResponse(OperatorList(operators=[operator_item(one) for one in found]))


async def get_one_operator(request: Request) -> Response:
    """One operator."""
    return ModelResponse(operator_item(await services(request).database.read(operator_view, number_id(request))))


async def get_sip_account(request: Request) -> Response:
    """How his phone registers."""
    return ModelResponse(sip_account(request, await services(request).database.read(get_operator, number_id(request))))


async def post_sip_account(request: Request) -> Response:
    """Give his phone a new secret."""
    return ModelResponse((await new_sip_account(request))[1])


async def post_operator(request: Request) -> Response:
    """Create an operator."""
    operator = await store_operator(request, await read_json(request, NewOperator))
    item = operator_item(await services(request).database.read(operator_view, operator.id))
    return ModelResponse(OperatorCreated(sip_account=sip_account(request, operator), **dict(item)), 201)


async def put_operator(request: Request) -> Response:
    """Change an operator."""
    return ModelResponse(operator_item(await replace_operator(request, await read_json(request, OperatorChange))))


async def remove_operator(request: Request) -> Response:
    """Remove an operator who is in no group and named by no scenario."""
    await drop_operator(request)
    return Response(status_code=204)


async def store_operator(request: Request, new: NewOperator) -> Operator:
    """A new operator. Raises as `create_operator`."""
    given, by = services(request), acting_user(request)
    pattern, now = given.settings.extension_pattern, given.clock.now()
    created = await given.database.run(_new_operator, new, pattern, acting_user=by, at=now)
    await given.directory_changed()
    return created


async def replace_operator(request: Request, new: OperatorChange) -> OperatorView:
    """Change the operator of the address. Raises as `change_operator`."""
    given, id, by = services(request), number_id(request), acting_user(request)
    changed = await given.database.run(change_operator, id, new.draft(), acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return changed


async def drop_operator(request: Request) -> None:
    """Remove the operator of the address. Raises Refused: something uses him; NotFound."""
    given = services(request)
    await given.database.run(delete_operator, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()


async def new_sip_account(request: Request) -> tuple[Operator, SipAccountModel]:
    """Give the phone of the address's operator a new secret. Raises NotFound."""
    given, id, by = services(request), number_id(request), acting_user(request)
    operator = await given.database.run(renew_secret, id, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return operator, sip_account(request, operator)


async def end_wrap_up(request: Request) -> Response:
    """The operator is ready for the next call before his wrap-up is over."""
    given = services(request)
    operator = await given.database.read(get_operator, number_id(request))
    given.bus.send(WrapUpEnded(operator.extension))
    return Response(status_code=202)


async def get_groups(request: Request) -> Response:
    """All groups."""
    found = await services(request).database.read(list_groups)
    return ModelResponse(GroupList(groups=[group_model(one) for one in found]))


async def get_one_group(request: Request) -> Response:
    """One group."""
    return ModelResponse(group_model(await services(request).database.read(group_view, number_id(request))))


async def post_group(request: Request) -> Response:
    """Create a group with its members."""
    return ModelResponse(group_model(await store_group(request, await read_json(request, GroupChange))), 201)


async def put_group(request: Request) -> Response:
    """Replace a group and its members."""
    return ModelResponse(group_model(await replace_group(request, await read_json(request, GroupChange))))


async def remove_group(request: Request) -> Response:
    """Remove a group that nothing uses."""
    await drop_group(request)
    return Response(status_code=204)


async def store_group(request: Request, new: GroupChange) -> GroupView:
    """A new group with its members. Raises as the actions for groups."""
    given, by = services(request), acting_user(request)
    created = await given.database.run(_new_group, new, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return created


async def replace_group(request: Request, new: GroupChange) -> GroupView:
    """Replace the group of the address. Raises as the actions for groups."""
    given, id, by = services(request), number_id(request), acting_user(request)
    changed = await given.database.run(_changed_group, id, new, acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return changed


async def drop_group(request: Request) -> None:
    """Remove the group of the address. Raises Refused: something uses it; NotFound."""
    given = services(request)
    await given.database.run(delete_group, number_id(request), acting_user=acting_user(request), at=given.clock.now())
    await given.directory_changed()


async def get_trunks(request: Request) -> Response:
    """All trunks."""
    given = services(request)
    found, states = await given.database.read(list_trunks), await given.trunk_states()
    return ModelResponse(TrunkList(trunks=[trunk_model(one, states) for one in found]))


async def get_one_trunk(request: Request) -> Response:
    """One trunk."""
    given = services(request)
    found = await given.database.read(get_trunk, number_id(request))
    return ModelResponse(trunk_model(found, await given.trunk_states()))


async def post_trunk(request: Request) -> Response:
    """Create a trunk."""
    id = await store_trunk(request, await read_json(request, TrunkChange))
    return ModelResponse(trunk_model(await services(request).database.read(get_trunk, id), {}), 201)


async def put_trunk(request: Request) -> Response:
    """Replace a trunk."""
    await replace_trunk(request, await read_json(request, TrunkChange))
    return ModelResponse(trunk_model(await services(request).database.read(get_trunk, number_id(request)), {}))


async def remove_trunk(request: Request) -> Response:
    """Remove a trunk."""
    await drop_trunk(request)
    return Response(status_code=204)


async def store_trunk(request: Request, new: TrunkChange) -> int:
    """A new trunk; returns its id. Raises as `create_trunk`."""
    given, by = services(request), acting_user(request)
    created = await given.database.run(create_trunk, new.draft(), acting_user=by, at=given.clock.now())
    await given.directory_changed()
    return created.id


async def replace_trunk(request: Request, new: TrunkChange) -> None:
    """Replace the trunk of the address. Raises as `change_trunk`."""
    given, by = services(request), acting_user(request)
    await given.database.run(change_trunk, number_id(request), new.draft(), acting_user=by, at=given.clock.now())
    await given.directory_changed()


async def drop_trunk(request: Request) -> None:
    """Remove the trunk of the address. Raises NotFound."""
    given, by = services(request), acting_user(request)
    zone, now = given.settings.zone, given.clock.now()
    await given.database.run(delete_trunk, number_id(request), zone=zone, acting_user=by, at=now)
    await given.directory_changed()


def sip_account(request: Request, operator: Operator) -> SipAccountModel:
    """How an operator's phone registers, with its secret."""
    settings = services(request).settings
    return sip_account_model(operator, settings.media_address or settings.sip_host, settings.sip_port)


def _new_operator(session: Session, body: NewOperator, pattern: str, *, acting_user: str, at: datetime) -> Operator:
    return create_operator(
        session,
        body.extension,
        body.name,
        ring_seconds=body.ring_seconds,
        inbound=body.inbound,
        team=body.team,
        time_zone=body.time_zone,
        call_mode=body.call_mode,
        numbers=body.rung_numbers(),
        pattern=pattern,
        acting_user=acting_user,
        at=at,
    )


def _new_group(session: Session, body: GroupChange, *, acting_user: str, at: datetime) -> GroupView:
    group = create_group(session, body.name, body.strategy, body.ring_seconds, acting_user=acting_user, at=at)
    set_terms(session, group.name, body.terms(), acting_user=acting_user, at=at)
    set_members(session, group.name, body.drafts(), acting_user=acting_user, at=at)
    return group_view(session, group.id)


def _changed_group(session: Session, id: int, body: GroupChange, *, acting_user: str, at: datetime) -> GroupView:
    group = change_group(session, id, body.name, body.strategy, body.ring_seconds, acting_user=acting_user, at=at)
    set_terms(session, group.name, body.terms(), acting_user=acting_user, at=at)
    set_members(session, group.name, body.drafts(), acting_user=acting_user, at=at)
    return group_view(session, id)
