"""Which entry of the block list counts for a caller, and what he gets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.calls import blocking as calls_blocking
from controller.calls.blocking import BlockList, asks_itself, count_hit
from controller.storage.contacts import BlockEntry, BlockKind
from ivr.graph import ScenarioBundle
from tests.controller.calls.conftest import CallCenter
from tests.ivr.builders import hang_up, insert, node, scenario

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def entry(id: int, pattern: str, kind: BlockKind = "exact", until: timedelta | None = None) -> BlockEntry:
    return BlockEntry(id, pattern, kind, "reject", None if until is None else NOON + until)


def found(number: str, *entries: BlockEntry) -> int | None:
    one = BlockList(entries).entry_of(number, NOON)
    return None if one is None else one.id


def test_the_number_itself_goes_before_a_beginning_and_a_longer_beginning_before_a_shorter() -> None:
    entries = entry(1, "+7", "prefix"), entry(2, "+7495", "prefix"), entry(3, "+74951234567")
    assert [found(number, *entries) for number in ("+74951234567", "+74950000000", "+79160000000", "+4930123")] == [3, 2, 1, None]


def test_a_beginning_is_no_number_and_a_number_no_beginning() -> None:
    assert found("+7495", entry(1, "+7495", "prefix")) == 1
    assert found("+74951", entry(1, "+7495")) is None


def test_an_entry_counts_until_it_expires_and_then_a_wider_one() -> None:
    wide = entry(1, "+7", "prefix")
    assert found("+7495", wide, entry(2, "+7495", until=timedelta(seconds=1))) == 2
    assert found("+7495", wide, entry(2, "+7495", until=timedelta(0))) == 1


async def test_a_database_that_does_not_answer_is_not_waited_for_to_count_who_was_blocked(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(center.database, "run", never)
    monkeypatch.setattr(calls_blocking, "COUNTED_WITHIN", 0.0)
    await count_hit(7, center.tools)
    assert "the hit of blocked number 7 was not counted: no answer" in caplog.text


CALLERS: dict[str, Any] = {"known": "end", "unknown": "end"}


@pytest.mark.parametrize(("links", "asks"), [(CALLERS, False), ({**CALLERS, "blocked": "end"}, True)])
def test_a_scenario_that_links_blocked_asks_itself_also_where_it_is_inserted(links: dict[str, Any], asks: bool) -> None:
    inner = scenario("who", who=node("caller_list", links), end=hang_up())
    outer = scenario("in", **{"in": insert("Inner", {"next": "end"}), "end": hang_up()})
    assert asks_itself(ScenarioBundle(inner)) is asks
    assert asks_itself(ScenarioBundle(outer, {"Inner": inner})) is asks
