"""Short ways to write scenarios in tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ivr.graph import Scenario
from ivr.operations import OPERATIONS
from ivr.serialization import from_data


def node(type: str, links: dict[str, str] | None = None, **parameters: Any) -> dict[str, Any]:
    return {"operation": {"type": type, **parameters}, "links": links or {}}


def message(links: dict[str, str], prompt: str = "hello") -> dict[str, Any]:
    return node("info_message", links, message=[prompt])


def menu(links: dict[str, str], wait_seconds: float = 5, prompt: str = "choose") -> dict[str, Any]:
    return node("menu", links, prompt=[prompt], wait_seconds=wait_seconds)


def group(links: dict[str, str], name: str = "Sales", **parameters: Any) -> dict[str, Any]:
    return node("forward_to_group", links, group=name, **parameters)


def hang_up(cause: str = "normal") -> dict[str, Any]:
    return node("hang_up", cause=cause)


def scenario(first: str = "start", /, **nodes: dict[str, Any]) -> Scenario:
    return from_data({"schema_version": 1, "start": first, "nodes": nodes})


GREETED = scenario(
    start=message({"next": "choice"}),
    choice=menu({"1": "sales", "*": "choice", "wait_expired": "sales", "incorrect_input": "choice"}),
    sales=group({"failed": "end"}),
    end=hang_up(),
)

_EXITS = sorted({exit for operation in OPERATIONS for exit in operation.REQUIRED_EXITS | operation.OPTIONAL_EXITS})


@st.composite
def graphs(draw: st.DrawFn) -> Scenario:
    """Any graph of all operations, sound or not."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 6)))]
    links = st.dictionaries(st.sampled_from(_EXITS), st.sampled_from(names))
    kinds = st.sampled_from([message, menu, group])
    nodes = {name: draw(st.one_of(st.builds(lambda kind, to: kind(to), kinds, links), st.builds(hang_up))) for name in names}
    return scenario(draw(st.sampled_from(names)), **nodes)
