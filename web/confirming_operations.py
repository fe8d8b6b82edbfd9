"""The API's addresses for codes that confirm a number, alike for phones outside and numbers of ours."""

from __future__ import annotations

from web.forwarding_models import CodeCall, CodeOrder
from web.openapi import ApiOperation, View


def code_operations(one: str, call: View, message: View) -> tuple[ApiOperation, ApiOperation]:
    """Giving a code to what the address `one` names: by a call, and by SMS."""
    return (
        ApiOperation(
            "POST",
            f"{one}/call",
            call,
            "Have the number called and told a code, valid for ten minutes",
            CodeCall,
            body=CodeOrder,
            body_required=False,
            status=202,
            errors=(409,),
        ),
        ApiOperation(
            "POST",
            f"{one}/sms",
            message,
            "Have the number sent a code by SMS, valid for ten minutes, where a gateway is set",
            body=CodeOrder,
            body_required=False,
            status=204,
            errors=(409,),
        ),
    )
