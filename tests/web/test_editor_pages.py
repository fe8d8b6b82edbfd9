"""The editor: scenarios are built, checked, tried and published by forms alone, without a script."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest

from controller.actions.groups import create_group
from controller.actions.operators import create_operator
from controller.actions.scenarios import save_draft
from controller.storage.scenarios import get_scenario
from ivr.operations import OPERATIONS
from tests.fixtures.web import NOON, Site
from tests.ivr.builders import group, hang_up, in_menu, insert, menu, message
from tests.ivr.test_traps import OTHERS, PARAMETERS

BY: Any = {"acting_user": "test", "at": NOON}
PROMPT = "demo-menu"


class Editor:
    """A browser without scripts on one scenario."""

    def __init__(self, site: Site, client: httpx.AsyncClient, id: int) -> None:
        self.site, self.client, self.id = site, client, id

    @property
    def address(self) -> str:
        return f"/scenarios/{self.id}"

    async def stored(self) -> dict[str, Any]:
        return (await self.site.database.read(get_scenario, self.id)).draft

    async def links(self, node: str) -> dict[str, str]:
        found: dict[str, str] = (await self.stored())["nodes"][node].get("links", {})
        return found

    async def see(self, path: str = "") -> str:
        answer = await self.client.get(self.address + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(self, path: str, revision: int | None = None, **fields: Any) -> httpx.Response:
        if revision is None:
            revision = (await self.site.database.read(get_scenario, self.id)).draft_revision
        return await self.client.post(self.address + path, data={"revision": str(revision), **fields})

    async def press(self, node: str, edit: str, **fields: Any) -> httpx.Response:
        """A button of the window of a node."""
        return await self.send(f"/nodes/{node}/edit", edit=edit, **fields)

    async def fields_of(self, node: str) -> dict[str, Any]:
        """What a browser would send if nothing were changed."""
        return form_fields(await self.see(f"/nodes/{node}"), "settings")


def form_fields(page: str, id: str) -> dict[str, Any]:
    form = re.search(rf'<form[^>]* id="{id}">.*?</form>', page, re.S)
    assert form is not None
    found: dict[str, Any] = {}
    for tag, attributes, inner in re.findall(
        r"<(input|select|textarea)([^>]*)>(.*?)(?=<input|<select|<textarea|</form)", form[0], re.S
    ):
        name = re.search(r' name="([^"]*)"', attributes)
        if name is None or ('type="checkbox"' in attributes and " checked" not in attributes):
            continue
        if tag == "select":
            value = re.search(r'<option value="([^"]*)" selected', inner) or re.search(r'<option value="([^"]*)"', inner)
            text = value[1] if value else ""
        elif tag == "textarea":
            text = inner.partition("</textarea>")[0]
        else:
            value = re.search(r' value="([^"]*)"', attributes)
            text = value[1] if value else "on"
        found.setdefault(html.unescape(name[1]), []).append(html.unescape(text))
    return found


async def editor(site: Site, document: dict[str, Any] | None = None) -> Editor:
    """A browser that has added the scenario "Main"."""
    client = await site.browser()
    answer = await client.post("/scenarios", data={"name": "Main"})
    assert answer.status_code == 303
    made = Editor(site, client, int(answer.headers["location"].rpartition("/")[2]))
    if document is not None:
        await site.database.run(save_draft, made.id, document, 1, **BY)
    return made


def of(start: str, **nodes: Any) -> dict[str, Any]:
    return {"schema_version": 2, "start": start, "nodes": nodes}


def one_menu() -> dict[str, Any]:
    return of("main", main=menu({"incorrect_input": "main"}, prompt=PROMPT), end=hang_up())


@pytest.mark.covers("UIS-2", "UIS-3", "SKZ-1", "SKZ-2", "SKZ-5", "SKZ-9")
async def test_a_voice_menu_is_built_tried_and_published_from_nothing(site: Site) -> None:
    site.install_demo()
    made = await editor(site)
    assert "Add operation" in await made.see()
    answer = await made.send("/nodes", type="menu", **{"parameter.prompt": [PROMPT, ""], "parameter.wait_seconds": "4"})
    assert answer.status_code == 303
    stored = await made.stored()
    assert stored["start"] == "menu", "the first menu is the main one"
    assert (stored["nodes"]["menu"]["operation"]["wait_seconds"], stored["nodes"]["menu"]["operation"]["prompt"]) == (4, [PROMPT])
    for key, action in (("1", {"action": "group", "group": "Sales"}), ("wait_expired", {"action": "hang_up"})):
        assert (await made.press("menu", "set_key", key=key, **action)).status_code == 303
    assert (await made.press("menu", "add_submenu", key="2", prompt=PROMPT, title="Products")).status_code == 303
    assert (await made.press("menu-2", "set_key", key="1", action="menu", menu="menu")).status_code == 303
    assert await made.links("menu-2") == {"#": "menu", "wait_expired": "menu", "incorrect_input": "menu-2", "1": "menu"}

    tried = await made.see("/try?keys=2%23,1&operators=no_answer")
    assert re.findall(r"<strong>([\w-]+)</strong></td>", tried)[:4] == ["menu", "menu-2", "menu", "group"]
    assert 'class="link followed"' in tried

    answer = await made.send("/publish")
    assert answer.status_code == 303, answer.text
    page = await made.see()
    assert "Version 1" in page and "Published" in page and "Nothing stands against" in page


@pytest.mark.covers("UIS-2", "UIS-3")
@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: str(kind.model_fields["type"].default))
async def test_the_window_of_every_operation_has_its_help_its_settings_and_its_exits(site: Site, kind: Any) -> None:
    name = str(kind.model_fields["type"].default)
    operation = {"type": name, **PARAMETERS.get(name, {})}
    made = await editor(site, of("node", node={"operation": operation}))
    blank = await made.see(f"/new?type={name}")
    page = await made.see("/nodes/node")
    for parameter in set(kind.model_fields) - {"type"}:
        assert f'name="parameter.{parameter}"' in page or kind.model_fields[parameter].annotation is bool
        assert f'name="parameter.{parameter}"' in blank
        described = kind.model_fields[parameter].description
        assert (
            described is None
            or html.escape(described[1:], quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
        )
    exits = kind.model_validate(operation).required_exits()
    assert exits <= {exit.removeprefix("exit.") for exit in re.findall(r'name="(exit\.[^"]+)"', page)}
    before = await made.stored()
    answer = await made.client.post(f"{made.address}/nodes/node", data=await made.fields_of("node"))
    assert answer.status_code == 303, answer.text
    assert await made.stored() == before, "saving what is shown changes nothing"


@pytest.mark.covers("UIS-4")
async def test_each_exit_is_linked_by_choosing_where_it_leads(site: Site) -> None:
    made = await editor(site, of("code", code={"operation": {"type": "authorization", "code": "12"}}, end=hang_up()))
    fields = await made.fields_of("code")
    answer = await made.client.post(f"{made.address}/nodes/code", data=fields | {"exit.yes": "end", "exit.no": "code"})
    assert answer.status_code == 303
    assert await made.links("code") == {"yes": "end", "no": "code"}
    answer = await made.client.post(f"{made.address}/nodes/code", data=await made.fields_of("code") | {"exit.no": ""})
    assert await made.links("code") == {"yes": "end"}
    page = await made.see("/nodes/code")
    assert "leads nowhere" in page, "an exit without a link is flagged"


@pytest.mark.covers("UIS-5")
async def test_before_building_the_author_reads_what_to_prepare_and_the_check_names_what_is_missing(site: Site) -> None:
    made = await editor(site, of("a", a=group({}, "Nobody"), b=message({}, "unheard")))
    assert "Work out the operations" in (await made.client.get("/scenarios")).text
    page = await made.see()
    for said in (
        "there is no operator group",
        "there is no prompt",
        "leads nowhere",
        "no caller can come here",
        "No number leads here",
    ):
        assert said in page, said
    assert re.search(r'<button class="primary" type="submit" disabled[^>]*>Publish', page)
    assert (await made.send("/publish")).status_code == 422


@pytest.mark.covers("UIS-20")
@pytest.mark.parametrize("kind", [*OTHERS, "dial_extension"])
async def test_t08_editor_and_api_refuse_any_other_operation_on_extension_entry(site: Site, kind: str) -> None:
    document = one_menu()
    document["nodes"] |= {"target": {"operation": {"type": kind, **PARAMETERS.get(kind, {})}}, "dial": in_menu({})}
    made = await editor(site, document)
    page = await made.see("/nodes/main")
    offered = re.search(r'name="exit.extension_entry".*?</select>', page, re.S)
    assert offered is not None and re.findall(r'value="([\w-]+)"', offered[0]) == ["dial"]
    before = await made.stored()
    forged = await made.client.post(
        f"{made.address}/nodes/main", data=await made.fields_of("main") | {"exit.extension_entry": "target"}
    )
    assert forged.status_code == 422 and "only a forwarding to an extension" in forged.text
    edits = [{"edit": "link", "node": "main", "exit": "extension_entry", "target": "target"}]
    program, api = site.program(), f"/api/v1/scenarios/{made.id}"
    refused = await program.post(f"{api}/edits", json={"revision": 2, "edits": edits})
    assert (refused.status_code, refused.json()["error"]["fields"][0]["field"]) == (422, "nodes.main.links.extension_entry")
    before["nodes"]["main"]["links"]["extension_entry"] = "target"
    refused = await program.put(f"{api}/draft", json={"revision": 2, "document": before})
    assert (refused.status_code, refused.json()["error"]["fields"][0]["field"]) == (422, "nodes.main.links.extension_entry")
    assert "extension_entry" not in await made.links("main")


@pytest.mark.covers("UIS-21", "UIS-22", "UIS-23", "UIS-29")
async def test_t09_extension_entry_comes_with_its_links_and_shares_the_wait_timeout_in_both_windows(site: Site) -> None:
    made = await editor(site, one_menu())
    assert (await made.press("main", "add_extension_entry")).status_code == 303
    assert (await made.links("main"))["extension_entry"] == "extension"
    assert await made.links("extension") == {"wrong_number": "main", "failed": "main"}
    page = await made.see("/nodes/extension")
    assert re.search(r'name="interval"[^>]* value="5"', page) and 'name="parameter.prompt"' not in page
    fields = await made.fields_of("extension")
    answer = await made.client.post(
        f"{made.address}/nodes/extension", data=fields | {"interval": "7", "exit.wrong_number": "end"}
    )
    assert answer.status_code == 303, answer.text
    assert re.search(r'name="parameter.wait_seconds"[^>]* value="7"', await made.see("/nodes/main"))
    assert await made.links("extension") == {"wrong_number": "end", "failed": "main"}


@pytest.mark.covers("UIS-30", "UIS-19")
async def test_t10_taking_extension_entry_away_gives_the_menu_of_before(site: Site) -> None:
    made = await editor(site, one_menu())
    before = await made.stored()
    await made.press("main", "add_extension_entry")
    assert "Take extension entry away" in await made.see("/nodes/main")
    assert (await made.press("main", "link", exit="extension_entry")).status_code == 303
    assert await made.stored() == before


@pytest.mark.covers("UIS-32")
async def test_a_submenu_leads_back_by_its_hash_key_at_once(site: Site) -> None:
    made = await editor(site, one_menu())
    assert (await made.press("main", "add_submenu", key="4", prompt=PROMPT)).status_code == 303
    assert (await made.links("menu"))["#"] == "main"
    assert "let the prompt end with saying so" in await made.see("/nodes/main")


@pytest.mark.covers("SKZ-6")
async def test_t22_another_menu_can_be_chosen_only_when_there_is_one(site: Site) -> None:
    made = await editor(site, one_menu())
    page = await made.see("/nodes/main")
    assert re.search(r'<option value="menu" disabled', page) and "There is no second menu yet" in page
    for key in ("1", "wait_expired"):
        refused = await made.press("main", "set_key", key=key, action="menu", menu="main")
        assert refused.status_code == 422 and "there is no other menu" in refused.text
    await made.press("main", "add_submenu", key="4", prompt=PROMPT)
    assert '<option value="menu" disabled' not in await made.see("/nodes/main")
    for key in ("1", "wait_expired"):
        assert (await made.press("main", "set_key", key=key, action="menu", menu="menu")).status_code == 303


@pytest.mark.covers("SKZ-5", "SKZ-8")
@pytest.mark.parametrize("key", ["1", "wait_expired"])
@pytest.mark.parametrize(
    ("action", "field", "value", "kind"),
    [
        ("user", "extension", "2001", "dial_extension"),
        ("group", "group", "Sales", "forward_to_group"),
        ("external", "number", "+74951234567", "forward_to_external"),
        ("menu", "menu", "lower", "menu"),
        ("play", "message", PROMPT, "info_message"),
        ("replay", "", "", "menu"),
        ("hang_up", "", "", "hang_up"),
    ],
)
async def test_add_button_knows_seven_actions_for_keys_and_for_silence(
    site: Site, key: str, action: str, field: str, value: str, kind: str
) -> None:
    document = one_menu()
    document["nodes"]["lower"] = menu({"#": "main"}, prompt=PROMPT)
    made = await editor(site, document)
    assert (await made.press("main", "set_key", key=key, action=action, **({field: value} if field else {}))).status_code == 303
    target = (await made.links("main"))[key]
    assert (await made.stored())["nodes"][target]["operation"]["type"] == kind


@pytest.mark.covers("SKZ-7", "SKZ-8")
async def test_with_cyclic_repetition_the_window_says_that_silence_leads_nowhere(site: Site) -> None:
    document = one_menu()
    document["nodes"]["main"] = menu({"1": "end", "wait_expired": "end"}, prompt=PROMPT, repeat="cyclic")
    made = await editor(site, document)
    assert "Never taken: the prompt is repeated for ever." in await made.see("/nodes/main")
    assert "no caller can take the exit" in await made.see()


@pytest.mark.covers("SKZ-2")
async def test_which_menu_is_played_first_can_be_chosen(site: Site) -> None:
    document = one_menu()
    document["nodes"]["evening"] = menu({"1": "end"}, prompt=PROMPT)
    made = await editor(site, document)
    assert (await made.press("evening", "set_start")).status_code == 303
    assert (await made.stored())["start"] == "evening"


@pytest.mark.covers("SKZ-4")
async def test_the_greeting_of_a_menu_is_chosen_from_the_library_by_title(site: Site) -> None:
    made = await editor(site, one_menu())
    page = await made.see("/nodes/main")
    assert '<option value="voicemail-greeting">Leave a message after the tone</option>' in page
    assert '<option value="voicemail-greeting:ru">Leave a message after the tone (ru)</option>' in page


async def test_who_saves_a_window_that_is_out_of_date_loses_nothing_and_can_save_again(site: Site) -> None:
    made = await editor(site, one_menu())
    mine = await made.fields_of("main") | {"title": "Mine", "parameter.wait_seconds": "9"}
    await made.press("end", "rename_node", name="goodbye")
    refused = await made.client.post(f"{made.address}/nodes/main", data=mine)
    assert refused.status_code == 409 and "somebody else has changed the draft" in refused.text
    again = form_fields(refused.text, "settings")
    assert (again["title"], again["parameter.wait_seconds"]) == (["Mine"], ["9"])
    assert (await made.client.post(f"{made.address}/nodes/main", data=again)).status_code == 303
    assert (await made.stored())["nodes"]["main"]["title"] == "Mine"


async def test_a_wrong_value_stays_in_its_field_with_the_reason_below_and_nothing_is_saved(site: Site) -> None:
    made = await editor(site, one_menu())
    before = await made.stored()
    bad = await made.fields_of("main") | {"parameter.wait_seconds": "0", "parameter.repeat_times": "many"}
    answer = await made.client.post(f"{made.address}/nodes/main", data=bad)
    assert answer.status_code == 422
    assert re.search(r'name="parameter.wait_seconds"[^>]* value="0"', answer.text)
    assert "greater than or equal to 0.5" in answer.text and 'id="parameter-repeat_times-error"' in answer.text
    bad = {"type": "http_lookup", "parameter.url": "ftp://x", "parameter.answers": "vip\nvip"}
    answer = await made.send("/nodes", **bad)
    assert answer.status_code == 422 and 'value="ftp://x"' in answer.text and "vip\nvip" in answer.text
    assert await made.stored() == before


async def test_lists_and_tags_are_written_one_a_line(site: Site) -> None:
    made = await editor(site)
    mail = "boss@example.org\n office@example.org \n\n"
    assert (await made.send("/nodes", type="voicemail", **{"parameter.mail_to": mail})).status_code == 303
    assert (await made.send("/nodes", type="caller_list", **{"parameter.tags": "vip = Important\nold=Old"})).status_code == 303
    nodes = (await made.stored())["nodes"]
    assert nodes["voicemail"]["operation"]["mail_to"] == ["boss@example.org", "office@example.org"]
    assert nodes["caller_list"]["operation"]["tags"] == [{"exit": "vip", "tag": "Important"}, {"exit": "old", "tag": "Old"}]
    assert "vip = Important\nold = Old" in await made.see("/nodes/caller_list")


async def test_undo_takes_back_one_change_after_the_other(site: Site) -> None:
    made = await editor(site, one_menu())
    first = await made.stored()
    await made.press("main", "add_extension_entry")
    await made.press("end", "rename_node", name="goodbye")
    for _ in range(2):
        assert (await made.send("/undo")).status_code == 303
    assert await made.stored() == first
    assert (await made.send("/undo")).status_code == 303
    refused = await made.send("/undo")
    assert refused.status_code == 409 and "nothing to undo" in refused.text
    assert re.search(r'<button type="submit" disabled>Undo', await made.see())


async def test_a_version_is_published_again_and_a_scenario_renamed_and_deleted(site: Site) -> None:
    made = await editor(site)
    await made.send("/publish")
    await made.send("/nodes", type="hang_up", title="Another")
    await made.send("/publish")
    assert (await made.client.post(f"{made.address}/versions/1/publish")).status_code == 303
    assert "Version 3" in await made.see()
    assert (await made.client.post(f"{made.address}/name", data={"name": "Evening"})).status_code == 303
    assert (await made.client.post(f"{made.address}/delete")).headers["location"] == "/scenarios"
    assert (await made.client.get(made.address)).status_code == 404


async def test_a_scenario_in_use_says_who_uses_it_instead_of_going(site: Site) -> None:
    demo = site.install_demo()
    made = await editor(site, of("in", **{"in": insert("Demo", {"next": "end"}), "end": hang_up()}))
    answer = await made.client.post(f"/scenarios/{demo}/delete")
    assert answer.status_code == 409 and "it answers 8000" in answer.text
    answer = await made.client.post(f"/scenarios/{demo}/name", data={"name": "Other"})
    assert answer.status_code == 409 and "inserted by the scenario" in answer.text


@pytest.mark.covers("UIS-40")
async def test_t19_the_editor_refuses_a_circle_at_the_field_that_makes_it(site: Site) -> None:
    demo = site.install_demo()
    made = await editor(site, of("in", **{"in": insert("Demo", {"next": "end"}), "end": hang_up()}))
    inner = Editor(site, made.client, demo)
    answer = await inner.send("/nodes", type="insert_scenario", **{"parameter.scenario": "Main"})
    assert answer.status_code == 422 and "Demo &gt; Main &gt; Demo" in answer.text
    assert await made.see("/new?type=insert_scenario") and "insert_scenario" not in str(await inner.stored())


async def test_what_is_exported_can_be_imported_by_the_pages(site: Site) -> None:
    site.install_demo()
    client = await site.browser()
    exported = await client.get("/scenarios/1/archive")
    await client.post("/scenarios/1/undo", data={"revision": "1"})
    answer = await client.post("/scenarios/import", files={"file": ("Demo.zip", exported.content)})
    assert answer.headers["location"] == "/scenarios/1"
    refused = await client.post("/scenarios/import", files={"file": ("Demo.zip", b"PK")})
    assert refused.status_code == 422 and "no archive that can be read" in refused.text


async def test_forged_and_broken_forms_change_nothing(site: Site) -> None:
    made = await editor(site, one_menu())
    before = await made.stored()
    for path, fields in (
        ("/nodes/main/edit", {"edit": "explode"}),
        ("/nodes/main/edit", {"edit": "set_key", "key": "A", "action": "replay"}),
        ("/nodes/main/edit", {"edit": "set_key", "key": "1", "action": "dance"}),
        ("/nodes/main/edit", {"edit": "rename_node", "name": "../../x"}),
        ("/nodes/main/edit", {"edit": "remove_node"}),
        ("/nodes/end/edit", {"edit": "add_extension_entry"}),
        ("/nodes/none/edit", {"edit": "set_start"}),
        ("/nodes/none", {}),
        ("/nodes", {"type": "teleport"}),
        ("/name", {"name": "two\nlines"}),
        ("/undo", {"revision": "x"}),
    ):
        answer = await made.send(path, **fields)
        assert 400 <= answer.status_code < 500, (path, fields, answer.status_code)
    assert (await made.client.post(f"{made.address}/nodes/main/edit", data={"edit": "add_extension_entry"})).status_code == 400
    foreign = await made.client.post(f"{made.address}/delete", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    for query in ("keys=abc", "operators=x", "keys=" + "1" * 65):
        assert (await made.client.get(f"{made.address}/try?{query}")).status_code == 422
    assert await made.stored() == before


async def test_what_people_write_is_shown_as_text_and_never_as_markup(site: Site) -> None:
    attack = "<script>alert(1)</script>"
    document = one_menu()
    document["nodes"]["main"]["title"] = attack
    made = await editor(site, document)
    await site.database.run(create_group, attack, **BY)
    await site.database.run(create_operator, "2077", attack, **BY)
    await made.client.post(f"{made.address}/name", data={"name": attack})
    for path in ("", "/nodes/main", "/new?type=forward_to_group", "/try?keys=1"):
        assert attack not in await made.see(path)


async def test_a_call_through_inserted_scenarios_is_drawn_in_each_of_them(site: Site) -> None:
    demo = site.install_demo()
    made = await editor(site, of("in", **{"in": insert("Demo", {"next": "end"}), "end": hang_up()}))
    await made.send("/publish")
    versions = (await site.program().get(f"/api/v1/scenarios/{demo}")).json()["versions"]
    assert versions
    root = await site.database.read(get_scenario, made.id)
    inner = await site.database.read(get_scenario, demo)
    inserted = {"Demo": inner.published_version_id}
    site.add_arriving("01DEEP", scenario_version_id=root.published_version_id, inserted_versions=inserted)
    site.add_step("01DEEP", 1, "in", "insert_scenario", None)
    site.add_step("01DEEP", 2, "Demo / greeting", "info_message", "next")
    site.add_step("01DEEP", 3, "Demo / menu", "menu", None)
    page = (await made.client.get("/calls/01DEEP")).text
    assert page.count('<svg class="graph') == 2 and "Inserted: " in page and "Demo, version 1" in page
    assert page.count("card visited here") == 2, "where the caller is, in both"
    call = (await site.program().get("/api/v1/calls/01DEEP")).json()
    assert call["inserted_scenarios"] == [{"id": demo, "name": "Demo", "version": 1}]
