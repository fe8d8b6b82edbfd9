"""Which calls our numbers take, and which of them is shown to whom we call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.ids import ChannelId
from controller.routing import AllInUse, NumberLines, OutgoingOff, OwnNumber
from controller.routing.lines import caller_id
from controller.storage.confirmations import ConfirmationState

A, B, C = (OwnNumber(number, channels=2, trunk="carrier") for number in ("101", "102", "103"))
OFF = OwnNumber("104", outgoing=False, trunk="carrier")
ELSEWHERE = OwnNumber("105", trunk="other")
channels = map(ChannelId, map(str, range(1000)))


@pytest.mark.parametrize(
    ("in_use", "came_in_on", "shown"),
    [
        ({}, "", "101"),
        ({"101": 1}, "", "101"),
        ({"101": 2}, "", "102"),
        ({"101": 2, "102": 2}, "", "103"),
        ({}, "103", "103"),
        ({"103": 2}, "103", "101"),
        ({}, "104", "101"),
        ({}, "105", "101"),
        ({}, "8000", "101"),
    ],
)
def test_t48_the_number_that_was_called_is_shown_else_the_first_of_the_trunk_with_a_free_channel(
    in_use: dict[str, int], came_in_on: str, shown: str
) -> None:
    assert caller_id((OFF, A, B, C, ELSEWHERE), in_use, "carrier", came_in_on, "100") == shown


def test_t48_when_no_number_of_the_trunk_has_a_free_channel_the_call_is_refused_with_the_reason() -> None:
    with pytest.raises(AllInUse, match="all channels of 101, 102 are in use"):
        caller_id((OFF, A, B, ELSEWHERE), {"101": 2, "102": 2}, "carrier", "105", "100")


@pytest.mark.parametrize("numbers", [(), (ELSEWHERE,), (OFF,)])
def test_a_trunk_without_numbers_for_calls_outside_shows_its_own(numbers: tuple[OwnNumber, ...]) -> None:
    assert caller_id(numbers, {}, "carrier", "105", "100") == "100"
    assert caller_id(numbers, {}, "carrier", "", "") == ""


def test_t48_what_a_trunk_shows_by_itself_counts_as_the_number_of_ours_that_it_is() -> None:
    with pytest.raises(OutgoingOff, match="104"):
        caller_id((OFF,), {}, "carrier", "", "+104")
    full = OwnNumber("+105", channels=1)
    with pytest.raises(AllInUse):
        caller_id((full,), {"+105": 1}, "carrier", "", "105")
    assert caller_id((full,), {}, "carrier", "", "105") == "+105"


def test_a_channel_belongs_to_a_call_until_that_is_over_however_often_it_is_freed() -> None:
    lines = NumberLines()
    lines.set([OwnNumber("101", channels=2, trunk="carrier")], {"carrier": ""})
    first, second, third = (next(channels) for _ in range(3))
    assert lines.arrives("101", first) == "welcome"
    assert lines.dials(second, "carrier", came_in_on="", own="2001") == "101"
    assert lines.arrives("101", third) == "all_in_use" and lines.in_use == {"101": 2}
    with pytest.raises(AllInUse):
        lines.dials(third, "carrier", came_in_on="", own="2001")
    for channel in (third, first, first):
        lines.free(channel)
    assert lines.in_use == {"101": 1} and lines.arrives("101", third) == "welcome"


def test_numbers_that_change_leave_calls_their_channels_and_use_the_new_rule_for_the_next() -> None:
    lines = NumberLines()
    lines.set([OwnNumber("101")], {})
    held = [next(channels) for _ in range(3)]
    assert [lines.arrives("101", channel) for channel in held] == ["welcome"] * 3
    lines.set([OwnNumber("101", channels=3)], {})
    assert lines.arrives("101", next(channels)) == "all_in_use"
    lines.set([OwnNumber("101", incoming=False)], {})
    assert lines.arrives("101", next(channels)) == "incoming_off" and lines.in_use == {"101": 3}


def test_a_number_that_has_no_free_channel_now_may_be_shown_later_but_not_one_with_outgoing_calls_off() -> None:
    lines = NumberLines()
    lines.set([OwnNumber("101", channels=1), OwnNumber("102", outgoing=False)], {})
    lines.arrives("101", next(channels))
    assert lines.may_dial("carrier", came_in_on="101", own="101")
    assert not lines.may_dial("carrier", came_in_on="102", own="102")


def test_numbers_that_are_not_ours_are_not_counted() -> None:
    lines = NumberLines()
    assert lines.arrives("999", next(channels)) == "welcome"
    assert lines.in_use == {}


@pytest.mark.covers("SKZ-36")
@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("79161234567", "79161234567"), ("105", "105"), ("", "101"), ("104", "101"), ("+104", "101")],
)
def test_a_carrier_without_screening_is_shown_what_was_chosen_but_no_number_of_ours_that_takes_no_calls_outside(
    chosen: str, shown: str
) -> None:
    lines = NumberLines()
    lines.set([A, OFF, ELSEWHERE], {}, unscreened=["carrier"])
    assert lines.dials(next(channels), "carrier", came_in_on="105", own="105", chosen=chosen) == shown
    assert lines.in_use == {"101": 1}, "the channel is that of the trunk's own number"


@pytest.mark.covers("SKZ-36")
@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        ("89161234567", "89161234567"),
        ("2001", "2001"),
        ("anonymous", "101"),
        ("Anna", "101"),
        ("12;x=1", "101"),
        ("9" * 20, "101"),
    ],
)
def test_what_a_caller_calls_himself_is_shown_in_the_place_of_ours_only_if_it_is_a_phone_number(caller: str, shown: str) -> None:
    lines = NumberLines("RU")
    lines.set([A], {}, unscreened=["carrier"])
    assert lines.dials(next(channels), "carrier", came_in_on="101", own=caller, chosen=caller) == shown


@pytest.mark.covers("SKZ-36")
def test_any_other_carrier_is_shown_its_own_numbers_whatever_was_chosen() -> None:
    lines = NumberLines()
    lines.set([A, ELSEWHERE], {}, unscreened=["other"])
    assert lines.dials(next(channels), "carrier", came_in_on="105", own="105", chosen="79161234567") == "101"


@pytest.mark.covers("SKZ-10", "SKZ-11")
@pytest.mark.parametrize(("state", "why"), [("unconfirmed", "is missing"), ("expired", "has expired")])
def test_t72_a_call_that_would_show_a_number_without_a_valid_confirmation_is_refused_with_the_reason(
    state: ConfirmationState, why: str
) -> None:
    invalid = replace(A, confirmation=state)
    with pytest.raises(
        OutgoingOff, match=f"the confirmation of 101, which would be shown, {why}: confirm it on the page Numbers"
    ):
        caller_id((invalid,), {}, "carrier", "", "", "2001")
    with pytest.raises(OutgoingOff, match="confirmation of 105"):
        caller_id((replace(ELSEWHERE, confirmation=state),), {}, "carrier", "105", "", "105")
    lines = NumberLines()
    lines.set([invalid], {})
    assert not lines.may_dial("carrier", came_in_on="", own="2001")
    assert lines.dials(next(channels), "carrier", came_in_on="", own="", confirms=True) == "101", "how else is it confirmed?"


@pytest.mark.covers("SKZ-10", "SKZ-36")
def test_in_the_place_of_a_number_that_is_not_confirmed_another_of_the_trunk_is_shown_or_its_own() -> None:
    invalid = replace(A, confirmation="expired")
    assert caller_id((invalid, B), {}, "carrier", "101", "") == "102"
    assert caller_id((invalid,), {}, "carrier", "101", "100") == "100"
    assert caller_id((invalid,), {}, "carrier", "101", "101") == "101", "its carrier knows us by it"
    lines = NumberLines()
    lines.set([B, replace(ELSEWHERE, confirmation="expired")], {}, unscreened=["carrier"])
    assert lines.dials(next(channels), "carrier", came_in_on="105", own="105", chosen="105") == "102"


@pytest.mark.covers("SKZ-10")
def test_who_has_called_us_is_not_lost_where_no_number_is_confirmed() -> None:
    assert caller_id((replace(A, confirmation="unconfirmed"),), {}, "carrier", "101", "", "79161234567") == "79161234567"


@pytest.mark.covers("SKZ-10", "SKZ-36")
def test_a_number_called_whose_confirmation_is_over_may_be_chosen_only_where_something_else_can_be_shown() -> None:
    lines, called = NumberLines(), replace(ELSEWHERE, confirmation="expired")
    lines.set([called], {"pbx": "100"})
    assert lines.may_dial("pbx", came_in_on="105", own="105")
    assert not lines.may_dial("carrier", came_in_on="105", own="105")
    assert lines.may_dial("carrier", came_in_on="105", own="79161234567")
    lines.set([called, B], {})
    assert lines.may_dial("carrier", came_in_on="105", own="105")


@pytest.mark.covers("SKZ-14")
def test_without_the_pbx_whose_number_is_shown_calls_need_a_confirmed_number_of_our_own() -> None:
    lines = NumberLines()
    lines.set([replace(A, confirmation="unconfirmed")], {"pbx": "100"})
    assert lines.dials(next(channels), "pbx", came_in_on="", own="2001") == "100"
    with pytest.raises(OutgoingOff, match="confirmation of 101"):
        lines.check("carrier", came_in_on="", own="2001")
    lines.set([A], {})
    assert lines.dials(next(channels), "carrier", came_in_on="", own="2001") == "101"
