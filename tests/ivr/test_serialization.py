from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ivr.errors import InvalidDocument
from ivr.serialization import MAX_BYTES, dump, from_data, load
from ivr.simulator import Press, World, simulate
from tests.ivr.builders import graphs, hang_up, menu, message

GOOD: dict[str, Any] = {"schema_version": 2, "start": "start", "nodes": {"start": message({"next": "end"}), "end": hang_up()}}


def changed(path: str, value: Any) -> dict[str, Any]:
    document = json.loads(json.dumps(GOOD))
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


@given(graphs())
def test_a_scenario_is_equal_after_a_round_trip_and_its_text_is_canonical(graph: Any) -> None:
    assert load(dump(graph)) == graph
    assert dump(load(dump(graph))) == dump(graph)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (changed("schema_version", 3), "schema_version"),
        (changed("schema_version", True), "schema_version"),
        (changed("nodes.start.operation.type", "teleport"), "nodes.start.operation"),
        (changed("nodes.start.operation.message", []), "nodes.start.operation.message"),
        (changed("nodes.start.operation.message", ["../../etc/passwd"]), "nodes.start.operation.message.0"),
        (changed("nodes.start.operation.colour", "red"), "nodes.start.operation.colour"),
        (changed("nodes.start.links", {"no such exit!": "end"}), "nodes.start.links.no such exit!.[key]"),
        (changed("nodes.start", menu({}, wait_seconds=-1)), "nodes.start.operation.wait_seconds"),
        (changed("nodes.start", None), "nodes.start"),
        (changed("nodes", {}), "nodes"),
        (changed("nodes", {f"n{number}": hang_up() for number in range(10_000)}), "nodes"),
    ],
)
def test_a_wrong_document_names_node_and_field(document: Any, where: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        from_data(document)
    assert where in [problem.where for problem in refused.value.problems]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000, b"\xff\xfe", "NaN"])
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidDocument):
        load(text)


def test_a_document_of_five_megabytes_is_refused_unread() -> None:
    with pytest.raises(InvalidDocument, match=str(MAX_BYTES)):
        load(" " * 5_000_000)


DEMO_OF_VERSION_1 = Path(__file__).with_name("demo_version_1.json")


def test_a_document_of_version_1_is_read_and_written_as_version_2() -> None:
    scenario = load(DEMO_OF_VERSION_1.read_bytes())
    written = json.loads(dump(scenario))
    assert written["schema_version"] == 2
    assert written["nodes"].keys() == json.loads(DEMO_OF_VERSION_1.read_bytes())["nodes"].keys()
    assert load(dump(scenario)) == scenario


def test_a_document_of_version_1_walks_as_it_did() -> None:
    walk = simulate(load(DEMO_OF_VERSION_1.read_bytes()), [Press(4, "1")], World(routing=("no_answer",)))
    assert [(step.node, step.exit) for step in walk.path] == [
        ("greeting", "next"),
        ("menu", "1"),
        ("sales", "failed"),
        ("sorry", "next"),
        ("goodbye", None),
    ]


@pytest.mark.parametrize("version", [0, 3, "2", 2.0, None, [2], True])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(InvalidDocument, match="1 and 2"):
        from_data(GOOD | {"schema_version": version})
