"""The API's addresses for numbers."""

from __future__ import annotations

from web.confirming_operations import code_operations
from web.forwarding_models import CodeEntry
from web.number_models import NumberChange, NumberList, NumberModel, NumberSettingsModel, ReachabilityModel
from web.openapi import ApiOperation
from web.views import api_numbers

_NUMBERS = "/api/v1/numbers"
_NUMBER = f"{_NUMBERS}/{{id:int}}"

NUMBER_OPERATIONS = (
    ApiOperation("GET", _NUMBERS, api_numbers.get_numbers, "List our numbers", NumberList),
    ApiOperation(
        "POST", _NUMBERS, api_numbers.post_number, "Add a number", NumberModel, body=NumberChange, status=201, errors=(409,)
    ),
    ApiOperation(
        "PUT",
        f"{_NUMBERS}/settings",
        api_numbers.put_settings_of_all,
        "Give all numbers the same settings; each keeps its number, its line name and which calls it takes",
        NumberList,
        body=NumberSettingsModel,
    ),
    ApiOperation("GET", _NUMBER, api_numbers.get_one_number, "One number", NumberModel),
    ApiOperation(
        "GET",
        f"{_NUMBER}/reachability",
        api_numbers.get_reachability,
        "Whether callers reach a number: what would serve them now, and the trunks that could bring them",
        ReachabilityModel,
    ),
    ApiOperation("PUT", _NUMBER, api_numbers.put_number, "Replace a number", NumberModel, body=NumberChange, errors=(409,)),
    ApiOperation("DELETE", _NUMBER, api_numbers.delete_number, "Remove a number", status=204),
    *code_operations(_NUMBER, api_numbers.post_number_code_call, api_numbers.post_number_code_message),
    ApiOperation(
        "POST",
        f"{_NUMBER}/confirm",
        api_numbers.post_number_code,
        "Confirm by the code that was told that the number is ours, so that it may be shown to those who are called",
        NumberModel,
        body=CodeEntry,
    ),
    ApiOperation(
        "POST",
        f"{_NUMBER}/confirm-for-good",
        api_numbers.post_number_for_good,
        "Take a number of our own trunk as confirmed, without an end",
        NumberModel,
    ),
)
