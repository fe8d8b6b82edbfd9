"""Voicemails, the outbox, schedules, contacts and the block list in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from controller.actions.operators import create_operator
from controller.storage.outbox import claim_due_letter, mark_given_up, mark_sent
from tests.fixtures.web import NOON, Site, left_voicemail

OFFICE = {"week": {"monday": [{"start": "09:00", "end": "18:00"}]}, "holidays": [{"day": "2026-05-11", "name": "Feast"}]}


async def letter_of(program: httpx.AsyncClient) -> dict[str, Any]:
    (letter,) = (await program.get("/api/v1/outbox")).json()["letters"]
    return dict(letter)


async def test_a_voicemail_is_listed_heard_and_marked(site: Site) -> None:
    await left_voicemail(site)
    await left_voicemail(site, "02SILENT", path=None, length_seconds=0)
    program = site.program()
    silent, spoken = (await program.get("/api/v1/voicemails")).json()["voicemails"]
    assert (silent["id"], silent["recorded"], silent["audio_available"]) == ("02SILENT", False, False)
    assert (spoken["id"], spoken["recorded"], spoken["audio_available"], spoken["length_seconds"]) == ("01VOICE", True, True, 2.5)
    assert "path" not in spoken
    audio = await program.get("/api/v1/voicemails/01VOICE/audio")
    assert (audio.content, audio.headers["content-type"]) == (b"RIFF", "audio/wav")
    assert (await program.get("/api/v1/voicemails/02SILENT/audio")).status_code == 404

    marked = (await program.put("/api/v1/voicemails/01VOICE/heard", json={"heard": True})).json()
    assert marked["heard_at"] == "2026-05-04T12:00:00Z"
    unheard = (await program.get("/api/v1/voicemails", params={"heard": "false"})).json()["voicemails"]
    assert [one["id"] for one in unheard] == ["02SILENT"]
    assert (await program.put("/api/v1/voicemails/01VOICE/heard", json={"heard": False})).json()["heard_at"] is None
    older = (await program.get("/api/v1/voicemails", params={"before": "02SILENT"})).json()["voicemails"]
    assert [one["id"] for one in older] == ["01VOICE"]


async def test_a_voicemail_is_removed_with_its_file_but_not_before_its_letter_is_out(site: Site) -> None:
    await left_voicemail(site)
    program, file = site.program(), site.settings.data_dir / "recordings/01VOICE.wav"
    refused = await program.delete("/api/v1/voicemails/01VOICE")
    assert refused.status_code == 409 and "was not sent yet" in refused.json()["error"]["message"]
    assert file.exists()
    await site.database.run(mark_sent, (await letter_of(program))["id"], NOON)
    assert (await program.delete("/api/v1/voicemails/01VOICE")).status_code == 204
    assert not file.exists()
    assert (await program.get("/api/v1/voicemails/01VOICE")).status_code == 404


async def test_a_file_outside_of_the_data_folder_is_neither_given_nor_removed(site: Site) -> None:
    outside = site.settings.data_dir.parent / "outside.wav"
    outside.write_bytes(b"secret")
    await left_voicemail(site, path="../outside.wav", recipients=())
    program = site.program()
    assert (await program.get("/api/v1/voicemails/01VOICE/audio")).status_code == 404
    assert (await program.delete("/api/v1/voicemails/01VOICE")).status_code == 204
    assert outside.exists()
    outside.unlink()


async def test_the_outbox_shows_what_waits_and_why(site: Site) -> None:
    await left_voicemail(site)
    program = site.program()
    page = (await program.get("/api/v1/outbox", params={"state": "waiting"})).json()
    assert (page["waiting"], page["given_up"], page["mail_server_set"]) == (1, 0, False)
    letter = page["letters"][0]
    assert (letter["state"], letter["recipient"], letter["attempts"]) == ("waiting", "office@example.com", 0)
    assert letter["attachments"] == ["voicemail-20260504-1200-4930123.wav"]
    assert (await program.get(f"/api/v1/outbox/{letter['id']}")).json() == letter
    assert (await program.get("/api/v1/outbox", params={"state": "lost"})).status_code == 422


async def test_a_letter_that_was_given_up_is_tried_again_perhaps_elsewhere(site: Site) -> None:
    await left_voicemail(site)
    program = site.program()
    id = (await letter_of(program))["id"]
    await site.database.run(claim_due_letter, NOON, NOON + timedelta(hours=1))
    await site.database.run(mark_given_up, id, NOON, "550 No such user")
    assert (await letter_of(program))["last_error"] == "550 No such user"
    bad = await program.post(f"/api/v1/outbox/{id}/retry", json={"recipient": "a@b\nBcc: c@d"})
    assert bad.status_code == 422 and bad.json()["error"]["fields"][0]["field"] == "recipient"
    again = (await program.post(f"/api/v1/outbox/{id}/retry", json={"recipient": "other@example.com"})).json()
    assert (again["state"], again["recipient"], again["attempts"], again["due_at"]) == (
        "waiting",
        "other@example.com",
        0,
        "2026-05-04T12:00:00Z",
    )
    await site.database.run(mark_sent, id, NOON)
    assert (await program.post(f"/api/v1/outbox/{id}/retry")).status_code == 409
    assert (await program.delete(f"/api/v1/outbox/{id}")).status_code == 204
    assert (await program.get(f"/api/v1/outbox/{id}")).status_code == 404


async def test_a_schedule_is_created_looked_at_replaced_and_removed(site: Site) -> None:
    program = site.program()
    created = await program.post("/api/v1/schedules", json={"name": "Office", "schedule": OFFICE})
    assert created.status_code == 201
    address = f"/api/v1/schedules/{created.json()['id']}"
    assert created.json()["schedule"]["week"] == OFFICE["week"]
    state = (await program.get(f"{address}/state")).json()
    opens = {"state": "open", "next_opening": "2026-05-04T12:00:00Z"}
    assert state == {"at": "2026-05-04T12:00:00Z", **opens, "zone": "UTC", "zone_mode": "fixed"}
    later = (await program.get(f"{address}/state", params={"at": "2026-05-11T12:00:00+02:00"})).json()
    assert (later["state"], later["next_opening"]) == ("holiday", "2026-05-18T09:00:00Z")

    assert (await program.post("/api/v1/schedules", json={"name": "Office", "schedule": {}})).status_code == 409
    moscow = {"name": "Shop", "schedule": {**OFFICE, "zone": "Europe/Moscow"}}
    assert (await program.put(address, json=moscow)).json()["name"] == "Shop"
    assert (await program.get(f"{address}/state")).json()["zone"] == "Europe/Moscow"
    assert [one["name"] for one in (await program.get("/api/v1/schedules")).json()["schedules"]] == ["Shop"]
    assert (await program.delete(address)).status_code == 204
    assert (await program.get(address)).status_code == 404


@pytest.mark.parametrize("mode", ["operator", "contact"])
async def test_a_schedule_of_peoples_own_clocks_is_answered_by_its_own_zone_and_says_so(site: Site, mode: str) -> None:
    program, browser = site.program(), await site.browser()
    schedule = {**OFFICE, "zone_mode": mode, "zone": "Asia/Vladivostok"}
    id = (await program.post("/api/v1/schedules", json={"name": "Office", "schedule": schedule})).json()["id"]
    state = (await program.get(f"/api/v1/schedules/{id}/state")).json()
    assert (state["state"], state["zone"], state["zone_mode"]) == ("closed", "Asia/Vladivostok", mode)
    page = (await browser.get(f"/schedules/{id}")).text
    assert "Closed" in page and "<dt>By the clock of</dt><dd>Asia/Vladivostok</dd>" in page and "in another time zone" in page


async def test_a_schedule_that_makes_no_sense_is_refused_at_its_field(site: Site) -> None:
    backwards = {"week": {"monday": [{"start": "18:00", "end": "09:00"}]}}
    refused = await site.program().post("/api/v1/schedules", json={"name": "Office", "schedule": backwards})
    assert refused.status_code == 422
    (field,) = refused.json()["error"]["fields"]
    assert field["field"] == "schedule.week.monday.0" and "before it starts" in field["message"]


async def test_a_contact_is_created_found_replaced_and_removed(site: Site) -> None:
    with site.database.session() as session:
        create_operator(session, "2001", "Eve", acting_user="test", at=NOON)
    program = site.program()
    body = {"name": "Anna", "numbers": ["+49 30 1234567"], "tags": ["vip"], "owner": "2001", "time_zone": "Asia/Tokyo"}
    created = await program.post("/api/v1/contacts", json=body)
    assert created.status_code == 201
    assert created.json() == {"id": 1, **body, "position": "", "numbers": ["+49301234567"]}
    assert (await program.get("/api/v1/contacts", params={"search": "30123"})).json()["contacts"] == [created.json()]
    assert (await program.post("/api/v1/contacts", json=body)).status_code == 409
    bad = await program.post("/api/v1/contacts", json={**body, "owner": "2099"})
    assert bad.json()["error"]["fields"][0]["field"] == "owner"
    bad = await program.put("/api/v1/contacts/1", json={**body, "name": "Eve", "time_zone": "Mars/Olympus"})
    assert [one["field"] for one in bad.json()["error"]["fields"]] == ["time_zone"]
    assert (await program.get("/api/v1/contacts/1")).json() == created.json()
    changed = await program.put("/api/v1/contacts/1", json={"name": "Anna", "numbers": []})
    nothing = {"position": "", "numbers": [], "tags": [], "owner": None, "time_zone": None}
    assert changed.json() == {"id": 1, "name": "Anna", **nothing}
    assert (await program.get("/api/v1/contacts/1")).json() == changed.json()
    assert (await program.delete("/api/v1/contacts/1")).status_code == 204
    assert (await program.get("/api/v1/contacts/1")).status_code == 404


@pytest.mark.covers("UIS-43")
async def test_a_number_is_blocked_changed_and_unblocked(site: Site) -> None:
    program = site.program()
    created = await program.post("/api/v1/blocked-numbers", json={"number": "+49 30 1234567", "comment": "spam"})
    assert created.status_code == 201
    entry = created.json()
    assert (entry["number"], entry["kind"], entry["action"], entry["hits"]) == ("+49301234567", "exact", "reject", 0)
    prefix = {"number": "+4930", "kind": "prefix", "action": "busy", "expires_at": "2026-05-05T00:00:00Z"}
    address = f"/api/v1/blocked-numbers/{entry['id']}"
    assert (await program.put(address, json=prefix)).json()["expires_at"] == "2026-05-05T00:00:00Z"
    over = await program.put(address, json={**prefix, "expires_at": "2026-05-04T11:00:00Z"})
    assert over.json()["error"]["fields"][0]["field"] == "expires_at"
    assert [one["number"] for one in (await program.get("/api/v1/blocked-numbers")).json()["blocked"]] == ["+4930"]
    assert (await program.get(address)).json()["action"] == "busy"
    assert (await program.delete(address)).status_code == 204
    assert (await program.get("/api/v1/blocked-numbers")).json() == {"blocked": []}
