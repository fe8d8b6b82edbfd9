"""What every page has: its place in the menu, a title of its own, and help when there is nothing yet."""

from __future__ import annotations

import re

import pytest

from controller.actions.desks import link_user
from tests.fixtures.web import NOON, Site, left_voicemail
from web.navigation import MENU

ADDRESSES = [entry.address for group in MENU for entry in group.entries]
FORMS = ["/team/new", "/team/1", "/team/1/edit", "/groups/new", "/groups/1", "/schedules/new", "/contacts/new", "/account"]


@pytest.mark.parametrize("path", [*ADDRESSES, *FORMS])
async def test_every_page_has_a_title_and_needs_no_inline_script_or_style(site: Site, path: str) -> None:
    site.install_demo()
    with site.database.session() as session:
        link_user(session, "ann", "2001", acting_user="test", at=NOON)
    client = await site.browser()
    page = (await client.get(path)).text
    title = re.search(r"<title>(.+) · Attendant</title>", page)
    assert title and title[1].strip() and page.count("<h1") == 1
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page)
    for asset in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)):
        assert (await client.get(asset)).status_code == 200, asset


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_page_of_the_menu_marks_its_place_in_it(site: Site, path: str) -> None:
    page = (await (await site.browser()).get(path)).text
    marked = re.findall(r'<a href="([^"]+)" aria-current="page">', page)
    assert marked == [path]


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_page_without_anything_says_what_belongs_there(site: Site, path: str) -> None:
    page = (await (await site.browser()).get(path)).text
    assert re.search(r'class="panel empty">.*?<h2>.+?</h2>\s*<p>.{30,}?</p>', page, re.S)


async def test_the_menu_counts_the_voicemails_that_nobody_has_heard(site: Site) -> None:
    client = await site.browser()
    assert 'class="count"' not in (await client.get("/calls")).text
    for id in ("01A", "02B"):
        await left_voicemail(site, id)
    assert 'class="count">2<span class="hidden"> not heard' in (await client.get("/calls")).text
    await client.post("/voicemails/01A/heard")
    assert 'class="count" aria-hidden="true">1</span>' in (await client.get("/scenarios")).text
