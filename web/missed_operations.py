"""The API's addresses for missed calls."""

from __future__ import annotations

from web.missed_models import MissedCallChange, MissedCallList, MissedCallModel, MissedCallQuery
from web.openapi import ApiOperation
from web.views import api_missed_calls

_MISSED_CALLS = "/api/v1/missed-calls"
_MISSED_CALL = f"{_MISSED_CALLS}/{{id}}"

MISSED_OPERATIONS = (
    ApiOperation(
        "GET",
        _MISSED_CALLS,
        api_missed_calls.get_missed_calls,
        "List missed calls, those that arrived last first",
        MissedCallList,
        query=MissedCallQuery,
    ),
    ApiOperation("GET", _MISSED_CALL, api_missed_calls.get_one_missed_call, "One missed call", MissedCallModel),
    ApiOperation(
        "PATCH",
        _MISSED_CALL,
        api_missed_calls.patch_missed_call,
        "Give a missed call another owner, status or note",
        MissedCallModel,
        body=MissedCallChange,
    ),
)
