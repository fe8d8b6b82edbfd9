"""What people see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from starlette.routing import WebSocketRoute

from controller.actions.scenarios import save_draft
from controller.storage.calls import CallLeg
from tests.fixtures.web import NOON, Site, healthy
from web.routes import make_routes
from web.services import Component

ATTACK = "<script>alert('x')</script>\"'"


async def test_nothing_but_the_door_is_open_to_strangers(site: Site) -> None:
    client = site.stranger()
    places = {"id": "1", "number": "1", "recording": "1", "id:int": "1", "number:int": "1", "name": "a", "language": "en"}
    places["node"] = "menu"
    places["extension"] = "2001"
    places["login"] = "ann"
    places["lead:int"] = "1"
    inside = []
    sockets = [route.path for route in make_routes() if isinstance(route, WebSocketRoute)]
    assert sockets == ["/desk/telephone"], "who is refused there is tested by test_telephone.py"
    for route in make_routes():
        if isinstance(route, WebSocketRoute):
            continue
        path = re.sub(r"\{([\w:]+)\}", lambda place: places[place[1]], getattr(route, "path", ""))
        for method in sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"}):
            answer = await client.request(method, path)
            if answer.status_code != 401 and not answer.headers.get("location", "").startswith("/login"):
                inside.append(f"{method} {path}")
    assert inside == ["GET /login", "GET /api/v1/health", "GET /api/v1/openapi.json", "GET /static"]


async def test_live_calls_show_who_where_and_with_whom(site: Site) -> None:
    site.install_demo()
    talking = site.add_talk("01TALK", ended_at=None, ended_by=None, hangup_cause=None, outcome="live", caller_name="Café Orly")
    with site.database.session() as session:
        leg = session.get(CallLeg, "01TALK-op1")
        assert leg is not None
        leg.talk_ended_at = leg.ended_at = None
    site.add_arriving("02NEW")
    page = (await (await site.browser()).get("/live")).text
    row = _row(page, talking)
    assert "+4930123" in row and "Café Orly" in row and "Sales" in row and "Eve" in row and "10:00" in row
    assert "arriving" in _row(page, "02NEW") and "unknown" in _row(page, "02NEW")
    assert re.search(r"Calls now</dt><dd>2<.*Talking</dt><dd>1<.*In scenario</dt><dd>1<", page, re.S)


async def test_a_ringing_phone_is_shown(site: Site) -> None:
    site.install_demo()
    site.add_talk("01RING", ended_at=None, outcome="live")
    with site.database.session() as session:
        for number in (1, 2):
            leg = session.get(CallLeg, f"01RING-op{number}")
            assert leg is not None
            leg.answered_at = leg.talk_started_at = leg.talk_ended_at = leg.ended_at = None
    assert "ringing 2001, 2002" in (await (await site.browser()).get("/live")).text


async def test_a_quiet_system_says_how_to_place_the_first_call(site: Site) -> None:
    client = await site.browser()
    assert 'No number is set up yet. <a href="/numbers/new">' in (await client.get("/live")).text
    site.install_demo()
    for path in ("/live", "/calls"):
        page = (await client.get(path)).text
        assert '<strong class="number">8000</strong>' in page and "make demo" in page


async def test_history_shows_path_outcome_and_lengths(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    row = _row((await (await site.browser()).get("/calls")).text, "01TALK")
    assert "Talked" in row and "1:20" in row and "1:32" in row and "Eve" in row
    assert re.sub(r"<[^>]+>", " ", row).split()[-7:-3] == ["greeting", "menu", "1", "sales"]


async def test_filters_choose_and_stay_in_the_form(site: Site) -> None:
    site.install_demo()
    site.add_talk("01A", caller_number="+4911")
    site.add_talk("02B", caller_number="+4922", outcome="abandoned")
    client = await site.browser()
    for query, found in {
        "caller=4911": ["01A"],
        "outcome=abandoned": ["02B"],
        "operator=2001": ["02B", "01A"],
        "operator=2002": [],
        "caller=&called=8000": ["02B", "01A"],
    }.items():
        page = (await client.get(f"/calls?{query}")).text
        assert re.findall(r'href="/calls/(\w+)"', page) == found, query
    assert 'name="caller" inputmode="tel" maxlength="64" value="4911"' in (await client.get("/calls?caller=4911")).text
    assert "No call fits" in (await client.get("/calls?caller=777")).text


async def test_days_are_those_of_the_installations_zone(site: Site) -> None:
    site.install_demo()
    site.add_talk("01LATE", started_at=NOON.replace(hour=22, minute=30))  # 5 May in Berlin
    for zone, query, shown in (
        ("Europe/Berlin", "from=2026-05-05", True),
        ("Europe/Berlin", "to=2026-05-04", False),
        ("UTC", "from=2026-05-05", False),
        ("UTC", "from=2026-05-04&to=2026-05-04", True),
    ):
        client = await site.in_zone(zone).browser()
        assert ("/calls/01LATE" in (await client.get(f"/calls?{query}")).text) is shown, query


async def test_times_are_those_of_the_installations_zone(site: Site) -> None:
    site.install_demo()
    site.add_talk("01LATE", started_at=NOON.replace(hour=22, minute=30))
    page = (await (await site.in_zone("Europe/Berlin").browser()).get("/calls")).text
    assert 'title="2026-05-04 22:30:00 UTC" data-format="datetime">2026-05-05 00:30:00</time>' in page
    assert 'data-time-zone="Europe/Berlin"' in page and "Times are those of Europe/Berlin." in page


async def test_wrong_filters_are_named_at_their_field(site: Site) -> None:
    client = await site.browser()
    for query in ("caller=%3Cb%3E", "outcome=fine", "from=yesterday", "to=0001-01-01", "operator=%00"):
        answer = await client.get(f"/calls?{query}")
        assert answer.status_code == 422 and f'id="{query.partition("=")[0]}-error"' in answer.text, query
    assert (await client.get("/calls?cursor=nonsense")).status_code == 422


async def test_older_calls_are_a_page_further_and_the_filters_go_along(site: Site) -> None:
    site.install_demo()
    for number in range(51):
        site.add_talk(f"{number:03}", started_at=NOON - timedelta(hours=number))
    client = await site.browser()
    first = (await client.get("/calls?called=8000")).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None and "called=8000" in older[1] and first.count("row-link") == 50
    second = (await client.get(older[1].replace("&amp;", "&"))).text
    assert re.findall(r'href="/calls/(\w+)"', second) == ["050"] and 'href="/calls?called=8000">Newest' in second


async def test_one_call_shows_its_path_over_the_graph_its_timeline_and_its_legs(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    site.add_recording("01TALK", "2026/01TALK.wav")
    page = (await (await site.browser()).get("/calls/01TALK")).text
    assert "The caller&#39;s path: Greeting by next, Sales or support? by 1, Sales" in page
    assert page.count('class="card visited"') == 3 and page.count('class="card aside"') == 3
    assert re.search(r'<g class="pill followed">\s*<rect[^>]*/>\s*<text[^>]*>1</text>', page)
    timeline = page[page.index('id="timeline-title"') :]
    assert "demo-menu:ru" in timeline and "Pressed <kbd>1</kbd>" in timeline and "call ended" in timeline
    assert "Talked" in timeline and "Stopped" in timeline and "6.0 s" in timeline
    assert '<audio controls preload="metadata" src="/calls/01TALK/recordings/01TALK-r1">' in page
    assert (
        "Demo, version 1" in page and "cause 16" in page and "data-live" not in page.partition("<main")[2].partition("<footer")[0]
    )


async def test_a_call_that_just_arrived_can_be_looked_at(site: Site) -> None:
    site.add_arriving("01NEW")
    page = (await (await site.browser()).get("/calls/01NEW")).text
    assert "Call from" in page and "unknown" in page and "not over yet" in page and "data-live" in page
    assert "The call met no scenario." in page and "No node was visited." in page and "Nobody was rung." in page


async def test_a_live_call_shows_where_the_caller_is(site: Site) -> None:
    site.install_demo()
    site.add_talk("01LIVE", ended_at=None, ended_by=None, outcome="live")
    page = (await (await site.browser()).get("/calls/01LIVE")).text
    assert 'class="card visited here"' in page and 'class="ending"' not in page


async def test_a_call_outlives_its_scenario_and_its_recording(site: Site) -> None:
    site.add_arriving("01OLD", scenario_version_id=99, ended_at=NOON, outcome="lost")
    site.add_recording("01OLD", "gone.wav")
    (site.settings.recordings_dir / "gone.wav").unlink()
    page = (await (await site.browser()).get("/calls/01OLD")).text
    assert "The file is not in the recordings folder any more." in page and "Lost" in page


async def test_what_callers_send_is_never_markup(site: Site) -> None:
    id = site.install_demo()
    site.add_talk("01EVIL", caller_number=ATTACK, caller_name=ATTACK, called_number=ATTACK, line_name=ATTACK, language=ATTACK)
    site.add_arriving("02EVIL", caller_number=ATTACK, caller_name=ATTACK, called_number=ATTACK)
    site.health = healthy(ari=Component(state="down", detail=ATTACK))
    client = await site.browser()
    for path in ("/live", "/calls", "/calls/01EVIL", "/calls/02EVIL", f"/scenarios/{id}", f"/calls?caller={ATTACK}"):
        page = (await client.get(path)).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page, path
    answer = await site.stranger().post("/login", data={"login": ATTACK, "password": "x"})
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", ["/live", "/login", "/calls", "/nothing", "/static/app.css", "/api/v1/calls", "/api/v1/health"])
async def test_every_answer_carries_the_headers_of_a_careful_site(site: Site, path: str) -> None:
    headers = (await (await site.browser()).get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_pages_need_no_inline_script_or_style(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    client = await site.browser()
    for path in ("/live", "/calls", "/calls/01TALK", "/scenarios", "/scenarios/1", "/account", "/nothing"):
        page = (await client.get(path)).text
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page), path
        for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert (await client.get(asset)).status_code == 200, asset


async def test_health_is_at_the_foot_of_every_page(site: Site) -> None:
    client = await site.browser()
    assert re.search(r"Asterisk 22.5.2\s+connected", (await client.get("/live")).text)
    site.health = healthy(ari=Component(state="down", detail="no answer for 5 s"))
    page = (await client.get("/account")).text
    assert re.search(r'class="down" title="no answer for 5 s">.*Asterisk\s+not connected', page, re.S) and "Redis" not in page


async def test_scenarios_are_listed_with_what_is_published_and_their_numbers(site: Site) -> None:
    client = await site.browser()
    assert "No scenarios yet" in (await client.get("/scenarios")).text
    id = site.install_demo()
    row = _row((await client.get("/scenarios")).text, str(id), "scenarios")
    assert "Demo" in row and "Version 1" in row and "8000" in row


async def test_a_draft_is_shown_with_its_problems_and_a_version_as_it_is(site: Site) -> None:
    id = site.install_demo()
    broken = {
        "schema_version": 2,
        "start": "hello",
        "nodes": {"hello": {"operation": {"type": "info_message", "message": ["nowhere"]}, "links": {"next": "lost"}}},
    }
    await site.database.run(save_draft, id, broken, 1, acting_user="test", at=NOON)
    client = await site.browser()
    draft = (await client.get(f"/scenarios/{id}")).text
    assert "there is no prompt &#34;nowhere&#34;" in draft and "<code>hello</code>" in draft
    version = (await client.get(f"/scenarios/{id}/versions/1")).text
    assert "Version 1, published" in version and "Sales or support?" in version and "Problems" not in version


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/calls/nothing",
        "/calls/%00",
        "/calls/..%2F..",
        "/scenarios/7",
        "/scenarios/99999999999999999999",
        "/scenarios/1/versions/7",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(site: Site, path: str) -> None:
    site.install_demo()
    answer = await (await site.browser()).get(path)
    assert answer.status_code == 404 and "<h1>Not Found</h1>" in answer.text and "Attendant" in answer.text


def _row(page: str, id: str, kind: str = "calls") -> str:
    """The table row that links to the page of `id`."""
    rows = [row for row in page.split("<tr>") if f'href="/{kind}/{id}"' in row]
    assert len(rows) == 1
    return rows[0].partition("</tr>")[0]


@pytest.mark.covers("UIS-46")
@pytest.mark.parametrize("address", ["/calls", "/calls/01TALK"])
async def test_the_source_of_a_call_is_shown_in_the_history_and_on_its_page(site: Site, address: str) -> None:
    site.install_demo()
    site.add_talk("01TALK", source="Radio <1>")
    assert '<span class="badge" title="Source">Radio &lt;1&gt;</span>' in (await (await site.browser()).get(address)).text
