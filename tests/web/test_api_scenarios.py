"""Scenarios in the API, and what it does with bad documents."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from controller.bus import ScenarioPublished
from controller.storage.audit import list_audit
from ivr.operations import OPERATIONS
from ivr.serialization import MAX_BYTES
from tests.fixtures.web import Site

GOOD: dict[str, Any] = {
    "schema_version": 2,
    "start": "hello",
    "nodes": {
        "hello": {"title": "", "operation": {"type": "info_message", "message": ["demo-greeting"]}, "links": {"next": "bye"}},
        "bye": {"title": "", "operation": {"type": "hang_up", "cause": "normal"}, "links": {}},
    },
}
LOST = {**GOOD, "nodes": {**GOOD["nodes"], "hello": {**GOOD["nodes"]["hello"], "links": {"next": "lost"}}}}


async def test_a_scenario_is_created_changed_checked_and_published(site: Site) -> None:
    program = site.program()
    created = (await program.post("/api/v1/scenarios", json={"name": "Evening", "document": LOST})).json()
    assert (created["name"], created["draft_revision"], created["published_version"]) == ("Evening", 1, None)
    address = f"/api/v1/scenarios/{created['id']}"

    checked = (await program.post(f"{address}/validate")).json()
    assert checked["publishable"] is False
    assert {(problem["kind"], problem["node"], problem["field"]) for problem in checked["problems"]} >= {
        ("dangling_link", "hello", "links.next")
    }
    refused = await program.post(f"{address}/publish")
    assert refused.status_code == 422
    assert refused.json()["error"]["fields"][0]["field"] == "nodes.hello.links.next"

    assert (await program.put(f"{address}/draft", json={"document": GOOD, "revision": 1})).json() == {"revision": 2}
    published = (await program.post(f"{address}/publish", json={"revision": 2})).json()
    assert (published["number"], published["published_by"]) == (1, "token reports")

    whole = (await program.get(address)).json()
    assert (whole["draft"], whole["published_version"], whole["versions"]) == (GOOD, 1, [published])
    assert (await program.get(f"{address}/versions/1")).json() == {**published, "document": GOOD}
    assert [item["name"] for item in (await program.get("/api/v1/scenarios")).json()["scenarios"]] == ["Evening"]
    audit = await site.database.read(list_audit)
    assert [(entry.actor, entry.action) for entry in audit[:3]] == [
        ("token reports", "scenario.publish"),
        ("token reports", "scenario.save_draft"),
        ("token reports", "scenario.create"),
    ]


async def test_a_publication_is_told_to_all_and_a_refused_one_is_not(site: Site) -> None:
    id = site.install_demo()
    async with site.bus.subscribe() as notices:
        refused = await site.program().post(f"/api/v1/scenarios/{id}/publish", json={"revision": 7})
        assert refused.status_code == 409
        await site.program().post(f"/api/v1/scenarios/{id}/publish")
        assert await anext(notices) == ScenarioPublished(id)
        await site.bus.stop()
        assert [notice async for notice in notices] == []


async def test_who_saves_an_old_draft_is_told_and_nothing_is_changed(site: Site) -> None:
    id = site.install_demo()
    program = site.program()
    saves = [program.put(f"/api/v1/scenarios/{id}/draft", json={"document": GOOD, "revision": 1}) for _ in range(2)]
    answers = await asyncio.gather(*saves)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"]["code"] == "refused" and "somebody else" in refused.json()["error"]["message"]
    assert (await program.get(f"/api/v1/scenarios/{id}")).json()["draft_revision"] == 2


async def test_a_name_is_used_once(site: Site) -> None:
    site.install_demo()
    assert (await site.program().post("/api/v1/scenarios", json={"name": "Demo"})).status_code == 409


async def test_a_scenario_may_begin_empty(site: Site) -> None:
    created = (await site.program().post("/api/v1/scenarios", json={"name": "Empty"})).json()
    assert list(created["draft"]["nodes"]) == ["goodbye"]


async def test_a_document_is_checked_without_being_stored(site: Site) -> None:
    program = site.program()
    good = await program.post("/api/v1/scenarios/validate", json={"document": GOOD})
    assert good.json() == {"publishable": True, "problems": []}
    assert (await program.get("/api/v1/scenarios")).json() == {"scenarios": []}


def _node(**changed: Any) -> dict[str, Any]:
    return {**GOOD, "nodes": {**GOOD["nodes"], "hello": {**GOOD["nodes"]["hello"], **changed}}}


BAD_DOCUMENTS = {
    "unknown operation": (_node(operation={"type": "teleport"}), "nodes.hello.operation"),
    "unknown field": (_node(operation={"type": "hang_up", "colour": "red"}), "nodes.hello.operation.colour"),
    "missing prompt": (_node(operation={"type": "info_message"}), "nodes.hello.operation.message"),
    "bad exit": (_node(links={"one two": "bye"}), "nodes.hello.links.one two"),
    "bad name": ({**GOOD, "nodes": {"Ünïcode": GOOD["nodes"]["bye"]}}, "nodes.Ünïcode"),
    "other version": ({**GOOD, "schema_version": 99}, "schema_version"),
    "no nodes": ({"schema_version": 2, "start": "a", "nodes": {}}, "nodes"),
    "10,000 nodes": ({**GOOD, "nodes": {f"n{number}": GOOD["nodes"]["bye"] for number in range(10_000)}}, "nodes"),
    "deep": ({**GOOD, "nodes": json.loads("[" * 500 + "]" * 500)}, ""),
    "infinite": (_node(position={"x": 1e999, "y": 0}), "nodes.hello.position.x"),
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
async def test_a_bad_document_is_refused_by_node_and_field_and_nothing_is_changed(site: Site, name: str) -> None:
    document, field = BAD_DOCUMENTS[name]
    id = site.install_demo()
    program = site.program()
    before = (await program.get(f"/api/v1/scenarios/{id}")).json()
    body = json.dumps({"document": document, "revision": 1}).replace("Infinity", "1e999")
    headers = {"Content-Type": "application/json"}
    answer = await program.put(f"/api/v1/scenarios/{id}/draft", content=body, headers=headers)
    assert answer.status_code == 422
    assert any(problem["field"].startswith(field) for problem in answer.json()["error"]["fields"]), answer.json()
    assert (await program.get(f"/api/v1/scenarios/{id}")).json() == before


async def _post(site: Site, content: Any, kind: str = "application/json") -> httpx.Response:
    return await site.program().post("/api/v1/scenarios/validate", content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    "content", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b'{"document": NaN}', b'{"document": ' + b"9" * 5000 + b"}", b"nonsense"]
)
async def test_what_is_not_json_is_refused(site: Site, content: bytes) -> None:
    answer = await _post(site, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b'"text"', b"{}", b'{"document": []}', b'{"document": {}, "more": 1}', b"1e999"]
)
async def test_json_of_another_shape_is_refused(site: Site, content: bytes) -> None:
    answer = await _post(site, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")


async def test_a_half_character_in_a_name_is_refused(site: Site) -> None:
    answer = await site.program().post(
        "/api/v1/scenarios", content=b'{"name": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


async def test_another_kind_of_body_is_refused(site: Site) -> None:
    answer = await _post(site, b"{}", "text/plain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not_json")


async def test_five_megabytes_are_refused_whether_announced_or_not(site: Site) -> None:
    async def parts() -> Any:
        for _ in range(5):
            yield b" " * 1_000_000

    for content in (b" " * 5_000_000, parts()):
        answer = await _post(site, content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
        assert "2,000,000 bytes" in answer.json()["error"]["message"]
    assert (await _post(site, b" " * MAX_BYTES)).status_code == 400


async def test_the_pages_refuse_large_bodies_too(site: Site) -> None:
    answer = await site.stranger().post("/login", content=b"login=" + b"a" * 5_000_000)
    assert answer.status_code == 413 and "<h1>" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/calls/nothing", 404, "not_found"),
        ("GET", "/api/v1/scenarios/7", 404, "not_found"),
        ("GET", "/api/v1/scenarios/99999999999999999999", 404, "not_found"),
        ("GET", "/api/v1/scenarios/one", 404, "not_found"),
        ("DELETE", "/api/v1/calls", 405, "method_not_allowed"),
    ],
)
async def test_every_error_has_one_shape(site: Site, method: str, path: str, status: int, code: str) -> None:
    answer = await site.program().request(method, path)
    assert answer.status_code == status and answer.headers["content-type"] == "application/json"
    assert set(answer.json()["error"]) == {"code", "message", "fields"} and answer.json()["error"]["code"] == code


async def test_what_nobody_foresaw_is_logged_and_gives_nothing_away(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> Any:
        raise RuntimeError("the secret reason")

    object.__setattr__(site.app.state.services, "health", broken)
    answer = await site.stranger().get("/api/v1/health")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "secret" not in answer.text and "the secret reason" in caplog.text
    assert "content-security-policy" in answer.headers


async def test_a_database_that_is_gone_is_said_without_its_words(site: Site) -> None:
    with site.database.session() as session:
        session.connection().exec_driver_sql("DROP TABLE calls")
    answer = await site.program().get("/api/v1/calls")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "table" not in answer.text


@pytest.mark.covers("UIS-3")
async def test_the_catalogue_describes_every_operation_with_its_parameters_and_exits(site: Site) -> None:
    found = {one["type"]: one for one in (await site.program().get("/api/v1/operations")).json()["operations"]}
    assert found.keys() == {kind.model_fields["type"].default for kind in OPERATIONS}
    assert all(one["help"] and one["parameters"]["properties"] for one in found.values())
    assert found["menu"]["required_exits"] == ["incorrect_input", "wait_expired"]
    assert found["voicemail"]["parameters"]["properties"]["max_seconds"]["maximum"] == 600
