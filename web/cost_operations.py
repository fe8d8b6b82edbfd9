"""The API's addresses for rates, trunks' prices and costs."""

from __future__ import annotations

from web.cost_models import (
    CostQuery,
    CostReport,
    RateChange,
    RateList,
    RateModel,
    RateQuery,
    RatesImported,
    RateTableUpload,
    TrunkPrices,
    TrunkPricesChange,
)
from web.openapi import ApiOperation
from web.views import api_costs

_API = "/api/v1"
_RATES = f"{_API}/rates"
_RATE = f"{_RATES}/{{id:int}}"
_PRICES = f"{_API}/trunks/{{id:int}}/prices"

COST_OPERATIONS = (
    ApiOperation("GET", f"{_API}/costs", api_costs.get_costs, "What trunks cost, by the day", CostReport, query=CostQuery),
    ApiOperation("GET", _RATES, api_costs.get_rates, "List rates", RateList, query=RateQuery),
    ApiOperation("POST", _RATES, api_costs.post_rate, "Add a rate", RateModel, body=RateChange, status=201, errors=(409,)),
    ApiOperation(
        "POST",
        f"{_RATES}/import",
        api_costs.post_rate_table,
        "Import a table of rates, whole or not at all",
        RatesImported,
        upload=RateTableUpload,
    ),
    ApiOperation("GET", _RATE, api_costs.get_one_rate, "One rate", RateModel),
    ApiOperation("PUT", _RATE, api_costs.put_rate, "Replace a rate", RateModel, body=RateChange, errors=(409,)),
    ApiOperation("DELETE", _RATE, api_costs.remove_rate, "Delete a rate", status=204),
    ApiOperation("GET", _PRICES, api_costs.get_trunk_prices, "What a trunk costs in a month", TrunkPrices),
    ApiOperation(
        "PUT",
        _PRICES,
        api_costs.put_trunk_prices,
        "Say what a trunk costs in a month, and from which days on",
        TrunkPrices,
        body=TrunkPricesChange,
    ),
)
