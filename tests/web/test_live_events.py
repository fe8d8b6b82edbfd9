"""The stream that tells pages to look again."""

from __future__ import annotations

import asyncio

from controller.bus import CallsChanged, DirectoryChanged, ScenarioPublished
from tests.fixtures.streams import listening
from tests.fixtures.web import Site


async def test_a_change_is_told_at_once_and_other_notices_are_not(site: Site) -> None:
    async with listening(site) as sent:
        site.bus.send(DirectoryChanged())
        site.bus.send(ScenarioPublished(1))
        site.bus.send(CallsChanged())
        assert (await sent.get())["body"] == b"event: calls\ndata:\n\n"
        assert sent.empty()


async def test_a_thousand_changes_are_one_event(site: Site) -> None:
    async with listening(site) as sent:
        for _ in range(1000):
            site.bus.send(CallsChanged())
        assert (await sent.get())["body"] == b"event: calls\ndata:\n\n"
        assert sent.empty()


async def test_the_stream_ends_with_the_bus_so_that_the_server_can_stop(site: Site) -> None:
    async with listening(site) as sent:
        await site.bus.stop()
        assert await sent.get() == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_browser_that_leaves_leaves_nothing_behind(site: Site) -> None:
    before = asyncio.all_tasks()
    async with listening(site):
        pass
    assert asyncio.all_tasks() == before


async def test_a_stranger_hears_nothing(site: Site) -> None:
    assert (await site.stranger().get("/live/events")).status_code == 401
