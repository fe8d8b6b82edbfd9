"""The picture of a scenario."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.graph import Scenario
from ivr.serialization import from_data
from web.drawing import CARD_HEIGHT, CARD_WIDTH, MAX_NODES, Drawing, Visit, draw


def scenario(links: dict[str, dict[str, str]], start: str = "a") -> Scenario:
    """A scenario of menus with these links."""
    nodes: dict[str, Any] = {
        name: {"operation": {"type": "menu", "prompt": ["p"]}, "links": exits} for name, exits in links.items()
    }
    return from_data({"schema_version": 2, "start": start, "nodes": nodes})


def drawn(links: dict[str, dict[str, str]], *visits: Visit) -> Drawing:
    picture = draw(scenario(links), visits)
    assert picture is not None
    return picture


def test_the_caller_goes_down() -> None:
    picture = drawn({"a": {"1": "b"}, "b": {"1": "c", "2": "a"}, "c": {}})
    height = {card.node: card.y for card in picture.cards}
    assert height["a"] < height["b"] < height["c"]
    assert picture.start is not None and picture.start[1] == height["a"]


def test_the_way_of_the_caller_is_numbered_and_followed() -> None:
    picture = drawn({"a": {"1": "b", "2": "b"}, "b": {"*": "a"}, "c": {}}, Visit("a", "1"), Visit("b", "*"), Visit("a", None))
    assert {card.node: card.visits for card in picture.cards} == {"a": (1, 3), "b": (2,), "c": ()}
    followed = {pill.text: pill.followed for link in picture.links for pill in link.pills}
    assert followed == {"1": True, "2": False, "*": True}
    assert [card.node for card in picture.cards if card.is_last] == ["a"]
    assert picture.ending is not None and picture.ending.exit is None


def test_an_exit_that_leads_nowhere_is_where_the_call_ended() -> None:
    picture = drawn({"a": {"1": "gone"}}, Visit("a", "1"))
    assert picture.ending is not None and picture.ending.exit == "1" and picture.links == ()


def test_a_live_call_has_no_ending() -> None:
    picture = draw(scenario({"a": {}}), [Visit("a", None)], live=True)
    assert picture is not None and picture.ending is None


def test_a_visit_of_a_node_that_is_not_in_the_scenario_is_no_error() -> None:
    assert drawn({"a": {}}, Visit("elsewhere", "1")).ending is None


def test_the_same_scenario_is_always_drawn_alike() -> None:
    links = {"a": {"1": "b", "2": "c"}, "b": {"1": "d"}, "c": {"1": "d", "2": "c"}, "d": {"1": "a"}}
    assert drawn(links) == drawn(links)


def test_a_scenario_too_large_to_be_read_is_not_drawn() -> None:
    assert draw(scenario({f"n{number}": {} for number in range(MAX_NODES)}, "n0")) is not None
    assert draw(scenario({f"n{number}": {} for number in range(MAX_NODES + 1)}, "n0")) is None


NAMES = st.integers(0, 14).map(lambda number: f"n{number}")
EXITS = st.sampled_from(["1", "2", "3", "*", "wait_expired", "incorrect_input"])


@settings(max_examples=150)
@given(st.dictionaries(NAMES, st.dictionaries(EXITS, NAMES, max_size=5), min_size=1, max_size=14), NAMES)
def test_any_graph_is_drawn_with_every_card_apart(links: dict[str, dict[str, str]], start: str) -> None:
    picture = draw(scenario(links, start))
    assert picture is not None and {card.node for card in picture.cards} == set(links)
    for one, other in combinations(picture.cards, 2):
        assert abs(one.x - other.x) >= CARD_WIDTH - 0.01 or abs(one.y - other.y) >= CARD_HEIGHT
    exits = sum(target in links for node in links.values() for target in node.values())
    assert sum(len(link.pills) for link in picture.links) == exits
    for card in picture.cards:
        assert 0 <= card.x and card.x + CARD_WIDTH <= picture.width and card.y + CARD_HEIGHT <= picture.height
