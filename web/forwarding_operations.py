"""The API's addresses for phones to forward to."""

from __future__ import annotations

from web.confirming_operations import code_operations
from web.forwarding_models import CodeEntry, NewPhone, PhoneList, PhoneModel
from web.openapi import ApiOperation
from web.views import api_forwarding

_PHONES = "/api/v1/forwarding-phones"
_PHONE = f"{_PHONES}/{{id:int}}"

FORWARDING_OPERATIONS = (
    ApiOperation("GET", _PHONES, api_forwarding.get_phones, "List phones that missed calls may be forwarded to", PhoneList),
    ApiOperation(
        "POST",
        _PHONES,
        api_forwarding.post_phone,
        "Add a common phone, or set an operator's own",
        PhoneModel,
        body=NewPhone,
        status=201,
        errors=(409,),
    ),
    ApiOperation("GET", _PHONE, api_forwarding.get_one_phone, "One phone", PhoneModel),
    ApiOperation(
        "DELETE", _PHONE, api_forwarding.delete_phone, "Remove a phone that no number forwards to", status=204, errors=(409,)
    ),
    *code_operations(_PHONE, api_forwarding.post_code_call, api_forwarding.post_code_message),
    ApiOperation(
        "POST",
        f"{_PHONE}/confirm",
        api_forwarding.post_code,
        "Confirm the number by the code that was dictated; an operator's own is then put before the administrators",
        PhoneModel,
        body=CodeEntry,
    ),
    ApiOperation(
        "POST",
        f"{_PHONE}/confirm-for-good",
        api_forwarding.post_confirmation_for_good,
        "Take a number of our own trunk as confirmed, without an end",
        PhoneModel,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_PHONE}/approve",
        api_forwarding.post_approval,
        "Let an operator's missed calls be forwarded to his confirmed number",
        PhoneModel,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_PHONE}/refuse",
        api_forwarding.post_refusal,
        "Forward nothing to an operator's number",
        PhoneModel,
        errors=(409,),
    ),
)
