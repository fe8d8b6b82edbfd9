"""The API's addresses for operators, groups and trunks."""

from __future__ import annotations

from web.openapi import ApiOperation
from web.people_models import (
    GroupChange,
    GroupList,
    GroupModel,
    NewOperator,
    OperatorChange,
    OperatorCreated,
    OperatorItem,
    OperatorList,
    SipAccountModel,
    TrunkChange,
    TrunkList,
    TrunkModel,
)
from web.views import api_people

_API = "/api/v1"
_OPERATOR = f"{_API}/operators/{{id:int}}"
_GROUP = f"{_API}/groups/{{id:int}}"
_TRUNK = f"{_API}/trunks/{{id:int}}"

PEOPLE_OPERATIONS = (
    ApiOperation("GET", f"{_API}/operators", api_people.get_operators, "List operators", OperatorList),
    ApiOperation(
        "POST",
        f"{_API}/operators",
        api_people.post_operator,
        "Create an operator",
        OperatorCreated,
        body=NewOperator,
        status=201,
        errors=(409,),
    ),
    ApiOperation("GET", _OPERATOR, api_people.get_one_operator, "One operator", OperatorItem),
    ApiOperation(
        "GET", f"{_OPERATOR}/sip-account", api_people.get_sip_account, "How an operator's phone registers", SipAccountModel
    ),
    ApiOperation(
        "POST",
        f"{_OPERATOR}/sip-account",
        api_people.post_sip_account,
        "Give an operator's phone a new secret",
        SipAccountModel,
    ),
    ApiOperation(
        "PUT", _OPERATOR, api_people.put_operator, "Change an operator", OperatorItem, body=OperatorChange, errors=(409,)
    ),
    ApiOperation(
        "DELETE", _OPERATOR, api_people.remove_operator, "Remove an operator that nothing uses", status=204, errors=(409,)
    ),
    ApiOperation("POST", f"{_OPERATOR}/end-wrap-up", api_people.end_wrap_up, "End an operator's wrap-up early", status=202),
    ApiOperation("GET", f"{_API}/groups", api_people.get_groups, "List groups", GroupList),
    ApiOperation(
        "POST",
        f"{_API}/groups",
        api_people.post_group,
        "Create a group",
        GroupModel,
        body=GroupChange,
        status=201,
        errors=(409,),
    ),
    ApiOperation("GET", _GROUP, api_people.get_one_group, "One group", GroupModel),
    ApiOperation("PUT", _GROUP, api_people.put_group, "Replace a group", GroupModel, body=GroupChange, errors=(409,)),
    ApiOperation("DELETE", _GROUP, api_people.remove_group, "Remove a group that nothing uses", status=204, errors=(409,)),
    ApiOperation("GET", f"{_API}/trunks", api_people.get_trunks, "List trunks", TrunkList),
    ApiOperation(
        "POST",
        f"{_API}/trunks",
        api_people.post_trunk,
        "Create a trunk",
        TrunkModel,
        body=TrunkChange,
        status=201,
        errors=(409,),
    ),
    ApiOperation("GET", _TRUNK, api_people.get_one_trunk, "One trunk", TrunkModel),
    ApiOperation("PUT", _TRUNK, api_people.put_trunk, "Replace a trunk", TrunkModel, body=TrunkChange, errors=(409,)),
    ApiOperation("DELETE", _TRUNK, api_people.remove_trunk, "Remove a trunk", status=204, errors=(409,)),
)
