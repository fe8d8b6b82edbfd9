"""The whole set-up by the API and on its page."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import httpx

from controller.actions.packing import LARGEST_ARCHIVE_BYTES, pack
from controller.actions.users import create_user
from controller.bus import CallsChanged, DirectoryChanged, PromptsChanged, ScenarioPublished
from controller.storage.audit import list_audit
from tests.fixtures.soundfiles import tone_file
from tests.fixtures.web import NOON, Site

SETUP = "/api/v1/setup"
GROUP = "groups/Sales.json"


async def send(site: Site, content: bytes, **fields: str) -> httpx.Response:
    return await site.program().post(SETUP, files={"file": ("setup.zip", content)}, data=fields)


def changed(content: bytes, path: str, **values: object) -> bytes:
    """The set-up with other values in one of its files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return pack({**files, path: json.dumps({**json.loads(files[path]), **values}).encode()})


async def exported(site: Site, tmp_path: Path) -> bytes:
    """The demo with a prompt of its own."""
    site.install_demo()
    tone = tone_file(tmp_path / "own.ogg", "ogg").read_bytes()
    fields = {"name": "own", "language": "en"}
    await site.program().post("/api/v1/prompts", files={"file": ("own.ogg", tone)}, data=fields)
    answer = await site.program().get(SETUP)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="attendant-setup.zip"'
    return answer.content


async def test_a_set_up_goes_out_and_comes_in_and_only_what_changed_is_told_to_other_processes(
    site: Site, tmp_path: Path
) -> None:
    content, program = await exported(site, tmp_path), site.program()
    audited = len(await site.database.read(list_audit, 1000))
    again = (await send(site, content)).json()
    assert (again["created"], again["changed"], again["dry_run"]) == ([], [], False) and "group Sales" in again["unchanged"]
    assert len(await site.database.read(list_audit, 1000)) == audited
    await program.delete("/api/v1/prompts/own/en")
    async with site.bus.subscribe() as notices:
        answer = await send(site, content)
        assert (answer.status_code, answer.json()["created"]) == (200, ["prompt own:en"])
        assert (await send(site, content)).json()["created"] == []
        assert (await send(site, changed(content, GROUP, ring_seconds=9))).json()["changed"] == [
            {"what": "group Sales", "fields": ["ring_seconds"]}
        ]
        assert [await anext(notices) for _ in range(2)] == [PromptsChanged(), DirectoryChanged()]
    assert (await send(site, content)).json()["changed"] == [{"what": "group Sales", "fields": ["ring_seconds"]}]
    assert (await program.get(SETUP)).content == content


async def test_a_published_scenario_is_told_of(site: Site, tmp_path: Path) -> None:
    content = await exported(site, tmp_path)
    end = {"schema_version": 2, "start": "end", "nodes": {"end": {"operation": {"type": "hang_up"}}}}
    async with site.bus.subscribe() as notices:
        answer = await send(site, changed(content, "scenarios/Demo.json", scenario=end))
        assert answer.json()["changed"] == [{"what": "scenario Demo", "fields": ["scenario"]}]
        assert isinstance(await anext(notices), DirectoryChanged) and isinstance(await anext(notices), ScenarioPublished)


async def test_a_dry_run_says_what_would_change_and_changes_and_tells_nothing(site: Site, tmp_path: Path) -> None:
    content = await exported(site, tmp_path)
    async with site.bus.subscribe() as notices:
        answer = await send(site, changed(content, GROUP, members=["2001"]), dry_run="true")
        assert answer.json()["dry_run"] and answer.json()["changed"] == [{"what": "group Sales", "fields": ["members"]}]
        site.bus.send(CallsChanged())
        assert await anext(notices) == CallsChanged()
    assert (await site.program().get(SETUP)).content == content


async def test_every_problem_is_told_with_its_file_and_field_and_nothing_is_changed(site: Site, tmp_path: Path) -> None:
    content = await exported(site, tmp_path)
    bad = changed(changed(content, GROUP, members=["2001", "2099"]), "numbers/8000.json", group="Nobody", colour="red")
    with zipfile.ZipFile(io.BytesIO(bad)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    answer = await send(site, pack({**files, "operators/copy.json": files["operators/2001.json"], "prompts/en/own.ogg": b"x"}))
    assert answer.status_code == 422
    told = {field["field"]: field["message"] for field in answer.json()["error"]["fields"]}
    assert told.pop("prompts/en/own.json: file")
    assert told == {
        "operators/copy.json: extension": 'operators/2001.json is of the operator "2001" too',
        "numbers/8000.json: colour": "there is no such field here",
        f"{GROUP}: members.1": 'there is no operator "2099"',
    }
    assert (await site.program().get(SETUP)).content == content


async def test_what_is_no_set_up_or_too_large_is_refused(site: Site) -> None:
    for content, field in ((b"PK", "file"), (pack({}), "setup.json"), (pack({"attendant.json": b"{}"}), "setup.json")):
        answer = await send(site, content)
        assert (answer.status_code, answer.json()["error"]["fields"][0]["field"]) == (422, field)
    assert (await send(site, pack({}), dry_run="perhaps")).json()["error"]["fields"][0]["field"] == "dry_run"
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(LARGEST_ARCHIVE_BYTES * 2)}
    assert (await site.program().post(SETUP, content=b"x", headers=headers)).status_code == 413


async def test_the_page_shows_what_would_change_before_it_is_done(site: Site, tmp_path: Path) -> None:
    content, browser = await exported(site, tmp_path), await site.browser()
    assert (await browser.get("/setup/files")).content == content
    other = {"file": ("setup.zip", changed(content, GROUP, ring_seconds=9))}
    shown = (await browser.post("/setup", files=other, data={"dry_run": "true"})).text
    assert "This would be changed" in shown and "group Sales" in shown and "ring_seconds" in shown
    assert (await site.program().get(SETUP)).content == content
    shown = (await browser.post("/setup", files=other, data={"dry_run": "false"})).text
    assert "Taken in" in shown and "group Sales" in shown
    shown = (await browser.post("/setup", files=other, data={"dry_run": "true"})).text
    assert "Nothing to change" in shown


async def test_only_administrators_take_a_set_up_in_on_the_page(site: Site, tmp_path: Path) -> None:
    content = await exported(site, tmp_path)
    with site.database.session() as session:
        id = create_user(session, "eve", "correct horse", role="operator", acting_user="test", at=NOON).id
    eve = await site.browser(id)
    files = {"file": ("setup.zip", changed(content, GROUP, ring_seconds=9))}
    for trial in ("true", "false"):
        assert (await eve.post("/setup", files=files, data={"dry_run": trial})).status_code == 403
    assert 'name="file"' not in (await eve.get("/setup")).text
    assert 'name="file"' in (await (await site.browser()).get("/setup")).text
    assert (await site.program().get(SETUP)).content == content


async def test_the_page_lists_every_problem_with_its_file(site: Site, tmp_path: Path) -> None:
    content, browser = await exported(site, tmp_path), await site.browser()
    bad = {"file": ("setup.zip", changed(content, GROUP, members=["2099"], strategy="magic"))}
    answer = await browser.post("/setup", files=bad, data={"dry_run": "true"})
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text and f"<code>{GROUP}: strategy</code>" in answer.text
    assert "choose a file" in (await browser.post("/setup", files={"other": ("x", b"x")})).text
