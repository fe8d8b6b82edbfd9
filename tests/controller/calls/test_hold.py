"""What a waiting caller hears, step by step."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.calls.hold import Element, Treatment, announcement, following, for_person, in_line
from controller.routing import Outlook, Situation
from controller.storage.groups import GroupTerms
from ivr.commands import HoldPrompts
from ivr.lines import STANDARD_PROMPTS, LinePrompts
from ivr.prompts import LINE_ALL_BUSY, LINE_ARRIVAL, LINE_WAITING, PromptRef

MELODY = PromptRef("melody")
OWN = LinePrompts(waiting=MELODY)
SITUATIONS = st.lists(st.sampled_from(get_args(Situation)), max_size=12)
SOME = st.sampled_from([(), (MELODY,)])
TREATMENTS = st.builds(Treatment, SOME, SOME, SOME, st.just(True)) | st.builds(
    Treatment, SOME, SOME, st.just((MELODY,)), st.just(False)
)


def sequence(treatment: Treatment, situations: Iterable[Situation]) -> list[Element]:
    """What plays; each situation is the one at the end of what played before."""
    played: list[Element] = []
    for situation in situations:
        played.append(following(treatment, played[-1] if played else None, situation))
    return played


@pytest.mark.covers("SKZ-43")
def test_while_somebody_is_rung_arrival_is_followed_by_waiting_over_and_over() -> None:
    treatment = in_line(OWN, HoldPrompts(), greeted=False)
    assert sequence(treatment, ["available"] * 4) == ["arrival", "waiting", "waiting", "waiting"]


@pytest.mark.covers("SKZ-44")
def test_while_all_are_busy_all_busy_and_waiting_take_turns() -> None:
    treatment = in_line(OWN, HoldPrompts(), greeted=False)
    assert sequence(treatment, ["busy"] * 5) == ["arrival", "all_busy", "waiting", "all_busy", "waiting"]


@pytest.mark.covers("SKZ-47")
def test_without_arrival_both_begin_with_their_second_element() -> None:
    treatment = in_line(LinePrompts(None, MELODY), HoldPrompts(), greeted=False)
    assert sequence(treatment, ["available"] * 2) == ["waiting", "waiting"]
    assert sequence(treatment, ["busy"] * 3) == ["all_busy", "waiting", "all_busy"]


def test_a_change_counts_from_the_next_prompt_on() -> None:
    treatment = in_line(OWN, HoldPrompts(), greeted=False)
    changes: list[Situation] = ["available", "busy", "available", "available", "busy"]
    assert sequence(treatment, changes) == ["arrival", "all_busy", "waiting", "waiting", "all_busy"]


def test_music_follows_the_standard_waiting_prompt_and_one_of_its_own_is_the_music() -> None:
    standard = in_line(STANDARD_PROMPTS, HoldPrompts(), greeted=False)
    assert sequence(standard, ["available"] * 4) == ["arrival", "waiting", "music", "waiting"]
    assert sequence(standard, ["busy"] * 6) == ["arrival", "all_busy", "waiting", "music", "all_busy", "waiting"]
    assert not in_line(OWN, HoldPrompts(), greeted=False).music


def test_a_scenario_may_choose_other_prompts_or_none() -> None:
    chosen = in_line(STANDARD_PROMPTS, HoldPrompts((MELODY,), (), ()), greeted=True)
    assert sequence(chosen, ["busy"] * 3) == ["arrival", "music", "music"]
    assert chosen.prompts("arrival") == (MELODY,) and chosen.prompts("music") == ()


def test_who_was_greeted_hears_no_arrival_and_who_is_rung_for_one_person_no_all_busy() -> None:
    assert in_line(STANDARD_PROMPTS, HoldPrompts(), greeted=False).arrival == (LINE_ARRIVAL,)
    assert in_line(STANDARD_PROMPTS, HoldPrompts(), greeted=True).arrival == ()
    assert in_line(STANDARD_PROMPTS, HoldPrompts(), greeted=True).all_busy == (LINE_ALL_BUSY,)
    assert for_person(STANDARD_PROMPTS) == Treatment((), (), (LINE_WAITING,), music=True)


def told(treatment: Treatment, steps: Iterable[tuple[Situation, bool]]) -> list[Element]:
    """As `sequence`; the second of each step is whether it is time to tell the caller how he stands."""
    played: list[Element] = []
    for situation, news in steps:
        played.append(following(treatment, played[-1] if played else None, situation, news=news))
    return played


def test_how_he_stands_is_told_behind_all_busy_and_only_while_all_are() -> None:
    treatment = in_line(OWN, HoldPrompts(), greeted=False)
    busy: list[tuple[Situation, bool]] = [("busy", True)] * 3
    assert told(treatment, [*busy, ("busy", False), ("busy", False), ("busy", True), ("busy", True)]) == [
        *("arrival", "all_busy", "announcement", "waiting", "all_busy", "announcement", "waiting"),
    ]
    assert told(treatment, [("available", True)] * 3) == ["arrival", "waiting", "waiting"]
    silent = Treatment((), (), (MELODY,), music=False)
    assert told(silent, [("busy", True), ("busy", False), ("busy", True)]) == ["announcement", "waiting", "announcement"]


def test_music_gives_way_to_an_announcement_that_is_due() -> None:
    standard = in_line(STANDARD_PROMPTS, HoldPrompts(), greeted=True)
    later: list[tuple[Situation, bool]] = [("busy", False), ("busy", False), ("busy", True), ("busy", True), ("busy", False)]
    assert told(standard, later) == ["all_busy", "waiting", "all_busy", "announcement", "waiting"]
    assert [element for element in get_args(Element) if standard.may_be_cut(element)] == ["music"]
    own = in_line(OWN, HoldPrompts(), greeted=True)
    assert [element for element in get_args(Element) if own.may_be_cut(element)] == ["waiting", "music"]


@given(TREATMENTS, st.lists(st.tuples(st.sampled_from(get_args(Situation)), st.booleans()), max_size=12))
def test_announcements_come_only_when_due_and_never_two_in_a_row_and_change_nothing_else(
    treatment: Treatment, steps: list[tuple[Situation, bool]]
) -> None:
    played = told(treatment, steps)
    for element, (situation, news) in zip(played, steps, strict=True):
        assert element != "announcement" or (situation == "busy" and news)
    assert not any(both == ("announcement", "announcement") for both in pairwise(played))
    assert "arrival" not in played[1:]


@pytest.mark.parametrize(
    ("terms", "outlook", "language", "said"),
    [
        (GroupTerms(), Outlook(2, 60), "en", []),
        (GroupTerms(announce_every=30), None, "en", []),
        (GroupTerms(announce_every=30), Outlook(1, None), "en", ["line-first"]),
        (GroupTerms(announce_every=30), Outlook(2, 61), "en", ["line-place-2", "line-wait-2"]),
        (GroupTerms(announce_every=30), Outlook(2, 61), "ru", ["line-place-2", "line-wait-5"]),
        (GroupTerms(announce_every=30, announce_place=False), Outlook(2, 301), "en", ["line-wait-10"]),
        (GroupTerms(announce_every=30, announce_wait=False), Outlook(99, 60), "en", ["line-place-99"]),
        (GroupTerms(announce_every=30), Outlook(100, 3601), "en", []),
    ],
)
def test_what_is_told_is_what_the_group_wants_and_words_can_say(
    terms: GroupTerms, outlook: Outlook | None, language: str, said: list[str]
) -> None:
    assert [prompt.name for prompt in announcement(terms, outlook, language)] == said


@given(TREATMENTS, SITUATIONS)
def test_in_any_situation_arrival_is_heard_once_and_all_busy_only_while_they_are(
    treatment: Treatment, situations: list[Situation]
) -> None:
    played = sequence(treatment, situations)
    assert "arrival" not in played[1:]
    for element, situation in zip(played, situations, strict=True):
        assert element != "all_busy" or situation == "busy"
        assert element == "music" or treatment.prompts(element)
    assert not any(both == ("all_busy", "all_busy") for both in pairwise(played))
    if treatment.music:
        assert all(after == "music" for before, after in pairwise(played) if before == "waiting")
