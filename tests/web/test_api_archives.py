"""Archives of scenarios in the API, and the smaller changes of scenarios."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from controller.actions.packing import LARGEST_ARCHIVE_BYTES
from controller.bus import DirectoryChanged, PromptsChanged, ScenarioPublished
from controller.storage.scenarios import find_scenario
from tests.fixtures.soundfiles import tone_file, zip_bytes
from tests.fixtures.web import Site
from tests.ivr.builders import hang_up, insert
from tests.web.test_api_scenarios import GOOD

SCENARIOS = "/api/v1/scenarios"


async def send(site: Site, content: bytes, file_name: str = "Sales.zip", **fields: str) -> httpx.Response:
    return await site.program().post(f"{SCENARIOS}/import", files={"file": (file_name, content)}, data=fields)


async def test_an_archive_goes_out_and_comes_in_equal_to_the_letter(site: Site, tmp_path: Path) -> None:
    program, id = site.program(), site.install_demo()
    tone = tone_file(tmp_path / "own.ogg", "ogg").read_bytes()
    await program.post("/api/v1/prompts", files={"file": ("own.ogg", tone)}, data={"name": "own", "language": "en"})
    document = (await program.get(f"{SCENARIOS}/{id}")).json()["draft"]
    document["nodes"]["greeting"]["operation"]["message"] = ["own:en"]
    await program.put(f"{SCENARIOS}/{id}/draft", json={"document": document, "revision": 1})
    exported = await program.get(f"{SCENARIOS}/{id}/archive")
    assert exported.status_code == 200 and exported.headers["content-type"] == "application/zip"
    assert exported.headers["content-disposition"] == "attachment; filename*=UTF-8''Demo.zip"

    await program.put(f"{SCENARIOS}/{id}/draft", json={"document": GOOD, "revision": 2})
    await program.delete("/api/v1/prompts/own/en")
    async with site.bus.subscribe() as notices:
        answer = await send(site, exported.content, publish="true")
        assert answer.status_code == 201
        assert [await anext(notices) for _ in range(3)] == [PromptsChanged(), DirectoryChanged(), ScenarioPublished(id)]
    done = answer.json()
    assert (done["name"], done["published"], done["added"]) == ("Demo", True, ["prompt own:en", "draft of scenario Demo"])
    assert "group Sales" in done["kept"]
    assert (await program.get(f"{SCENARIOS}/{id}/archive")).content == exported.content
    assert (await program.get("/api/v1/prompts/own/en/original")).content == tone


async def test_a_document_alone_comes_in_by_its_file_name(site: Site) -> None:
    done = (await send(site, json.dumps(GOOD).encode(), "Evening calls.json")).json()
    assert (done["name"], done["added"], done["published"]) == ("Evening calls", ["scenario Evening calls"], False)
    assert (await site.program().get(f"{SCENARIOS}/{done['id']}")).json()["draft"] == GOOD


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (zip_bytes(), "file"),
        (b"PK", "file"),
        (b"{}", "schema_version"),
        (b"", ""),
        (json.dumps({**GOOD, "nodes": {"a": {"operation": {"type": "menu"}}}}).encode(), "nodes.a.operation.prompt"),
    ],
)
async def test_what_is_no_archive_and_no_document_is_refused_and_nothing_is_changed(
    site: Site, content: bytes, field: str
) -> None:
    answer = await send(site, content)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"] == field
    assert (await site.program().get(SCENARIOS)).json() == {"scenarios": []}


async def test_a_document_with_problems_is_not_kept_as_a_draft_when_it_shall_be_published(site: Site) -> None:
    unfit = {**GOOD, "nodes": {"hello": {"operation": {"type": "insert_scenario", "scenario": "None"}}}}
    answer = await send(site, json.dumps(unfit).encode(), "Unfit.json", publish="true")
    assert answer.status_code == 422
    assert "nodes.hello.operation.scenario" in [field["field"] for field in answer.json()["error"]["fields"]]
    assert (await site.program().get(SCENARIOS)).json() == {"scenarios": []}


async def test_an_archive_that_is_too_large_is_not_read_at_all(site: Site) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(LARGEST_ARCHIVE_BYTES * 2)}
    answer = await site.program().post(f"{SCENARIOS}/import", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_rolling_back_undoing_renaming_and_deleting(site: Site) -> None:
    program = site.program()
    id = (await program.post(SCENARIOS, json={"name": "Evening"})).json()["id"]
    address = f"{SCENARIOS}/{id}"
    await program.post(f"{address}/publish")
    await program.put(f"{address}/draft", json={"document": GOOD, "revision": 1})
    await program.post(f"{address}/publish")
    again = await program.post(f"{address}/versions/1/publish")
    assert (again.status_code, again.json()["number"]) == (200, 3)
    assert (await program.post(f"{address}/versions/9/publish")).status_code == 404
    assert (await program.post(f"{address}/undo", json={"revision": 1})).status_code == 409
    assert (await program.post(f"{address}/undo", json={"revision": 2})).json() == {"revision": 3}
    assert (await program.get(address)).json()["draft"]["start"] == "goodbye"
    assert (await program.patch(address, json={"name": "Night"})).status_code == 204
    assert (await program.delete(address)).status_code == 204
    assert (await program.get(address)).status_code == 404


async def test_a_scenario_that_is_inserted_or_answers_a_number_is_not_deleted(site: Site) -> None:
    program, demo = site.program(), site.install_demo()
    assert "8000" in (await program.delete(f"{SCENARIOS}/{demo}")).json()["error"]["message"]
    nodes = {"in": insert("Demo", {"next": "end"}), "end": hang_up()}
    await program.post(SCENARIOS, json={"name": "Outer", "document": {"schema_version": 2, "start": "in", "nodes": nodes}})
    refused = await program.patch(f"{SCENARIOS}/{demo}", json={"name": "Other"})
    assert refused.status_code == 409 and '"Outer"' in refused.json()["error"]["message"]
    found = await site.database.read(find_scenario, "Demo")
    assert found is not None


@pytest.mark.covers("UIS-40")
async def test_t19_the_api_refuses_a_circle_and_names_the_node(site: Site) -> None:
    program, demo = site.program(), site.install_demo()
    nodes = {"in": insert("Demo", {"next": "end"}), "end": hang_up()}
    document = {"schema_version": 2, "start": "in", "nodes": nodes}
    await program.post(SCENARIOS, json={"name": "Outer", "document": document})
    circle = {**document, "nodes": nodes | {"in": insert("Outer", {"next": "end"})}}
    refused = await program.put(f"{SCENARIOS}/{demo}/draft", json={"document": circle, "revision": 1})
    assert refused.status_code == 422
    (field,) = refused.json()["error"]["fields"]
    assert field["field"] == "nodes.in.operation.scenario" and "Demo > Outer > Demo" in field["message"]
