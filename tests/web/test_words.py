"""The words and icons that people see."""

from __future__ import annotations

from pathlib import Path

import pytest

import web
from ivr.operations import OPERATIONS
from web.words import OPERATION_WORDS

ICONS = Path(web.__file__).with_name("templates") / "_icons.html"
TYPES = [operation.model_fields["type"].default for operation in OPERATIONS]


@pytest.mark.covers("UIS-3")
@pytest.mark.parametrize("operation", TYPES)
def test_every_operation_has_a_name_and_an_icon(operation: str) -> None:
    assert OPERATION_WORDS[operation]
    assert f'"{operation}": ' in ICONS.read_text()
