"""The API's address for the whole set-up."""

from __future__ import annotations

from web.openapi import ApiOperation
from web.setup_models import SetupTaken, SetupUpload
from web.views import api_setup

_SETUP = "/api/v1/setup"

SETUP_OPERATIONS = (
    ApiOperation(
        "GET",
        _SETUP,
        api_setup.get_setup,
        "The whole set-up without secrets, as a zip file",
        download="application/zip",
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        _SETUP,
        api_setup.post_setup,
        "Take a set-up in: make what is missing, change what differs, all of it or nothing",
        SetupTaken,
        upload=SetupUpload,
        errors=(409, 507),
    ),
)
