"""Numbers in text, and text without those that are hidden."""

from __future__ import annotations

import pytest

from controller.hiding import MARK, possible_numbers, restored, without

HIDDEN = frozenset({"74951112233", "84951112233"})


@pytest.mark.parametrize(
    "written",
    [
        "+74951112233",
        "74951112233",
        "+7 495 111-22-33",
        "+7 (495) 111-22-33",
        "8 (495) 111 22 33",
        "+7.495.111.22.33",
        "+7\N{NO-BREAK SPACE}495\N{NO-BREAK SPACE}111\N{NON-BREAKING HYPHEN}22\N{NON-BREAKING HYPHEN}33",
        "%2B74951112233",
        "%2B7%20495%20111-22-33",
        "&#43;74951112233",
    ],
)
def test_a_hidden_number_is_found_however_it_is_written(written: str) -> None:
    assert without(f'<a href="/x?n={written}">of {written}, 2026-05-04</a>', HIDDEN) == (
        f'<a href="/x?n={MARK}">of {MARK}, 2026-05-04</a>'
    )


def test_a_number_is_found_between_other_digits_and_in_the_name_of_a_file() -> None:
    text = "12:30 74951112233 2026-05-04, voicemail-20260504-1200-74951112233.wav"
    assert without(text, HIDDEN) == f"12:30 {MARK} 2026-05-04, voicemail-20260504-1200-{MARK}.wav"


def test_other_numbers_and_all_else_stay_as_they_are() -> None:
    text = "+74951112234 2001 749511122 174951112233 2026-05-04T12:00:00.000Z"
    assert without(text, HIDDEN) == text and without("", HIDDEN) == ""


def test_extensions_are_no_possible_numbers() -> None:
    assert possible_numbers("2001, 8000 and 10203") == {"10203"}


def test_who_changes_a_text_with_marks_keeps_the_numbers_they_stand_for() -> None:
    before = "call +7 495 111-22-33, or 84951112233"
    shown = without(before, HIDDEN)
    assert shown == f"call {MARK}, or {MARK}"
    assert restored(f"{shown} tomorrow", before, HIDDEN) == f"{before} tomorrow"
    assert restored(f"call {MARK}", before, HIDDEN) == f"call {MARK}"
    assert restored("nobody", "nobody", HIDDEN) == "nobody"
