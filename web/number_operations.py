"""The API's addresses for numbers."""

from __future__ import annotations

from web.number_models import NumberChange, NumberList, NumberModel, NumberSettingsModel
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
    ApiOperation("PUT", _NUMBER, api_numbers.put_number, "Replace a number", NumberModel, body=NumberChange, errors=(409,)),
    ApiOperation("DELETE", _NUMBER, api_numbers.delete_number, "Remove a number", status=204),
)
