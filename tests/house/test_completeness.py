"""Whole or refused: what is registered has everything that belongs to it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from controller.__main__ import _parser
from controller.prompts.builtin import BUILTIN, LANGUAGES
from controller.settings import CHECKOUT, Settings
from ivr.operations import OPERATIONS, Operation

IVR_TESTS = list((CHECKOUT / "tests/ivr").rglob("test_*.py"))
README = (CHECKOUT / "README.md").read_text()


def name_of(operation: type[Operation]) -> str:
    return str(operation.model_fields["type"].default)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_every_operation_has_its_file_a_test_its_help_and_its_row(operation: type[Operation]) -> None:
    name = name_of(operation)
    assert operation.__module__ == f"ivr.operations.{name}"
    assert any(operation.__name__ in test.read_text() or f'"{name}"' in test.read_text() for test in IVR_TESTS)
    assert operation.__doc__ and len(operation.__doc__) > 20
    assert f"| `{name}` |" in README


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_every_operation_is_drawn_with_its_own_words_and_icon(operation: type[Operation]) -> None:
    from web.words import OPERATION_WORDS

    name = name_of(operation)
    assert name in OPERATION_WORDS
    assert f'"{name}"' in (CHECKOUT / "web/templates/_icons.html").read_text()


def test_every_prompt_of_the_demo_and_of_the_system_exists_in_every_language() -> None:
    assert set(LANGUAGES) == {"en", "ru"}
    assert all(BUILTIN.values())


def test_every_command_stands_in_readme() -> None:
    subjects = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    for command in subjects.choices:
        assert re.search(rf"`{command}\b", README), f"{command} is not in README"


def test_every_setting_that_readme_names_exists() -> None:
    settings = {f"ATTENDANT_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"ATTENDANT_[A-Z_]+[A-Z]", README)) <= settings


def test_the_locks_name_hashes_and_no_addresses() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (CHECKOUT / lock).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_every_template_of_asterisks_configuration_is_explained() -> None:
    explained = (CHECKOUT / "asterisk-conf/README.md").read_text()
    variables = set()
    for template in Path(CHECKOUT / "asterisk-conf").glob("*.j2"):
        text = template.read_text()
        variables |= set(re.findall(r"{{\s*(\w+)", text)) - set(re.findall(r"{% for (\w+) in", text))
    missing = {variable for variable in variables if f"`{variable}`" not in explained}
    assert not missing
