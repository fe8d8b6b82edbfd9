"""Calls, recordings and health in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from controller.actions.recordings import let_token_hear, let_user_hear
from controller.actions.users import create_token, create_user, revoke_token, start_web_session
from controller.storage.calls import RoutingDecision
from controller.storage.users import list_api_tokens
from tests.fixtures.web import NOON, PASSWORD, Site, healthy
from web.security import SESSION_LIFETIME
from web.services import Component


async def test_a_token_is_needed_and_a_cookie_is_none(site: Site) -> None:
    for client in (
        site.stranger(),
        site.stranger(Authorization="Bearer att_wrong"),
        site.stranger(Authorization=f"Basic {site.token}"),
        site.stranger(Authorization="Bearer "),
        await site.browser(),
    ):
        answer = await client.get("/api/v1/calls")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["code"] == "unauthorized"
    assert (await site.stranger().get(f"/api/v1/calls?access_token={site.token}")).status_code == 401
    assert (await site.program().get("/api/v1/calls")).status_code == 200


async def test_a_token_does_not_open_pages(site: Site) -> None:
    assert (await site.program().get("/live")).status_code == 303


async def test_a_revoked_token_ends_at_once(site: Site) -> None:
    await site.database.run(revoke_token, "reports", acting_user="test", at=NOON)
    assert (await site.program().get("/api/v1/calls")).status_code == 401


async def test_the_use_of_a_token_is_remembered_once_a_minute(site: Site) -> None:
    async def last_used() -> object:
        return (await site.database.read(list_api_tokens))[0].last_used_at

    for seconds, remembered in ((0, 0), (59, 0), (61, 61)):
        site.moment = NOON + timedelta(seconds=seconds)
        await site.program().get("/api/v1/calls")
        assert await last_used() == NOON + timedelta(seconds=remembered)


async def test_a_call_in_the_list_has_nodes_exit_operator_and_talk_time(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    answer = await site.program().get("/api/v1/calls")
    assert answer.json() == {
        "calls": [
            {
                "id": "01TALK",
                "caller": "+4930123",
                "caller_name": "",
                "called": "8000",
                "line": "Demo line",
                "source": "",
                "hours": None,
                "direction": "inbound",
                "contact": None,
                "started_at": "2026-05-04T11:50:00Z",
                "answered_at": "2026-05-04T11:50:00.200000Z",
                "ended_at": "2026-05-04T11:51:32.200000Z",
                "outcome": "talked",
                "duration_seconds": 92.2,
                "operator": {"extension": "2001", "name": "Eve"},
                "talk_seconds": 80.0,
                "cost": "0.00",
                "nodes": [{"node": "greeting", "exit": "next"}, {"node": "menu", "exit": "1"}, {"node": "sales", "exit": None}],
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.covers("SKZ-61")
async def test_who_picked_a_call_up_and_at_whom_it_rang_is_told_by_the_api_and_on_its_page(site: Site) -> None:
    site.add_arriving("01TALK")
    chosen = {"target": "Sales", "strategy": "ring_all", "rule_version": 2, "order": []}
    left_out = [["2002", "ringing", None], ["2003", "ringing", None]]
    decision = RoutingDecision(
        call_id="01TALK", number=1, at=NOON, rule="picked_up", offered=["2001"], left_out=left_out, **chosen
    )
    await site.database.run(lambda session: session.add(decision))
    (told,) = (await site.program().get("/api/v1/calls/01TALK")).json()["decisions"]
    assert (told["rule"], told["offered"]) == ("picked_up", ["2001"])
    assert [(one["extension"], one["why"]) for one in told["left_out"]] == [("2002", "ringing"), ("2003", "ringing")]
    page = (await (await site.browser()).get("/calls/01TALK")).text
    assert "picked up while it rang at 2002, 2003" in page


async def test_one_call_has_its_moves_legs_and_recordings(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    site.add_recording("01TALK", "01TALK.wav")
    call = (await site.program().get("/api/v1/calls/01TALK")).json()
    assert call["scenario"] == {"id": 1, "name": "Demo", "version": 1}
    assert call["moves"][1] == {
        "visit": 2,
        "node": "menu",
        "title": "Sales or support?",
        "operation": "menu",
        "entered_at": "2026-05-04T11:50:04.200000Z",
        "left_at": "2026-05-04T11:50:06.200000Z",
        "exit": "1",
        "digits": "1",
        "prompts": ["demo-menu:ru", "demo-menu:en"],
        "duration_seconds": 2.0,
    }
    assert [(leg["operator"]["extension"], leg["ring_seconds"], leg["talk_seconds"]) for leg in call["legs"]] == [
        ("2001", 6.0, 80.0),
        ("2002", 6.0, None),
    ]
    assert [recording["url"] for recording in call["recordings"]] == ["/api/v1/calls/01TALK/recordings/01TALK-r1"]


async def test_a_live_call_is_measured_up_to_now(site: Site) -> None:
    site.add_arriving("01NEW", started_at=NOON - timedelta(seconds=5))
    (call,) = (await site.program().get("/api/v1/calls?live=true")).json()["calls"]
    assert (call["duration_seconds"], call["ended_at"], call["operator"], call["nodes"]) == (5.0, None, None, [])


async def test_filters_choose(site: Site) -> None:
    site.install_demo()
    site.add_talk("01A", caller_number="+4911")
    site.add_talk("02B", caller_number="+4922", outcome="abandoned", started_at=NOON)
    site.add_arriving("03C", started_at=NOON + timedelta(minutes=1), called_number="9000")
    program = site.program()
    for query, found in {
        "": ["03C", "02B", "01A"],
        "live=true": ["03C"],
        "live=false": ["02B", "01A"],
        "caller=4911": ["01A"],
        "called=9000": ["03C"],
        "operator=2001": ["02B", "01A"],
        "outcome=abandoned": ["02B"],
        "from=2026-05-04T12:00:00Z": ["03C", "02B"],
        "to=2026-05-04T14:00:00%2B02:00": ["01A"],
        "from=2026-05-04T12:00:00Z&to=2026-05-04T12:00:01Z": ["02B"],
        "limit=1": ["03C"],
        "caller=": ["03C", "02B", "01A"],
    }.items():
        assert [call["id"] for call in (await program.get(f"/api/v1/calls?{query}")).json()["calls"]] == found, query


async def test_pages_follow_each_other_without_gap_or_repetition(site: Site) -> None:
    for number in range(7):
        site.add_arriving(f"{number}", started_at=NOON - timedelta(minutes=number // 2))
    seen, cursor = [], ""
    while cursor is not None:
        answer = (await site.program().get("/api/v1/calls", params={"limit": "3", "cursor": cursor})).json()
        seen += [call["id"] for call in answer["calls"]]
        cursor = answer["next_cursor"]
    assert sorted(seen) == [str(number) for number in range(7)] and len(seen) == 7


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("live=perhaps", "live"),
        ("outcome=fine", "outcome"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("from=2026-05-04", "from"),
        ("from=2026-05-04T12:00:00", "from"),
        ("cursor=nonsense", "cursor"),
        ("caller=%00", "caller"),
        ("caler=4911", "caler"),
    ],
)
async def test_a_wrong_filter_is_named(site: Site, query: str, field: str) -> None:
    answer = await site.program().get(f"/api/v1/calls?{query}")
    error = answer.json()["error"]
    assert answer.status_code == 422 and error["code"] == "invalid_input" and error["fields"][0]["field"] == field


async def test_a_recording_is_played_in_parts_and_downloaded_under_a_name(site: Site) -> None:
    site.add_arriving("01REC", ended_at=NOON)
    site.add_recording("01REC", "2026/05/01REC.wav")
    content = (site.settings.recordings_dir / "2026/05/01REC.wav").read_bytes()
    program, browser = site.program(), await site.browser()
    for client, path in (
        (program, "/api/v1/calls/01REC/recording"),
        (program, "/api/v1/calls/01REC/recordings/01REC-r1"),
        (browser, "/calls/01REC/recordings/01REC-r1"),
    ):
        whole = await client.get(path)
        assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "audio/wav", content)
        part = await client.get(path, headers={"Range": "bytes=44-143"})
        assert (part.status_code, part.content) == (206, content[44:144])
        assert (await client.get(path, headers={"Range": "bytes=999999-"})).status_code == 416
    named = await browser.get("/calls/01REC/recordings/01REC-r1?download=1")
    assert named.headers["content-disposition"] == 'attachment; filename="call-01REC.wav"'


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/hostname", "a/../../secret.wav", "link.wav", ".", "missing.wav"])
async def test_a_recording_outside_of_its_folder_is_not_given(site: Site, path: str) -> None:
    (site.settings.data_dir / "secret.wav").write_bytes(b"secret")
    site.settings.recordings_dir.mkdir()
    (site.settings.recordings_dir / "link.wav").symlink_to(site.settings.data_dir / "secret.wav")
    site.add_arriving("01EVIL", ended_at=NOON)
    site.add_recording("01EVIL", path, content=b"")
    for address in ("/api/v1/calls/01EVIL/recording", "/api/v1/calls/01EVIL/recordings/01EVIL-r1"):
        answer = await site.program().get(address)
        assert answer.status_code == 404 and b"secret" not in answer.content


@pytest.mark.covers("SKZ-52")
async def test_recordings_are_for_those_who_may_hear_them(site: Site) -> None:
    site.install_demo()
    site.add_talk("01REC")
    site.add_recording("01REC", "01REC.wav")
    by: dict[str, Any] = {"acting_user": "test", "at": NOON}
    await site.database.run(create_user, "eve", PASSWORD, "supervisor", **by)
    session = await site.database.run(start_web_session, 2, SESSION_LIFETIME, at=NOON)
    eve = site.stranger(Cookie=f"attendant_{site.settings.http_port}={session}")
    deaf = site.stranger(Authorization=f"Bearer {await site.database.run(create_token, 'deaf', **by)}")
    addresses = ("/api/v1/calls/01REC/recording", "/api/v1/calls/01REC/recordings/01REC-r1", "/api/v1/voicemails/01V/audio")
    for address in addresses:
        refused = await deaf.get(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert (await deaf.get("/api/v1/calls/01REC")).status_code == 200
    page = (await eve.get("/calls/01REC")).text
    assert "<audio" not in page
    assert (await eve.get("/calls/01REC/recordings/01REC-r1")).status_code == 403
    await site.database.run(let_user_hear, "eve", True, **by)
    await site.database.run(let_token_hear, "deaf", True, **by)
    assert "<audio" in (await eve.get("/calls/01REC")).text
    assert (await eve.get("/calls/01REC/recordings/01REC-r1")).status_code == 200
    assert [(await deaf.get(address)).status_code for address in addresses] == [200, 200, 404]
    assert "<audio" in (await (await site.browser()).get("/calls/01REC")).text  # an administrator


@pytest.mark.covers("SKZ-52")
async def test_a_recording_is_deleted_with_its_file_by_those_who_may_hear_it(site: Site) -> None:
    site.install_demo()
    site.add_talk("01REC")
    site.add_recording("01REC", "2026/05/01REC.wav")
    site.add_talk("02NEXT")
    one, file = "/api/v1/calls/01REC/recordings/01REC-r1", site.settings.recordings_dir / "2026/05/01REC.wav"
    deaf = await site.database.run(create_token, "deaf", acting_user="test", at=NOON)
    assert (await site.stranger(Authorization=f"Bearer {deaf}").delete(one)).status_code == 403
    assert (await site.program().delete("/api/v1/calls/02NEXT/recordings/01REC-r1")).status_code == 404
    assert file.exists()
    assert (await site.program().delete(one)).status_code == 204
    assert not file.exists()
    assert (await site.program().delete(one)).status_code == 404
    assert (await site.program().get("/api/v1/calls/01REC")).json()["recordings"] == []


@pytest.mark.covers("SKZ-52")
async def test_a_recording_that_could_not_be_written_says_so_and_has_no_audio(site: Site) -> None:
    site.install_demo()
    site.add_talk("01REC")
    site.add_recording("01REC", "01REC.wav", failed=True)
    (told,) = (await site.program().get("/api/v1/calls/01REC")).json()["recordings"]
    assert told["failed"]
    assert (await site.program().get(told["url"])).status_code == 404
    page = (await (await site.browser()).get("/calls/01REC")).text
    assert "Nothing could be written" in page and "<audio" not in page


async def test_every_page_says_when_the_disk_is_almost_full(site: Site) -> None:
    visitor = await site.browser()
    assert "Disk almost full" not in (await visitor.get("/numbers")).text
    site.health = healthy(disk=Component(state="down", detail="only 12 MB are free"))
    page = (await visitor.get("/numbers")).text
    assert "Disk almost full" in page and "only 12 MB are free" in page


async def test_the_recording_of_a_call_that_is_not_live_here_cannot_be_paused(site: Site) -> None:
    site.add_arriving("01LIVE", outcome="live")
    site.add_arriving("02OVER", ended_at=NOON)
    for id, status, said in (("01LIVE", 409, "not live in this process"), ("02OVER", 409, "over"), ("03NONE", 404, "no call")):
        for change in ("pause", "resume"):
            refused = await site.program().post(f"/api/v1/calls/{id}/recording/{change}")
            assert refused.status_code == status and said in refused.json()["error"]["message"]
    assert (await site.stranger().post("/api/v1/calls/01LIVE/recording/pause")).status_code == 401


async def test_a_recording_that_is_being_made_or_of_another_call_is_not_given(site: Site) -> None:
    site.add_arriving("01A")
    site.add_arriving("02B")
    site.add_recording("01A", "01A.wav", ended=False)
    site.add_recording("02B", "02B.wav")
    program = site.program()
    assert (await program.get("/api/v1/calls/01A/recording")).status_code == 404
    assert (await program.get("/api/v1/calls/01A/recordings/02B-r1")).status_code == 404


async def test_health_is_open_and_says_what_is_wrong(site: Site) -> None:
    answer = await site.stranger().get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    site.health = healthy(ari=Component(state="down", detail="no answer"))
    answer = await site.stranger().get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["ari"] == {"state": "down", "detail": "no answer"}
    site.health = healthy(database=Component(state="down"))
    answer = await site.stranger().get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
