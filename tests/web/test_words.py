"""The words and icons that people see."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import web
from controller.storage.groups import Strategy
from ivr.operations import OPERATIONS
from web.words import OPERATION_WORDS, STRATEGY_WORDS, leg_words, strategy_words

ICONS = Path(web.__file__).with_name("templates") / "_icons.html"
TYPES = [operation.model_fields["type"].default for operation in OPERATIONS]


@pytest.mark.covers("UIS-3")
@pytest.mark.parametrize("operation", TYPES)
def test_every_operation_has_a_name_and_an_icon(operation: str) -> None:
    assert OPERATION_WORDS[operation]
    assert f'"{operation}": ' in ICONS.read_text()


@pytest.mark.covers("LNR-1")
@pytest.mark.parametrize(("cause", "text"), [(34, "No channel"), (52, "Switched off")])
def test_a_call_outside_that_was_not_made_says_why(cause: int, text: str) -> None:
    assert leg_words(talked=False, answered=False, over=True, sip_status=None, cause=cause).text == text


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_every_strategy_has_a_name_and_an_explanation(strategy: Strategy) -> None:
    title, explanation = STRATEGY_WORDS[strategy]
    assert strategy_words(strategy) == title.lower()
    assert explanation.endswith(".")
