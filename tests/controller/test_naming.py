"""Names that follow a template."""

from __future__ import annotations

import pytest

from controller.errors import SettingsError
from controller.naming import named_by
from controller.settings import Settings


@pytest.mark.covers("LNR-1")
@pytest.mark.parametrize(
    ("template", "trunk", "name"),
    [
        ("Line {number}", None, "Line 8000"),
        ("{trunk} {number}", "Carrier", "Carrier 8000"),
        ("{trunk} {n}", None, "3"),
        ("Line {n}", "Carrier", "Line 1"),
        ("Sales", "{n}", "Sales"),
        ("{trunk}", "{number} {n}", "{number} {n}"),
        ("{trunk} {number}", "C" * 64, "C" * 59 + " 8000"),
        ("{trunk}, line {n}", "C" * 100, "C" * 56 + ", line 1"),
        ("Sales" * 12 + " {number}", None, "Sales" * 12 + " 800"),
        ("L" * 61 + "{n}", None, "L" * 61 + "1"),
        ("{number}" * 7 + "L" * 36 + "{n}", "Carrier", "8000" * 7 + "L" * 36),
    ],
)
def test_a_name_follows_the_template_and_counts_up_to_the_first_that_is_free(template: str, trunk: str | None, name: str) -> None:
    assert named_by(template, "8000", trunk, ["1", "2", "Line 2", "Sales", "Line 8000"]) == name


@pytest.mark.covers("LNR-1")
@pytest.mark.parametrize(
    "wrong", ["{name}", "{number!r}", "{0}", "Line {", "}{", "{{number}}", " ", "a" * 65, "a\nb", "{trunk}", "{trunk} {trunk}"]
)
def test_a_template_that_can_make_no_name_is_refused_at_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="ATTENDANT_LINE_NAME_TEMPLATE"):
        Settings.load({"ATTENDANT_LINE_NAME_TEMPLATE": wrong})
    assert Settings.load({"ATTENDANT_LINE_NAME_TEMPLATE": " {trunk}: {n} "}).line_name_template == "{trunk}: {n}"
